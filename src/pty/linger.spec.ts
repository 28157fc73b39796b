import { Linger } from './linger.js';

describe('lingering on what a shell left behind', () => {
  let linger: Linger;
  beforeEach(() => {
    linger = new Linger();
    linger.listen(1000);
  });

  it('is over after a quarter of a second of silence', () => {
    expect(linger.remainingMs(1000)).toBe(250);
    expect(linger.remainingMs(1249)).toBe(1);
    expect(linger.remainingMs(1300)).toBe(0);
  });

  it('starts again with everything that is heard, up to two seconds', () => {
    for (let now = 1000; now < 3000; now += 100) {
      linger.heard(now);
      expect(linger.remainingMs(now)).toBe(Math.min(250, 3000 - now));
    }
    linger.heard(3000);
    expect(linger.remainingMs(3000)).toBe(0);
  });

  it('never ends while nobody listens', () => {
    linger.rest(1100);
    expect(linger.remainingMs(1_000_000)).toBe(Infinity);
  });

  it('counts only the time of listening', () => {
    linger.rest(1200);
    linger.listen(50_000);
    expect(linger.remainingMs(50_000)).toBe(250);
    linger.heard(51_790);
    expect(linger.remainingMs(51_790)).toBe(10);
  });

  it('is not prolonged by listening twice or resting twice', () => {
    linger.listen(1500);
    linger.rest(2000);
    linger.rest(9000);
    linger.listen(10_000);
    linger.heard(10_990);
    expect(linger.remainingMs(10_990)).toBe(10);
  });
});
