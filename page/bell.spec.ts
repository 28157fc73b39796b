import { FakeClock } from '../test/fakes/fake-clock.js';
import { Bell } from './bell.js';

describe('a bell', () => {
  it('rings once, however often it is rung meanwhile, by one timer', () => {
    const clock = new FakeClock();
    const told: boolean[] = [];
    const bell = new Bell((isRinging) => told.push(isRinging), clock);
    for (let rung = 0; rung < 1000; rung++) bell.ring();
    expect([told, clock.timers]).toEqual([[true], 1]);
    clock.advance(180);
    expect([told, clock.timers]).toEqual([[true, false], 0]);
    bell.ring();
    expect(told).toEqual([true, false, true]);
    bell.dispose();
    expect(clock.timers).toBe(0);
  });
});
