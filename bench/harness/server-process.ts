import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { type Protocol } from '../clients/protocol.js';
import { withUs } from './children.js';

const ROOT = resolve(__dirname, '../../..');
const LISTENING_MS = 30_000;
const STOP_MS = 15_000;

/** Where a client finds a server, and what it is to look at. */
export interface Target {
  readonly protocol: Protocol;
  readonly port: number;
  readonly pid: number;
  /** See the memory hook. */
  readonly memoryFile: string;
}

/** A server of its own for one run: the built program, or the baseline. */
export class ServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly target: Target,
  ) {}

  static async start(
    protocol: Protocol,
    folder: string,
    hooks: readonly string[] = [],
    settings: Readonly<Record<string, string>> = {},
  ): Promise<ServerProcess> {
    const memoryFile = join(folder, 'memory.json');
    const required = [join(__dirname, 'memory-hook.js'), ...hooks].flatMap((hook) => ['--require', hook]);
    const child = withUs(
      spawn(process.execPath, ['--expose-gc', ...required, ...programs[protocol]], {
        cwd: folder,
        env: {
          PATH: process.env.PATH,
          HOME: folder,
          SHELL: '/bin/sh',
          TREX_PORT: '0',
          TREX_MAX_SESSIONS: '1000',
          BENCH_MEMORY_FILE: memoryFile,
          ...settings,
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    );
    const port = await listening(child);
    return new ServerProcess(child, { protocol, port, pid: child.pid ?? NaN, memoryFile });
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const patience = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
    this.child.kill('SIGTERM');
    await once(this.child, 'exit');
    clearTimeout(patience);
  }
}

const trex = [join(ROOT, 'dist/main.js')];
const baseline = [join(__dirname, '../baseline/server.js')];
const programs: Record<Protocol, readonly string[]> = {
  v2: trex,
  json: trex,
  baseline,
  baselineJson: [...baseline, '--json'],
};

function listening(child: ChildProcess): Promise<number> {
  return new Promise((done, fail) => {
    let said = '';
    const deadline = setTimeout(() => {
      child.kill('SIGKILL');
      fail(new Error(`a server does not listen within ${LISTENING_MS} ms; it said: ${said}`));
    }, LISTENING_MS);
    child.once('exit', () => {
      clearTimeout(deadline);
      fail(new Error(`a server ended instead of listening; it said: ${said}`));
    });
    // Read to the end: a server whose log nobody takes would wait.
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (said.includes('is listening on')) return;
      said += text;
      const port = /is listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(said)?.[1];
      if (port === undefined) return;
      clearTimeout(deadline);
      done(Number(port));
    });
  });
}
