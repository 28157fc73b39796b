import { ConsumptionRate } from './consumption-rate.js';

/** A client that takes so many bytes at once every so many milliseconds, and always has more to take. */
function take(rate: ConsumptionRate, bytes: number, everyMs: number, fromMs: number, toMs: number): void {
  for (let now = fromMs + everyMs; now <= toMs; now += everyMs) {
    rate.consumed(bytes, now);
    rate.busy(now);
  }
}

describe('the rate at which a client consumes', () => {
  it('is not known before it has been measured against one that is', () => {
    const rate = new ConsumptionRate();
    expect([rate.bytesPerMs, rate.burstBytes]).toEqual([undefined, 0]);
    take(rate, 1000, 10, 0, 200);
    expect([rate.bytesPerMs, rate.burstBytes]).toEqual([undefined, 0]);
    take(rate, 1000, 10, 200, 210);
    expect([rate.bytesPerMs, rate.burstBytes]).toEqual([100, 1000]);
  });

  it('is the best of the last three tenths of a second', () => {
    const rate = new ConsumptionRate();
    take(rate, 1000, 10, 0, 510);
    take(rate, 100, 10, 510, 710);
    expect(rate.bytesPerMs).toBe(100);
    take(rate, 100, 10, 710, 810);
    expect(rate.bytesPerMs).toBe(10);
  });

  it('says how much is taken at once, beside what is taken at the rate', () => {
    const rate = new ConsumptionRate();
    // 1,000 bytes within 10 ms, and nothing for the next 40.
    for (let turn = 0; turn < 40; turn++) {
      for (let bite = 1; bite <= 10; bite++) {
        rate.consumed(100, turn * 50 + bite);
        rate.busy(turn * 50 + bite);
      }
    }
    expect(rate.bytesPerMs).toBeGreaterThanOrEqual(20);
    expect(rate.bytesPerMs).toBeLessThan(30);
    expect(rate.burstBytes).toBeGreaterThan(700);
    expect(rate.burstBytes).toBeLessThanOrEqual(1000);
  });

  it('forgets what was taken at once when the client has become smooth', () => {
    const rate = new ConsumptionRate();
    take(rate, 5000, 50, 0, 1000);
    expect(rate.burstBytes).toBe(5000);
    take(rate, 100, 1, 1000, 2000);
    expect(rate.burstBytes).toBeLessThan(300);
  });

  it('is not what was consumed while there was not always more', () => {
    const rate = new ConsumptionRate();
    take(rate, 1000, 10, 0, 510);
    for (let pause = 1; pause <= 4; pause++) {
      rate.idle();
      take(rate, 1000, 10, pause * 9000, pause * 9000 + 90);
    }
    expect([rate.bytesPerMs, rate.burstBytes]).toEqual([100, 1000]);
    rate.idle();
    take(rate, 500, 10, 99_000, 99_400);
    expect(rate.bytesPerMs).toBe(50);
  });

  it('leaves out the time in which nothing was on the way', () => {
    const rate = new ConsumptionRate();
    let now = 0;
    for (let flood = 0; flood < 8; flood++) {
      take(rate, 1000, 10, now, now + 80);
      now += 3_600_000;
      rate.waited(now);
    }
    expect(rate.bytesPerMs).toBeCloseTo(100);
  });

  it('takes a client that has become faster for no one that takes a lot at once', () => {
    const rate = new ConsumptionRate();
    take(rate, 1000, 10, 0, 510);
    take(rate, 10_000, 10, 510, 1100);
    expect([rate.bytesPerMs, rate.burstBytes]).toEqual([1000, 10_000]);
  });

  it('is that of one long measurement alone', () => {
    const rate = new ConsumptionRate();
    take(rate, 1000, 10, 0, 510);
    take(rate, 10, 300, 510, 810);
    expect(rate.bytesPerMs).toBeCloseTo(10 / 300);
  });
});
