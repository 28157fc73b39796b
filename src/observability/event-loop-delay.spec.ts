import { type Delays, delaysOf, EventLoopDelay } from './event-loop-delay.js';

const delays = (p99Ms: number, maxMs = 1000): Delays => ({ meanMs: 1, p50Ms: 1, p90Ms: 1, p99Ms, maxMs });

describe('the delay of the event loop', () => {
  it('is what goes beyond the wait between two looks, and never less than nothing', () => {
    const milliseconds = (ms: number): number => ms * 1e6;
    const histogram = {
      mean: milliseconds(21),
      max: milliseconds(320),
      percentile: () => milliseconds(19.9),
    };
    expect(delaysOf(histogram)).toEqual({ meanMs: 1, maxMs: 300, p50Ms: 0, p90Ms: 0, p99Ms: 0 });
  });

  it('is nothing before anything was measured', () => {
    const none = { mean: NaN, max: 0, percentile: () => 0 };
    expect(delaysOf(none)).toEqual({ meanMs: 0, maxMs: 0, p50Ms: 0, p90Ms: 0, p99Ms: 0 });
    expect(new EventLoopDelay().latest).toBeUndefined();
  });

  it('T43 · is late beyond 200 ms at p99, for as long as windows are', () => {
    const eventLoop = new EventLoopDelay();
    expect(eventLoop.isLate).toBe(false);
    eventLoop.note(delays(200));
    expect([eventLoop.isLate, eventLoop.lateWindows]).toEqual([false, 0]);
    eventLoop.note(delays(201));
    expect([eventLoop.isLate, eventLoop.lateWindows, eventLoop.latest?.p99Ms]).toEqual([true, 1, 201]);
    eventLoop.note(delays(1));
    expect([eventLoop.isLate, eventLoop.lateWindows]).toEqual([false, 1]);
  });

  it('T43 · is late when it has stood still once, which no percentile shows', () => {
    const eventLoop = new EventLoopDelay();
    eventLoop.note(delays(1, 1000));
    expect([eventLoop.isLate, eventLoop.lateWindows]).toEqual([false, 0]);
    eventLoop.note(delays(1, 1001));
    expect([eventLoop.isLate, eventLoop.lateWindows]).toEqual([true, 1]);
  });

  it('is measured once somebody wants to know, and can be told at once', () => {
    const eventLoop = new EventLoopDelay();
    eventLoop.watch();
    eventLoop.watch();
    expect(eventLoop.latest?.p99Ms).toBeGreaterThanOrEqual(0);
    eventLoop.onApplicationShutdown();
  });
});
