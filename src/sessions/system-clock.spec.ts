import { SystemClock } from './system-clock.js';

describe('the system clock', () => {
  const clock = new SystemClock();

  it('tells the time in milliseconds', () => {
    expect(Math.abs(clock.now() - Date.now())).toBeLessThan(1000);
  });

  it('runs what falls due, and not what was cancelled', async () => {
    const ran: string[] = [];
    clock.after(1, () => ran.push('cancelled')).cancel();
    await new Promise<void>((resolve) => {
      clock.after(5, () => {
        ran.push('due');
        resolve();
      });
    });
    expect(ran).toEqual(['due']);
  });
});
