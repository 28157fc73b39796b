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

  /** Takes one permit, be there one or not. @returns how long until nothing is owed */
  owe(nowMs: number): number {
    this.fullAtMs = Math.max(this.fullAtMs, nowMs) + this.intervalMs;
    return this.waitMs(nowMs, 0);
  }

  /** How long until there are so many permits. */
  waitMs(nowMs: number, permits = 1): number {
    const missing = this.fullAtMs + (permits - this.burst) * this.intervalMs - nowMs;
    return Math.max(0, Math.ceil(missing - ROUNDING_MS));
  }
}
