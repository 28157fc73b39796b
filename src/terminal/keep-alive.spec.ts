import { EventEmitter } from 'node:events';
import { FakeClock } from '../../test/fakes/fake-clock.js';
import { settled } from '../../test/support/running-session.js';
import { keepAlive } from './keep-alive.js';
import { type Protocol } from './subprotocol.js';

const PING_MS = 15_000;

/** In one turn what came is read, and told of; in the next it counts. */
async function judged(): Promise<void> {
  await settled();
  await settled();
}

class FakeLiveSocket extends EventEmitter {
  pings = 0;
  terminated = false;

  ping(): void {
    this.pings++;
  }

  terminate(): void {
    this.terminated = true;
    this.emit('close');
  }
}

/** Late by as much as it is told to be, as after a laptop was asleep. */
class LateClock extends FakeClock {
  lateMs = 0;

  override elapsed(): number {
    return super.elapsed() + this.lateMs;
  }
}

function living(protocol: Protocol = 'trex.v2'): {
  socket: FakeLiveSocket;
  clock: LateClock;
  connection: { protocol: Protocol; isReading: boolean };
} {
  const socket = new FakeLiveSocket();
  const clock = new LateClock();
  const connection = { protocol, isReading: true };
  keepAlive(socket, connection, clock, { pingSeconds: 15, deadSeconds: 30 });
  return { socket, clock, connection };
}

describe('T40 · keeping a connection alive', () => {
  it('pings every 15 s', () => {
    const { socket, clock } = living('trex.v1');
    clock.advance(PING_MS * 3);
    expect(socket.pings).toBe(3);
  });

  it.each([
    ['trex.v2', 30_000],
    ['trex.v1', 120_000],
  ] as const)('gives one of %s up after %i ms of silence', async (protocol, afterMs) => {
    const { socket, clock } = living(protocol);
    clock.advance(afterMs - 1);
    await judged();
    expect(socket.terminated).toBe(false);
    clock.advance(1);
    await judged();
    expect(socket.terminated).toBe(true);
    expect(clock.timers).toBe(0);
  });

  it.each(['message', 'ping', 'pong'])('takes a %s for a sign of life', async (event) => {
    const { socket, clock } = living();
    for (let rounds = 0; rounds < 10; rounds++) {
      clock.advance(20_000);
      await judged();
      socket.emit(event);
    }
    expect(socket.terminated).toBe(false);
  });

  it('gives nobody up while the client is not read from', async () => {
    const { socket, clock, connection } = living();
    connection.isReading = false;
    clock.advance(300_000);
    await judged();
    expect(socket.terminated).toBe(false);
    connection.isReading = true;
    clock.advance(29_999);
    await judged();
    expect(socket.terminated).toBe(false);
    clock.advance(15_001);
    await judged();
    expect(socket.terminated).toBe(true);
  });

  it('T43 · gives nobody up for a time in which the server itself was away', async () => {
    const { socket, clock } = living();
    clock.advance(PING_MS - 1);
    clock.lateMs = 3_600_000;
    clock.advance(1);
    await judged();
    expect(socket.terminated).toBe(false);
    clock.advance(PING_MS);
    await judged();
    expect(socket.terminated).toBe(false);
    clock.advance(PING_MS);
    await judged();
    expect(socket.terminated).toBe(true);
  });

  it('T43 · gives nobody up whose answer lies unread', async () => {
    const { socket, clock } = living();
    clock.advance(PING_MS * 2);
    // As ws tells of what it has read: not at once, but in the same turn.
    setImmediate(() => socket.emit('pong'));
    await judged();
    expect(socket.terminated).toBe(false);
    expect(socket.pings).toBe(2);
    clock.advance(PING_MS * 2);
    await judged();
    expect(socket.terminated).toBe(true);
  });

  it('ends with the connection', async () => {
    const { socket, clock } = living();
    clock.advance(PING_MS * 2);
    socket.emit('message');
    socket.emit('close');
    await judged();
    expect(clock.timers).toBe(0);
  });
});
