import { accessSync, closeSync, constants, openSync, readdirSync } from 'node:fs';

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/** Filling one takes about 10 µs; above this, starting bash first is cheaper. */
const MOST_GAPS = 512;

/**
 * Forks `command` so that it holds nothing of the server's. Synchronous: nobody opens or closes anything meanwhile.
 *
 * Masters are not close-on-exec, and nothing in Node can make them so. The forked child makes them so, but as node-pty
 * is built for release (without close_range(2)) it goes up from 3 and stops at the first number above 15 that is not in
 * use. The masters beyond a gap, such as a closed socket leaves, stay open in the new shell, which may then read what
 * other sessions print and type into them (measured). So there must be no gap: they are filled during the fork, and
 * the new terminal comes above everything. On a server that is never idle numbers would climb that way for good:
 * when too many gaps have come, the shell is started through a bash that closes whatever it was given.
 */
export function forkAlone<T>(command: Command, fork: (command: Command) => T): T {
  const open = readdirSync('/proc/self/fd').map(Number);
  // The highest may be the one that the directory was read with, which is closed again: then one more is filled.
  const highest = Math.max(...open);
  const closer = highest + 1 - open.length > MOST_GAPS ? bash() : undefined;
  if (closer !== undefined) return fork(closedBy(closer, command));
  const fillers = fillGapsBelow(highest);
  try {
    return fork(command);
  } finally {
    fillers.forEach(closeSync);
  }
}

/** The kernel gives out the lowest free number: once that is above `highest`, there is no gap below. */
function fillGapsBelow(highest: number): number[] {
  const fillers: number[] = [];
  try {
    let filler: number;
    while ((filler = openSync('/dev/null', 'r')) <= highest) fillers.push(filler);
    closeSync(filler);
    return fillers;
  } catch (error) {
    fillers.forEach(closeSync);
    throw error;
  }
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
