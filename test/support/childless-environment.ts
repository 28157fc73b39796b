import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { TestEnvironment } from 'jest-environment-node';

/** How long a process may take to be gone that has been ended. */
const MOST_MS = 2000;
const LOOK_MS = 20;

/**
 * What test files run in. A file that leaves a process behind fails, by the name of what it left; without this some later
 * file that counts its own children would fail for it. Imports no file of the house, as leaks.ts: jest runs it outside of what
 * its tests are run in.
 */
export default class ChildlessEnvironment extends TestEnvironment {
  private readonly before = new Set(children());

  override async teardown(): Promise<void> {
    await super.teardown();
    const left = (): string[] => children().filter((pid) => !this.before.has(pid));
    for (let waitedMs = 0; left().length > 0 && waitedMs < MOST_MS; waitedMs += LOOK_MS) await wait(LOOK_MS);
    if (left().length > 0)
      throw new Error(`this file leaves processes behind: ${left().map(described).join('; ')}`);
  }
}

function children(): string[] {
  return readdirSync('/proc/self/task').flatMap((thread) =>
    textOf(`/proc/self/task/${thread}/children`).split(' ').filter(Boolean),
  );
}

function described(pid: string): string {
  const state = /\) (\S)/.exec(textOf(`/proc/${pid}/stat`))?.[1] ?? 'gone';
  return `${pid} (${state}) ${textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim()}`;
}

/** Empty when the process or thread is gone. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
