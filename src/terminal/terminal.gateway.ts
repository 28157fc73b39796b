import { randomUUID } from 'node:crypto';
import {
  type OnGatewayConnection,
  type OnGatewayDisconnect,
  SubscribeMessage,
  WebSocketGateway,
} from '@nestjs/websockets';
import { WEBSOCKET_PATH } from '../admission/doors.js';
import { RateLimit } from '../admission/rate-limit.js';
import { AppConfig } from '../config/app-config.js';
import { type Attachment } from '../core/attachment.js';
import { Clock } from '../core/clock.js';
import { SessionError } from '../core/session-error.js';
import { type Session } from '../core/session.js';
import { type TerminalSize } from '../core/terminal-size.js';
import {
  ACKNOWLEDGE_BYTES,
  ACKNOWLEDGE_MS,
  INPUT_CREDIT_BYTES,
  MAX_FRAME_PAYLOAD_BYTES,
} from '../protocol/limits.js';
import {
  type AcknowledgeMessage,
  type AttachMessage,
  type CloseMessage,
  type CreateMessage,
  type DetachMessage,
  type HelloMessage,
  type InputMessage,
  type Limits,
  type ListTmuxSessionsMessage,
  type ResizeMessage,
  type WatchMessage,
} from '../protocol/messages.js';
import { ProtocolError } from '../protocol/protocol-error.js';
import { SessionCloser } from '../sessions/session-closer.js';
import { SessionOpener, type SessionRequest } from '../sessions/session-opener.js';
import { SessionRegistry } from '../sessions/session-registry.js';
import { type Client } from './client.js';
import { Clients } from './clients.js';
import { type Connection } from './connection.js';
import { SessionList } from './session-list.js';
import { JSON_PROTOCOL } from './subprotocol.js';

const fixedLimits = {
  frameBytes: MAX_FRAME_PAYLOAD_BYTES,
  inputCreditBytes: INPUT_CREDIT_BYTES,
  acknowledgeBytes: ACKNOWLEDGE_BYTES,
  acknowledgeMs: ACKNOWLEDGE_MS,
};

/**
 * Messages by type, one synchronous call each, straight from `terminal.adapter.ts`: they come checked, take effect and
 * are answered in the order they came. Pipes, guards, interceptors and filters would not be asked.
 */
@WebSocketGateway({ path: WEBSOCKET_PATH })
export class TerminalGateway implements OnGatewayConnection<Connection>, OnGatewayDisconnect<Connection> {
  /** Ids of sessions begin anew with each life of the server: clients tell by this that they mean others. */
  private readonly epoch = randomUUID();
  private readonly owners = new WeakMap<Session, Client>();
  private readonly creations = new WeakMap<Connection, RateLimit>();
  private readonly limits: Limits;

  constructor(
    private readonly registry: SessionRegistry,
    private readonly opener: SessionOpener,
    private readonly closer: SessionCloser,
    private readonly clients: Clients,
    private readonly list: SessionList,
    private readonly config: AppConfig,
    private readonly clock: Clock,
  ) {
    const { maxMessageBytes: messageBytes, resumeSeconds, resumeHoldSeconds } = config;
    this.limits = { messageBytes, ...fixedLimits, resumeSeconds, resumeHoldSeconds };
  }

  handleConnection(connection: Connection): void {
    // The default protocol has no greeting.
    if (connection.protocol === JSON_PROTOCOL) connection.client = this.clients.connect(connection);
  }

  handleDisconnect(connection: Connection): void {
    this.list.leave(connection);
    this.clients.disconnected(connection);
  }

  @SubscribeMessage('hello')
  hello(connection: Connection, { requestId, resumeToken: token, sessions = [] }: HelloMessage): void {
    if (connection.isGreeted) throw new ProtocolError('BAD_MESSAGE', 'hello comes once', { requestId });
    const { client, resumeToken, isKnown } = this.clients.greet(connection, token);
    const { epoch, limits } = this;
    // Whom nobody knows may mean sessions of another life of the server, or of its own that ended long ago.
    const wanted = isKnown ? sessions : [];
    connection.greet(
      client,
      { type: 'welcome', requestId, epoch, resumeToken, limits, readOnly: connection.isReadOnly },
      wanted.map((one) => ({ ...one, session: this.registry.find(one.sessionId) })),
    );
  }

  @SubscribeMessage('attach')
  attach(connection: Connection, { sessionId, from, readOnly = false, requestId }: AttachMessage): void {
    connection.attach(this.registry.get(sessionId), from, readOnly, requestId);
  }

  @SubscribeMessage('acknowledge')
  acknowledge(connection: Connection, { sessions }: AcknowledgeMessage): boolean {
    return connection.acknowledge(sessions);
  }

