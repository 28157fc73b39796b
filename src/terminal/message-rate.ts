import { RateLimit } from '../admission/rate-limit.js';

/** Who sends too much for so long does not stop by itself. */
export const MOST_EXCESS_MS = 10_000;

/**
 * How many control messages a client sends. One that sends more than anybody needs is read more slowly; one that goes on
 * is to be ended. What paces itself does not count: input that is taken, and acknowledgements of something, which must never
 * wait.
 */
export class MessageRate {
  private readonly limit: RateLimit;
  private excessSinceMs?: number;

  constructor(
    private readonly burst: number,
    perSecond: number,
  ) {
    this.limit = new RateLimit(burst, perSecond);
  }

  /** One has come. @returns for how long no more should be read; `tooMuch` when that has not helped */
  count(nowMs: number): number | 'tooMuch' {
    // Not after any short break: it may be us who were late to read on.
    if (this.limit.waitMs(nowMs, this.burst / 2) === 0) this.excessSinceMs = undefined;
    const waitMs = this.limit.owe(nowMs);
    if (waitMs === 0) return 0;
    this.excessSinceMs ??= nowMs;
    return nowMs - this.excessSinceMs >= MOST_EXCESS_MS ? 'tooMuch' : waitMs;
  }
}
