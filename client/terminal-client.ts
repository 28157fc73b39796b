import { type Frame } from '../src/protocol/frames.js';
import { INPUT_CREDIT_BYTES } from '../src/protocol/limits.js';
import {
  type Attached,
  type ErrorMessage,
  type ResumedSession,
  type ServerMessage,
  type SessionChange,
  type SessionChanged,
  type SessionCreated,
  type SessionInfo,
  type Sessions,
  type UnresumedSession,
  type Welcome,
} from '../src/protocol/messages.js';
import { Acknowledger } from './acknowledger.js';
import { Backoff, type BackoffOptions, DEFAULT_BACKOFF } from './backoff.js';
import { RequestFailed, ServerViolation } from './client-error.js';
import { type Closure, Connection, type Outgoing } from './connection.js';
import {
  FROM_THE_START,
  type Lost,
  type Placement,
  type RemoteSession,
  type SessionHandlers,
  type SessionLink,
  ShownSession,
} from './remote-session.js';
import { type Socket } from './socket.js';
import { tell } from './tell.js';
import { platformTimers, type Timers } from './timers.js';

export interface TerminalClientOptions {
  /** Makes a WebSocket to the server's `/ws`, with {@link subprotocols}. Called for each connection. */
  readonly open: () => Socket;
  /** Of a client that was before this one, as a page was before it was loaded anew: it becomes that client. */
  readonly resumeToken?: string;
  /** How long it waits before it connects again; `false`: it does not. */
  readonly reconnect?: BackoffOptions | false;
  readonly timers?: Timers;
  /** Numbers from 0 to below 1. */
  readonly random?: () => number;
  readonly handlers?: ClientHandlers;
}

/** What an application does with news that concern no session of the client's. */
export interface ClientHandlers {
  /** Told at each change; `closure` says how it came to `waiting` or `closed`. */
  state?(state: ConnectionState, closure?: Closure): void;
  /** It is open: for the first time, or again. */
  arrived?(arrival: Arrival): void;
  /** Something was refused. */
  error?(error: ErrorMessage): void;
}

/** What an application does with the list of all sessions on the server, whoever created them. */
export interface WatchHandlers {
  /** All there are, in the order of their creation: first, and again after each loss of the connection. It replaces all before. */
  sessions(list: readonly SessionInfo[]): void;
  /** One was added, has changed, has ended and can still be read, or is gone: then without `session`. */
  changed(change: SessionChange, sessionId: string, session?: SessionInfo): void;
}

/** What a client finds when it is welcomed. */
export interface Arrival {
  /** Whether the server knew it: what it owns is there, and what it typed was typed once. */
  readonly isKnown: boolean;
  /** Whether the server has been started anew: every session that there was is gone. */
  readonly isServerNew: boolean;
  /** The sessions it showed that are gone; each is told so itself, too. Others follow when that is found out. */
  readonly gone: readonly string[];
}

/** `closed` is also what a client is before it connects; `waiting`, between two tries to connect again. */
export type ConnectionState = 'closed' | 'connecting' | 'open' | 'waiting';

export interface CreateOptions {
  /** Starts the session at once, with this size; without it, it starts soon, with 80 × 24. */
  readonly cols?: number;
  readonly rows?: number;
  readonly cwd?: string;
  readonly shell?: string;
  /** It outlives this client. */
  readonly persistent?: boolean;
}

export interface AttachOptions {
  /** Where output is to begin; without it, at the oldest that is kept. */
  readonly from?: number;
  readonly readOnly?: boolean;
}

type Answer = Welcome | SessionCreated | Attached;

/** A message whose answer is awaited. */
interface Question {
  readonly message: Outgoing;
  /** Whether it is asked again over the next connection. */
  readonly isLasting: boolean;
  answered(answer: Answer): void;
  failed(error: RequestFailed): void;
}

/** A connection on which no welcome comes within this is none. */
const WELCOME_MS = 10_000;
/** A browser tells nobody of the server's pings. */
const SILENCE_MS = 15_000;
/** Where the connection is doubted already. */
const ANSWER_MS = 5_000;
const CLOSED = 1000;
const TAKEN_OVER = 4001;
const LOST = 1006;

