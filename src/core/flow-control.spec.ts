import { shouldPause } from './flow-control.js';

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