  @SubscribeMessage('create')
  create(connection: Connection, { requestId, ...request }: CreateMessage): void {
    this.open(connection, request, requestId);
  }

  @SubscribeMessage('input')
  input(connection: Connection, { sessionId, bytes, offset, requestId }: InputMessage): void {
    const session = this.addressed(connection, sessionId, requestId);
    const typist = connection.attachmentTo(session.id);
    const countsAs = this.countsAs(typist, session);
    if (offset === undefined) {
      session.write(bytes, typist, countsAs);
    } else {
      const typed = clientOf(connection).typedInto(session.id);
      typed.accept(offset, bytes, (fresh) => session.write(fresh, typist, countsAs, typed.taken));
    }
  }

  @SubscribeMessage('resize')
  resize(connection: Connection, { sessionId, size, requestId }: ResizeMessage): void {
    this.assertFits(size);
    const session = this.addressed(connection, sessionId, requestId);
    const resizer = connection.attachmentTo(session.id);
    session.resize(size, resizer, this.countsAs(resizer, session));
  }

  @SubscribeMessage('close')
  close(
    connection: Connection,
    { sessionId = clientOf(connection).oldestNotEnded()?.id }: CloseMessage,
  ): void {
    if (sessionId !== undefined) this.closer.close(sessionId);
  }

  @SubscribeMessage('detach')
  detach(
    connection: Connection,
    { sessionId = clientOf(connection).oldestNotEnded()?.id }: DetachMessage,
  ): void {
    if (sessionId === undefined) return;
    this.registry.assertKnown(sessionId);
    connection.detach(sessionId);
  }

  @SubscribeMessage('watch')
  watch(connection: Connection, { requestId }: WatchMessage): void {
    this.list.watch(connection, requestId);
  }

  /** Existing clients configure a tmux poller that this server does not have, and expect no answer. */
  @SubscribeMessage('tmux_config')
  tmuxConfig(): void {
    // Accepted.
  }

  @SubscribeMessage('list_tmux_sessions')
  listTmuxSessions(connection: Connection, { requestId }: ListTmuxSessionsMessage): void {
    connection.send({ type: 'tmux_sessions', requestId });
  }

  /** The session a message means; a client that knows of one session only names none, and gets its first here. */
  private addressed(
    connection: Connection,
    sessionId: string | undefined,
    requestId: string | undefined,
  ): Session {
    if (sessionId !== undefined) return this.registry.get(sessionId);
    const oldest = clientOf(connection).oldestNotEnded();
    if (oldest) return oldest;
    return this.open(connection, {}, requestId);
  }

  /** Whoever types or resizes; what comes from a connection that does not look counts as the owner's. */
  private countsAs(viewer: Attachment | undefined, session: Session): Attachment | undefined {
    return viewer ?? this.owners.get(session)?.connection?.attachmentTo(session.id);
  }

  /** @throws {SessionError} `INVALID_SIZE` */
  private assertFits({ columns, rows }: TerminalSize): void {
    const { maxColumns, maxRows } = this.config;
    if (columns <= maxColumns && rows <= maxRows) return;
    throw new SessionError(
      'INVALID_SIZE',
      `a terminal may have ${maxColumns} columns and ${maxRows} rows here`,
    );
  }

  /** @throws {SessionError} `SESSION_LIMIT` @throws {ProtocolError} `RATE_LIMITED` */
  private assertMayCreate(connection: Connection, client: Client): void {
    const { maxSessionsPerConnection: most, createBurst, createRate } = this.config;
    // Who waits is told how long: where waiting does not help, that comes first.
    this.registry.assertRoom();
    if (most > 0 && client.owned.filter(({ hasEnded }) => !hasEnded).length >= most) {
      throw new SessionError('SESSION_LIMIT', `this client has ${most} running sessions, as many as it may`);
    }
    const limit = this.creations.get(connection) ?? new RateLimit(createBurst, createRate);
    this.creations.set(connection, limit);
    const now = this.clock.elapsed();
    if (limit.take(now)) return;
    throw new ProtocolError(
      'RATE_LIMITED',
      `too many sessions were created at once: wait ${limit.waitMs(now)} ms before the next`,
    );
  }

  private open(connection: Connection, request: SessionRequest, requestId: string | undefined): Session {
    const client = clientOf(connection);
    if (request.size) this.assertFits(request.size);
    this.assertMayCreate(connection, client);
    const session = this.opener.open(request);
    this.owners.set(session, client);
    client.own(session, requestId);
    connection.announce(session, requestId);
    return session;
  }
}

/** Whose connection it is: nothing but `hello` gets here before. */
function clientOf({ client }: Connection): Client {
  if (!client) throw new Error('a connection without a client');
  return client;
}