/**
 * Close codes after which coming back would end in the same way: this client has finished, or its messages are wrong,
 * refused or too large, or another has taken its place.
 */
const FINAL_CODES: readonly number[] = [CLOSED, 1002, 1003, 1007, 1008, 1009, TAKEN_OVER, 4002];

/** The platform's, of which each has types of its own. */
declare const Math: { random(): number };

/**
 * Many sessions over one connection, and over as many as it takes: the output of each comes to its handlers in order and
 * once, as fast as they consume it, and what is typed is typed once. A client whose connection is lost connects again
 * until it is closed, or told not to.
 */
export class TerminalClient {
  private readonly timers: Timers;
  private readonly backoff: Backoff;
  private connection?: Connection;
  private connecting?: Promise<Welcome>;
  private currentState: ConnectionState = 'closed';
  private token?: string;
  private epoch?: string;
  /** While it is open. */
  private acknowledger?: Acknowledger;
  private inputCreditBytes = INPUT_CREDIT_BYTES;
  private mayOnlyRead = false;
  /** Whoever watches the list; `isListed`: it has been told over this connection. */
  private watcher?: { readonly handlers: WatchHandlers; isListed: boolean };
  /** For a welcome, or until the next try. */
  private waiting?: { cancel(): void };
  private readonly questions = new Map<string, Question>();
  private lastRequest = 0;
  private readonly sessions = new Map<string, ShownSession>();
  private readonly channels = new Map<number, ShownSession>();
  /** Detached sessions that are to end: whether the server has heard of that is not known. */
  private readonly unwanted = new Set<string>();
  /** Sessions whose exit came while an `attach` was on its way: to be detached if that is refused. */
  private readonly exited = new Set<string>();
  /** On how many lost connections a hello had no answer: each may arrive late, and end a newer one. */
  private lateHellos = 0;
  private readonly requestPrefix: string;
  private heard = true;
  private readonly link: SessionLink;

  constructor(private readonly options: TerminalClientOptions) {
    const { timers = platformTimers, random = () => Math.random(), resumeToken } = options;
    this.timers = timers;
    this.token = resumeToken;
    // What the client before this one has asked may be answered to this one.
    this.requestPrefix = resumeToken === undefined ? '' : `${random().toString(36).slice(2)}-`;
    const { reconnect = DEFAULT_BACKOFF } = options;
    this.backoff = new Backoff(reconnect === false ? DEFAULT_BACKOFF : reconnect, random);
    this.link = {
      timers,
      inputCreditBytes: () => this.inputCreditBytes,
      connection: () => this.openConnection,
      isClosed: () => this.currentState === 'closed',
      mayOnlyRead: () => this.mayOnlyRead,
      isAttaching: (id) => this.isAttaching(id),
      consumed: ({ id }, offset, bytes) => this.acknowledger?.add(id, offset, bytes),
      ended: (session) => {
        // It is a viewer still, and would be for as long as the connection lives.
        if (this.isAttaching(session.id)) this.exited.add(session.id);
        else this.detach(session.id);
        this.forget(session);
      },
      detached: (session) => {
        this.forget(session);
        if (session.isUnwanted) this.unwanted.add(session.id);
        // Whatever the answer to an `attach` on its way, the `detach` behind it has undone it.
        const detached = new RequestFailed('DETACHED', 'the session was detached meanwhile');
        this.fail(detached, ({ message }) => message.sessionId === session.id);
      },
    };
  }

  get state(): ConnectionState {
    return this.currentState;
  }

  /** With it another client becomes this one; to be kept secret. There is none before the first welcome. */
  get resumeToken(): string | undefined {
    return this.token;
  }

  /** Whether its token lets it only look on: nothing is typed, resized, created or closed. Known once it is open. */
  get readOnly(): boolean {
    return this.mayOnlyRead;
  }

  /**
   * Opens the connection; a repeat gives the same promise until the client is closed, as it is when this fails. Once it
   * has been open it connects again by itself. @throws {RequestFailed}, or what `open` throws
   */
  connect(): Promise<Welcome> {
    if (this.connecting) return this.connecting;
    const connecting = new Promise<Welcome>((resolve, reject) => this.open(resolve, reject));
    // Nothing was begun where no socket could be made: it may be tried again.
    if (this.currentState !== 'closed') this.connecting = connecting;
    return connecting;
  }

