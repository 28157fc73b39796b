import { CLOSE_TIMEOUT_MS } from '../../../src/sessions/session-closer.js';
import { START_WITHIN_MS } from '../../../src/sessions/session-opener.js';

export const MAX_SESSIONS = 3;
export const LINGER_SECONDS = 60;

/** Where a session is, seen from outside: finer than the lifecycle, because its process has a life of its own. */
export type Phase =
  | 'announced'
  | 'spawning'
  | 'running'
  /** To be closed, and its process not there yet. */
  | 'closingUnspawned'
  | 'closing'
  | 'ended';

export interface ModelExit {
  readonly code: number;
  readonly signal?: string;
  readonly cause: 'ended' | 'closed' | 'failed';
}

export interface ModelSession {
  readonly id: string;
  readonly name: string;
  readonly owner: ModelClient;
  phase: Phase;
  /** Which of all processes that were ever asked for is its own. */
  process?: number;
  size: string;
  /** What was typed, and reaches its process when there is one. */
  input: string;
  watched: boolean;
  startAt?: number;
  lingerUntil?: number;
  exit?: ModelExit;
  /** How many had ended when it had. */
  ending?: number;
}

export interface ModelClient {
  readonly number: number;
  isOpen: boolean;
  /** What it must have been sent, since it was asked last. */
  news: string[];
}

interface Waiting {
  readonly sessionId: string;
  readonly until: number;
  answer?: string;
}

/** What a size is called here. */
export type Size = `${number}x${number}`;

/**
 * The smallest thing that can predict the server: one list of sessions, each in one phase, and what every client must
 * be told. No events, no promises, no logs.
 */
export class Model {
  now = 0;
  readonly sessions: ModelSession[] = [];
  readonly clients: ModelClient[] = [];
  readonly closeAnswers: Waiting[] = [];
  /** Every way a session went: `announced → spawning`. */
  readonly transitions: string[] = [];
  /** How many processes were ever asked for. */
  started = 0;
  private created = 0;
  private ended = 0;

  get ever(): number {
    return this.created;
  }

  get timers(): number {
    const waiting = this.closeAnswers.filter(({ answer }) => answer === undefined).length;
    const starts = this.sessions.filter(({ startAt }) => startAt !== undefined).length;
    const lingering = this.sessions.filter(({ lingerUntil }) => lingerUntil !== undefined).length;
    return waiting + starts + lingering;
  }

  find(id: string): ModelSession | undefined {
    return this.sessions.find((session) => session.id === id);
  }

  inPhase(...phases: Phase[]): ModelSession[] {
    return this.sessions.filter(({ phase }) => phases.includes(phase));
  }

  connect(): ModelClient {
    const client = { number: this.clients.length, isOpen: true, news: [] };
    this.clients.push(client);
    return client;
  }

  create(client: ModelClient, size?: Size): ModelSession | undefined {
    if (this.sessions.length - this.inPhase('ended').length >= MAX_SESSIONS) {
      client.news.push('error SESSION_LIMIT');
      return undefined;
    }
    this.created += 1;
    const session: ModelSession = {
      id: `s${this.created}`,
      name: `bash-${this.created}`,
      owner: client,
      phase: 'announced',
      size: size ?? '80x24',
      input: '',
      watched: true,
      startAt: this.now + START_WITHIN_MS,
    };
    this.sessions.push(session);
    client.news.push(`session_created ${session.id} ${session.name}`);
    if (size) this.start(session);
    return session;
  }

  type(client: ModelClient, id: string | undefined, text: string): void {
    const session = this.usable(client, id);
    if (!session) return;
    session.input += text;
    this.start(session);
  }

  resize(client: ModelClient, id: string | undefined, size: Size): void {
    const session = this.usable(client, id);
    if (!session) return;
    session.size = size;
    this.start(session);
  }

  spawned(session: ModelSession): void {
    this.go(session, session.phase === 'closingUnspawned' ? 'closing' : 'running');
  }

  spawnFailed(session: ModelSession): void {
    if (session.phase === 'closingUnspawned') this.end(session, { code: 0, cause: 'closed' });
    else this.end(session, { code: 127, cause: 'failed' });
  }

  print(session: ModelSession, text: string): void {
    if (session.phase === 'running') this.tell(session, `output ${session.id} ${text}`);
  }

  processEnds(session: ModelSession, exit: Omit<ModelExit, 'cause'>): void {
    this.end(session, { ...exit, cause: session.phase === 'closing' ? 'closed' : 'ended' });
  }

  close(client: ModelClient, id: string | undefined): void {
    const target = id ?? this.oldestOf(client)?.id;
    if (target === undefined) return;
    const session = this.find(target);
    if (session) this.closeSession(session);
    else if (!this.wasEver(target)) client.news.push('error SESSION_NOT_FOUND');
  }

