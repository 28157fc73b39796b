import { transformFileSync } from '@swc/core';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { type AttackName, type Tally } from '../../bench/hostile/attacks.js';

const HOSTILE = resolve(__dirname, '../../bench/hostile');

/** A hostile client of the bench, in a process of its own. */
export class Attacker {
  constructor(private readonly child: ChildProcess) {}

  /** @returns what came of it */
  async end(): Promise<Tally> {
    const told = firstWord<Tally>(this.child);
    const ended = once(this.child, 'exit');
    this.child.send('end');
    const tally = await told;
    await ended;
    return tally;
  }
}

/** What runs the bench's hostile clients, and ends after each test what the test has started. */
export interface Attackers {
  /** Resolves once it attacks, over so many connections. */
  attack(name: AttackName, port: number, connections: number): Promise<Attacker>;
  /** An echo over bare TCP, which nobody attacks. @returns its port */
  echo(): Promise<number>;
}

export function useAttackers(): Attackers {
  const started: ChildProcess[] = [];
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'trex-attackers-'));
    for (const name of readdirSync(HOSTILE)) compile(join(HOSTILE, name), folder);
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map(kill));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const run = (program: string, ...args: readonly string[]): ChildProcess => {
    const child = fork(join(folder, program), args, { cwd: folder, execArgv: [] });
    started.push(child);
    return child;
  };
  return {
    async attack(name, port, connections) {
      const child = run('main.js', name, String(port), String(connections));
      await firstWord(child);
      return new Attacker(child);
    },
    echo() {
      return firstWord<number>(run('bare-echo.js'));
    },
  };
}

/** What it says first. @throws when it ends instead */
async function firstWord<T>(child: ChildProcess): Promise<T> {
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('an attacker has ended by itself')));
  const [word] = (await Promise.race([once(child, 'message'), ended])) as [T];
  return word;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

function compile(file: string, folder: string): void {
  const { code } = transformFileSync(file, {
    swcrc: false,
    module: { type: 'commonjs' },
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
  });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, basename(file, '.ts') + '.js'), code);
}