  /**
   * Lets go of the connection, dead or not, and connects at once: for whoever knows better than the network. Does nothing
   * while it is closed or connecting.
   */
  reconnect(): void {
    if (this.currentState === 'open') this.connection?.lose();
    if (this.currentState === 'waiting') this.tryAgain();
  }

  /**
   * Makes sure of the connection, as when a page is shown again or the network is back: one that gives no sign of life
   * within 5 s is let go of, and a client that waits connects at once. Does nothing while it is closed or connecting.
   */
  check(): void {
    if (this.currentState === 'open') this.listen(true, ANSWER_MS);
    if (this.currentState === 'waiting') this.tryAgain();
  }

  /**
   * Tells of all sessions on the server and how that changes, from now or from when it is open until it is closed, over
   * however many connections. Calling it again replaces the handlers. A server that cannot tells so in `error`.
   * @returns what ends that: nothing is told any more, though the server goes on for as long as this connection lives
   */
  watch(handlers: WatchHandlers): () => void {
    const watcher = { handlers, isListed: false };
    this.watcher = watcher;
    this.openConnection?.send({ type: 'watch' });
    return () => {
      if (this.watcher === watcher) this.watcher = undefined;
    };
  }

  /**
   * Starts a session, which ends with this client unless it is persistent, and shows it from its first byte on. When the
   * connection is lost before the answer, that comes over the next; the session is created once. @throws {RequestFailed}
   */
  create(handlers: SessionHandlers, options: CreateOptions = {}): Promise<RemoteSession> {
    return this.ask({ ...options, type: 'create' }, 'session_created', (created) =>
      this.show(created.sessionId, { readOnly: false, handlers }, { ...FROM_THE_START, ...created }, 0),
    );
  }

  /**
   * Shows a session of anybody's. One that this client shows already stays the same object and goes on from the new
   * place with the new handlers; when that is refused, as before. @throws {RequestFailed}
   */
  attach(
    sessionId: string,
    handlers: SessionHandlers,
    { from, readOnly = false }: AttachOptions = {},
  ): Promise<RemoteSession> {
    // Nothing may be acknowledged until the answer: the server would take it for the new place.
    this.acknowledger?.flush();
    return this.ask({ type: 'attach', sessionId, from, readOnly }, 'attached', (answer) =>
      this.show(sessionId, { readOnly, handlers }, answer, from),
    );
  }

  /** Closes the connection for good: the sessions that it created end, but for persistent ones. Repeats do nothing. */
  close(): void {
    this.waiting?.cancel();
    this.connection?.close();
    if (this.currentState === 'waiting') this.closed({ code: CLOSED, reason: 'closed by the client' });
  }

  private get openConnection(): Connection | undefined {
    return this.currentState === 'open' ? this.connection : undefined;
  }

  private open(welcomed: (welcome: Welcome) => void, failed: (error: unknown) => void): void {
    const connection = new Connection(this.options.open(), {
      opened: () =>
        void this.greet(connection).then(welcomed, (error: unknown) => {
          failed(error);
          // A client that the server may know still does not say goodbye to it.
          if (this.epoch === undefined) connection.close();
          else connection.lose();
        }),
      message: (message) => {
        this.hear();
        this.receive(message);
      },
      frame: (frame) => {
        this.hear();
        this.output(frame);
      },
      closed: (closure) => {
        failed(disconnected(closure));
        this.closed(closure);
      },
    });
    this.connection = connection;
    this.waiting = this.timers.after(WELCOME_MS, () => connection.lose());
    this.enter('connecting');
  }

  private greet(connection: Connection): Promise<Welcome> {
    const sessions = Array.from(this.sessions.values(), ({ resumption }) => resumption);
    const hello = {
      type: 'hello',
      resumeToken: this.token,
      ...(sessions.length > 0 && { sessions }),
    } as const;
    const arrived = (welcome: Welcome): Welcome => {
      this.arrive(connection, welcome);
      return welcome;
    };
    return this.send(connection, hello, 'welcome', arrived, false);
  }

