import { SCROLLBACK_LINES } from './settings.js';
import { mostAttached } from './terminal-deck.js';

describe('how many terminals are kept', () => {
  it.each([
    [1000, 16],
    [10_000, 16],
    [50_000, 4],
    [200_000, 1],
    [1_000_000, 1],
  ])('of %d lines each: %d', (lines, most) => {
    expect(mostAttached(lines)).toBe(most);
  });

  it('is more than the one that is shown, whatever can be chosen', () => {
    for (const lines of SCROLLBACK_LINES) expect(mostAttached(lines)).toBeGreaterThan(1);
  });
});
