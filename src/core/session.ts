import { Attachment, type AttachmentSource, type Viewer } from './attachment.js';
import { type ByteBudget } from './byte-budget.js';
import { type ByteSearch } from './byte-search.js';
import { Caption } from './caption.js';
import { type Clock, type Timer } from './clock.js';
import { type DecodeText } from './decode-text.js';
import { FallenOutput } from './fallen-output.js';
import { DEFAULT_FLOW_LIMITS, shouldPause } from './flow-control.js';
import { InputQueue, type InputTaken } from './input-queue.js';
import { type SessionState, stateAfter } from './lifecycle.js';
import { type Cut, OutputLog } from './output-log.js';
import { type ProcessExit, type Pty, type PtyFactory } from './pty.js';
import { SessionError } from './session-error.js';
import { type SessionEvents, type SessionEventType } from './session-events.js';
import { type SizeAt, SizeHistory } from './size-history.js';
import { EchoTimer, type Statistics } from './statistics.js';
import { TerminalReports } from './terminal-reports.js';
import { type TerminalSize } from './terminal-size.js';

/** `connecting`: announced, its process not yet started · `active` · `exited`: output and exit still readable. */
export type SessionStatus = 'connecting' | 'active' | 'exited';

/** `ended`: by itself · `closed`: somebody closed it · `failed`: its process could not be started. */
export type ExitCause = 'ended' | 'closed' | 'failed';

export interface SessionExit extends ProcessExit {
  readonly cause: ExitCause;
  /** Why it could not be started, when `cause` is `failed`. */
  readonly failure?: SessionError;
}

/** What a session is from its first moment on. */
export interface SessionIdentity {
  readonly id: string;
  readonly name: string;
  /** Base name of its shell: `bash`. */
  readonly shellType: string;
  /** Absolute path of its shell. */
  readonly shell: string;
  /** Where its shell starts; absolute. */
  readonly cwd: string;
  readonly size: TerminalSize;
  /** Whether it outlives its owner. */
  readonly persistent: boolean;
}

/** What every session of a server shares. */
export interface SessionSurroundings {
  readonly ptys: PtyFactory;
  readonly clock: Clock;
  readonly events: SessionEvents;
  readonly statistics: Statistics;
  /** Newest output kept per session. */
  readonly logBytes: number;
  /** Input that waits, per session: what a client may send at once must fit. */
  readonly inputQueueBytes: number;
  /** All input that waits, in all sessions together. */
  readonly inputBudget: ByteBudget;
  /** How many may view one session at a time. */
  readonly maxViewers: number;
  readonly search: ByteSearch;
  readonly decode: DecodeText;
  /** Of this machine: whose directories a program may report. */
  readonly hostname: string;
}

/** A viewer that takes nothing for so long while others have taken everything is not waited for any more. */
export const STALLED_MS = 10_000;

/** A program paints anew when its size changes; two changes in a row may be one to it, if the first is not there for long. */
export const NUDGE_MS = 60;

/** What a shell reports when it could not start a program; so do we when we could not start the shell. */
const NOT_STARTED: ProcessExit = { code: 127 };

/** One terminal: every byte, in and out, passes here. */
export class Session implements AttachmentSource {
  readonly id: string;
  readonly shellType: string;
  readonly persistent: boolean;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly log: OutputLog;

  private readonly caption: Caption;
  private current: SessionState = 'Running';
  private ending?: SessionExit;
  private removed = false;
  private readonly sizeHistory = new SizeHistory();
  private startTimer?: Timer;
  /** When its process was to be started, in the clock's milliseconds. */
  private startedAt = 0;
  private readonly echo: EchoTimer;
  private spawning = false;
  private hasStarted = false;
  /** Sizes that came while the process was starting, each behind so many bytes of input. */
  private readonly earlySizes: { readonly behind: number; readonly size: TerminalSize }[] = [];
  private pty?: Pty;
  private paused = false;
  private readonly input: InputQueue;
  private readonly attachments = new Set<Attachment>();
  private controller?: Attachment;
  private stallTimer?: Timer;
  /** While its process has another size than it is to have. */
  private nudgeTimer?: Timer;
  private readonly waitingForEnd = new Set<() => void>();

