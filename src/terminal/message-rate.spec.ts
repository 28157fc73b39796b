import { MessageRate, MOST_EXCESS_MS } from './message-rate.js';

describe('T34 · the rate of messages', () => {
  it('slows nobody down in a burst, or who keeps to the rate', () => {
    const rate = new MessageRate(1000, 200);
    for (let n = 0; n < 1000; n += 1) expect(rate.count(0)).toBe(0);
    for (let ms = 5; ms < 60_000; ms += 5) expect(rate.count(ms)).toBe(0);
  });

  it('asks for as long a break as what is too much takes', () => {
    const rate = new MessageRate(10, 200);
    for (let n = 0; n < 10; n += 1) rate.count(0);
    expect([rate.count(0), rate.count(0), rate.count(0)]).toEqual([5, 10, 15]);
    expect(rate.count(10)).toBe(10);
    expect(rate.count(25)).toBe(0);
  });

  it('ends whoever goes on for ten seconds, however slowly it is read', () => {
    const rate = new MessageRate(10, 200);
    let nowMs = 0;
    for (let waitMs: number | 'tooMuch' = 0; waitMs !== 'tooMuch'; waitMs = rate.count(nowMs))
      nowMs += waitMs;
    expect(nowMs).toBeGreaterThanOrEqual(MOST_EXCESS_MS);
    expect(nowMs).toBeLessThan(MOST_EXCESS_MS + 10);
  });

  it('forgives whoever stops', () => {
    const rate = new MessageRate(10, 200);
    for (let n = 0; n < 50; n += 1) rate.count(0);
    expect(rate.count(1000)).toBe(0);
    for (let n = 0; n < 50; n += 1) expect(rate.count(20_000)).not.toBe('tooMuch');
  });
});
