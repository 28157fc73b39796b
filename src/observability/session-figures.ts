import { Injectable } from '@nestjs/common';
import { type SessionState } from '../core/lifecycle.js';
import { type SessionEvent, SessionEvents } from '../core/session-events.js';
import { type ExitCause, type Session } from '../core/session.js';

/** How a session ended, and why it could not begin where that is how. */
export interface Ending {
  readonly cause: ExitCause;
  readonly failure?: string | undefined;
}

/** How many sessions there are and were, from their news. */
@Injectable()
export class SessionFigures {
  created = 0;
  viewers = 0;
  private readonly sessions = new Set<Session>();
  private readonly endings = new Map<string, { readonly ending: Ending; count: number }>();

  constructor(events: SessionEvents) {
    // What has not happened yet has happened no times, which is not the same as not being known.
    for (const cause of ['ended', 'closed'] as const) this.countEnding({ cause }, 0);
    this.countEnding({ cause: 'failed', failure: 'SPAWN_FAILED' }, 0);
    events.subscribe((event) => this.observe(event));
  }

  /** Those that are listed, by state. */
  inState(): Record<SessionState, number> {
    const count = { Running: 0, Closing: 0, Closed: 0 };
    for (const { state } of this.sessions) count[state] += 1;
    return count;
  }

  /** Those that count against the limit. */
  get notEnded(): number {
    const { Running, Closing } = this.inState();
    return Running + Closing;
  }

  /** Input that terminals have not taken yet. */
  get queuedBytes(): number {
    let bytes = 0;
    for (const { queuedBytes } of this.sessions) bytes += queuedBytes;
    return bytes;
  }

  /** How often sessions have ended, by how. */
  get ended(): { readonly ending: Ending; readonly count: number }[] {
    return [...this.endings.values()];
  }

  private observe({ type, session }: SessionEvent): void {
    switch (type) {
      case 'created':
        this.created += 1;
        this.sessions.add(session);
        break;
      case 'viewerJoined':
        this.viewers += 1;
        break;
      case 'viewerLeft':
        this.viewers -= 1;
        break;
      case 'ended':
        if (session.exit)
          this.countEnding({ cause: session.exit.cause, failure: session.exit.failure?.code }, 1);
        break;
      case 'removed':
        this.sessions.delete(session);
        break;
      case 'started':
      case 'changed':
      case 'closing':
        break;
    }
  }

  private countEnding(ending: Ending, times: number): void {
    const key = `${ending.cause} ${ending.failure ?? ''}`;
    const before = this.endings.get(key) ?? { ending, count: 0 };
    before.count += times;
    this.endings.set(key, before);
  }
}
