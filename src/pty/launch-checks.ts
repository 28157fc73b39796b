import { type Stats } from 'node:fs';
import { access, constants, realpath, stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { type PtyLaunch } from '../core/pty.js';
import { isWithin } from '../config/paths.js';
import { SessionError, type SessionErrorCode } from '../core/session-error.js';

/** What JSON leaves as it is, and a terminal does not: control characters, and those that reorder or break lines. */
const UNPRINTABLE = /[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * A copy that native code may be given, whatever the types said: one argument that is not a string corrupts the
 * server's heap and ends every session (measured), and a NUL cuts a path short.
 * @throws {SessionError} `INVALID_SHELL`, `INVALID_CWD`, `SPAWN_FAILED`
 */
export function plainLaunch({ file, args, cwd, size }: PtyLaunch): PtyLaunch {
  requirePath('INVALID_SHELL', 'the shell', file);
  requirePath('INVALID_CWD', 'the working directory', cwd);
  const copy: unknown[] = [...args];
  if (!copy.every(isPlainText)) {
    throw new SessionError(
      'SPAWN_FAILED',
      'every argument of the shell must be a string without NUL characters',
    );
  }
  return { file, args: copy, cwd, size: { ...size } };
}

/**
 * What the forked child would find out too late to say: it can only print its complaint and exit.
 * @param root without links; where there is one, the process starts within it
 * @returns the launch as it is to be made: within `root` by a path without links, as it was looked at
 * @throws {SessionError} `INVALID_SHELL`, `INVALID_CWD`
 */
export async function startable(launch: PtyLaunch, root?: string): Promise<PtyLaunch> {
  const { file } = launch;
  const cwd = root === undefined ? launch.cwd : await within(root, launch.cwd);
  const shell = await statOf('INVALID_SHELL', 'the shell', file);
  if (!shell.isFile()) throw new SessionError('INVALID_SHELL', `the shell ${shown(file)} is not a file`);
  if (!(await mayExecute(file))) {
    throw new SessionError('INVALID_SHELL', `the shell ${shown(file)} may not be executed by the server`);
  }
  const directory = await statOf('INVALID_CWD', 'the working directory', cwd);
  if (!directory.isDirectory()) {
    throw new SessionError('INVALID_CWD', `the working directory ${shown(cwd)} is not a directory`);
  }
  if (!(await mayExecute(cwd))) {
    throw new SessionError(
      'INVALID_CWD',
      `the working directory ${shown(cwd)} may not be entered by the server`,
    );
  }
  return { ...launch, cwd };
}

async function within(root: string, cwd: string): Promise<string> {
  const real = await realpath(cwd).catch(() => undefined);
  // Whether something is there is nobody's business who may not go there.
  if (real !== undefined && isWithin(real, root)) return real;
  throw new SessionError(
    'INVALID_CWD',
    `the working directory ${shown(cwd)} is not there, or not within ${shown(root)}, where sessions start here`,
  );
}

function requirePath(code: SessionErrorCode, what: string, path: unknown): void {
  if (!isPlainText(path) || !isAbsolute(path)) {
    throw new SessionError(code, `${what} must be an absolute path without NUL characters`);
  }
}

function isPlainText(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0');
}

async function statOf(code: SessionErrorCode, what: string, path: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (cause) {
    throw new SessionError(code, `${what} ${shown(path)} does not exist or cannot be reached`, { cause });
  }
}

async function mayExecute(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Quoted and escaped: the sentence may be printed in the terminal of whoever sent the path. */
function shown(path: string): string {
  return JSON.stringify(path).replace(
    UNPRINTABLE,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
