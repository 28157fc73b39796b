import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { build, BUILD_MS, builtFolder } from './build.js';
import { until } from './until.js';

/** To start Node, load everything and listen takes less than a second where nothing else runs. */
const PATIENCE_MS = 30_000;

/** The program, running as its user started it. */
export class Program {
  stdout = '';
  stderr = '';
  /** How it ended, once it has and its output has been read. */
  exit?: { readonly code: number | null; readonly signal: NodeJS.Signals | null };

  constructor(private readonly child: ChildProcess) {
    child.stdout!.setEncoding('utf8').on('data', (text) => (this.stdout += String(text)));
    child.stderr!.setEncoding('utf8').on('data', (text) => (this.stderr += String(text)));
    child.once('close', (code, signal) => (this.exit = { code, signal }));
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Where it listens; once {@link listening}. */
  get port(): number {
    return Number(/is listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(this.stdout)?.[1]);
  }

  async listening(): Promise<this> {
    await this.has(() => this.port > 0 || this.exit !== undefined, 'it listens');
    if (this.exit) throw new Error(`it ended instead of listening: ${this.stdout}${this.stderr}`);
    return this;
  }

  async ended(): Promise<number | null> {
    await this.has(() => this.exit !== undefined, 'it ends');
    return this.exit!.code;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Whatever it is doing, it does it no more. */
  async kill(): Promise<void> {
    if (this.exit) return;
    this.signal('SIGKILL');
    await once(this.child, 'close');
  }

  private has(claim: () => boolean, what: string): Promise<void> {
    return until(claim, what, PATIENCE_MS).catch((error: Error) => {
      throw new Error(`${error.message}; it said:\n${this.stdout}${this.stderr}`);
    });
  }
}

export interface Start {
  (args?: readonly string[], env?: Record<string, string>): Program;
  /** Path of what is started, for Node. */
  main(): string;
}

/** For the surrounding `describe` the program as it is built; what a test has started is ended after it. */
export function useProgram(): Start {
  beforeAll(() => build('server'), BUILD_MS);
  return useBuiltProgram();
}

/** The same with what has been built before, or lies elsewhere; what is started lasts until `end`. */
export function useBuiltProgram(end = afterEach, path = join(builtFolder(), 'dist/main.js')): Start {
  const started: Program[] = [];
  end(async () => {
    await Promise.all(started.splice(0).map((program) => program.kill()));
  });
  const folder = builtFolder();
  const main = (): string => path;
  const start = (args: readonly string[] = [], env: Record<string, string> = {}): Program => {
    const child = spawn(process.execPath, [main(), ...args], {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: folder, SHELL: '/bin/bash', TREX_PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const program = new Program(child);
    started.push(program);
    return program;
  };
  return Object.assign(start, { main });
}
