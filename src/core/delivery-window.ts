import { ConsumptionRate } from './consumption-rate.js';

/** What has been sent to a client and not acknowledged yet: one piece, and what was known when it was sent. */
export interface Sent {
  readonly at: number;
  readonly bytes: number;
  /** Everything acknowledged before it was sent. */
  readonly delivered: number;
}

export const MIN_WINDOW_BYTES = 16 * 1024;
export const MAX_WINDOW_BYTES = 1024 * 1024;
/** Fills a megabyte's window within a second where a round trip takes 300 ms. */
export const FIRST_WINDOW_BYTES = 128 * 1024;

/**
 * What a client has waiting is printed before the answer to a Ctrl-C: beside what it takes at once it is to have 20 ms of
 * work, and no more. The smallest round trip and what a client takes at once have up to 5 ms of it each already: for so
 * long it may gather what it acknowledges.
 */
const QUEUE_MS = 10;
/**
 * More than this is not allowed for what a client takes at once: it takes as much as there is, and draws as late as that
 * makes it. The page, drawing without a graphics card, shows 9 MB/s with 192 KiB on their way, and 9 with 384.
 */
const MAX_BURST_BYTES = 128 * 1024;
/** A round trip this much above the smallest says that a queue has begun to form. */
const QUEUE_FORMS_MS = 10;

/**
 * The smallest round trip is measured anew this often. Under a flood every round trip has the queue in it: without a
 * moment with next to nothing in flight the queue would be taken for the way, and a longer one allowed for that.
 */
const REMEASURE_MS = 10_000;
const REMEASURE_WINDOW_BYTES = 4 * 1024;

/** After a queue has formed the window grows by a tenth for so many round trips, and doubles only then. */
const CAREFUL_ROUNDS = 3;
const CAREFUL_GROWTH = 1.1;

const SLICES = 16;
const SLICE_MS = 3;
const MIN_SLICE_BYTES = 4 * 1024;

/**
 * How many bytes may be on their way to a client: as many as keep it busy for 10 ms longer than an acknowledgement
 * takes, and as many as it takes at once. Rate × (smallest recent round trip + 10 ms) + burst, judged once in a round
 * trip; where the window is what limits, or half of it is always on its way, and no queue forms, it doubles instead. In
 * the manner of BBR (Cardwell et al., ACM Queue 14(5), 2016), with the client's rendering as the bottleneck.
 */
export class DeliveryWindow {
  /** Never more than `mostBytes`, which is at least {@link FIRST_WINDOW_BYTES}. */
  constructor(private readonly mostBytes = MAX_WINDOW_BYTES) {}

  private window = FIRST_WINDOW_BYTES;
  private flying = 0;
  private delivered = 0;

  private smallestMs = Infinity;
  private smallestAt = 0;
  /** Until everything sent before it is acknowledged, and then one round trip longer. */
  private remeasuring?: { readonly after: number };

  /** A round trip ends with the first piece acknowledged that was sent after it began. */
  private roundBegan = 0;
  private roundSmallestMs = Infinity;
  private roundWasLimited = false;
  private roundLeastBytes = Infinity;
  private readonly rate = new ConsumptionRate();
  private quietRounds = CAREFUL_ROUNDS;

  /** Whole bytes. */
  get bytes(): number {
    return this.remeasuring ? Math.min(REMEASURE_WINDOW_BYTES, this.window) : this.window;
  }

  /**
   * Most bytes of one frame: small beside the window, so that turns are short and round trips are measured often; and
   * soon consumed, as a round trip ends with the whole of one.
   */
  get sliceBytes(): number {
    const { bytesPerMs = Infinity } = this.rate;
    return Math.max(MIN_SLICE_BYTES, Math.floor(Math.min(this.bytes / SLICES, bytesPerMs * SLICE_MS)));
  }

  /** Bytes sent and not acknowledged. */
  get inFlight(): number {
    return this.flying;
  }

  /** Something waits that the window does not let out. */
  limited(): void {
    this.roundWasLimited = true;
  }

  /** @param now in milliseconds, of a clock that never goes back; as everywhere here. */
  sent(bytes: number, now: number): Sent {
    if (this.flying === 0) this.rate.waited(now);
    this.flying += bytes;
    return { at: now, bytes, delivered: this.delivered };
  }

  /** `bytes` more of what was sent have been consumed; `piece` is the last one of them that is so completely. */
  acknowledged(bytes: number, piece: Sent | undefined, now: number): void {
    this.flying -= bytes;
    this.delivered += bytes;
    this.rate.consumed(bytes, now);
    this.roundLeastBytes = Math.min(this.roundLeastBytes, this.flying);
    if (!piece) return;
    const roundTripMs = now - piece.at;
    this.noteRoundTrip(roundTripMs, piece, now);
    this.roundSmallestMs = Math.min(this.roundSmallestMs, roundTripMs);
    if (piece.delivered < this.roundBegan) return;
    this.judge(now);
    this.roundBegan = this.delivered;
    this.roundSmallestMs = Infinity;
    this.roundLeastBytes = Infinity;
    this.roundWasLimited = false;
    if (!this.remeasuring && now - this.smallestAt > REMEASURE_MS) this.remeasure();
  }

  /** What was on its way to a viewer that is gone will not be acknowledged. */
  forgotten(bytes: number): void {
    this.flying -= bytes;
    this.roundLeastBytes = Math.min(this.roundLeastBytes, this.flying);
    if (this.remeasuring) this.remeasuring = { after: this.remeasuring.after - bytes };
  }

  private judge(now: number): void {
    const hadPlenty = this.roundWasLimited || this.roundLeastBytes >= this.window / 2;
    if (this.remeasuring || !hadPlenty) return this.rate.idle();
    this.rate.busy(now);
    const target = this.targetBytes;
    if (this.roundSmallestMs < this.smallestMs + QUEUE_FORMS_MS) {
      this.quietRounds++;
      this.window = this.clamp(
        Math.max(target, this.window * (this.quietRounds > CAREFUL_ROUNDS ? 2 : CAREFUL_GROWTH)),
      );
    } else {
      this.quietRounds = 0;
      this.window = this.clamp(target);
    }
  }

  private get targetBytes(): number {
    const { bytesPerMs, burstBytes } = this.rate;
    if (bytesPerMs === undefined) return Math.min(this.window, FIRST_WINDOW_BYTES);
    return bytesPerMs * (this.smallestMs + QUEUE_MS) + Math.min(burstBytes, MAX_BURST_BYTES);
  }

  private remeasure(): void {
    this.remeasuring = { after: this.delivered + this.flying };
  }

  private noteRoundTrip(ms: number, { delivered }: Sent, now: number): void {
    if (ms <= this.smallestMs) {
      this.smallestMs = ms;
      this.smallestAt = now;
    }
    if (!this.remeasuring || delivered < this.remeasuring.after) return;
    this.smallestMs = ms;
    this.smallestAt = now;
    this.remeasuring = undefined;
    this.roundWasLimited = false;
  }

  private clamp(bytes: number): number {
    return Math.floor(Math.min(Math.max(bytes, MIN_WINDOW_BYTES), this.mostBytes));
  }
}
