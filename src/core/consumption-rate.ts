/** A rate is measured for so long at least: a client that draws consumes nothing for the time of a frame or two. */
const MEASURED_MS = 100;
/**
 * The best of so many counts: one in which the server was late says nothing about the client. One that took as long as all
 * of them should counts alone.
 */
const KEPT = 3;
/** What was consumed at once is paid off faster than at the rate: by a client that keeps to it that would never be. */
const PAID_OFF = 1.1;

interface Measurement {
  readonly bytesPerMs: number;
  readonly burstBytes: number;
}

/**
 * How fast a client consumes while there is always something for it, and how much of that it may take at once: an
 * emulator consumes in turns, and draws between them. The second is the "extra acked" of BBR (Cardwell et al.,
 * draft-cardwell-iccrg-bbr-congestion-control): the most by which it was ahead of the rate.
 */
export class ConsumptionRate {
  private readonly kept: Measurement[] = [];
  private began?: { readonly at: number; readonly total: number };
  private lastBytesPerMs = 0;
  private total = 0;
  private consumedAt = 0;
  private aheadBytes = 0;
  private mostAheadBytes = 0;

  /** The best of the last three measurements, or the last alone when it took three tenths of a second; `undefined` before. */
  get bytesPerMs(): number | undefined {
    return this.most('bytesPerMs');
  }

  /** The most in the same, in whole bytes; 0 before. */
  get burstBytes(): number {
    return this.most('burstBytes') ?? 0;
  }

  /** @param now in milliseconds, of a clock that never goes back; as everywhere here. */
  consumed(bytes: number, now: number): void {
    const paidOff = PAID_OFF * (this.bytesPerMs ?? this.lastBytesPerMs) * (now - this.consumedAt);
    this.aheadBytes = Math.max(0, this.aheadBytes - paidOff) + bytes;
    this.mostAheadBytes = Math.max(this.mostAheadBytes, this.aheadBytes);
    this.total += bytes;
    this.consumedAt = now;
  }

  /** To be told now and then, just after {@link consumed}, while there is always more to consume. */
  busy(now: number): void {
    if (!this.began) return this.begin(now);
    const ms = now - this.began.at;
    if (ms < MEASURED_MS) return;
    const bytesPerMs = (this.total - this.began.total) / ms;
    const known = this.bytesPerMs ?? this.lastBytesPerMs;
    const isLong = ms >= KEPT * MEASURED_MS;
    if (isLong) this.kept.length = 0;
    if (bytesPerMs <= PAID_OFF * known) {
      this.keep({ bytesPerMs, burstBytes: this.mostAheadBytes });
    } else {
      // What was ahead of a rate too low was no burst. Of the first time alone even the rate is not believed.
      if (known > 0 || isLong) this.keep({ bytesPerMs, burstBytes: this.burstBytes });
      this.aheadBytes = 0;
    }
    this.lastBytesPerMs = bytesPerMs;
    this.measureFrom(now);
  }

  /** Nothing was on the way until now: that time is left out. */
  waited(now: number): void {
    if (this.began) this.began = { ...this.began, at: this.began.at + now - this.consumedAt };
    this.consumedAt = now;
  }

  /** There was not always more: what has been measured so far says nothing. */
  idle(): void {
    this.began = undefined;
  }

  private begin(now: number): void {
    this.aheadBytes = 0;
    this.measureFrom(now);
  }

  private measureFrom(now: number): void {
    this.began = { at: now, total: this.total };
    this.mostAheadBytes = 0;
  }

  private keep(measurement: Measurement): void {
    this.kept.push(measurement);
    if (this.kept.length > KEPT) this.kept.shift();
  }

  private most(figure: keyof Measurement): number | undefined {
    if (this.kept.length === 0) return undefined;
    return Math.max(...this.kept.map((measurement) => measurement[figure]));
  }
}
