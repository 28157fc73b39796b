import { once } from 'node:events';
import { WebSocket } from 'ws';

const HANDSHAKE_MS = 10_000;

/** @throws when the server refuses, or does not speak the protocol */
export async function openSocket(port: number, subprotocol?: string): Promise<WebSocket> {
  const socket = socketTo(port, subprotocol);
  await once(socket, 'open');
  socket.on('close', (code) => {
    throw new Error(`the server closed the connection with ${code}`);
  });
  return socket;
}

/** Not open yet: for whoever must not miss the first frame. */
export function socketTo(port: number, subprotocol?: string): WebSocket {
  return new WebSocket(`ws://127.0.0.1:${port}/ws`, subprotocol ? [subprotocol] : [], {
    perMessageDeflate: false,
    handshakeTimeout: HANDSHAKE_MS,
  });
}
