export interface BackoffOptions {
  /** The longest first wait. */
  readonly firstMs: number;
  readonly mostMs: number;
}

export const DEFAULT_BACKOFF: BackoffOptions = { firstMs: 100, mostMs: 10_000 };

/**
 * How long to wait before the next try: anything up to a limit that doubles with each, so that many clients that have
 * lost one server do not come back all at once ("full jitter", Brooker, AWS Architecture Blog, 2015).
 */
export class Backoff {
  private tries = 0;

  /** `random` gives numbers from 0 to below 1. */
  constructor(
    private readonly options: BackoffOptions,
    private readonly random: () => number,
  ) {}

  nextMs(): number {
    const { firstMs, mostMs } = this.options;
    return this.random() * Math.min(mostMs, firstMs * 2 ** this.tries++);
  }

  /** It has worked: the next wait is a first one. */
  reset(): void {
    this.tries = 0;
  }
}
