import { type Attachment } from '../core/attachment.js';
import { type DeliveryWindow, type Sent } from '../core/delivery-window.js';
import { type Session } from '../core/session.js';
import { ProtocolError } from '../protocol/protocol-error.js';

/** So much of a session may be on its way whatever the window says: no flood in another holds up a key in this one. */
const OWN_BYTES = 4 * 1024;
/** Less is not worth a frame, unless it is all there is. */
const SCRAP_BYTES = 4 * 1024;

/** Beyond so many pieces on their way the newest are remembered as one: a window may be full of single keys. */
const MOST_PIECES = 1024;

/** A frame of text that had less room might have none for a single character. */
const LONGEST_CHARACTER = 4;

interface Unacknowledged {
  /** Offset of its first byte that is not acknowledged. */
  from: number;
  end: number;
  readonly piece: Sent;
}

/** One session as a connection shows it. */
export class View {
  /** When output was sent last, in the clock's milliseconds. */
  lastSentAt = -Infinity;
  private readonly unacknowledged: Unacknowledged[] = [];
  private unacknowledgedBytes = 0;
  private acknowledgedTo: number;
  private sentTo: number;

  constructor(
    readonly session: Session,
    readonly attachment: Attachment,
    /** Names it in binary frames; never used twice on a connection. */
    readonly channel: number,
  ) {
    this.acknowledgedTo = attachment.consumedOffset;
    this.sentTo = attachment.offset;
  }

  /** How many bytes its next frame may have; 0: not now. */
  roomIn(window: DeliveryWindow, mostBytes: number): number {
    const room = window.bytes - window.inFlight;
    const backlog = Math.min(this.attachment.backlog, mostBytes);
    if (room >= Math.min(backlog, SCRAP_BYTES)) return Math.min(room, window.sliceBytes, mostBytes);
    const own = OWN_BYTES - this.unacknowledgedBytes;
    return own >= Math.min(backlog, LONGEST_CHARACTER) ? Math.min(own, mostBytes) : 0;
  }

  /** Output up to `end` has been sent; with a window, to be acknowledged. */
  sent(bytes: number, end: number, window: DeliveryWindow | undefined, now: number): void {
    this.sentTo = end;
    this.lastSentAt = now;
    if (!window) return;
    const piece = window.sent(bytes, now);
    const last = this.unacknowledged.at(-1);
    if (last?.end === end - bytes && this.unacknowledged.length >= MOST_PIECES) last.end = end;
    else this.unacknowledged.push({ from: end - bytes, end, piece });
    this.unacknowledgedBytes += bytes;
  }

  /** What lies before `end` will not be sent: the client has been told. */
  skippedTo(end: number): void {
    this.sentTo = end;
  }

  /** @throws {ProtocolError} `BAD_OFFSET` for what has not been sent */
  assertSent(offset: number): void {
    if (offset <= this.sentTo) return;
    throw new ProtocolError(
      'BAD_OFFSET',
      `nothing has been sent beyond ${this.sentTo}, so ${offset} cannot be acknowledged`,
      { sessionId: this.attachment.sessionId },
    );
  }

  /** The client has consumed everything before `offset`, which was sent. @returns whether that is news; older changes nothing */
  acknowledge(offset: number, window: DeliveryWindow, now: number): boolean {
    if (offset <= this.acknowledgedTo) return false;
    this.acknowledgedTo = offset;
    let bytes = 0;
    let done = 0;
    for (const next of this.unacknowledged) {
      if (next.from >= offset) break;
      const to = Math.min(offset, next.end);
      bytes += to - next.from;
      next.from = to;
      if (to < next.end) break;
      done += 1;
    }
    // At once: taken off one by one, thousands of small ones would each move all that are behind them.
    const last = this.unacknowledged.splice(0, done).at(-1)?.piece;
    this.unacknowledgedBytes -= bytes;
    if (bytes > 0) window.acknowledged(bytes, last, now);
    this.attachment.consumed(offset);
    return true;
  }

  /** It is shown no more: what is on its way will not be acknowledged. */
  leave(window: DeliveryWindow | undefined): void {
    window?.forgotten(this.unacknowledgedBytes);
    this.unacknowledged.length = 0;
    this.unacknowledgedBytes = 0;
  }
}
