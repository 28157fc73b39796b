import { accessSync, constants } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { SessionError } from '../core/session-error.js';

/** What a process is made of, in execve(2)'s terms. */
export interface Program {
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * The same program, started so that it holds nothing of the server's but its own terminal.
 * @throws {SessionError} `SPAWN_FAILED` where there is no bash.
 *
 * Masters are not close-on-exec, and nothing in Node can make them so. The forked child makes them so, but as node-pty
 * is built for release (without close_range(2)) it goes up from 3 and stops at the first number above 15 that is not in
 * use. The masters beyond such a gap stay open in the new shell, which may then read what other sessions print and type
 * into them (measured). Filling the gaps before the fork is not enough: libuv's threads close files of their own
 * meanwhile. So the process begins as a bash that closes whatever it was given and becomes the shell.
 */
export function startedAlone({ file, args, environment }: Program): Program {
  const [locale, rest] = separate(environment);
  return {
    file: bash(),
    args: ['-p', '-c', CLOSE_ALL_AND_EXEC, NAME, file, `${locale.length}`, ...locale, ...args],
    environment: rest,
  };
}

/**
 * The locale comes back last and in silence: where it is not installed, bash says so in the terminal. Bash counts
 * itself in SHLVL and sets `_`, as a login does.
 */
const CLOSE_ALL_AND_EXEC = [
  'for fd in /proc/self/fd/*; do fd=${fd##*/}; ((fd < 3)) || eval "exec $fd>&-"; done',
  'export "${@:3:$2}" &>/dev/null',
  'exec "$1" "${@:3 + $2}"',
].join('; ');

/** What this bash calls itself. With the shell's own name it would, as `rbash`, refuse to do its work. */
const NAME = 'trex';

function separate(environment: Program['environment']): [locale: string[], rest: Record<string, string>] {
  const entries = Object.entries(environment);
  const isLocale = ([name]: [string, string]): boolean => name.startsWith('LC_');
  return [
    entries.filter(isLocale).map(([name, value]) => `${name}=${value}`),
    Object.fromEntries(entries.filter((entry) => !isLocale(entry))),
  ];
}

/** Not any shell: the plain ones of some systems cannot close a number of two digits. */
function bash(): string {
  const folders = ['/bin', '/usr/bin', ...(process.env.PATH ?? '').split(':').filter(isAbsolute)];
  const found = folders.map((folder) => join(folder, 'bash')).find(mayExecute);
  if (found === undefined)
    throw new SessionError('SPAWN_FAILED', 'bash, with which every shell is started, is not installed');
  return found;
}

function mayExecute(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
