import { SessionError } from '../core/session-error.js';

/** Something of which the machine has only so many. */
export interface Limit {
  /** In words: what there are too few of, and whose limit it is. */
  readonly what: string;
  readonly used: number;
  readonly max: number;
  /** How many must be free before another session may start. */
  readonly needed: number;
}

/**
 * A session takes a process and, in the server, a thread and a descriptor. What is asked for beyond that keeps the
 * server itself alive: it needs descriptors to answer, and when the thread cannot be made, node-pty aborts it.
 */
export const NEEDED = { descriptors: 16, tasks: 16, terminals: 4 };

/** @throws {SessionError} `SESSION_LIMIT`, naming the first limit that is short. */
export function requireHeadroom(limits: readonly Limit[]): void {
  const short = limits.find(({ used, max, needed }) => used + needed > max);
  if (!short) return;
  throw new SessionError(
    'SESSION_LIMIT',
    `the server has too few ${short.what} left for another session: ${short.used} of ${short.max} are in use`,
  );
}