  constructor(
    private readonly identity: SessionIdentity,
    private readonly surroundings: SessionSurroundings,
  ) {
    this.id = identity.id;
    this.shellType = identity.shellType;
    this.persistent = identity.persistent;
    this.createdAt = new Date(surroundings.clock.now()).toISOString();
    this.sizeHistory.add(0, identity.size);
    this.log = new OutputLog(surroundings.logBytes, new FallenOutput(surroundings.search));
    this.caption = this.captionOf(identity);
    this.input = new InputQueue(surroundings.inputQueueBytes, surroundings.inputBudget);
    this.echo = new EchoTimer(surroundings.clock, surroundings.statistics);
  }

  get name(): string {
    return this.caption.name;
  }

  /** What its programs call the window, if they do. */
  get title(): string | undefined {
    return this.caption.title;
  }

  /** Where its shell is, as far as is known. */
  get cwd(): string {
    return this.caption.cwd;
  }

  get state(): SessionState {
    return this.current;
  }

  get status(): SessionStatus {
    if (this.current === 'Closed') return 'exited';
    return this.current === 'Running' && !this.pty ? 'connecting' : 'active';
  }

  get size(): TerminalSize {
    return this.sizeHistory.current;
  }

  /** The sizes it has had from `offset` of its output on, oldest first. */
  sizesFrom(offset: number): readonly SizeAt[] {
    return this.sizeHistory.from(offset);
  }

  /** Whether `attachment` is the viewer in control: the last to type or resize. */
  isControlledBy(attachment: Attachment): boolean {
    return this.controller === attachment;
  }

  /** How it ended, once it has. */
  get exit(): SessionExit | undefined {
    return this.ending;
  }

  get hasEnded(): boolean {
    return this.current === 'Closed';
  }

  get isRemoved(): boolean {
    return this.removed;
  }

  /** Input that its terminal has not taken yet. */
  get queuedBytes(): number {
    return this.input.bytes;
  }

  get isWatched(): boolean {
    return this.attachments.size > 0;
  }

  /**
   * Starts the process, once; before that, at the first input or resize. A start that fails ends the session, with
   * `cause: 'failed'`.
   */
  start(): void {
    if (this.spawning || this.pty || this.current !== 'Running') return;
    this.startTimer?.cancel();
    this.spawning = true;
    this.startedAt = this.surroundings.clock.elapsed();
    const launch = { file: this.identity.shell, args: [], cwd: this.identity.cwd, size: this.size };
    this.surroundings.ptys
      .spawn(launch, {
        output: (bytes) => this.printed(bytes),
        writable: () => this.offerInput(),
        ended: (exit) => this.processEnded(exit),
      })
      .then(
        (pty) => this.started(pty),
        (error: unknown) => this.couldNotStart(error),
      );
  }

  /** @throws {SessionError} `INVALID_NAME` unless it has 1 to 128 characters that can be shown, not only blanks */
  rename(name: string): void {
    this.caption.rename(name);
  }

  /** Looks where its shell is, unless its programs say so themselves. */
  async findDirectory(): Promise<void> {
    const directory = this.caption.isToBeAsked ? await this.pty?.directory() : undefined;
    if (directory !== undefined && this.current === 'Running') this.caption.found(directory);
  }

  /** Starts the process `ms` from now if nothing has started it before. */
  startWithin(ms: number): void {
    this.startTimer = this.surroundings.clock.after(ms, () => this.start());
  }

  /**
   * Types `bytes`, after everything typed before; all of them or none. Keeps `bytes`: do not change them. Whoever types
   * is in control from then on, or whoever that counts as. `taken` is told when the terminal has taken them, in parts.
   * @throws {SessionError} `SESSION_ENDED`, `INPUT_QUEUE_FULL`, `READ_ONLY`
   */
  write(bytes: Uint8Array, typist?: Attachment, countsAs = typist, taken?: InputTaken): void {
    this.assertRunning();
    typist?.assertMayType();
    this.input.add(bytes, taken);
    this.surroundings.statistics.inputAcceptedBytes += bytes.length;
    this.echo.typed();
    this.handControlTo(countsAs);
    this.start();
    this.offerInput();
  }

