import { Injectable } from '@nestjs/common';
import { type SessionEvent, SessionEvents, type SessionEventType } from '../core/session-events.js';
import { type SessionChange } from '../protocol/messages.js';
import { ProtocolError } from '../protocol/protocol-error.js';
import { SessionDirectories } from '../sessions/session-directories.js';
import { infoOf } from '../sessions/session-info.js';
import { SessionRegistry } from '../sessions/session-registry.js';
import { type Connection } from './connection.js';

/** What of a session's life is news to whoever watches the list. */
const changeOf: Partial<Record<SessionEventType, SessionChange>> = {
  created: 'added',
  started: 'changed',
  changed: 'changed',
  ended: 'ended',
  removed: 'removed',
};

/** Tells connections which sessions there are, and how that changes. */
@Injectable()
export class SessionList {
  /** Each with how it stops watching. */
  private readonly watching = new Map<Connection, () => void>();

  constructor(
    private readonly registry: SessionRegistry,
    private readonly directories: SessionDirectories,
    events: SessionEvents,
  ) {
    events.subscribe((event) => this.observe(event));
  }

  /**
   * Tells a connection of all sessions, and from then on of each change. A repeat tells it anew.
   * @throws {ProtocolError} `RATE_LIMITED` for a repeat of who does not read: a short question would fill the memory
   */
  watch(connection: Connection, requestId?: string): void {
    if (!this.watching.has(connection)) this.watching.set(connection, this.directories.watch());
    else if (!connection.isReading) {
      throw new ProtocolError('RATE_LIMITED', 'read what has been answered before asking for the list again');
    }
    connection.list(this.registry.list().map(infoOf), requestId);
  }

  /** A connection that does not watch is no matter. */
  leave(connection: Connection): void {
    this.watching.get(connection)?.();
    this.watching.delete(connection);
  }

  private observe({ type, session }: SessionEvent): void {
    const change = changeOf[type];
    if (!change || this.watching.size === 0) return;
    const { id: sessionId } = session;
    const news = { type: 'session_changed', sessionId, change } as const;
    const whole = change === 'removed' ? news : { ...news, session: infoOf(session) };
    for (const connection of this.watching.keys()) connection.tellOfList(whole);
  }
}
