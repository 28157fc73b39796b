import { type Session } from './session.js';

/** What can happen to a session, in the order of its life. */
export type SessionEventType =
  | 'created'
  | 'started'
  /** Its name, directory or title is another. */
  | 'changed'
  | 'viewerJoined'
  | 'viewerLeft'
  | 'closing'
  | 'ended'
  /** It is out of the registry: nobody can find it any more. Its viewers leave once they have read it to its end. */
  | 'removed';

export interface SessionEvent {
  readonly type: SessionEventType;
  readonly session: Session;
  /** How many milliseconds it took: `started` since it was to be started, `viewerJoined` since it was asked for. */
  readonly tookMs?: number | undefined;
}

/** News of every session, told synchronously and in order; for whatever watches sessions without steering them. */
export class SessionEvents {
  private readonly listeners = new Set<(event: SessionEvent) => void>();
  private readonly untold: SessionEvent[] = [];
  private telling = false;

  /** Calls `listener` with everything that happens from now on; it must not throw. @returns the way to stop. */
  subscribe(listener: (event: SessionEvent) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Tells all listeners; what one of them makes happen meanwhile is told once all know this. */
  emit(type: SessionEventType, session: Session, tookMs?: number): void {
    this.untold.push({ type, session, tookMs });
    if (this.telling) return;
    this.telling = true;
    try {
      for (let event = this.untold.shift(); event; event = this.untold.shift()) {
        for (const listener of this.listeners) listener(event);
      }
    } finally {
      // A listener that throws is a bug; it must not silence the news of every other session.
      this.telling = false;
    }
  }
}
