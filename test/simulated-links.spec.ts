import { MAX_WINDOW_BYTES, MIN_WINDOW_BYTES } from '../src/core/delivery-window.js';
import { type Reading, simulate } from './support/simulated-link.js';

/** Share of what the link or the largest window allows that is consumed between two moments. */
function share(
  readings: readonly Reading[],
  fromMs: number,
  toMs: number,
  possibleBytesPerMs: number,
): number {
  const at = (ms: number): Reading => readings.find(({ atMs }) => atMs >= ms)!;
  const [from, to] = [at(fromMs), at(toMs)];
  return (to.consumedBytes - from.consumedBytes) / (to.atMs - from.atMs) / possibleBytesPerMs;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

describe.each([0.5, 10, 30, 60, 150, 300])(
  'the delivery window on a link with a round trip of %d ms',
  (roundTripMs) => {
    it.each([0.1, 0.5, 2, 10, 50])('and %d MB/s', (megabytesPerSecond) => {
      const readings = simulate({ roundTripMs, megabytesPerSecond }, 120);
      const possible = Math.min(megabytesPerSecond * 1000, MAX_WINDOW_BYTES / roundTripMs);
      // What is sent a second after the start is acknowledged a round trip later.
      expect(share(readings, 1000 + roundTripMs, 2000 + roundTripMs, possible)).toBeGreaterThanOrEqual(0.9);
      expect(share(readings, 10_000, 60_000, possible)).toBeGreaterThanOrEqual(0.9);
      expect(share(readings, 60_000, 120_000, possible)).toBeGreaterThanOrEqual(0.9);
      // 20 ms, but never less than the smallest window takes, which a slice more may go beyond.
      const smallestWindowMs = (1.1 * MIN_WINDOW_BYTES) / (megabytesPerSecond * 1000);
      for (const [from, to] of [
        [2000, 60_000],
        [60_000, 120_000],
      ] as const) {
        const queues = readings.filter(({ atMs }) => atMs > from && atMs <= to).map(({ queueMs }) => queueMs);
        expect(median(queues)).toBeLessThanOrEqual(Math.max(20, smallestWindowMs));
      }
    });
  },
);

describe.each([0.5, 30, 150])('a client that draws, over a round trip of %d ms', (roundTripMs) => {
  it.each([
    [4, 30],
    [20, 5],
    [20, 30],
    [40, 30],
    [90, 30],
    [10, 100],
    [40, 100],
  ])('for %d ms, and works at %d MB/s, has enough and not much more', (drawMs, megabytesPerSecond) => {
    const turns = { workMs: 12, megabytesPerSecond, drawMs };
    const readings = simulate({ roundTripMs, megabytesPerSecond: 1000, turns }, 60);
    const worksMs = 12 * Math.max(1, Math.ceil((1000 / 60 - drawMs) / 12));
    const turnMs = worksMs + drawMs;
    const possible = Math.min(
      (megabytesPerSecond * 1000 * worksMs) / turnMs,
      MAX_WINDOW_BYTES / (roundTripMs + turnMs),
    );
    expect(share(readings, 5000, 60_000, possible)).toBeGreaterThanOrEqual(0.6);
    const ages = readings.filter(({ atMs }) => atMs > 5000).map(({ ageMs }) => ageMs);
    expect(median(ages)).toBeLessThanOrEqual(roundTripMs / 2 + turnMs + 20);
  });
});

describe('a client that becomes faster and slower', () => {
  it.each([
    [1, 3, 4000],
    [0.5, 2, 2000],
    [1, 5, 1500],
  ])(
    'from %d to %d MB/s and back within %d ms has no more than 30 ms of work while it is fast',
    (slow, fast, ms) => {
      const isFast = (atMs: number): boolean => atMs % ms >= ms / 2;
      const readings = simulate(
        { roundTripMs: 0.5, megabytesPerSecond: (at) => (isFast(at) ? fast : slow) },
        60,
      );
      const queues = readings.filter(({ atMs }) => atMs > 2000 && isFast(atMs)).map(({ queueMs }) => queueMs);
      expect(median(queues)).toBeLessThanOrEqual(30);
    },
  );

  it.each([0.5, 300])(
    '500 times slower, over %d ms, is soon sent no more than it can show',
    (roundTripMs) => {
      const fallsAtMs = 10_000;
      const readings = simulate({ roundTripMs, megabytesPerSecond: (at) => (at < fallsAtMs ? 50 : 0.1) }, 60);
      const late = readings.filter(({ atMs, queueMs }) => atMs > fallsAtMs && queueMs > 400);
      // Never sooner than it has shown what was on the way: a megabyte, 10 s.
      expect(late.at(-1)!.atMs - fallsAtMs).toBeLessThanOrEqual(25_000);
    },
  );
});
