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
import { lives } from '../../support/leaks.js';
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
 * A shell for a server whose sessions do what a test tells them: each says that it is there, and reads what to do from a
 * pipe of its own. What it is typed waits in its terminal until it is told to look.
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

  /** The next that is there, in the order they came; one that was ended before anybody asked for it is passed over. */
  async next(): Promise<ToldProcess> {
    const line = await this.nextLine((one) => one.startsWith('started ') && lives(pidOf(one)));
    const pid = pidOf(line);
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
        await this.nextLine((one) => one === `looked ${pid}`);
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

  private async nextLine(matches: (line: string) => boolean): Promise<string> {
    let found = -1;
    await this.claims.until(
      () => (found = this.lines.findIndex(matches)) >= 0,
      () => `a process says what it is to; there is: ${this.lines.join(', ')}`,
      PATIENCE_MS,
    );
    return this.lines.splice(found, 1)[0]!;
  }

  private hear(text: string): void {
    const lines = (this.unfinished + text).split('\n');
    this.unfinished = lines.pop()!;
    this.lines.push(...lines);
    this.claims.look();
  }
}

function pidOf(line: string): number {
  return Number(line.split(' ')[1]);
}

/** Left as it is, a terminal changes what is printed and typed. */
function script(directory: string): string {
  return `#!/bin/sh
cd '${directory}'
stty raw -echo
exec 3<&0
[ -p $$ ] || mkfifo $$
echo "started $$" > said
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
