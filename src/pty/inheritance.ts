import { accessSync, closeSync, constants, openSync, readdirSync } from 'node:fs';
import { SessionError } from '../core/session-error.js';

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/** Filling one takes about 10 µs; above this, starting bash first is cheaper. */
const MOST_GAPS = 512;

/**
 * Forks `command` so that it holds nothing of the server's. Synchronous: nobody opens or closes anything meanwhile.
 * @throws {SessionError} `SESSION_LIMIT`
 *
 * Masters are not close-on-exec, and nothing in Node can make them so. The forked child makes them so, but as node-pty
 * is built for release (without close_range(2)) it goes up from 3 and stops at the first number above 15 that is not in
 * use. The masters beyond a gap, such as a closed socket leaves, stay open in the new shell, which may then read what
 * other sessions print and type into them (measured). So there must be no gap: they are filled during the fork, and
 * the new terminal comes above everything. On a server that is never idle numbers would climb that way for good:
 * when too many gaps have come, the shell is started through a bash that closes whatever it was given.
 */
export function forkAlone<T>(command: Command, fork: (command: Command) => T): T {
  const closer = bash();
  const fillers = fillGaps(closer === undefined ? Infinity : MOST_GAPS);
  if (fillers === undefined) {
    if (closer !== undefined) return fork(closedBy(closer, command));
    throw new SessionError('SESSION_LIMIT', 'the server has no file descriptors left for another session');
  }
  try {
    return fork(command);
  } finally {
    fillers.forEach(closeSync);
  }
}

/** @returns undefined when there are too many gaps, or no number left above them for a new terminal's two ends. */
function fillGaps(most: number): number[] | undefined {
  const open = readdirSync('/proc/self/fd').map(Number);
  // The highest may be the one that the directory was read with, which is closed again: then one more is filled.
  const highest = Math.max(...open);
  if (highest + 1 - open.length > most) return undefined;
  const opened: number[] = [];
  try {
    // The kernel gives out the lowest free number: once that is above the highest, there is no gap below.
    while ((opened.at(-2) ?? 0) <= highest) opened.push(openSync('/dev/null', 'r'));
  } catch {
    // EMFILE, ENFILE: there is no number left.
    opened.forEach(closeSync);
    return undefined;
  }
  opened.splice(-2).forEach(closeSync);
  return opened;
}

const CLOSE_ALL_AND_EXEC =
  'for fd in /proc/self/fd/*; do fd=${fd##*/}; ((fd < 3)) || eval "exec $fd>&-"; done; exec "$0" "$@"';

function closedBy(closer: string, { file, args }: Command): Command {
  return { file: closer, args: ['--noprofile', '--norc', '-c', CLOSE_ALL_AND_EXEC, file, ...args] };
}

/** Not any shell: the plain ones of some systems cannot close a number of two digits. */
function bash(): string | undefined {
  return ['/bin/bash', '/usr/bin/bash'].find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
