import { aheadBytes, DEFAULT_FLOW_LIMITS, shouldPause } from './flow-control.js';

const limits = { pauseAboveBytes: 100, resumeBelowBytes: 50 };

describe('flow control', () => {
  it.each([
    [false, 100, false],
    [false, 101, true],
    [true, 50, true],
    [true, 49, false],
  ])('paused: %p, %p bytes behind → pause: %p', (paused, backlogBytes, expected) => {
    expect(shouldPause(paused, backlogBytes, limits)).toBe(expected);
  });
});

describe('how far ahead a process is', () => {
  const KIB = 1024;
  const SMALLEST = 256 * KIB;

  it.each([
    ['what has not been sent', 64 * KIB, 64 * KIB, SMALLEST, 64 * KIB],
    ['what has not been consumed, less the part of the log for it', 0, 128 * KIB, SMALLEST, 64 * KIB],
    ['whichever is more', 10 * KIB, 90 * KIB, SMALLEST, 26 * KIB],
    ['nothing, while what has not been consumed has room', 0, 64 * KIB, SMALLEST, 0],
    ['less in a larger log', 0, 900 * KIB, 1024 * KIB, 68 * KIB],
    ['all that has not been consumed, in a log with no room for it', 0, 5 * KIB, 128 * KIB, 5 * KIB],
  ])('is %s', (_what, unsent, unconsumed, log, ahead) => {
    expect(Math.max(0, aheadBytes(unsent, unconsumed, log))).toBe(ahead);
  });

  it('leaves room in the smallest log for two reads of 64 KiB behind the mark', () => {
    const { pauseAboveBytes } = DEFAULT_FLOW_LIMITS;
    const most = SMALLEST - 2 * 64 * KIB;
    expect(shouldPause(false, aheadBytes(0, most, SMALLEST), DEFAULT_FLOW_LIMITS)).toBe(false);
    expect(aheadBytes(0, most + 1, SMALLEST)).toBe(pauseAboveBytes + 1);
  });
});
