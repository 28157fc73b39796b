import { type Frame } from '../src/protocol/frames.js';
import {
  type Attached,
  type ErrorMessage,
  type ServerMessage,
  type SessionCreated,
  type Welcome,
} from '../src/protocol/messages.js';
import { Acknowledger } from './acknowledger.js';
import { RequestFailed, ServerViolation } from './client-error.js';
import { type Closure, Connection, type Outgoing } from './connection.js';
import {
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
  /** Makes a WebSocket to the server's `/ws`, with `SUBPROTOCOL`. Called once, by `connect`. */
  readonly open: () => Socket;
  readonly timers?: Timers;
  readonly handlers?: ClientHandlers;
}

/** What an application does with news that concern no session of the client's. */
export interface ClientHandlers {
  /** Told at each change; `closure` says how it came to `closed`. */
  state?(state: ConnectionState, closure?: Closure): void;
  /** Something was refused. */
  error?(error: ErrorMessage): void;
}

/** `closed` is also what a client is before it connects. */
export type ConnectionState = 'closed' | 'connecting' | 'open';

export interface CreateOptions {
  /** Starts the session at once, with this size; without it, it starts soon, with 80 × 24. */
  readonly cols?: number;
  readonly rows?: number;
  readonly cwd?: string;
  readonly shell?: string;
}

export interface AttachOptions {
  /** Where output is to begin; without it, at the oldest that is kept. */
  readonly from?: number;
  readonly readOnly?: boolean;
}

type Answer = Welcome | SessionCreated | Attached;

/** A message whose answer is awaited. */
interface Question {
  /** The session that an `attach` is about. */
  readonly sessionId?: string;
  answered(answer: Answer): void;
  failed(error: RequestFailed): void;
}

/**
 * Many sessions over one connection: the output of each comes to its handlers in order and once, as fast as they
 * consume it. A client connects once; one whose connection has closed stays closed.
 */
export class TerminalClient {
  private connection?: Connection;
  private connecting?: Promise<Welcome>;
  private currentState: ConnectionState = 'closed';
  /** While the connection is open. */
  private acknowledger?: Acknowledger;
  private readonly questions = new Map<string, Question>();
  private lastRequest = 0;
  private readonly sessions = new Map<string, ShownSession>();
  private readonly channels = new Map<number, ShownSession>();

  private readonly link: SessionLink = {
    connection: () => this.openConnection,
    isAttaching: (id) => this.isAttaching(id),
    consumed: ({ id }, offset, bytes) => this.acknowledger?.add(id, offset, bytes),
    ended: (session) => this.forget(session),
    detached: (session) => {
      this.forget(session);
      // Whatever the answer to an `attach` on its way, the `detach` behind it has undone it.
      this.fail(new RequestFailed('DETACHED', 'the session was detached meanwhile'), session.id);
    },
  };

  constructor(private readonly options: TerminalClientOptions) {}

  get state(): ConnectionState {
    return this.currentState;
  }

  /** Opens the connection; a repeat gives the same promise. @throws {RequestFailed}, or what `open` throws */
  connect(): Promise<Welcome> {
    return (this.connecting ??= new Promise((resolve, reject) => {
      const connection = new Connection(this.options.open(), {
        opened: () => {
          const refused = (error: Error): void => {
            reject(error);
            this.close();
          };
          this.greet(connection).then(resolve, refused);
        },
        message: (message) => this.receive(message),
        frame: (frame) => this.output(frame),
        closed: (closure) => {
          this.closed(closure);
          reject(disconnected(closure));
        },
      });
      this.connection = connection;
      this.enter('connecting');
    }));
  }

