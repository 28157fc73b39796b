import { type Attachment } from '../core/attachment.js';
import { type Timer } from '../core/clock.js';
import { type Session, type SessionExit } from '../core/session.js';
import { type SessionErrorCode } from '../core/session-error.js';
import { type Resumption, type UnresumedSession } from '../protocol/messages.js';
import { type Connection } from './connection.js';
import { TypedInput } from './typed-input.js';
import { type View } from './view.js';

/** Exits that a client may not have got: it may ask again. */
const MOST_EXITS = 64;

/** A session that a client wants to go on with, where there is one. */
export interface Wish extends Resumption {
  readonly session?: Session;
}

/** A client without a connection: until when its views are kept, and its sessions. */
interface Absence {
  readonly hold: Timer;
  readonly end: Timer;
}

/**
 * Whoever creates sessions and types into them. It owns what it created. A client of `trex.v2` outlives its
 * connections, and has one at a time; any other is its connection.
 */
export class Client {
  /** While it has one. */
  connection?: Connection;
  /** Until when what was kept for it is, while it has none. */
  absence?: Absence;
  /** How it looked at sessions when its connection was lost. */
  readonly held = new Map<string, View>();
  /** Sessions that it viewed, and that were not held for it any longer: where it had left off. */
  private readonly missed = new Map<string, Wish>();
  private readonly sessions = new Map<string, { readonly session: Session; readonly requestId?: string }>();
  private readonly typed = new Map<string, TypedInput>();
  private readonly exits = new Map<string, SessionExit>();

  /** `tokenHash`: of the token by which it comes back, if it can. */
  constructor(
    /** Whether it was let in to watch, and nothing else. */
    readonly isReadOnly: boolean,
    readonly tokenHash?: string,
  ) {}

  get owned(): Session[] {
    return Array.from(this.sessions.values(), ({ session }) => session);
  }

  /** `requestId`: of the message by which it asked for the session. */
  own(session: Session, requestId?: string): void {
    this.sessions.set(session.id, { session, requestId });
  }

  /** With what it asked for a session of its own. */
  requestFor(sessionId: string): string | undefined {
    return this.sessions.get(sessionId)?.requestId;
  }

  /** Whether it would find nothing of its own if it came back. */
  get hasNothing(): boolean {
    return this.kept.every(({ size }) => size === 0);
  }

  /** The session meant by a message that names none; one that is closing has not ended yet. */
  oldestNotEnded(): Session | undefined {
    return this.owned.find((session) => !session.hasEnded);
  }

  typedInto(sessionId: string): TypedInput {
    const before = this.typed.get(sessionId);
    if (before) return before;
    const typed = new TypedInput(() => this.connection?.inputTaken(sessionId));
    this.typed.set(sessionId, typed);
    return typed;
  }

  /** It is back, or is not waited for any longer. */
  stopWaiting(): void {
    this.absence?.hold.cancel();
    this.absence?.end.cancel();
    this.absence = undefined;
  }

  /** It has been away for too long: what was kept for it may go. */
  letGo(): void {
    const views = [...this.held.values()];
    this.held.clear();
    for (const { attachment, session } of views) {
      attachment.detach();
      this.missed.set(session.id, wishOf(attachment, session));
      if (session.isRemoved) this.forget(session);
    }
  }

  /**
   * Nobody is this client any more. What it had goes, though somebody may still have it: Nest keeps the connection that has
   * ended last, to tell no end twice. @returns what it owned
   */
  end(): Session[] {
    const { owned } = this;
    this.letGo();
    for (const kept of this.kept) kept.clear();
    return owned;
  }

  /** How it goes on with what it viewed, but for what it names itself. */
  unnamed(named: readonly Wish[]): Wish[] {
    const ids = new Set(named.map(({ sessionId }) => sessionId));
    const held = Array.from(this.held.values(), ({ attachment, session }) => wishOf(attachment, session));
    const missed = [...this.missed.values()];
    this.missed.clear();
    return [...held, ...missed].filter(({ sessionId }) => !ids.has(sessionId));
  }

  /** A session is no more. While it is viewed or held, whoever comes back is still told all about it. */
  forget({ id, exit }: Session): void {
    if (this.held.has(id) || this.connection?.attachmentTo(id)) return;
    this.sessions.delete(id);
    this.typed.delete(id);
    if (this.missed.delete(id) && exit) this.noteExit(id, exit);
  }

  /** It has been sent an exit, of which nobody knows whether it arrives, and the session is no more. */
  sentExit({ id, exit }: Session): void {
    if (exit) this.noteExit(id, exit);
  }

  /** What can be said of a session that is not there any more. */
  gone(sessionId: string): UnresumedSession {
    const exit = this.exits.get(sessionId);
    if (!exit) return unresumed(sessionId, 'SESSION_NOT_FOUND', 'session not found');
    const { code, signal, cause } = exit;
    return { ...unresumed(sessionId, 'SESSION_ENDED', 'session ended'), code, signal, cause };
  }

  private get kept(): readonly Map<string, unknown>[] {
    return [this.held, this.missed, this.sessions, this.typed, this.exits];
  }

  private noteExit(sessionId: string, exit: SessionExit): void {
    this.exits.set(sessionId, exit);
    const [oldest] = this.exits.keys();
    if (this.exits.size > MOST_EXITS && oldest !== undefined) this.exits.delete(oldest);
  }
}

function wishOf({ consumedOffset: from, isReadOnly: readOnly }: Attachment, session: Session): Wish {
  return { sessionId: session.id, session, from, readOnly };
}

export function unresumed(sessionId: string, reason: SessionErrorCode, error: string): UnresumedSession {
  return { sessionId, reason, error };
}
