import { accessSync, constants, readFileSync, realpathSync, statSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { posix } from 'node:path';

/** What the machine says at the start, so that everything after is a function of it. */
export interface Machine {
  /** Absolute, and a directory that can be entered. */
  readonly home: string;
  /** The account's login shell; missing when the user has no account, as in some containers. */
  readonly userShell?: string | undefined;
  /** Absolute paths of executable, interactive shells, no program twice under one name. */
  readonly shells: readonly string[];
  /** Whether a path leads to a file that this user may execute. */
  mayExecute(path: string): boolean;
  /** Whether a path leads to a directory that this user may enter. */
  mayEnter(path: string): boolean;
}

/** What {@link readMachine} asks. Nothing here throws. */
export interface MachineSource {
  home(): string | undefined;
  userShell(): string | undefined;
  /** The text of `/etc/shells`. */
  etcShells(): string | undefined;
  /** The file a path leads to, links followed; `undefined` unless it is a file this user may execute. */
  executable(path: string): string | undefined;
  /** Whether a path leads to a directory that this user may enter. */
  enterable(path: string): boolean;
}

/** Looked for when `/etc/shells` is missing or names nothing usable. */
const WELL_KNOWN_SHELLS = [
  '/bin/bash',
  '/bin/zsh',
  '/usr/bin/zsh',
  '/usr/bin/fish',
  '/bin/dash',
  '/bin/ash',
  '/bin/ksh',
  '/bin/sh',
  '/usr/local/bin/bash',
  '/usr/local/bin/zsh',
  '/usr/local/bin/fish',
];

/** `/etc/shells` says who may log in, so it also holds programs that refuse to, or that are terminals themselves. */
const NOT_INTERACTIVE = new Set([
  'false',
  'true',
  'nologin',
  'sync',
  'halt',
  'shutdown',
  'git-shell',
  'scponly',
  'rssh',
  'sftp-server',
  'tmux',
  'screen',
]);

export function readMachine(source: MachineSource = thisMachine): Machine {
  const home = source.home();
  const listed = usableShells(shellLines(source.etcShells() ?? ''), source);
  return {
    // As login(1) does: accounts of services are often given a home that is not there.
    home: home?.startsWith('/') && source.enterable(home) ? home : '/',
    userShell: source.userShell(),
    shells: listed.length > 0 ? listed : usableShells(WELL_KNOWN_SHELLS, source),
    mayExecute: (path) => source.executable(path) !== undefined,
    mayEnter: (path) => source.enterable(path),
  };
}

function shellLines(etcShells: string): string[] {
  return etcShells
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line.startsWith('/'));
}

/**
 * One entry per program and name, the shortest path of each: `/bin/bash` and `/usr/bin/bash` are one. The name counts
 * because a shell acts on it: where `sh` is a link to `bash`, they still behave differently.
 */
function usableShells(paths: readonly string[], source: MachineSource): string[] {
  const shortest = new Map<string, string>();
  for (const path of paths) {
    const name = posix.basename(path);
    const file = NOT_INTERACTIVE.has(name) ? undefined : source.executable(path);
    if (file === undefined) continue;
    const key = `${name} ${file}`;
    const known = shortest.get(key);
    if (known === undefined || path.length < known.length) shortest.set(key, path);
  }
  return [...shortest.values()];
}

const thisMachine: MachineSource = {
  home: () => unlessItThrows(homedir),
  // A user id without an account has no user info: node throws.
  userShell: () => unlessItThrows(() => userInfo().shell) ?? undefined,
  etcShells: () => unlessItThrows(() => readFileSync('/etc/shells', 'utf8')),
  executable: (path) =>
    unlessItThrows(() => {
      accessSync(path, constants.X_OK);
      return statSync(path).isFile() ? realpathSync(path) : undefined;
    }),
  enterable: (path) =>
    unlessItThrows(() => {
      accessSync(path, constants.X_OK);
      return statSync(path).isDirectory();
    }) ?? false,
};

/** What cannot be read is not there: the caller has an answer for that. */
function unlessItThrows<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