  closeOverRest(id: string): void {
    const waiting: Waiting = { sessionId: id, until: this.now + CLOSE_TIMEOUT_MS };
    this.closeAnswers.push(waiting);
    const session = this.find(id);
    if (!session) {
      waiting.answer = 'SESSION_NOT_FOUND';
      return;
    }
    this.closeSession(session);
    if (session.phase === 'ended') waiting.answer = 'closed';
  }

  detach(client: ModelClient, id: string | undefined): void {
    const session = id === undefined ? this.oldestOf(client) : this.find(id);
    if (session?.owner === client) this.leave(session);
    else if (id !== undefined && !this.wasEver(id)) client.news.push('error SESSION_NOT_FOUND');
  }

  disconnect(client: ModelClient): void {
    client.isOpen = false;
    const own = this.sessions.filter(({ owner }) => owner === client);
    for (const session of own) this.leave(session);
    for (const session of own) if (this.find(session.id)) this.closeSession(session);
  }

  tick(ms: number): void {
    this.now += ms;
    for (const session of this.inPhase('announced')) if (session.startAt! <= this.now) this.start(session);
    for (const session of this.inPhase('ended')) {
      if (session.lingerUntil !== undefined && session.lingerUntil <= this.now) {
        this.remove(session, 'lingered out');
      }
    }
    for (const waiting of this.closeAnswers) {
      if (waiting.until <= this.now) waiting.answer ??= 'CLOSE_TIMEOUT';
    }
  }

  /** The session a message means; a client that has none gets one, an ended one takes nothing. */
  private usable(client: ModelClient, id: string | undefined): ModelSession | undefined {
    const session = id === undefined ? (this.oldestOf(client) ?? this.create(client)) : this.find(id);
    if (!session) {
      if (id !== undefined) client.news.push('error SESSION_NOT_FOUND');
      return undefined;
    }
    if (['announced', 'spawning', 'running'].includes(session.phase)) return session;
    client.news.push('error SESSION_ENDED');
    return undefined;
  }

  private oldestOf(client: ModelClient): ModelSession | undefined {
    return this.sessions.find(({ owner, phase }) => owner === client && phase !== 'ended');
  }

  private wasEver(id: string): boolean {
    return Number(id.slice(1)) <= this.created;
  }

  private start(session: ModelSession): void {
    if (session.phase !== 'announced') return;
    session.startAt = undefined;
    session.process = this.started;
    this.started += 1;
    this.go(session, 'spawning');
  }

  private closeSession(session: ModelSession): void {
    switch (session.phase) {
      case 'announced':
        this.end(session, { code: 0, cause: 'closed' });
        break;
      case 'spawning':
        session.input = '';
        this.go(session, 'closingUnspawned');
        break;
      case 'running':
        this.go(session, 'closing');
        break;
      case 'closingUnspawned':
      case 'closing':
        break;
      case 'ended':
        this.remove(session, 'closed');
        break;
    }
  }

  private end(session: ModelSession, exit: ModelExit): void {
    session.startAt = undefined;
    session.exit = exit;
    session.ending = this.ended += 1;
    this.go(session, 'ended');
    if (exit.cause === 'failed') this.tell(session, 'error SPAWN_FAILED');
    const how = exit.signal === undefined ? `${exit.code}` : `${exit.code} ${exit.signal}`;
    this.tell(session, `exit ${session.id} ${how} ${exit.cause}`);
    for (const waiting of this.closeAnswers) {
      if (waiting.sessionId === session.id) waiting.answer ??= 'closed';
    }
    if (exit.cause !== 'ended') {
      this.remove(session, exit.cause);
      return;
    }
    if (!session.watched) this.linger(session);
    const ended = this.inPhase('ended').sort((a, b) => a.ending! - b.ending!);
    for (const oldest of ended.slice(0, Math.max(0, ended.length - MAX_SESSIONS))) {
      this.remove(oldest, 'oldest');
    }
  }

  private leave(session: ModelSession): void {
    if (!session.watched) return;
    session.watched = false;
    if (session.phase === 'ended') this.linger(session);
  }

  private linger(session: ModelSession): void {
    session.lingerUntil = this.now + LINGER_SECONDS * 1000;
  }

  private remove(session: ModelSession, why: 'closed' | 'failed' | 'lingered out' | 'oldest'): void {
    this.transitions.push(`${session.phase} → gone: ${why}`);
    this.sessions.splice(this.sessions.indexOf(session), 1);
  }

  private go(session: ModelSession, phase: Phase): void {
    this.transitions.push(`${session.phase} → ${phase}`);
    session.phase = phase;
  }

  private tell(session: ModelSession, what: string): void {
    if (session.watched) session.owner.news.push(what);
  }
}
