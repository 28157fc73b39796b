import {
  PtyFactory,
  type ProcessExit,
  type Pty,
  type PtyEvents,
  type PtyLaunch,
} from '../../src/core/pty.js';
import { type SessionError } from '../../src/core/session-error.js';
import { type TerminalSize } from '../../src/core/terminal-size.js';

/** A process a test plays: it prints, takes input and ends when told to. */
export class FakePty implements Pty {
  private static nextPid = 10_000;

  readonly pid = FakePty.nextPid++;
  readonly sizes: TerminalSize[] = [];
  /** Sizes and input in the order they came: `80x24`, then what was typed. */
  readonly received: string[] = [];
  paused = false;
  closing = false;
  /** How many bytes the terminal takes before it is full, as a process that does not read makes it. */
  room = Infinity;
  /** Set to false to play a process that close() cannot end. */
  diesWhenClosed = true;
  /** Where its process is; undefined where that cannot be seen. */
  isIn?: string;
  /** How often it was asked where its process is. */
  asked = 0;

  private exit?: ProcessExit;
  private endTold = false;
  private readonly taken: Uint8Array[] = [];
  private unread: Uint8Array[] = [];
  private readonly closed: (() => void)[] = [];

  constructor(
    readonly launch: PtyLaunch,
    private readonly events: PtyEvents,
  ) {
    this.sized(launch.size);
  }

  /** All input the process has been given. */
  get input(): string {
    return Buffer.concat(this.taken).toString();
  }

  get size(): TerminalSize {
    return this.sizes.at(-1)!;
  }

  get isOver(): boolean {
    return this.exit !== undefined;
  }

  /** The process prints; what comes while nobody reads is told on resume. */
  print(output: string | Uint8Array): void {
    if (this.exit) throw new Error('a process that has ended does not print');
    if (this.closing) return;
    this.unread.push(typeof output === 'string' ? Buffer.from(output) : output);
    this.tell();
  }

  /** The process ends by itself; while paused that is told, behind its last byte, on resume. */
  end(exit: ProcessExit = { code: 0 }): void {
    this.exit ??= exit;
    this.tell();
  }

  /** The process reads `bytes` more of its input. */
  read(bytes: number): void {
    this.room += bytes;
    if (!this.exit) this.events.writable();
  }

  write(bytes: Uint8Array): number {
    if (this.exit || this.closing) return 0;
    const count = Math.min(bytes.length, this.room);
    this.room -= count;
    this.taken.push(Uint8Array.from(bytes.subarray(0, count)));
    this.received.push(Buffer.from(bytes.subarray(0, count)).toString());
    return count;
  }

  resize(size: TerminalSize): void {
    if (!this.exit && !this.closing) this.sized(size);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.tell();
  }

  directory(): Promise<string | undefined> {
    this.asked += 1;
    return Promise.resolve(this.isOver ? undefined : this.isIn);
  }

  close(): Promise<void> {
    this.closing = true;
    this.unread = [];
    if (this.endTold) return Promise.resolve();
    return new Promise((resolve) => {
      this.closed.push(resolve);
      if (this.diesWhenClosed || this.exit) queueMicrotask(() => this.end({ code: 129, signal: 'SIGHUP' }));
    });
  }

  private sized(size: TerminalSize): void {
    this.sizes.push(size);
    this.received.push(`${size.columns}x${size.rows}`);
  }

  private tell(): void {
    while (!this.paused && this.unread.length > 0) this.events.output(this.unread.shift()!);
    if (!this.exit || this.endTold || (this.paused && !this.closing)) return;
    this.endTold = true;
    this.events.ended(this.exit);
    for (const resolve of this.closed) resolve();
  }
}

/** Every process that was asked for, in order; spawning can be held back or made to fail. */
export class FakePtyFactory extends PtyFactory {
  readonly ptys: FakePty[] = [];
  /** When set, the next spawn is refused with it. */
  failure?: SessionError;
  private held?: (() => void)[];

  get last(): FakePty {
    const pty = this.ptys.at(-1);
    if (!pty) throw new Error('nothing has been spawned');
    return pty;
  }

  /** From now on spawning waits for {@link release}. */
  hold(): void {
    this.held ??= [];
  }

  release(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const go of held) go();
  }

  protected make(launch: PtyLaunch, events: PtyEvents): FakePty {
    return new FakePty(launch, events);
  }

  async spawn(launch: PtyLaunch, events: PtyEvents): Promise<Pty> {
    if (this.held) await new Promise<void>((go) => this.held!.push(go));
    if (this.failure) {
      const failure = this.failure;
      this.failure = undefined;
      throw failure;
    }
    const pty = this.make(launch, events);
    this.ptys.push(pty);
    return pty;
  }
}
