import { FakeClock } from '../test/fakes/fake-clock.js';
import { Acknowledger } from './acknowledger.js';

function acknowledging(): { acknowledger: Acknowledger; clock: FakeClock; told: string[] } {
  const clock = new FakeClock();
  const told: string[] = [];
  const limits = { acknowledgeBytes: 100, acknowledgeMs: 5 };
  const acknowledger = new Acknowledger(clock, limits, (sessions) =>
    told.push(sessions.map(({ sessionId, offset }) => `${sessionId} ${offset}`).join(', ')),
  );
  return { acknowledger, clock, told };
}

describe('an acknowledger', () => {
  it('tells what was consumed 5 ms after the first of it', () => {
    const { acknowledger, clock, told } = acknowledging();
    acknowledger.add('s1', 10, 10);
    clock.advance(4);
    acknowledger.add('s1', 20, 10);
    expect(told).toEqual([]);
    clock.advance(1);
    expect(told).toEqual(['s1 20']);
    expect(clock.timers).toBe(0);
  });

  it('tells at once when enough was consumed in all sessions together', () => {
    const { acknowledger, clock, told } = acknowledging();
    acknowledger.add('s1', 20, 20);
    acknowledger.add('s1', 60, 40);
    acknowledger.add('s2', 40, 40);
    expect(told).toEqual(['s1 60, s2 40']);
    expect(clock.timers).toBe(0);
    acknowledger.add('s1', 159, 99);
    expect(told).toHaveLength(1);
  });

  it('waits for no timer while timers are late', () => {
    const told: number[] = [];
    const clock = Object.assign(new FakeClock(), { areLate: true });
    const limits = { acknowledgeBytes: 100, acknowledgeMs: 5 };
    const acknowledger = new Acknowledger(clock, limits, ([first]) => told.push(first!.offset));
    acknowledger.add('s1', 1, 1);
    acknowledger.add('s1', 2, 1);
    expect([told, clock.timers]).toEqual([[1, 2], 0]);
  });

  it('names no more sessions at once than a message may', () => {
    const { acknowledger, told } = acknowledging();
    for (let session = 0; session < 1500; session += 1) acknowledger.add(`s${session}`, 1, 0);
    expect(told.map((line) => line.split(', ').length)).toEqual([1024]);
  });

  it('tells nothing when there is nothing, and forgets when it is stopped', () => {
    const { acknowledger, clock, told } = acknowledging();
    acknowledger.flush();
    acknowledger.add('s1', 1, 1);
    acknowledger.stop();
    clock.advance(10);
    acknowledger.flush();
    expect(told).toEqual([]);
    expect(clock.timers).toBe(0);
  });
});
