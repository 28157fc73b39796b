import { RateLimit } from './rate-limit.js';

describe('a rate limit', () => {
  const takeUntilEmpty = (limit: RateLimit, nowMs: number): number => {
    let taken = 0;
    while (taken < 1000 && limit.take(nowMs)) taken += 1;
    return taken;
  };

  it('lets a burst through at once, and then as many as the rate says', () => {
    const limit = new RateLimit(10, 2);
    expect(takeUntilEmpty(limit, 0)).toBe(10);
    expect(takeUntilEmpty(limit, 499)).toBe(0);
    expect(takeUntilEmpty(limit, 500)).toBe(1);
    expect(takeUntilEmpty(limit, 3500)).toBe(6);
  });

  it('keeps no more than a burst, however long nobody asks', () => {
    const limit = new RateLimit(3, 1);
    expect(takeUntilEmpty(limit, 0)).toBe(3);
    expect(takeUntilEmpty(limit, 1e9)).toBe(3);
  });

  it('says how long to wait', () => {
    const limit = new RateLimit(1, 4);
    expect(limit.waitMs(0)).toBe(0);
    limit.take(0);
    expect(limit.waitMs(0)).toBe(250);
    expect(limit.waitMs(200)).toBe(50);
    expect(limit.waitMs(250)).toBe(0);
  });

  it('is not fooled by a clock that is asked late, or seems to go back', () => {
    const limit = new RateLimit(2, 1);
    limit.take(5000);
    limit.take(5000);
    expect(limit.take(4000)).toBe(false);
    expect(limit.take(5999)).toBe(false);
    expect(limit.take(6000)).toBe(true);
  });
});
