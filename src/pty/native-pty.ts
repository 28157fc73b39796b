import { readlink } from 'node:fs/promises';
import { constants } from 'node:os';
import { type ProcessExit, type Pty, type PtyEvents } from '../core/pty.js';
import { type TerminalSize } from '../core/terminal-size.js';
import { InputWriter } from './input-writer.js';
import { Master } from './master.js';
import { OutputReader } from './output-reader.js';
import { type SessionEnder, posixSessionOf, type PosixSession } from './posix-session.js';

/** What a live pseudo-terminal needs from whoever forked its process. */
export interface Forked {
  readonly pid: number;
  readonly fd: number;
  readonly resize: (fd: number, size: TerminalSize) => void;
  readonly ender: SessionEnder;
}

/** One process on a pseudo-terminal of this machine. It has ended when it is reaped and its output is drained. */
export class NativePty implements Pty {
  readonly pid: number;

  private readonly master: Master;
  private readonly reader: OutputReader;
  private readonly writer: InputWriter;
  private readonly session: PosixSession;
  private exit?: ProcessExit;
  private hasEnded = false;
  private closed?: Promise<void>;
  private readonly reaping: Promise<void>;
  private resolveReaping!: () => void;

  /** @throws when the descriptor cannot be read as a terminal; then it is still the caller's. */
  constructor(
    private readonly forked: Forked,
    private readonly events: PtyEvents,
  ) {
    this.pid = forked.pid;
    this.session = posixSessionOf(forked.pid);
    this.reaping = new Promise((resolve) => (this.resolveReaping = resolve));
    this.master = new Master(forked.fd, {
      output: (bytes) => this.reader.streamed(bytes),
      streamEnded: () => this.reader.streamEnded(),
    });
    this.writer = new InputWriter(this.master, () => events.writable());
    this.reader = new OutputReader(
      this.master,
      (bytes) => events.output(bytes),
      () => this.end(),
    );
    // In a later turn: whoever is waiting for this terminal has it by then.
    setImmediate(() => this.reader.start());
  }

  write(bytes: Uint8Array): number {
    return this.writer.write(bytes);
  }

  resize(size: TerminalSize): void {
    this.master.use((fd) => this.forked.resize(fd, size));
  }

  pause(): void {
    this.reader.pause();
  }

  resume(): void {
    this.reader.resume();
  }

  async directory(): Promise<string | undefined> {
    const path = await readlink(`/proc/${this.pid}/cwd`).catch(() => undefined);
    // The number may be somebody else's as soon as the process has been reaped. What was removed is nowhere.
    return this.exit || path?.endsWith(' (deleted)') ? undefined : path;
  }

  close(): Promise<void> {
    this.closed ??= this.hasEnded ? Promise.resolve() : this.endSession();
    return this.closed;
  }

  /** The kernel's word on how the process ended; told once. */
  reaped(code: number, signal: number): void {
    this.exit = exitOf(code, signal);
    this.resolveReaping();
    this.reader.shellEnded();
  }

  private async endSession(): Promise<void> {
    const gone = this.forked.ender.end(this.session);
    this.hangUp();
    await gone;
    await this.reaping;
    this.end();
  }

  private end(): void {
    if (this.hasEnded || !this.exit) return;
    this.hasEnded = true;
    this.hangUp();
    this.events.ended(this.exit);
  }

  private hangUp(): void {
    this.reader.stop();
    this.writer.stop();
    this.master.close();
  }
}

/** As shells count: a process that a signal ended has code 128 + the signal's number. */
function exitOf(code: number, signal: number): ProcessExit {
  if (signal === 0) return { code };
  const name = Object.entries(constants.signals).find(([, number]) => number === signal)?.[0];
  // Real-time signals have numbers only.
  return { code: 128 + signal, signal: name ?? `SIG${signal}` };
}
