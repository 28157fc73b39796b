import { MAX_FRAME_PAYLOAD_BYTES } from '../src/protocol/limits.js';
import { ServerViolation } from './client-error.js';

/**
 * All that is typed into a session, by its absolute position, kept until the terminal has taken it: what a lost
 * connection swallowed is sent again, and the server types nothing twice.
 */
export class InputBuffer {
  /** What lies before {@link start} has been taken. */
  private readonly pieces: Uint8Array[] = [];
  private start = 0;
  private end = 0;
  private sent = 0;

  /** How many bytes have not been taken yet, as far as is known. */
  get bytes(): number {
    return this.end - this.start;
  }

  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.pieces.push(bytes);
    this.end += bytes.length;
  }

  /** Sends what has not been sent, in order and in parts of at most a frame; at most `creditBytes` are on their way. */
  flush(creditBytes: number, send: (offset: number, bytes: Uint8Array) => void): void {
    const until = Math.min(this.end, this.start + creditBytes);
    // From behind: of a key that is typed behind many, only its own piece is looked at.
    let first = this.pieces.length;
    let offset = this.end;
    while (first > 0 && offset > this.sent) offset -= this.pieces[--first]!.length;
    for (const piece of this.pieces.slice(first)) {
      if (offset >= until) return;
      let from = Math.max(this.sent, offset);
      while (from < Math.min(until, offset + piece.length)) {
        const to = Math.min(until, offset + piece.length, from + MAX_FRAME_PAYLOAD_BYTES);
        send(from, piece.subarray(from - offset, to - offset));
        this.sent = from = to;
      }
      offset += piece.length;
    }
  }

  /** The terminal has taken everything before `offset`. @throws {ServerViolation} for what was never sent */
  taken(offset: number): void {
    if (offset > this.sent) throw new ServerViolation(`input up to ${offset} where ${this.sent} were sent`);
    for (let first = this.pieces[0]; first && this.start < offset; first = this.pieces[0]) {
      const count = Math.min(first.length, offset - this.start);
      this.start += count;
      if (count < first.length) this.pieces[0] = first.subarray(count);
      else this.pieces.shift();
    }
  }

  /**
   * Goes on sending at `offset`: what lies before is the server's. Where that is none of this, somebody else has typed as
   * this client, and everything is forgotten. @returns how many bytes may never be typed
   */
  resendFrom(offset: number): number {
    if (offset < this.start || offset > this.end) return this.reset(offset);
    this.sent = offset;
    return 0;
  }

  /** Forgets everything; what is typed next begins at `offset`. @returns how many bytes may never have been typed */
  reset(offset: number): number {
    const { bytes } = this;
    this.pieces.length = 0;
    this.start = this.end = this.sent = offset;
    return bytes;
  }
}
