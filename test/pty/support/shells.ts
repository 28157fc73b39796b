import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Pty, type PtyEvents, PtyFactory, type PtyLaunch } from '../../../src/core/pty.js';
import { DEFAULT_SIZE } from '../../../src/core/terminal-size.js';
import { childEnvironment } from '../../../src/pty/child-environment.js';
import { NodePtyFactory } from '../../../src/pty/node-pty.factory.js';
import { readProcess } from '../../../src/pty/process-table.js';
import { Recording } from './recording.js';

export interface Shell<Heard extends PtyEvents = Recording> {
  readonly pty: Pty;
  readonly heard: Heard;
}

/** Starts real processes and remembers them: whoever asked may fail before it has ended its own. */
class RememberingFactory extends PtyFactory {
  readonly started: Pty[] = [];
  private readonly ptys: PtyFactory;

  constructor(home: string) {
    super();
    this.ptys = new NodePtyFactory(({ file, cwd }) =>
      childEnvironment(
        { PATH: process.env.PATH, HOME: home },
        { username: 'tester', homedir: home },
        file,
        cwd,
      ),
    );
  }

  async spawn(launch: PtyLaunch, events: PtyEvents): Promise<Pty> {
    const pty = await this.ptys.spawn(launch, events);
    this.started.push(pty);
    return pty;
  }
}

/** Real processes in a home directory of their own; what a test leaves running is closed behind it. */
export class Shells {
  readonly home = mkdtempSync(join(tmpdir(), 'trex-pty-'));
  readonly factory = new RememberingFactory(this.home);
  private readonly adopted: number[] = [];

  /** Runs a script of /bin/sh. */
  sh(script: string, heard = new Recording()): Promise<Shell> {
    return this.run('/bin/sh', ['-c', script], heard);
  }

  /** Runs a script of this very Node. */
  node(script: string, heard = new Recording()): Promise<Shell> {
    return this.run(process.execPath, ['-e', script], heard);
  }

  async run<Heard extends PtyEvents>(
    file: string,
    args: readonly string[],
    heard: Heard,
  ): Promise<Shell<Heard>> {
    const pty = await this.factory.spawn({ file, args, cwd: this.home, size: DEFAULT_SIZE }, heard);
    return { pty, heard };
  }

  /** Waits for the pid of a process that is to outlive its shell, printed with a space behind it, and ends it later. */
  async adopt({ heard }: Shell): Promise<number> {
    const printed = /(\d+) /;
    await heard.until(() => printed.test(heard.text), 'a survivor tells its pid');
    const pid = Number(printed.exec(heard.text)![1]);
    this.adopted.push(pid);
    return pid;
  }

  path(name: string): string {
    return join(this.home, name);
  }

  async dispose(): Promise<void> {
    for (const pid of this.adopted.splice(0)) if (lives(pid)) process.kill(pid, 'SIGKILL');
    await Promise.all(this.factory.started.splice(0).map((pty) => pty.close()));
    rmSync(this.home, { recursive: true });
  }
}

/** Whether a process lives; a zombie does not. */
export function lives(pid: number): boolean {
  return readProcess(pid) !== undefined;
}

/** What a process holds of the machine that must come back: descriptors, threads, children (zombies included). */
export function holdings(): { descriptors: number; threads: number; children: number } {
  const threads = readdirSync('/proc/self/task');
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    threads: threads.length,
    children: readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === process.pid)
      .length,
  };
}

function parentOf(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}

/** Bytes that show where they stand, so that a lost, doubled or swapped piece is seen; no byte a terminal changes. */
export function pattern(length: number): Buffer {
  const lines = Array.from(
    { length: Math.ceil(length / 8) },
    (_, index) => index.toString(36).padStart(7, '.') + '|',
  );
  return Buffer.from(lines.join('')).subarray(0, length);
}
