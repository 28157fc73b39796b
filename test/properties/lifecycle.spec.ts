import fc from 'fast-check';
import { type LifecycleEvent, type SessionState, stateAfter } from '../../src/core/lifecycle.js';
import { runs } from '../support/runs.js';

const STATES: readonly SessionState[] = ['Running', 'Closing', 'Closed'];
const EVENTS: readonly LifecycleEvent[] = ['closeRequested', 'ended'];
const state = fc.constantFrom(...STATES);
const event = fc.constantFrom(...EVENTS);

describe('T004, T005 · properties of the lifecycle', () => {
  it('has an answer for every event in every state', () => {
    for (const before of STATES) {
      for (const what of EVENTS) expect(STATES).toContain(stateAfter(before, what));
    }
  });

  it('only moves forward', () => {
    fc.assert(
      fc.property(state, event, (before, what) => {
        expect(STATES.indexOf(stateAfter(before, what))).toBeGreaterThanOrEqual(STATES.indexOf(before));
      }),
      { numRuns: runs(100) },
    );
  });

  it('takes a repeated event for the same event', () => {
    fc.assert(
      fc.property(state, event, (before, what) => {
        const after = stateAfter(before, what);
        expect(stateAfter(after, what)).toBe(after);
      }),
      { numRuns: runs(100) },
    );
  });

  it('is Closed exactly when it has ended, and Closing when all that happened is that somebody wanted it gone', () => {
    fc.assert(
      fc.property(fc.array(event), (happened) => {
        const now = happened.reduce<SessionState>(stateAfter, 'Running');
        const expected = happened.includes('ended') ? 'Closed' : happened.length > 0 ? 'Closing' : 'Running';
        expect(now).toBe(expected);
      }),
      { numRuns: runs(100) },
    );
  });
});
