import { type Clock, type Timer } from '../core/clock.js';
import { FRAMES_PROTOCOL, JSON_PROTOCOL, type Protocol } from './subprotocol.js';

export interface Liveness {
  readonly pingSeconds: number;
  /** A connection from which nothing has come for so long is dead. */
  readonly deadSeconds: number;
}

/** The sessions of an existing client end with its connection: it is given more time. */
const TIMES_AS_LONG: Record<Protocol, number> = { [FRAMES_PROTOCOL]: 1, [JSON_PROTOCOL]: 4 };

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

/** Pings a client, and ends its connection when nothing at all has come for long. */
export function keepAlive(
  socket: LiveSocket,
  connection: LiveConnection,
  clock: Clock,
  { pingSeconds, deadSeconds }: Liveness,
): void {
  const pingMs = pingSeconds * 1000;
  const deadMs = deadSeconds * 1000 * TIMES_AS_LONG[connection.protocol];
  let heardAt = clock.elapsed();
  let timer: Timer;
  let verdict: NodeJS.Immediate | undefined;
  const heard = (): void => void (heardAt = clock.elapsed());
  const look = (dueAt: number): void => {
    const now = clock.elapsed();
    if (now - dueAt > LATE_MS || !connection.isReading) heardAt = now;
    if (now - heardAt >= deadMs) giveUp(heardAt);
    else goOn();
  };
  // Timers come before sockets: what it sent while we were busy may lie unread. It is read before the first immediate, and
  // told of in the same turn as that (`allowSynchronousEvents`).
  const giveUp = (silentSince: number): void => {
    verdict = setImmediate(() => {
      verdict = setImmediate(() => {
        if (heardAt === silentSince) socket.terminate();
        else goOn();
      });
    });
  };
  const goOn = (): void => {
    socket.ping();
    lookAgain();
  };
  const lookAgain = (): void => {
    const dueAt = clock.elapsed() + pingMs;
    timer = clock.after(pingMs, () => look(dueAt));
  };
  socket.on('message', heard);
  socket.on('ping', heard);
  socket.on('pong', heard);
  socket.on('close', () => {
    timer.cancel();
    clearImmediate(verdict);
  });
  lookAgain();
}
