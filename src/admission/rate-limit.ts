/** Sums of times that are no whole milliseconds are this near to what they should be. */
const ROUNDING_MS = 1e-6;

/**
 * So many permits at once, and then as many as the rate says: a bucket that fills again at a steady rate, kept as the time
 * at which it will be full (GCRA, ITU-T I.371). Times are in milliseconds of any clock that only goes forward.
 */
export class RateLimit {
  private readonly intervalMs: number;
  private fullAtMs = -Infinity;

  constructor(
    private readonly burst: number,
    perSecond: number,
  ) {
    this.intervalMs = 1000 / perSecond;
  }

  /** Takes one permit. @returns whether there was one */
  take(nowMs: number): boolean {
    if (this.waitMs(nowMs) > 0) return false;
    this.fullAtMs = Math.max(this.fullAtMs, nowMs) + this.intervalMs;
    return true;
  }

  /** How long until there is one. */
  waitMs(nowMs: number): number {
    const emptyMs = this.burst * this.intervalMs;
    const missingMs = this.fullAtMs + this.intervalMs - emptyMs - nowMs;
    return Math.max(0, Math.ceil(missingMs - ROUNDING_MS));
  }
}
