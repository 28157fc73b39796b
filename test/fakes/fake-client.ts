import { type Session } from '../../src/core/session.js';
import { DEFAULT_SIZE } from '../../src/core/terminal-size.js';
import { type Frame } from '../../src/protocol/frames.js';
import {
  type ClientMessage,
  type CreateMessage,
  type HelloMessage,
  type ResumedSession,
  type ServerMessage,
  type UnresumedSession,
  type Welcome,
} from '../../src/protocol/messages.js';
import { Connection } from '../../src/terminal/connection.js';
import { errorMessage } from '../../src/terminal/error-message.js';
import { type MessageHandler, messageHandlers } from '../../src/terminal/message-handlers.js';
import { settled } from '../support/running-session.js';
import { type TestSessions } from '../support/test-sessions.js';
import { type FakePty } from './fake-pty.js';
import { FakeSocket } from './fake-socket.js';

/** One of a client's connections. */
export interface FakeLink {
  readonly socket: FakeSocket;
  readonly connection: Connection;
}

/** A client of `trex.v2`, on sockets that a test cuts: it says hello, loses its connections and comes back. */
export class FakeClient {
  /** Of its last welcome; what it says hello with next. */
  resumeToken?: string;
  private newest?: FakeLink;
  private readonly handlers: ReadonlyMap<string, MessageHandler>;

  constructor(private readonly server: TestSessions) {
    this.handlers = messageHandlers(server.gateway);
  }

  /** Its newest connection. */
  get link(): FakeLink {
    if (!this.newest) throw new Error('it has not been connected');
    return this.newest;
  }

  get connection(): Connection {
    return this.link.connection;
  }

  get socket(): FakeSocket {
    return this.link.socket;
  }

  /** Says hello on a new connection, whatever becomes of the one before. @returns the answer. */
  connect(hello: Partial<HelloMessage> = {}): Welcome {
    const socket = new FakeSocket();
    const connection = new Connection(socket, this.server.clock, 'trex.v2');
    this.newest = { socket, connection };
    this.server.gateway.handleConnection(connection);
    this.send({ type: 'hello', resumeToken: this.resumeToken, ...hello });
    const [welcome] = socket.sent;
    if (welcome?.type !== 'welcome') throw new Error(`hello was answered with ${JSON.stringify(welcome)}`);
    this.resumeToken = welcome.resumeToken;
    return welcome;
  }

  /** Is connected anew. @returns how it goes on with the one session that it names, or that is kept for it. */
  resume(sessionId?: string, from?: number): ResumedSession & Partial<UnresumedSession> {
    const { sessions } = this.connect(sessionId === undefined ? {} : { sessions: [{ sessionId, from }] });
    if (sessions.length !== 1) throw new Error(`there are ${sessions.length} sessions`);
    return sessions[0] as ResumedSession & Partial<UnresumedSession>;
  }

  /** Its connection ends with a code; by default the newest one vanishes. */
  drop(code = 1006, { connection, socket }: FakeLink = this.link): void {
    socket.close();
    connection.closeCode = code;
    this.server.gateway.handleDisconnect(connection);
  }

  /** A message, already parsed, is handled as the adapter does. */
  send(message: ClientMessage, { connection }: FakeLink = this.link): void {
    if (connection.isClosed) return;
    const { type, requestId } = message;
    try {
      this.handlers.get(type)!(connection, message);
    } catch (error) {
      const sessionId = 'sessionId' in message ? message.sessionId : undefined;
      connection.refuse(errorMessage(error, { sessionId, requestId }));
    }
  }

  /** Asks for a session, and waits for its process. */
  async create(fields: Partial<CreateMessage> = {}): Promise<{ session: Session; pty: FakePty }> {
    this.send({ type: 'create', size: DEFAULT_SIZE, ...fields });
    await settled();
    return { session: this.server.registry.list().at(-1)!, pty: this.server.ptys.last };
  }

  type(sessionId: string, offset: number, text: string, link?: FakeLink): void {
    this.send({ type: 'input', sessionId, offset, bytes: Buffer.from(text) }, link);
  }

  acknowledge(sessionId: string, offset: number, link?: FakeLink): void {
    this.send({ type: 'acknowledge', sessions: [{ sessionId, offset }] }, link);
  }

  /** The frames of a session that came over its newest connection. */
  framesOf(sessionId: string, { socket }: FakeLink = this.link): Frame[] {
    const channels = socket.sent.flatMap(shownIn).filter((one) => one.sessionId === sessionId);
    return socket.frames.filter(({ channel }) => channels.some((one) => one.channel === channel));
  }

  /** The output of a session that came over its newest connection. */
  outputOf(sessionId: string, link?: FakeLink): string {
    return Buffer.concat(this.framesOf(sessionId, link).map(({ bytes }) => bytes)).toString();
  }

  /** Of what kinds the messages of its newest connection were, in order. */
  get heard(): string[] {
    return this.socket.sent.map(({ type }) => type);
  }
}

function shownIn(
  message: ServerMessage,
): readonly { readonly sessionId: string; readonly channel?: number }[] {
  if (message.type === 'welcome') return message.sessions;
  return message.type === 'session_created' || message.type === 'attached' ? [message] : [];
}
