import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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
}

/** The programs of `test/pty/programs`, to be run in a process of their own, as what may abort a process must be. */
export class Programs {
  private readonly directory = mkdtempSync(join(tmpdir(), 'trex-programs-'));

  constructor() {
    // For a program that runs as another user.
    chmodSync(this.directory, 0o755);
    symlinkSync(join(ROOT, 'node_modules'), join(this.directory, 'node_modules'));
    for (const folder of ['src/core', 'src/pty', 'test/pty/programs']) this.compile(folder);
  }

  run(name: string, { first = ':', uid }: Circumstances = {}): Promise<Ended> {
    const program = join(this.directory, 'test/pty/programs', `${name}.js`);
    const child = spawn('/bin/sh', ['-c', `${first}; exec "$0" "$@"`, process.execPath, program], {
      cwd: '/',
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    return new Promise((ended, failed) => {
      child.on('error', failed);
      child.on('close', (code, signal) => ended({ code, signal, output }));
    });
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