  /**
   * Takes effect at once: no input that comes later is read in an older size. As on any terminal, a size may reach the
   * process ahead of input that came before it and that the terminal has no room for: a program that does not read is
   * told its size too. What comes while the process is starting is given to it in the order it came. The other
   * viewers are told. Whoever resizes is in control from then on, or whoever that counts as.
   * @throws {SessionError} `SESSION_ENDED`, `READ_ONLY`
   */
  resize(size: TerminalSize, resizer?: Attachment, countsAs = resizer): void {
    this.assertRunning();
    resizer?.assertMayType();
    this.handControlTo(countsAs);
    const offset = this.log.end;
    // While the process is made to paint anew it has another size: its own comes back when that is over.
    const isBeingNudged = this.nudgeTimer !== undefined && isSame(size, this.size);
    if (!isBeingNudged) this.stopNudging();
    this.sizeHistory.add(offset, size);
    if (this.spawning) this.earlySizes.push({ behind: this.input.bytes, size });
    this.start();
    if (!isBeingNudged) this.pty?.resize(size);
    for (const attachment of this.attachments) {
      if (attachment !== resizer) attachment.hear({ type: 'resized', offset, size });
    }
  }

  /**
   * Begins the end: the process is asked to go, then made to; output that viewers have not taken is dropped. Repeats
   * change nothing. Its exit follows when all is gone; see {@link whenEnded}.
   */
  close(): void {
    const before = this.current;
    this.current = stateAfter(before, 'closeRequested');
    this.caption.end();
    this.startTimer?.cancel();
    this.stallTimer?.cancel();
    this.stopNudging();
    this.stopPausing();
    this.input.clear();
    for (const attachment of this.attachments) attachment.skipToEnd();
    if (before === 'Closed') this.wakeViewers();
    if (before !== 'Running') return;
    this.surroundings.events.emit('closing', this);
    if (this.pty) this.endProcess(this.pty);
    else if (!this.spawning) this.ended({ code: 0, cause: 'closed' });
  }

