import { constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { isatty } from 'node:tty';

/**
 * Opens the terminal or named pipe that `fd` is open on once more, to write to without waiting: `O_NONBLOCK` belongs to an
 * opening, and whoever shares the first one keeps it as it is. A pipe without a name opens by its name in /proc (proc(5)).
 * @returns nothing where the kernel does not let us
 */
export function openAgain(fd: number): number | undefined {
  const byName = opened(`/proc/self/fd/${fd}`);
  return byName ?? (isatty(fd) ? ownTerminal(fstatSync(fd).rdev) : undefined);
}

function opened(path: string): number | undefined {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    // It belongs to another user, as after `su`; or nobody reads it, which writing tells.
    return undefined;
  }
}

/** The terminal that this process is controlled from may be opened whoever it belongs to (tty(4)): if it is that one. */
function ownTerminal(device: number): number | undefined {
  try {
    const [, , , , terminal] = /\) (.*)/s.exec(readFileSync('/proc/self/stat', 'latin1'))![1]!.split(' ');
    return Number(terminal) === device ? opened('/dev/tty') : undefined;
  } catch {
    return undefined;
  }
}