  /** Goes on with everything where it was, as far as that is there. */
  private arrive(connection: Connection, welcome: Welcome): void {
    const { resumeToken, epoch, limits, readOnly } = welcome;
    const isKnown = resumeToken === this.token;
    const isServerNew = this.epoch !== undefined && epoch !== this.epoch;
    this.token = resumeToken;
    this.epoch = epoch;
    this.inputCreditBytes = limits.inputCreditBytes;
    this.mayOnlyRead = readOnly;
    this.acknowledger = new Acknowledger(this.timers, limits, (sessions) =>
      connection.send({ type: 'acknowledge', sessions }),
    );
    this.listen();
    this.backoff.reset();
    if (this.watcher) {
      this.watcher.isListed = false;
      connection.send({ type: 'watch' });
    }
    this.currentState = 'open';
    if (!isKnown) this.failUnknown(isServerNew);
    // Handlers may ask from here on: that is on its way already, and nothing of it is to be sent twice.
    const asked = [...this.questions];
    this.insistOnClosing(welcome, isKnown, isServerNew);
    const gone = isServerNew ? this.loseAll() : welcome.sessions.flatMap((entry) => this.resume(entry));
    if (!isKnown) this.attachAnew(connection);
    this.askAgain(connection, asked);
    this.enter('open');
    void tell(() => this.options.handlers?.arrived?.({ isKnown, isServerNew, gone }));
    for (const session of [...this.sessions.values()]) if (!this.isAttaching(session.id)) session.settle();
  }

  /** @returns its id if it is gone. */
  private resume(entry: ResumedSession | UnresumedSession): string[] {
    const session = this.sessions.get(entry.sessionId);
    if ('reason' in entry) {
      if (session) this.lose(session, entry);
      return session ? [session.id] : [];
    }
    const question = this.questions.get(entry.requestId ?? '');
    if (session) {
      this.channels.set(entry.channel ?? 0, session);
      session.begin(entry, session.offset);
      session.insist();
    } else if (question?.message.type === 'create') {
      // The answer was lost on its way.
      this.answered({ ...entry, type: 'session_created' });
    } else {
      // Its exit had come, or it was detached: the server has not heard of that.
      this.detach(entry.sessionId);
    }
    return [];
  }

  /** Says again what was to end, until the server shows by what it goes on with that it has heard of it. */
  private insistOnClosing({ sessions }: Welcome, isKnown: boolean, isServerNew: boolean): void {
    const there = sessions.filter((entry) => !('reason' in entry)).map(({ sessionId }) => sessionId);
    for (const sessionId of this.unwanted) {
      if (there.includes(sessionId) || !(isKnown || isServerNew)) {
        this.openConnection?.send({ type: 'close', sessionId });
      }
      if (!there.includes(sessionId)) this.unwanted.delete(sessionId);
    }
  }

  private detach(sessionId: string): void {
    this.exited.delete(sessionId);
    this.openConnection?.send({ type: 'detach', sessionId });
  }

  /** Ids begin anew with each life of a server: what is called the same is another session. @returns their ids */
  private loseAll(): string[] {
    const sessions = [...this.sessions.values()];
    for (const session of sessions) this.lose(session, { reason: 'SESSION_NOT_FOUND' });
    return sessions.map(({ id }) => id);
  }

  private lose(session: ShownSession, how: Lost): void {
    this.forget(session);
    session.lost(how);
  }

  /** The server does not know this client any more, but the sessions may be there still. */
  private attachAnew(connection: Connection): void {
    for (const session of [...this.sessions.values()]) {
      session.forgetInput();
      const { from, readOnly } = session.resumption;
      const message = { type: 'attach', sessionId: session.id, from, readOnly } as const;
      const begin = (answer: Attached): void => {
        this.channels.set(answer.channel ?? 0, session);
        session.begin(answer, from);
        session.insist();
      };
      this.send(connection, message, 'attached', begin, false).catch(({ reason }: RequestFailed) => {
        // Detached meanwhile, or closed for good: nobody waits for it.
        if (this.sessions.get(session.id) === session && reason !== 'DISCONNECTED')
          this.lose(session, { reason });
      });
    }
  }

