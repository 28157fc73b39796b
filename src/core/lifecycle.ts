/** Where a session is in its life. It only ever moves to the right. */
export type SessionState = 'Running' | 'Closing' | 'Closed';

/** `closeRequested`: somebody wants it gone. `ended`: its process is reaped and its output drained. */
export type LifecycleEvent = 'closeRequested' | 'ended';

const next: Record<SessionState, Record<LifecycleEvent, SessionState>> = {
  Running: { closeRequested: 'Closing', ended: 'Closed' },
  Closing: { closeRequested: 'Closing', ended: 'Closed' },
  Closed: { closeRequested: 'Closed', ended: 'Closed' },
};

/** The state after `event`. Every pair has an answer; a repeat changes nothing. */
export function stateAfter(state: SessionState, event: LifecycleEvent): SessionState {
  return next[state][event];
}