  /**
   * Resolves once the session has ended.
   * @throws {SessionError} `CLOSE_TIMEOUT` when that takes longer than `withinMs`; it goes on ending all the same.
   */
  whenEnded(withinMs: number): Promise<void> {
    if (this.hasEnded) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const done = (): void => {
        timer.cancel();
        this.waitingForEnd.delete(done);
        resolve();
      };
      const timer = this.surroundings.clock.after(withinMs, () => {
        this.waitingForEnd.delete(done);
        reject(
          new SessionError(
            'CLOSE_TIMEOUT',
            `the process of ${this.id} could not be ended within ${withinMs} ms`,
          ),
        );
      });
      this.waitingForEnd.add(done);
    });
  }

  /**
   * Shows the session to `viewer` from `from` on, or from what has not fallen off the log: what is already there and
   * what comes, with nothing between. `replaced` is detached then: its place and its control go over. Of a session that
   * somebody has closed there is only the exit.
   * @throws {SessionError} `BAD_OFFSET` when there is no such output yet, `SESSION_LIMIT` when enough look already
   */
  attach(
    viewer: Viewer,
    from?: number,
    {
      readOnly: isReadOnly = false,
      isResumable = false,
      replaced,
    }: { readonly readOnly?: boolean; readonly isResumable?: boolean; readonly replaced?: Attachment } = {},
  ): Attachment {
    if (from !== undefined && from > this.log.end) {
      throw new SessionError(
        'BAD_OFFSET',
        `there is no output at ${from} yet: the session has had ${this.log.end} bytes`,
      );
    }
    const beganAt = this.surroundings.clock.elapsed();
    const others = this.attachments.size - (replaced ? 1 : 0);
    if (others >= this.surroundings.maxViewers) {
      throw new SessionError(
        'SESSION_LIMIT',
        `this session has ${others} viewers already, as many as are allowed`,
      );
    }
    const placed = this.placed(from ?? 0);
    const leftOff = from ?? placed.offset;
    const attachment = new Attachment(this, viewer, { ...placed, leftOff, isReadOnly, isResumable });
    this.attachments.add(attachment);
    if (!isReadOnly && this.isControlFree(replaced)) this.controller = attachment;
    this.tellOf('viewerJoined', beganAt);
    replaced?.detach();
    attachment.wake();
    this.progressed();
    return attachment;
  }

  /** The registry has let go of it: its viewers may too, once they have its exit. */
  remove(): void {
    if (this.removed) return;
    this.removed = true;
    this.surroundings.events.emit('removed', this);
    this.wakeViewers();
  }

  /** For attachments: the slowest of them decides whether the process may run on. */
  progressed(): void {
    // A process that is to go is let go of, whether it was paused or not.
    if (this.current !== 'Running') return;
    const pause = shouldPause(this.paused, this.ahead(), DEFAULT_FLOW_LIMITS);
    if (pause === this.paused) return;
    this.paused = pause;
    const { clock, statistics } = this.surroundings;
    if (pause) {
      statistics.pauses.began(clock.elapsed());
      this.pty?.pause();
      this.watchForStalls();
    } else {
      statistics.pauses.ended(clock.elapsed());
      this.stallTimer?.cancel();
      this.pty?.resume();
    }
  }

  /** For who has given output up to `end` to a socket, at `now` of the clock's milliseconds. */
  sent(end: number, now: number): void {
    this.echo.sent(end, now);
  }

  /** For attachments, and for who begins to look. */
  cut(): Cut {
    if (this.log.isFullScreen()) this.nudge();
    return this.log.cut();
  }

  /** For attachments: this one cannot answer its program any more, and waits. */
  held(attachment: Attachment): void {
    this.echo.viewerLost();
    if (this.controller === attachment && !this.hasEnded) this.handControlTo(this.present());
    this.progressed();
  }

  /** For attachments: this one looks no longer. */
  detached(attachment: Attachment): void {
    if (!this.attachments.delete(attachment)) return;
    this.echo.viewerLost();
    if (this.controller === attachment) {
      this.controller = undefined;
      // Of a session that has ended there is nothing to control, and its exit is to be the last word.
      if (!this.hasEnded) this.handControlTo(this.candidate());
    }
    this.progressed();
    this.surroundings.events.emit('viewerLeft', this);
  }

  private captionOf({ name, cwd }: SessionIdentity): Caption {
    const { search, decode, hostname, clock } = this.surroundings;
    return new Caption(name, cwd, new TerminalReports(search, decode, hostname), clock, (hasMoved) => {
      if (hasMoved)
        for (const attachment of this.attachments) attachment.hear({ type: 'moved', cwd: this.cwd });
      this.surroundings.events.emit('changed', this);
    });
  }

  /** Where a viewer begins that wants to see everything from `from` on. */
  private placed(from: number): { readonly offset: number; readonly restoring?: string } {
    // What viewers have not been sent of a session that is closed is dropped, for those who come late too.
    if (this.wasClosed) return { offset: this.log.end };
    return from < this.log.start ? this.cut() : { offset: from };
  }

  private isControlFree(replaced: Attachment | undefined): boolean {
    return !this.controller || this.controller === replaced || this.controller.isHeld;
  }

  /** Who is in control when nobody else is: the longest-standing viewer that may type, first of those who can. */
  private candidate(): Attachment | undefined {
    return this.present() ?? [...this.attachments].find(({ isReadOnly }) => !isReadOnly);
  }

  /** The longest-standing viewer that may type, and can. */
  private present(): Attachment | undefined {
    return [...this.attachments].find(({ isReadOnly, isHeld }) => !isReadOnly && !isHeld);
  }

  /** Makes a program paint anew: it is told another size for a moment. */
  private nudge(): void {
    if (!this.pty || this.current !== 'Running' || this.nudgeTimer) return;
    const { columns, rows } = this.size;
    this.pty.resize({ columns, rows: rows > 1 ? rows - 1 : rows + 1 });
    this.nudgeTimer = this.surroundings.clock.after(NUDGE_MS, () => {
      this.nudgeTimer = undefined;
      this.pty?.resize(this.size);
    });
  }

  private stopNudging(): void {
    this.nudgeTimer?.cancel();
    this.nudgeTimer = undefined;
  }

  private get wasClosed(): boolean {
    return this.current === 'Closing' || this.ending?.cause === 'closed';
  }

  private handControlTo(attachment: Attachment | undefined): void {
    const before = this.controller;
    if (!attachment || attachment.isReadOnly || before === attachment) return;
    this.controller = attachment;
    before?.hear({ type: 'control', inControl: false });
    attachment.hear({ type: 'control', inControl: true });
  }

  /** How far the process is ahead of the slowest viewer that is waited for; where none is, of the slowest of all. */
  private ahead(): number {
    let paced = -1;
    let any = 0;
    for (const attachment of this.attachments) {
      const { ahead } = attachment;
      if (ahead < DEFAULT_FLOW_LIMITS.resumeBelowBytes) attachment.isPacing = true;
      any = Math.max(any, ahead);
      if (attachment.isPacing) paced = Math.max(paced, ahead);
    }
    return paced < 0 ? any : paced;
  }

  /** While the process is paused: whoever takes nothing, while another has taken what there is, loses its say. */
  private watchForStalls(): void {
    const { resumeBelowBytes } = DEFAULT_FLOW_LIMITS;
    const began = new Map(Array.from(this.attachments, (attachment) => [attachment, attachment.progress]));
    // A process that was let run on may have said so much at once that it is watched already.
    this.stallTimer?.cancel();
    this.stallTimer = this.surroundings.clock.after(STALLED_MS, () => {
      const behind = [...this.attachments].filter(({ ahead }) => ahead >= resumeBelowBytes);
      if (behind.length < this.attachments.size) {
        for (const attachment of behind) {
          if (began.get(attachment) === attachment.progress) attachment.isPacing = false;
        }
      }
      this.progressed();
      if (this.paused) this.watchForStalls();
    });
  }

  private started(pty: Pty): void {
    this.spawning = false;
    this.pty = pty;
    if (this.current === 'Closing') {
      this.endProcess(pty);
      return;
    }
    this.hasStarted = true;
    this.tellOf('started', this.startedAt);
    let given = 0;
    for (const { behind, size } of this.earlySizes.splice(0)) {
      if (given < behind) {
        this.input.drainTo((bytes) => {
          const taken = this.type(pty, bytes.subarray(0, behind - given));
          given += taken;
          return taken;
        });
      }
      pty.resize(size);
    }
    this.offerInput();
  }

  /** Closed before it had started, it ends with 0: what the unborn process made of that says nothing to anybody. */
  private processEnded(exit: ProcessExit): void {
    if (this.current !== 'Closing') this.ended({ ...exit, cause: 'ended' });
    else this.ended({ ...(this.hasStarted ? exit : { code: 0 }), cause: 'closed' });
  }

  private couldNotStart(error: unknown): void {
    this.spawning = false;
    if (this.current === 'Closing') {
      this.ended({ code: 0, cause: 'closed' });
      return;
    }
    const failure =
      error instanceof SessionError
        ? error
        : new SessionError('SPAWN_FAILED', 'the shell could not be started', { cause: error });
    this.ended({ ...NOT_STARTED, cause: 'failed', failure });
  }

  private printed(bytes: Uint8Array): void {
    if (this.current !== 'Running') return;
    this.surroundings.statistics.outputReadBytes += bytes.length;
    if (this.echo.isAwaited) this.echo.hasPrinted(this.log.end, this.isNextForSomebody());
    this.log.append(bytes);
    this.caption.read(bytes);
    this.wakeViewers();
    this.progressed();
  }

  /** Whether what is printed now is the next that some viewer is sent. */
  private isNextForSomebody(): boolean {
    return [...this.attachments].some(({ isHeld, hasOutput }) => !isHeld && !hasOutput);
  }

  private offerInput(): void {
    const { pty } = this;
    if (pty) this.input.drainTo((bytes) => this.type(pty, bytes));
  }

  private type(pty: Pty, bytes: Uint8Array): number {
    const taken = pty.write(bytes);
    this.surroundings.statistics.inputWrittenBytes += taken;
    return taken;
  }

  private endProcess(pty: Pty): void {
    // Its failure to end is told by whenEnded; `ended` comes whenever it does.
    pty.close().catch(() => undefined);
  }

  /** Once: a process tells its end once, and one that was never asked for, or could not be started, tells none. */
  private ended(exit: SessionExit): void {
    this.current = stateAfter(this.current, 'ended');
    this.ending = exit;
    this.caption.end();
    this.startTimer?.cancel();
    this.stallTimer?.cancel();
    this.stopNudging();
    this.stopPausing();
    this.input.clear();
    // Viewers first: the exit is queued on their connections before anybody is told that the session is gone.
    this.wakeViewers();
    this.surroundings.events.emit('ended', this);
    for (const resolve of this.waitingForEnd) resolve();
  }

  /** For good: it is let go of, or is no more. */
  private stopPausing(): void {
    if (!this.paused) return;
    this.paused = false;
    this.surroundings.statistics.pauses.ended(this.surroundings.clock.elapsed());
  }

  private tellOf(type: SessionEventType, sinceMs: number): void {
    this.surroundings.events.emit(type, this, this.surroundings.clock.elapsed() - sinceMs);
  }

  private wakeViewers(): void {
    for (const attachment of this.attachments) attachment.wake();
  }

  private assertRunning(): void {
    if (this.current !== 'Running') throw new SessionError('SESSION_ENDED', 'session ended');
  }
}

function isSame(one: TerminalSize, other: TerminalSize): boolean {
  return one.columns === other.columns && one.rows === other.rows;
}
