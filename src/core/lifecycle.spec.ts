import { type LifecycleEvent, type SessionState, stateAfter } from './lifecycle.js';

describe('T004, T005 · the lifecycle table', () => {
  it.each<[SessionState, LifecycleEvent, SessionState]>([
    ['Running', 'closeRequested', 'Closing'],
    ['Running', 'ended', 'Closed'],
    ['Closing', 'closeRequested', 'Closing'],
    ['Closing', 'ended', 'Closed'],
    ['Closed', 'closeRequested', 'Closed'],
    ['Closed', 'ended', 'Closed'],
  ])('%s and %s make %s', (state, event, after) => {
    expect(stateAfter(state, event)).toBe(after);
  });
});
