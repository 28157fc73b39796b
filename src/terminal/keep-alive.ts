import { type Clock, type Timer } from '../core/clock.js';
import { FRAMES_PROTOCOL, JSON_PROTOCOL, type Protocol } from './subprotocol.js';

export const PING_MS = 15_000;

/**
 * A connection from which nothing has come for so long is dead. The sessions of an existing client end with its
 * connection: it is given more time.
 */
const DEAD_AFTER_MS: Record<Protocol, number> = { [FRAMES_PROTOCOL]: 30_000, [JSON_PROTOCOL]: 120_000 };

/** A timer this late says that it is us who have been away, suspended perhaps, and that frames may lie unread. */
const LATE_MS = 1000;

interface LiveSocket {
  ping(): void;
  terminate(): void;
  on(event: 'message' | 'ping' | 'pong' | 'close', listener: () => void): unknown;
}

interface LiveConnection {
  readonly protocol: Protocol;
  /** Whether the client is read from; while it is not, its silence is ours. */
  readonly isReading: boolean;
}

/** Pings a client every 15 s, and ends its connection when nothing at all has come for long. */
export function keepAlive(socket: LiveSocket, connection: LiveConnection, clock: Clock): void {
  let heardAt = clock.elapsed();
  let timer: Timer;
  const heard = (): void => void (heardAt = clock.elapsed());
  const look = (dueAt: number): void => {
    const now = clock.elapsed();
    if (now - dueAt > LATE_MS || !connection.isReading) heardAt = now;
    if (now - heardAt >= DEAD_AFTER_MS[connection.protocol]) {
      socket.terminate();
      return;
    }
    socket.ping();
    lookAgain();
  };
  const lookAgain = (): void => {
    const dueAt = clock.elapsed() + PING_MS;
    timer = clock.after(PING_MS, () => look(dueAt));
  };
  socket.on('message', heard);
  socket.on('ping', heard);
  socket.on('pong', heard);
  socket.on('close', () => timer.cancel());
  lookAgain();
}
