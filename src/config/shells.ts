import { posix } from 'node:path';
import { type Machine } from './machine.js';

/** The allow-list: the machine's shells, then those the operator added, then the one asked for by its path. */
export function allowedShells(
  machine: Machine,
  added: readonly string[],
  asked: string | undefined,
): string[] {
  const byPath = asked !== undefined && posix.isAbsolute(asked) ? [asked] : [];
  return [...new Set([...machine.shells, ...added, ...byPath])];
}

/** The allowed shell a path or a bare name stands for: the first of that name. */
export function findShell(asked: string, shells: readonly string[]): string | undefined {
  return shells.find((shell) => shell === asked || posix.basename(shell) === asked);
}

/** What runs unless someone asks: the user's shell, else one everybody knows, else any. */
export function defaultShell(
  shells: readonly string[],
  usersShell: string | undefined,
  accountShell: string | undefined,
): string | undefined {
  for (const shell of [usersShell, accountShell, '/bin/bash', '/bin/sh']) {
    if (shell === undefined) continue;
    // The list holds one path per program: to a user of /usr/bin/zsh, /bin/zsh is their shell.
    const found = shells.find((path) => path === shell) ?? findShell(posix.basename(shell), shells);
    if (found !== undefined) return found;
  }
  return shells[0];
}
