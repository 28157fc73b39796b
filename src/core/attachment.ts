import { type OutputLog } from './output-log.js';
import { type SessionExit } from './session.js';

/** Whoever looks at a session: told that there may be something to take, and takes it when it can. */
export interface Viewer {
  /** There may be news on `attachment`. Called in the middle of the session's own work: it must not throw. */
  wake(attachment: Attachment): void;
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

  /** `from` is an offset of the session's output. */
  constructor(
    private readonly source: AttachmentSource,
    private readonly viewer: Viewer,
    from: number,
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

  get hasOutput(): boolean {
    return this.position < this.source.log.end;
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

  wake(): void {
    this.viewer.wake(this);
  }

  /** Stops viewing; the session goes on. Repeats change nothing. */
  detach(): void {
    this.source.detached(this);
  }
}
