import { Attachment, type AttachmentSource, type Viewer } from './attachment.js';
import { type ByteBudget } from './byte-budget.js';
import { type Clock, type Timer } from './clock.js';
import { DEFAULT_FLOW_LIMITS, shouldPause } from './flow-control.js';
import { InputQueue } from './input-queue.js';
import { type SessionState, stateAfter } from './lifecycle.js';
import { OutputLog } from './output-log.js';
import { type ProcessExit, type Pty, type PtyFactory } from './pty.js';
import { SessionError } from './session-error.js';
import { type SessionEvents } from './session-events.js';
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
}

/** What every session of a server shares. */
export interface SessionSurroundings {
  readonly ptys: PtyFactory;
  readonly clock: Clock;
  readonly events: SessionEvents;
  /** Newest output kept per session. */
  readonly logBytes: number;
  /** All input that waits, in all sessions together. */
  readonly inputBudget: ByteBudget;
}

/** A JSON frame may be this large, so that the largest one accepted fits an empty queue. */
export const INPUT_QUEUE_BYTES = 4 * 1024 * 1024;

/** What a shell reports when it could not start a program; so do we when we could not start the shell. */
const NOT_STARTED: ProcessExit = { code: 127 };

/** One terminal: every byte, in and out, passes here. */
export class Session implements AttachmentSource {
  readonly id: string;
  readonly name: string;
  readonly shellType: string;
  readonly cwd: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly log: OutputLog;

  private current: SessionState = 'Running';
  private ending?: SessionExit;
  private removed = false;
  private terminalSize: TerminalSize;
  private startTimer?: Timer;
  private spawning = false;
  /** Sizes that came while the process was starting, each behind so many bytes of input. */
  private readonly earlySizes: { readonly behind: number; readonly size: TerminalSize }[] = [];
  private pty?: Pty;
  private paused = false;
  private readonly input: InputQueue;
  private readonly attachments = new Set<Attachment>();
  private readonly waitingForEnd = new Set<() => void>();

  constructor(
    private readonly identity: SessionIdentity,
    private readonly surroundings: SessionSurroundings,
  ) {
    this.id = identity.id;
    this.name = identity.name;
    this.shellType = identity.shellType;
    this.cwd = identity.cwd;
    this.createdAt = new Date(surroundings.clock.now()).toISOString();
    this.terminalSize = identity.size;
    this.log = new OutputLog(surroundings.logBytes);
    this.input = new InputQueue(INPUT_QUEUE_BYTES, surroundings.inputBudget);
  }

  get state(): SessionState {
    return this.current;
  }

  get status(): SessionStatus {
    if (this.current === 'Closed') return 'exited';
    return this.current === 'Running' && !this.pty ? 'connecting' : 'active';
  }

  get size(): TerminalSize {
    return this.terminalSize;
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
    const launch = { file: this.identity.shell, args: [], cwd: this.cwd, size: this.terminalSize };
    this.surroundings.ptys
      .spawn(launch, {
        output: (bytes) => this.printed(bytes),
        writable: () => this.offerInput(),
        ended: (exit) => this.ended({ ...exit, cause: this.current === 'Closing' ? 'closed' : 'ended' }),
      })
      .then(
        (pty) => this.started(pty),
        (error: unknown) => this.couldNotStart(error),
      );
  }

  /** Starts the process `ms` from now if nothing has started it before. */
  startWithin(ms: number): void {
    this.startTimer = this.surroundings.clock.after(ms, () => this.start());
  }

  /**
   * Types `bytes`, after everything typed before; all of them or none. Keeps `bytes`: do not change them.
   * @throws {SessionError} `SESSION_ENDED`, `INPUT_QUEUE_FULL`
   */
  write(bytes: Uint8Array): void {
    this.assertRunning();
    this.input.add(bytes);
    this.start();
    this.offerInput();
  }

  /**
   * Takes effect at once: no input that comes later is read in an older size. As on any terminal, a size may reach the
   * process ahead of input that came before it and that the terminal has no room for: a program that does not read is
   * told its size too. What comes while the process is starting is given to it in the order it came.
   * @throws {SessionError} `SESSION_ENDED`
   */
  resize(size: TerminalSize): void {
    this.assertRunning();
    this.terminalSize = size;
    if (this.spawning) this.earlySizes.push({ behind: this.input.bytes, size });
    this.start();
    this.pty?.resize(size);
  }

  /**
   * Begins the end: the process is asked to go, then made to; output that viewers have not taken is dropped. Repeats
   * change nothing. Its exit follows when all is gone; see {@link whenEnded}.
   */
  close(): void {
    const before = this.current;
    this.current = stateAfter(before, 'closeRequested');
    this.startTimer?.cancel();
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

  /** Shows the session to `viewer` from `from` on: what is already there and what comes, with nothing between. */
  attach(viewer: Viewer, from = 0): Attachment {
    const attachment = new Attachment(this, viewer, from);
    this.attachments.add(attachment);
    this.surroundings.events.emit('viewerJoined', this);
    attachment.wake();
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
    const slowest = Math.min(this.log.end, ...Array.from(this.attachments, ({ offset }) => offset));
    const pause = shouldPause(this.paused, this.log.end - slowest, DEFAULT_FLOW_LIMITS);
    if (pause === this.paused) return;
    this.paused = pause;
    if (pause) this.pty?.pause();
    else this.pty?.resume();
  }

  /** For attachments: this one looks no longer. */
  detached(attachment: Attachment): void {
    if (!this.attachments.delete(attachment)) return;
    this.progressed();
    this.surroundings.events.emit('viewerLeft', this);
  }

  private started(pty: Pty): void {
    this.spawning = false;
    this.pty = pty;
    if (this.current === 'Closing') {
      this.endProcess(pty);
      return;
    }
    this.surroundings.events.emit('started', this);
    let given = 0;
    for (const { behind, size } of this.earlySizes.splice(0)) {
      if (given < behind) {
        this.input.drainTo((bytes) => {
          const taken = pty.write(bytes.subarray(0, behind - given));
          given += taken;
          return taken;
        });
      }
      pty.resize(size);
    }
    this.offerInput();
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
    this.log.append(bytes);
    this.wakeViewers();
    this.progressed();
  }

  private offerInput(): void {
    const { pty } = this;
    if (pty) this.input.drainTo((bytes) => pty.write(bytes));
  }

  private endProcess(pty: Pty): void {
    // Its failure to end is told by whenEnded; `ended` comes whenever it does.
    pty.close().catch(() => undefined);
  }

  /** Once: a process tells its end once, and one that was never asked for, or could not be started, tells none. */
  private ended(exit: SessionExit): void {
    this.current = stateAfter(this.current, 'ended');
    this.ending = exit;
    this.startTimer?.cancel();
    this.input.clear();
    // Viewers first: the exit is queued on their connections before anybody is told that the session is gone.
    this.wakeViewers();
    this.surroundings.events.emit('ended', this);
    for (const resolve of this.waitingForEnd) resolve();
  }

  private wakeViewers(): void {
    for (const attachment of this.attachments) attachment.wake();
  }

  private assertRunning(): void {
    if (this.current !== 'Running') throw new SessionError('SESSION_ENDED', 'session ended');
  }
}
