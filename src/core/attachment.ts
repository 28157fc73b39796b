import { type OutputLog } from './output-log.js';
import { SessionError } from './session-error.js';
import { type SessionExit } from './session.js';
import { type TerminalSize } from './terminal-size.js';

/** What a viewer is told beside output and exit. */
export type ViewerNews =
  /** Whether it is the viewer that typed or resized last: the one whose terminal answers queries. */
  | { readonly type: 'control'; readonly inControl: boolean }
  /** Somebody else has resized the session; output from `offset` on is for this size. */
  | { readonly type: 'resized'; readonly offset: number; readonly size: TerminalSize };

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
  /** The attachment has taken output, so the process may have to be paused or resumed. */
  progressed(): void;
  detached(attachment: Attachment): void;
}

/** One viewer's view of one session: a cursor into its log, and the exit behind the last byte. */
export class Attachment {
  private exitTaken = false;
  private position: number;
  /** Whether the process waits for this viewer. One that stands still while others read is not waited for. */
  isPacing = true;

  /** `from` is an offset of the session's output. */
  constructor(
    private readonly source: AttachmentSource,
    private readonly viewer: Viewer,
    from: number,
    /** Nothing may be typed or resized through it. */
    readonly isReadOnly: boolean,
  ) {
    this.position = from;
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

  /** Whether nothing can come any more: its exit is taken and the session gone. */
  get isOver(): boolean {
    return this.exitTaken && this.source.isRemoved;
  }

  /** A copy of the next output, up to `maxBytes`, without taking it; `offset` lies ahead of ours after a gap. */
  peek(maxBytes: number): { readonly offset: number; readonly bytes: Uint8Array } {
    return this.source.log.read(this.position, maxBytes);
  }

  /** As {@link peek}, into memory of the caller's and where there is no gap. @returns how many bytes it was */
  copyTo(target: Uint8Array): number {
    return this.source.log.copyTo(target, this.position);
  }

  /** Where its output goes on: ahead of {@link offset} when what lies between has fallen off the log. */
  get nextOffset(): number {
    return Math.max(this.position, this.source.log.start);
  }

  /** Takes all output before `offset`. */
  advance(offset: number): void {
    this.position = offset;
    this.source.progressed();
  }

  /** Gives up the output not yet taken: somebody closed the session. */
  skipToEnd(): void {
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

  /** Stops viewing; the session goes on. Repeats change nothing. */
  detach(): void {
    this.source.detached(this);
  }
}