  /** What was asked over the lost connection and has no answer never got to the server, or may be asked twice. */
  private askAgain(connection: Connection, asked: readonly (readonly [string, Question])[]): void {
    for (const [requestId, { message, isLasting }] of asked) {
      if (isLasting && this.questions.has(requestId)) connection.send({ ...message, requestId });
    }
  }

  /** Whether a server that has forgotten this client had done what it was asked, nobody knows. */
  private failUnknown(isServerNew: boolean): void {
    const lost = 'the connection was lost before the answer, and the server knows this client no more';
    this.fail(
      new RequestFailed('DISCONNECTED', lost),
      ({ message: { type } }) => type === 'create' || (isServerNew && type === 'attach'),
    );
  }

  private ask<Type extends Answer['type'], Result>(
    message: Outgoing,
    type: Type,
    take: (answer: Extract<Answer, { type: Type }>) => Result,
  ): Promise<Result> {
    const connection = this.openConnection;
    if (!connection) return Promise.reject(new RequestFailed('DISCONNECTED', 'not connected'));
    return this.send(connection, message, type, take);
  }

  /**
   * Sends `message`; again over the next connection, if it is a lasting one. `take` gets the answer before anything that
   * comes behind it is looked at.
   */
  private send<Type extends Answer['type'], Result>(
    connection: Connection,
    message: Outgoing,
    type: Type,
    take: (answer: Extract<Answer, { type: Type }>) => Result,
    isLasting = true,
  ): Promise<Result> {
    const requestId = `${this.requestPrefix}${++this.lastRequest}`;
    connection.send({ ...message, requestId });
    return new Promise((resolve, failed) => {
      const answered = (answer: Answer): void => {
        if (answer.type !== type) throw new ServerViolation('an answer that belongs to another message');
        resolve(take(answer as Extract<Answer, { type: Type }>));
      };
      this.questions.set(requestId, { message, isLasting, answered, failed });
    });
  }

  private receive(message: ServerMessage): void {
    switch (message.type) {
      case 'welcome':
      case 'session_created':
      case 'attached':
        return this.answered(message);
      case 'error':
        return this.refused(message);
      case 'gap':
      case 'resized':
      case 'control':
      case 'input_acknowledged':
      case 'exit':
        return this.sessions.get(message.sessionId)?.hear(message);
      case 'sessions':
      case 'session_changed':
        return this.tellOfList(message);
      case 'output':
      case 'cwd_update':
      case 'tmux_sessions':
      // For clients of the other protocol. What is not in this list is for newer clients.
    }
  }

  /** Changes mean something once there is a list. */
  private tellOfList(news: Sessions | SessionChanged): void {
    const { watcher } = this;
    if (!watcher) return;
    const { handlers } = watcher;
    if (news.type === 'sessions') {
      watcher.isListed = true;
      void tell(() => handlers.sessions(news.sessions));
    } else if (watcher.isListed) {
      void tell(() => handlers.changed(news.change, news.sessionId, news.session));
    }
  }

  /** A channel that names no session is one that was attached anew or detached while this was on its way. */
  private output(frame: Frame): void {
    if (frame.kind !== 'output') throw new ServerViolation('a frame of input, which only clients send');
    this.channels.get(frame.channel)?.output(frame);
  }

  /** Nobody waits any more for an answer that comes late. */
  private answered(answer: Answer): void {
    const { requestId = '' } = answer;
    const question = this.questions.get(requestId);
    if (question) question.answered(answer);
    else if (answer.type === 'attached') this.moved(answer);
    this.questions.delete(requestId);
    this.settle(question);
  }

  /** What got there twice is answered twice, and only the channel that was told last goes on. */
  private moved(answer: Attached): void {
    const session = this.sessions.get(answer.sessionId);
    if (!session) return;
    this.channels.delete(session.channel);
    this.channels.set(answer.channel ?? 0, session);
    session.move();
    session.begin(answer, answer.gap?.offset ?? answer.offset);
    if (!this.isAttaching(session.id)) session.settle();
  }

  private refused(error: ErrorMessage): void {
    const { requestId = '', sessionId = '', reason } = error;
    const question = this.questions.get(requestId);
    const session = this.sessions.get(sessionId);
    if (question) {
      this.questions.delete(requestId);
      question.failed(new RequestFailed(reason, error.error));
      const { type, sessionId: asked = '' } = question.message;
      if (type === 'attach' && this.exited.has(asked)) this.detach(asked);
      this.settle(question);
    } else if (session) {
      session.error(error);
    } else {
      void tell(() => this.options.handlers?.error?.(error));
    }
  }

