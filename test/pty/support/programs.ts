import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { transformFileSync } from '@swc/core';

const ROOT = resolve(__dirname, '../../..');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

export interface Circumstances {
  /** For /bin/sh, before the program takes its place: limits, for instance. */
  readonly first?: string;
  readonly uid?: number;
  readonly args?: readonly string[];
}

/** A user that runs nothing else, so that what it may run is known. Only root can take its identity. */
export const NOBODY_ELSE = 64_123;

export class RunningProgram {
  /** What it has printed, on either stream. */
  output = '';
  readonly ended: Promise<Ended>;

  constructor(private readonly child: ChildProcessWithoutNullStreams) {
    child.stdout.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.ended = new Promise((ended, failed) => {
      child.on('error', failed);
      child.on('close', (code, signal) => ended({ code, signal, output: this.output }));
    });
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}

/** The programs of `test/pty/programs`, to be run in a process of their own, as what may abort a process must be. */
export class Programs {
  private readonly directory = mkdtempSync(join(tmpdir(), 'trex-programs-'));
  private readonly node = join(this.directory, 'node');

  constructor() {
    // A program that runs as another user may reach neither this checkout nor this Node.
    chmodSync(this.directory, 0o755);
    cpSync(process.execPath, this.node, { dereference: true });
    const nodePty = 'node_modules/node-pty';
    cpSync(join(ROOT, nodePty), join(this.directory, nodePty), { recursive: true, filter: isNeeded });
    for (const folder of ['src/core', 'src/config', 'src/pty', 'test/pty/programs']) this.compile(folder);
  }

  run(name: string, circumstances: Circumstances = {}): Promise<Ended> {
    return this.start(name, circumstances).ended;
  }

  start(name: string, { first = ':', uid, args = [] }: Circumstances = {}): RunningProgram {
    const program = join(this.directory, 'test/pty/programs', `${name}.js`);
    const child = spawn('/bin/sh', ['-c', `${first}; exec "$0" "$@"`, this.node, program, ...args], {
      cwd: '/',
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    return new RunningProgram(child);
  }

  dispose(): void {
    rmSync(this.directory, { recursive: true });
  }

  private compile(folder: string): void {
    for (const name of readdirSync(join(ROOT, folder))) {
      if (!name.endsWith('.ts') || name.endsWith('.spec.ts')) continue;
      const { code } = transformFileSync(join(ROOT, folder, name), {
        swcrc: false,
        module: { type: 'commonjs' },
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
      });
      const file = join(this.directory, folder, name.replace(/\.ts$/, '.js'));
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, code);
    }
  }
}

/** Without the sources and other systems' binaries. */
function isNeeded(path: string): boolean {
  return !/node-pty\/(src|third_party|prebuilds\/(darwin|win32)[^/]*)$/.test(path);
}
