import { Injectable } from '@nestjs/common';
import { AppConfig } from '../config/app-config.js';
import { SessionError } from '../core/session-error.js';
import { type Session } from '../core/session.js';
import { SESSION_ID } from '../protocol/session-id.js';

/**
 * The only list of sessions. Every operation is one synchronous step: the event loop is its mutex.
 */
@Injectable()
export class SessionRegistry {
  private readonly sessions = new Map<string, Session>();
  private readonly named = new Map<string, number>();
  private lastId = 0;

  constructor(private readonly config: AppConfig) {}

  /** `s1`, `s2`, …: each once, never again. */
  nextId(): string {
    this.lastId += 1;
    return `s${this.lastId}`;
  }

  /** `bash-1`, `zsh-1`, `bash-2`, …: counted per shell type, each once. */
  nextName(shellType: string): string {
    const number = (this.named.get(shellType) ?? 0) + 1;
    this.named.set(shellType, number);
    return `${shellType}-${number}`;
  }

  /** @throws {SessionError} `SESSION_LIMIT` when as many sessions run as may. */
  assertRoom(): void {
    if (this.list().filter((session) => !session.hasEnded).length >= this.config.maxSessions) {
      throw new SessionError(
        'SESSION_LIMIT',
        `${this.config.maxSessions} sessions are running, which is all this server allows; close one first`,
      );
    }
  }

  add(session: Session): void {
    if (this.sessions.has(session.id)) throw new Error(`session ${session.id} is there already`);
    this.sessions.set(session.id, session);
  }

  /** @throws {SessionError} `SESSION_NOT_FOUND` */
  get(id: string): Session {
    const session = this.find(id);
    if (!session) throw notFound();
    return session;
  }

  find(id: string): Session | undefined {
    return this.sessions.get(id);
  }

  /** Whether a session of this id is or ever was here. */
  hasKnown(id: string): boolean {
    return SESSION_ID.test(id) && Number(id.slice(1)) <= this.lastId;
  }

  /** @throws {SessionError} `SESSION_NOT_FOUND` when no session of this id is or ever was here. */
  assertKnown(id: string): void {
    if (!this.hasKnown(id)) throw notFound();
  }

  /** Lets go of a session; its viewers and listeners are told. @returns whether it was there. */
  delete(id: string): boolean {
    const session = this.sessions.get(id);
    if (!session) return false;
    this.sessions.delete(id);
    session.remove();
    return true;
  }

  /** In the order of their creation. */
  list(): Session[] {
    return [...this.sessions.values()];
  }

  count(): number {
    return this.sessions.size;
  }
}

function notFound(): SessionError {
  return new SessionError('SESSION_NOT_FOUND', 'session not found');
}
