import { MAX_WINDOW_BYTES, MIN_WINDOW_BYTES } from '../../src/core/delivery-window.js';
import { simulate, type Reading } from '../../test/support/simulated-link.js';
import { type Measure } from '../harness/measure.js';
import { quantile } from '../harness/statistics.js';

const ROUND_TRIPS_MS = [0.5, 10, 30, 60, 150, 300];
const MEGABYTES_PER_SECOND = [0.1, 0.5, 2, 10, 50];
const SECONDS = 120;

/** The same every time: no servers, no clocks. See `test/simulated-links.spec.ts`, which holds each link to it. */
export const links: Measure = {
  name: 'links',
  about:
    'The window on 30 simulated links (round trips of 0.5–300 ms, 0.1–50 MB/s): the worst of them. Shares of what the link, or a megabyte on its way, allows, in the second after the first one and in the second minute of a flood; the median queue in ms, where the smallest window takes no longer than 20 ms.',
  repetitions: 1,
  rows: [
    { figure: 'second second, share of the rate', goal: { atLeast: 0.9 } },
    { figure: 'second minute, share of the rate', goal: { atLeast: 0.9 } },
    { figure: 'second minute, queue ms', goal: { atMost: 20 } },
  ],

  repeat() {
    const found = ROUND_TRIPS_MS.flatMap((roundTripMs) =>
      MEGABYTES_PER_SECOND.map((megabytesPerSecond) => {
        const readings = simulate({ roundTripMs, megabytesPerSecond }, SECONDS);
        const bytesPerMs = Math.min(megabytesPerSecond * 1000, MAX_WINDOW_BYTES / roundTripMs);
        const second = between(readings, 1000 + roundTripMs, 2000 + roundTripMs);
        const minute = between(readings, 60_000, 120_000);
        const isNarrow = MIN_WINDOW_BYTES / (megabytesPerSecond * 1000) > 20;
        return {
          second: rate(second) / bytesPerMs,
          minute: rate(minute) / bytesPerMs,
          queueMs: isNarrow
            ? 0
            : quantile(
                minute.map(({ queueMs }) => queueMs),
                0.5,
              ),
        };
      }),
    );
    return Promise.resolve({
      'second second, share of the rate': Math.min(...found.map(({ second }) => second)),
      'second minute, share of the rate': Math.min(...found.map(({ minute }) => minute)),
      'second minute, queue ms': Math.max(...found.map(({ queueMs }) => queueMs)),
    });
  },
};

function between(readings: readonly Reading[], fromMs: number, toMs: number): Reading[] {
  return readings.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs);
}

/** Bytes per millisecond. */
function rate(readings: readonly Reading[]): number {
  const [first, last] = [readings[0], readings.at(-1)];
  if (!first || !last) return 0;
  return (last.consumedBytes - first.consumedBytes) / (last.atMs - first.atMs);
}
