import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Claims } from '../../support/claims.js';
import { PATIENCE_MS } from '../../support/until.js';

/** A process that does what it is told, and nothing else. */
export interface ToldProcess {
  readonly pid: number;
  print(bytes: Buffer): void;
  exit(code: number): void;
  kill(): void;
  /** It is told nothing more. */
  leave(): void;
  /** The next `count` bytes it is typed, and what its terminal says its size is then: `rows columns`. */
  look(count: number): Promise<{ readonly typed: string; readonly size: string }>;
}

/**
 * A shell for a server whose sessions do what a test tells them: each prints who it is, and reads what to do from a pipe
 * of its own. What it is typed waits in its terminal until it is told to look.
 */
export class ToldProcesses {
  /** To be the server's shell; named so that sessions are. */
  readonly shell: string;
  private readonly directory = realpathSync(mkdtempSync(join(tmpdir(), 'trex-told-')));
  private readonly listener: ChildProcess;
  private readonly lines: string[] = [];
  private readonly claims = new Claims();
  private unfinished = '';

  /** `flood`: too much to be told, but for that it is this. */
  constructor(private readonly flood: Buffer) {
    const bin = this.path('bin');
    mkdirSync(bin);
    this.shell = join(bin, 'bash');
    writeFileSync(this.path('flood'), flood);
    writeFileSync(this.shell, script(this.directory), { mode: 0o755 });
    execFileSync('mkfifo', [this.path('said')]);
    // Open for writing as well: it does not end when a process that wrote into it does.
    const pipe = openSync(this.path('said'), constants.O_RDWR);
    this.listener = spawn('cat', { stdio: [pipe, 'pipe', 'ignore'] });
    closeSync(pipe);
    this.listener.stdout!.setEncoding('utf8').on('data', (text) => this.hear(String(text)));
  }

  /** Once it has printed `greetingOf(pid)`: in which session, nothing else tells of several that start at once. */
  process(pid: number): ToldProcess {
    const pipe = openSync(this.path(`${pid}`), constants.O_RDWR | constants.O_NONBLOCK);
    const tell = (what: string): void => void writeSync(pipe, `${what}\n`);
    return {
      pid,
      print: (bytes) => tell(bytes.equals(this.flood) ? 'flood' : `print ${escaped(bytes)}`),
      exit: (code) => tell(`exit ${code}`),
      kill: () => tell('kill'),
      leave: () => closeSync(pipe),
      look: async (count) => {
        tell(`look ${count}`);
        await this.lookedOf(pid);
        const [typed, size] = [`${pid}.typed`, `${pid}.size`].map((name) =>
          readFileSync(this.path(name), 'latin1'),
        );
        return { typed: typed!, size: size!.trim() };
      },
    };
  }

  /** From now on none can be started. */
  hideShell(): void {
    renameSync(this.shell, `${this.shell}.hidden`);
  }

  showShell(): void {
    renameSync(`${this.shell}.hidden`, this.shell);
  }

  async dispose(): Promise<void> {
    this.listener.kill();
    await once(this.listener, 'close');
    rmSync(this.directory, { recursive: true });
  }

  private path(name: string): string {
    return join(this.directory, name);
  }

  private async lookedOf(pid: number): Promise<void> {
    const line = `looked ${pid}`;
    await this.claims.until(
      () => this.lines.includes(line),
      () => `process ${pid} looks; there is: ${this.lines.join(', ')}`,
      PATIENCE_MS,
    );
    this.lines.splice(this.lines.indexOf(line), 1);
  }

  private hear(text: string): void {
    const lines = (this.unfinished + text).split('\n');
    this.unfinished = lines.pop()!;
    this.lines.push(...lines);
    this.claims.look();
  }
}

/** What a process prints first, before anything that it is told to. */
export function greetingOf(pid: number): string {
  return `${pid} `;
}

/** Whose greeting this begins with; `undefined` before all of it is there. */
export function pidOf(printed: string): number | undefined {
  const greeting = /^(\d+) /.exec(printed);
  return greeting ? Number(greeting[1]) : undefined;
}

/** Left as it is, a terminal changes what is printed and typed. */
function script(directory: string): string {
  return `#!/bin/sh
cd '${directory}'
stty raw -echo
exec 3<&0
[ -p $$ ] || mkfifo $$
printf '%s ' $$
while read -r word rest; do
  case $word in
    print) printf %b "$rest" ;;
    flood) cat flood ;;
    look)
      head -c "$rest" <&3 > $$.typed
      stty size <&3 > $$.size
      echo "looked $$" > said
      ;;
    exit) exit "$rest" ;;
    kill) kill -KILL $$ ;;
  esac
done < $$
`;
}

/** For `printf %b`. */
function escaped(bytes: Buffer): string {
  return Array.from(bytes, (byte) => `\\0${byte.toString(8)}`).join('');
}