  /** Starts a session, which ends with this client, and shows it from its first byte on. @throws {RequestFailed} */
  create(handlers: SessionHandlers, options: CreateOptions = {}): Promise<RemoteSession> {
    return this.ask(
      this.openConnection,
      { ...options, type: 'create' },
      'session_created',
      ({ sessionId, channel }) => {
        if (channel === undefined) throw new ServerViolation('a session was created without a channel');
        const session = this.show(sessionId, {
          channel,
          offset: 0,
          inputOffset: 0,
          readOnly: false,
          handlers,
        });
        // The only viewer there is.
        void tell(() => handlers.control?.(true));
        return session;
      },
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
    return this.ask(
      this.openConnection,
      { type: 'attach', sessionId, from, readOnly },
      'attached',
      (answer) => {
        const { channel, offset, inputOffset, gap } = answer;
        if ((gap?.offset ?? offset) !== (from ?? offset) || (gap?.end ?? offset) !== offset) {
          throw new ServerViolation(`output begins at ${offset} where ${from} was asked for`);
        }
        const session = this.show(sessionId, { channel, offset, inputOffset, readOnly, handlers });
        session.attached(answer);
        return session;
      },
    );
  }

  /** Closes the connection: the sessions that it created end. Repeats do nothing. */
  close(): void {
    this.connection?.close();
  }

  private get openConnection(): Connection | undefined {
    return this.currentState === 'open' ? this.connection : undefined;
  }

  private greet(connection: Connection): Promise<Welcome> {
    return this.ask(connection, { type: 'hello' }, 'welcome', (welcome) => {
      const { timers = platformTimers } = this.options;
      this.acknowledger = new Acknowledger(timers, welcome.limits, (sessions) =>
        connection.send({ type: 'acknowledge', sessions }),
      );
      this.enter('open');
      return welcome;
    });
  }

  /** Sends `message`. `take` gets the answer before anything that comes behind it is looked at. */
  private ask<Type extends Answer['type'], Result>(
    connection: Connection | undefined,
    message: Outgoing,
    type: Type,
    take: (answer: Extract<Answer, { type: Type }>) => Result,
  ): Promise<Result> {
    if (!connection) return Promise.reject(new RequestFailed('DISCONNECTED', 'not connected'));
    const requestId = String(++this.lastRequest);
    connection.send({ ...message, requestId });
    return new Promise((resolve, failed) => {
      const answered = (answer: Answer): void => {
        if (answer.type !== type) throw new ServerViolation('an answer that belongs to another message');
        resolve(take(answer as Extract<Answer, { type: Type }>));
      };
      this.questions.set(requestId, { sessionId: message.sessionId, answered, failed });
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
      case 'exit':
        return this.sessions.get(message.sessionId)?.hear(message);
      case 'output':
      case 'tmux_sessions':
      // For clients of the other protocol. What is not in this list is for newer clients.
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
    question?.answered(answer);
    this.settle(requestId, question);
  }

  private refused(error: ErrorMessage): void {
    const { requestId = '', sessionId = '', reason } = error;
    const question = this.questions.get(requestId);
    const session = this.sessions.get(sessionId);
    if (question) {
      question.failed(new RequestFailed(reason, error.error));
      this.settle(requestId, question);
    } else if (session) {
      session.error(error);
    } else {
      void tell(() => this.options.handlers?.error?.(error));
    }
  }

  private settle(requestId: string, question?: Question): void {
    this.questions.delete(requestId);
    const session = this.sessions.get(question?.sessionId ?? '');
    if (session && !this.isAttaching(session.id)) session.settle();
  }

  private isAttaching(id: string): boolean {
    for (const { sessionId } of this.questions.values()) if (sessionId === id) return true;
    return false;
  }

  private show(sessionId: string, placement: Placement): ShownSession {
    const shown = this.sessions.get(sessionId);
    if (shown) this.channels.delete(shown.channel);
    shown?.place(placement);
    const session = shown ?? new ShownSession(sessionId, this.link, placement);
    this.sessions.set(sessionId, session);
    this.channels.set(session.channel, session);
    return session;
  }

  private forget(session: ShownSession): void {
    this.sessions.delete(session.id);
    this.channels.delete(session.channel);
  }

  /** Where reconnecting is to begin: `sessions` keeps those that are not over, and how far each has come. */
  private closed(closure: Closure): void {
    this.acknowledger?.stop();
    this.acknowledger = undefined;
    this.channels.clear();
    this.enter('closed', closure);
    this.fail(disconnected(closure));
  }

  /** Gives up waiting for answers: those about one session, or all. */
  private fail(error: RequestFailed, sessionId?: string): void {
    for (const [requestId, question] of this.questions) {
      if (sessionId !== undefined && question.sessionId !== sessionId) continue;
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
