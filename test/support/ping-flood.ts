import { once } from 'node:events';
import { connect } from 'node:net';
import { upgradeHead } from './handshake.js';

const MIB = 1024 * 1024;

/** Pings a server and reads no answer, until it hangs up. @throws when it has taken 64 MiB of them */
export async function floodWithPings(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(upgradeHead(`127.0.0.1:${port}`));
  await once(socket, 'data');
  socket.pause();
  const ping = Buffer.concat([Buffer.from([0x89, 0x80 | 125]), Buffer.alloc(4 + 125)]);
  const pings = Buffer.concat(Array<Buffer>(10).fill(ping));
  while (!socket.destroyed) {
    if (socket.bytesWritten >= 64 * MIB) {
      socket.destroy();
      throw new Error('it takes whatever is sent');
    }
    if (socket.writableLength < MIB) socket.write(pings);
    await new Promise(setImmediate);
  }
  await closed;
}
