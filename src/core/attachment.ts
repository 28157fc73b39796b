import { aheadBytes } from './flow-control.js';
import { type Cut, type OutputLog } from './output-log.js';
import { SessionError } from './session-error.js';
import { type SessionExit } from './session.js';
import { type TerminalSize } from './terminal-size.js';

/** What a viewer is told beside output and exit. */
export type ViewerNews =
  /** Whether it is the viewer that typed or resized last: the one whose terminal answers queries. */
  | { readonly type: 'control'; readonly inControl: boolean }
  /** Somebody else has resized the session; output from `offset` on is for this size. */
  | { readonly type: 'resized'; readonly offset: number; readonly size: TerminalSize }
  /** Where its shell is now. */
  | { readonly type: 'moved'; readonly cwd: string };

/** Whoever looks at a session: told that there may be something to take, and takes it when it can. */
export interface Viewer {
  /** There may be news on `attachment`. Called in the middle of the session's own work: it must not throw. */
  wake(attachment: Attachment): void;
  /** Also called in the middle of the session's own work. */
  hear(attachment: Attachment, news: ViewerNews): void;
}

/** What an attachment reads from and reports to. */
export interface AttachmentSource {
  readonly id: string;
  readonly log: OutputLog;
  readonly exit?: SessionExit;
  readonly isRemoved: boolean;
  /** Where a viewer goes on that has missed output. A full-screen program is made to paint anew. */
  cut(): Cut;
  /** The attachment has taken output, so the process may have to be paused or resumed. */
  progressed(): void;
  detached(attachment: Attachment): void;
  held(attachment: Attachment): void;
}

/** Output that a viewer can no longer get. */
export interface MissedOutput {
  readonly offset: number;
  readonly end: number;
  /** See {@link Cut}. */
  readonly restoring: string;
}

/** How an attachment looks. */
export interface Look {
  /** Where its output begins. */
  readonly offset: number;
  /** Where its viewer wanted it to begin: what is between there and `offset` is missing. */
  readonly leftOff: number;
  /** See {@link Cut}: where output does not begin at the first there was, or where it was left off. */
  readonly restoring?: string;
  /** Nothing may be typed or resized through it. */
  readonly isReadOnly: boolean;
  /** Its viewer may lose its connection, and then asks for what it has not consumed. */
  readonly isResumable: boolean;
}

/** One viewer's view of one session: a cursor into its log, and the exit behind the last byte. */
export class Attachment {
  private exitTaken = false;
  private position: number;
  private consumedTo: number;
  /** Nothing before it can be had any more. */
  private gapEnd: number;
  private heldFor = false;
  /** Somebody closed the session before everything had been sent. */
  private skipped = false;
  /** Whether the process waits for this viewer. One that stands still while others read is not waited for. */
  isPacing = true;

  constructor(
    private readonly source: AttachmentSource,
    private readonly viewer: Viewer,
    readonly look: Look,
  ) {
    this.position = look.offset;
    this.gapEnd = look.offset;
    // What it is told of a gap may be lost on its way.
    this.consumedTo = Math.min(look.leftOff, look.offset);
  }

  get isReadOnly(): boolean {
    return this.look.isReadOnly;
  }

  /** Whether its viewer has lost its connection: it is kept for a while, and takes nothing. */
  get isHeld(): boolean {
    return this.heldFor;
  }

  /** Its viewer has consumed everything before; what follows may have fallen off the log. */
  get consumedOffset(): number {
    return this.consumedTo;
  }

  /** Oldest output that its viewer may yet ask for, and get. */
  get neededFrom(): number {
    if (!this.look.isResumable) return this.position;
    return Math.max(this.consumedTo, this.gapEnd, this.source.log.start);
  }

  /** How far ahead of it its process is, in bytes. */
  get ahead(): number {
    const { end, capacityBytes } = this.source.log;
    return aheadBytes(this.isHeld ? 0 : this.backlog, end - this.neededFrom, capacityBytes);
  }

  /** Grows when it takes or its viewer consumes anything. */
  get progress(): number {
    return this.position + this.consumedTo;
  }

  get sessionId(): string {
    return this.source.id;
  }

  /** Offset of the next byte to take. */
  get offset(): number {
    return this.position;
  }

  /** How many bytes are there to take, those of a gap included. */
  get backlog(): number {
    return this.source.log.end - this.position;
  }

  get hasOutput(): boolean {
    return this.backlog > 0;
  }

  /** Whether nothing will follow but what is there, and the exit. */
  get hasEnded(): boolean {
    return this.source.exit !== undefined;
  }

  /** Whether the session has ended and `offset` is behind its last byte: nothing will ever follow there. */
  endsAt(offset: number): boolean {
    return this.source.exit !== undefined && offset === this.source.log.end;
  }

  /**
   * Whether nothing can come any more: its exit is taken and the session gone. Whoever may come back has everything only
   * when it has consumed it; what is missing of a session that was closed is dropped.
   */
  get isOver(): boolean {
    if (!this.exitTaken || !this.source.isRemoved) return false;
    const mayLack = this.look.isResumable && !this.skipped && this.source.exit?.cause !== 'closed';
    return !mayLack || this.consumedTo >= this.source.log.end;
  }

  /** A copy of the next output, up to `maxBytes`, without taking it; it begins at `offset`, ahead of ours after a gap. */
  peek(maxBytes: number): { readonly offset: number; readonly bytes: Uint8Array } {
    return this.source.log.read(this.position, maxBytes);
  }

  /** As {@link peek}, into memory of the caller's and where there is no gap. @returns how many bytes it was */
  copyTo(target: Uint8Array): number {
    return this.source.log.copyTo(target, this.position);
  }

  /** Goes on behind what has fallen off the log, if anything has that was not taken. @returns what is missing then */
  takeGap(): MissedOutput | undefined {
    const { position } = this;
    if (position >= this.source.log.start) return undefined;
    const { offset: end, restoring } = this.source.cut();
    this.gapEnd = end;
    this.advance(end);
    return { offset: position, end, restoring };
  }

  /** Its viewer has consumed everything before `offset`, which it had been sent. Older news changes nothing. */
  consumed(offset: number): void {
    if (offset <= this.consumedTo) return;
    this.consumedTo = offset;
    this.source.progressed();
  }

  /** Takes all output before `offset`. */
  advance(offset: number): void {
    this.position = offset;
    this.source.progressed();
  }

  /** Gives up the output not yet taken: somebody closed the session. */
  skipToEnd(): void {
    this.skipped ||= this.hasOutput;
    this.position = this.source.log.end;
  }

  /** How the session ended: once, and only when all its output has been taken. */
  takeExit(): SessionExit | undefined {
    if (this.exitTaken || !this.source.exit || this.hasOutput) return undefined;
    this.exitTaken = true;
    return this.source.exit;
  }

  /** @throws {SessionError} `READ_ONLY` */
  assertMayType(): void {
    if (this.isReadOnly) throw new SessionError('READ_ONLY', 'this session was attached to for reading only');
  }

  wake(): void {
    this.viewer.wake(this);
  }

  hear(news: ViewerNews): void {
    this.viewer.hear(this, news);
  }

  /** Its viewer has lost its connection: the output from {@link neededFrom} on is kept for it, as far as the log goes. */
  hold(): void {
    this.heldFor = true;
    this.source.held(this);
  }

  /** Stops viewing; the session goes on. Repeats change nothing. */
  detach(): void {
    this.source.detached(this);
  }
}
