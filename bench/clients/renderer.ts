import { type BenchClient, type BenchSession, type Piece } from './client.js';
import { type Screen } from './screen.js';

const SLICE_MS = 16;

/** A client that nobody paces reads no more while this much waits to be shown. */
const READ_NO_MORE_ABOVE_BYTES = 256 * 1024;

interface Waiting {
  readonly session: BenchSession;
  readonly screen: Screen;
  readonly piece: Piece;
  bytesLeft: number;
}

/** Shows the output of a page's sessions in the order it came, only so fast, and at most 16 ms of work at a time. */
export class Renderer {
  private readonly queue: Waiting[] = [];
  private bytesWaiting = 0;
  private reading = true;
  private busyUntil = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly bytesPerMs: number,
    private readonly client: BenchClient,
  ) {}

  render(piece: Piece, session: BenchSession, screen: Screen): void {
    const bytes = Buffer.byteLength(piece.data);
    if (this.queue.length === 0) this.busyUntil = Math.max(this.busyUntil, performance.now());
    this.queue.push({ session, screen, piece, bytesLeft: bytes });
    this.account(bytes);
    this.timer ??= setTimeout(() => this.work(), 0);
  }

  /** Does what would be done by now: a timer is late by a millisecond, and the pace must not suffer from that. */
  private work(): void {
    const now = performance.now();
    this.timer = undefined;
    for (let first = this.queue[0]; first; first = this.queue[0]) {
      const slice = Math.min(first.bytesLeft, Math.floor(SLICE_MS * this.bytesPerMs));
      const done = this.busyUntil + slice / this.bytesPerMs;
      if (done > now) {
        this.timer = setTimeout(() => this.work(), done - now);
        return;
      }
      this.busyUntil = done;
      this.consume(first, slice);
    }
  }

  private consume(first: Waiting, slice: number): void {
    first.bytesLeft -= slice;
    this.account(-slice);
    if (first.bytesLeft === 0) {
      this.queue.shift();
      first.screen.show(first.piece);
    }
    first.session.consumed(first.piece.end - first.bytesLeft);
  }

  private account(bytes: number): void {
    this.bytesWaiting += bytes;
    const shouldRead = this.bytesWaiting <= READ_NO_MORE_ABOVE_BYTES;
    if (shouldRead === this.reading) return;
    this.reading = shouldRead;
    if (shouldRead) this.client.resume();
    else this.client.pause();
  }
}