  private settle(question?: Question): void {
    const session = this.sessions.get(question?.message.sessionId ?? '');
    if (session && !this.isAttaching(session.id)) session.settle();
  }

  private isAttaching(id: string): boolean {
    for (const { message } of this.questions.values()) {
      if (message.type === 'attach' && message.sessionId === id) return true;
    }
    return false;
  }

  private show(
    sessionId: string,
    placement: Placement,
    begun: Parameters<ShownSession['begin']>[0],
    from: number | undefined,
  ): ShownSession {
    const shown = this.sessions.get(sessionId);
    if (shown) this.channels.delete(shown.channel);
    shown?.place(placement);
    const session = shown ?? new ShownSession(sessionId, this.link, placement);
    this.exited.delete(sessionId);
    this.unwanted.delete(sessionId);
    this.sessions.set(sessionId, session);
    this.channels.set(begun.channel ?? 0, session);
    session.begin(begun, from);
    return session;
  }

  private forget(session: ShownSession): void {
    this.sessions.delete(session.id);
    this.channels.delete(session.channel);
  }

  private closed(closure: Closure): void {
    const mayReturn = this.epoch !== undefined && this.options.reconnect !== false;
    for (const { message } of this.questions.values()) if (message.type === 'hello') this.lateHellos += 1;
    const isOwnDoing = closure.code === TAKEN_OVER && this.lateHellos > 0;
    if (isOwnDoing) this.lateHellos -= 1;
    this.waiting?.cancel();
    this.acknowledger?.stop();
    this.acknowledger = undefined;
    this.channels.clear();
    this.exited.clear();
    for (const session of this.sessions.values()) session.pause();
    this.fail(disconnected(closure), ({ isLasting }) => !isLasting);
    if (mayReturn && (isOwnDoing || !FINAL_CODES.includes(closure.code))) {
      this.waiting = this.timers.after(this.backoff.nextMs(), () => this.tryAgain());
      this.enter('waiting', closure);
    } else {
      // Whoever has taken its place types there from now on.
      for (const session of this.sessions.values()) session.forgetInput();
      this.connecting = undefined;
      this.enter('closed', closure);
      this.fail(disconnected(closure));
    }
  }

  /**
   * Where nothing comes for `ms`, asks for something; where nothing comes then either, takes the connection for dead.
   * `isAsking`: begins with asking.
   */
  private listen(isAsking = false, ms = SILENCE_MS): void {
    this.heard = false;
    // The one message that is always answered, and changes nothing.
    if (isAsking) this.connection?.send({ type: 'list_tmux_sessions' });
    this.waiting?.cancel();
    this.waiting = this.timers.after(ms, () => {
      if (isAsking && !this.heard) this.connection?.lose();
      else this.listen(!this.heard);
    });
  }

  private hear(): void {
    if (this.heard) return;
    // In a page that is not shown, a timer that a timer has set may take a minute; one that is set here, a second.
    if (this.currentState === 'open') this.listen();
    this.heard = true;
  }

  private tryAgain(): void {
    this.waiting?.cancel();
    try {
      this.open(
        () => undefined,
        () => undefined,
      );
    } catch (error) {
      // No socket could be made this time.
      this.closed({ code: LOST, reason: 'no connection could be opened', cause: error });
    }
  }

  /** Gives up waiting for answers: to those messages that are meant, or to all. */
  private fail(error: RequestFailed, isMeant: (question: Question) => boolean = () => true): void {
    for (const [requestId, question] of this.questions) {
      if (!isMeant(question)) continue;
      this.questions.delete(requestId);
      question.failed(error);
    }
  }

  private enter(state: ConnectionState, closure?: Closure): void {
    this.currentState = state;
    void tell(() => this.options.handlers?.state?.(state, closure));
  }
}

function disconnected({ code, reason, cause }: Closure): RequestFailed {
  return new RequestFailed('DISCONNECTED', `the connection has closed (${code} ${reason})`, { cause });
}
