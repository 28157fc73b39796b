import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs';
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
  /** The directory a path leads to, links followed; `undefined` unless it is one that this user may enter. */
  directory(path: string): string | undefined;
  /**
   * The text of a file that only this user or root can change, and nobody else can read but a group of this user's, where
   * root has shared it with that; or why it is none.
   */
  readSecret(path: string): { readonly text: string } | { readonly refused: string };
}

/** What {@link readMachine} asks. Nothing here throws. */
export interface MachineSource {
  home(): string | undefined;
  userShell(): string | undefined;
  /** The text of `/etc/shells`. */
  etcShells(): string | undefined;
  /** The file a path leads to, links followed; `undefined` unless it is a file this user may execute. */
  executable(path: string): string | undefined;
  /** As {@link Machine.directory}. */
  directory(path: string): string | undefined;
  /** What a path leads to, opened once: nobody can put another file in its place between a look and the next. */
  file(path: string): SecretFile | undefined;
}

export interface SecretFile {
  readonly isFile: boolean;
  readonly mode: number;
  readonly owner: 'user' | 'root' | 'other';
  /** Whether this user belongs to its group. */
  readonly isOfOwnGroup: boolean;
  /** The first bytes of it. */
  readonly text: string;
}

/** Why a file that is not there holds nothing. */
export const UNREADABLE = 'cannot be read';

/** More than a token and a line's end have. */
const MAX_SECRET_BYTES = 1024;

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
    home: home?.startsWith('/') && source.directory(home) ? home : '/',
    userShell: source.userShell(),
    shells: listed.length > 0 ? listed : usableShells(WELL_KNOWN_SHELLS, source),
    mayExecute: (path) => source.executable(path) !== undefined,
    directory: (path) => source.directory(path),
    readSecret: (path) => readSecret(source.file(path)),
  };
}

/**
 * As ssh and PostgreSQL have it: a group may read what root has given it, as the volumes of Kubernetes' secrets. It takes root
 * to make such a file, so that it is nobody's oversight who left a file of their own open.
 */
function readSecret(file: SecretFile | undefined): { readonly text: string } | { readonly refused: string } {
  if (!file) return { refused: UNREADABLE };
  if (!file.isFile) return { refused: 'is no file' };
  if (file.owner === 'other') return { refused: 'belongs to somebody else' };
  const isShared = file.owner === 'root' && file.isOfOwnGroup;
  if ((file.mode & (isShared ? 0o037 : 0o077)) !== 0) {
    return { refused: `is open to others: chmod ${isShared ? 440 : 600} it` };
  }
  return { text: file.text };
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
  directory: (path) =>
    unlessItThrows(() => {
      accessSync(path, constants.X_OK);
      return statSync(path).isDirectory() ? realpathSync(path) : undefined;
    }),
  file: (path) => unlessItThrows(() => openedFile(path)),
};

/** @throws when it cannot be opened */
function openedFile(path: string): SecretFile {
  // A pipe that nobody writes to would keep us waiting.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const status = fstatSync(fd);
    const bytes = Buffer.alloc(MAX_SECRET_BYTES);
    const length = status.isFile() ? readSync(fd, bytes) : 0;
    const text = bytes.toString('utf8', 0, length);
    return { isFile: status.isFile(), mode: status.mode, ...belongs(status), text };
  } finally {
    closeSync(fd);
  }
}

function belongs({ uid, gid }: Stats): Pick<SecretFile, 'owner' | 'isOfOwnGroup'> {
  const owner = uid === process.getuid?.() ? 'user' : uid === 0 ? 'root' : 'other';
  return { owner, isOfOwnGroup: [process.getegid?.(), ...(process.getgroups?.() ?? [])].includes(gid) };
}

/** What cannot be read is not there: the caller has an answer for that. */
function unlessItThrows<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
