import { type INestApplicationContext, Logger } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import { type Socket } from 'node:net';
import { type Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Access } from '../admission/access-token.js';
import { type Refused } from '../admission/admit.js';
import { type Gate } from '../admission/gate.js';
import { type AppConfig } from '../config/app-config.js';
import { type Clock } from '../core/clock.js';
import { SessionError } from '../core/session-error.js';
import { Statistics } from '../core/statistics.js';
import { decodeFrame, FramingError } from '../protocol/frames.js';
import { type ClientMessage, type ErrorMessage, type InputMessage } from '../protocol/messages.js';
import { type MessageReference, ProtocolError } from '../protocol/protocol-error.js';
import { Connection } from './connection.js';
import { errorMessage } from './error-message.js';
import { keepAlive } from './keep-alive.js';
import { type MessageHandler, messageHandlers } from './message-handlers.js';
import { MessageRate } from './message-rate.js';
import { parseMessage } from './parse-message.js';
import { codeOfStatus, type HttpRefusal, refuse } from './refuse.js';
import { chooseSubprotocol, FRAMES_PROTOCOL, JSON_PROTOCOL, type Protocol } from './subprotocol.js';
import { type TerminalGateway } from './terminal.gateway.js';

const GOING_AWAY = 1001;
const POLICY_VIOLATION = 1008;
const FRAMING_LOST = 4002;

/**
 * RFC 6455's own. `ws` would also take 8, a draft whose browsers name their page in a header that the gate does not
 * know.
 */
const WEBSOCKET_VERSION = '13';

/** What a client may do whose token only reads. It attaches for reading only, whatever it says. */
const WATCHING: readonly string[] = [
  'hello',
  'attach',
  'acknowledge',
  'detach',
  'watch',
  'list_tmux_sessions',
  'tmux_config',
];

/** What is about a client's oldest session where it names none. */
const MEANS_OLDEST: readonly string[] = ['input', 'resize', 'close', 'detach'];

/** A client that does not answer our close frame is cut off after this. */
const CLOSE_TIMEOUT_MS = 2000;

const serverOptions = {
  noServer: true,
  // A message of many tiny pieces costs more than its bytes say.
  maxFragments: 16,
  maxBufferedChunks: 65_536,
  // Costs memory per connection, and a few kilobytes could unfold into gigabytes.
  perMessageDeflate: false,
  // Thousands of small frames come in one read, and libuv reads 32 times from one socket before it looks at the next:
  // whoever sends them gets one turn for each, as everybody else does.
  allowSynchronousEvents: false,
  closeTimeout: CLOSE_TIMEOUT_MS,
  // A client that offers nothing we speak has been refused before.
  handleProtocols: (offered: Set<string>) => {
    const chosen = chooseSubprotocol([...offered].join());
    return chosen !== 'none' && chosen;
  },
};

/**
 * Owns the WebSocket's door and its frames: checks the handshake, and turns each frame, the moment it comes, into one
 * call of the gateway or into an error's answer. The server is made from our own `ws`: Nest's adapter brings an older
 * one.
 */
export class TerminalAdapter extends WsAdapter {
  private readonly log = new Logger(TerminalAdapter.name);
  private readonly sockets = new WeakMap<Connection, WebSocket>();
  private readonly upgrades = new Map<WebSocketServer, (...upgrade: Upgrade) => void>();
  private readonly handlers: ReadonlyMap<string, MessageHandler>;

  constructor(
    app: INestApplicationContext,
    private readonly gate: Gate,
    private readonly clock: Clock,
    private readonly config: AppConfig,
    gateway: TerminalGateway,
    private readonly statistics: Statistics = new Statistics(),
  ) {
    super(app);
    this.handlers = messageHandlers(gateway);
    statistics.refusals.websocket.know(['INTERNAL']);
  }

  override create(): WebSocketServer {
    const server = new WebSocketServer({ ...serverOptions, maxPayload: this.config.maxMessageBytes });
    server.on('wsClientError', ({ message: detail }, socket) =>
      this.refuseUpgrade(socket, { status: 400, code: 'BAD_REQUEST', detail }),
    );
    const onUpgrade = (...[request, socket, head]: Upgrade): void => {
      this.upgrade(server, request, socket, head).catch((error: unknown) => {
        this.log.error({ err: error, msg: 'an upgrade met a bug' });
        this.statistics.refusals.websocket.add('INTERNAL');
        socket.destroy();
      });
    };
    this.upgrades.set(server, onUpgrade);
    (this.httpServer as Server).on('upgrade', onUpgrade);
    return server;
  }

  override bindClientConnect(server: WebSocketServer, callback: (connection: Connection) => void): void {
    server.on('connection', (socket: WebSocket, _request: IncomingMessage, access: Access) => {
      socket.on('error', (error) => this.log.debug(`connection lost: ${error.message}`));
      // Never any other: what the client offered was looked at before.
      const protocol = (socket.protocol || JSON_PROTOCOL) as Protocol;
      const connection = new Connection(
        socket,
        this.clock,
        protocol,
        access === 'readOnly',
        this.config,
        this.statistics,
      );
      this.statistics.connectionsOpened.add(protocol);
      socket.on('close', () => this.statistics.connectionsClosed.add(protocol));
      this.sockets.set(connection, socket);
      keepAlive(socket, connection, this.clock, this.config);
      callback(connection);
    });
  }

  override bindClientDisconnect(connection: Connection, callback: () => void): void {
    this.socketOf(connection).on('close', (code) => {
      connection.closeCode = code;
      callback();
    });
  }

  override bindMessageHandlers(connection: Connection): void {
    const { messageBurst, messageRate } = this.config;
    const rate = new MessageRate(messageBurst, messageRate);
    this.socketOf(connection).on('message', (data, isBinary) => {
      // Never in parts or as an ArrayBuffer: that is for those who set another `binaryType`.
      if (this.dispatch(connection, data as Buffer, isBinary)) this.pace(connection, rate);
    });
  }

  override async close(server: WebSocketServer): Promise<void> {
    const onUpgrade = this.upgrades.get(server);
    if (onUpgrade) (this.httpServer as Server).off('upgrade', onUpgrade);
    this.upgrades.delete(server);
    const closed = Array.from(
      server.clients,
      (socket) => new Promise((resolve) => socket.once('close', resolve)),
    );
    for (const socket of server.clients) socket.close(GOING_AWAY, 'the server is shutting down');
    await Promise.all(closed);
    server.close();
  }

  private async upgrade(
    server: WebSocketServer,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): Promise<void> {
    // Until the WebSocket takes over, a client that vanishes here is an error event nobody else listens to.
    const vanished = (): void => void socket.destroy();
    socket.on('error', vanished);
    if (request.method !== 'GET' || request.headers.upgrade?.toLowerCase() !== 'websocket') {
      this.answerWithoutUpgrade(request, socket);
      return;
    }
    const decision = await this.gate.decide(request, true);
    // Too late to be told of a shutdown that has begun.
    if (!this.upgrades.has(server)) {
      socket.destroy();
      return;
    }
    if ('status' in decision) {
      refuse(socket, httpRefusal(decision));
      return;
    }
    const refusal = handshakeRefusal(request);
    if (refusal) {
      this.refuseUpgrade(socket, refusal);
      return;
    }
    server.handleUpgrade(request, socket, head, (client) => {
      socket.off('error', vanished);
      server.emit('connection', client, request, decision.access);
    });
  }

  /** Whoever the gate has let in, but whose handshake is none. */
  private refuseUpgrade(socket: Duplex, refusal: HttpRefusal): void {
    this.statistics.refusals.websocket.add(refusal.code);
    refuse(socket, refusal);
  }

  /**
   * To be upgraded with another method or to anything else is a wish that a server may ignore (RFC 9110, 7.8), and
   * `h2c` is one that some HTTP clients always have. Node hands such requests over here, because we listen, and would leave them unanswered.
   */
  private answerWithoutUpgrade(request: IncomingMessage, socket: Duplex): void {
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as Socket);
    response.once('finish', () => socket.end());
    socket.once('finish', () => socket.destroy());
    (this.httpServer as Server).emit('request', request, response);
  }

  private pace(connection: Connection, rate: MessageRate): void {
    const waitMs = rate.count(this.clock.elapsed());
    if (waitMs === 'tooMuch') {
      this.statistics.refusals.websocket.add('TOO_MANY_MESSAGES');
      connection.end(POLICY_VIOLATION, 'too many messages for too long');
    } else if (waitMs > 0) connection.slowDown(waitMs);
  }

  /** @returns whether it counts as a control message; so does whatever is refused, or tells nothing new */
  private dispatch(connection: Connection, data: Buffer, isBinary: boolean): boolean {
    if (connection.isClosed) return false;
    let about: MessageReference = {};
    let counts = true;
    let message: ClientMessage | undefined;
    try {
      message = isBinary ? parseFrame(data, connection) : parseMessage(data, connection.protocol);
      const { type, requestId } = message;
      if (!connection.isGreeted && type !== 'hello') {
        throw new ProtocolError('HELLO_REQUIRED', 'the first message must be hello', { requestId });
      }
      about = { sessionId: sessionIn(message), requestId };
      if (connection.isReadOnly && !WATCHING.includes(type)) {
        throw new SessionError('READ_ONLY', 'the token of this connection only lets watch sessions');
      }
      const isNews = this.handlers.get(type)!(connection, message);
      counts = type !== 'input' && (type !== 'acknowledge' || isNews === false);
    } catch (error) {
      if (error instanceof FramingError) this.loseFraming(connection, error);
      else this.refuse(connection, errorMessage(error, about, message && sessionMeant(message, connection)));
    }
    return counts;
  }

  private refuse(connection: Connection, refusal: ErrorMessage): void {
    this.statistics.refusals.websocket.add(refusal.reason);
    connection.refuse(refusal);
  }

  private loseFraming(connection: Connection, { message }: FramingError): void {
    this.statistics.refusals.websocket.add('FRAMING_LOST');
    connection.end(FRAMING_LOST, message);
  }

  private socketOf(connection: Connection): WebSocket {
    const socket = this.sockets.get(connection);
    if (!socket) throw new Error('this connection is not from here');
    return socket;
  }
}

function httpRefusal({ status, detail, headers = {} }: Refused): HttpRefusal {
  return {
    status,
    code: codeOfStatus(status),
    detail,
    headers: ['Connection: close', ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)],
  };
}

/** Why a client that is let in cannot be spoken with. */
function handshakeRefusal({ headers }: IncomingMessage): HttpRefusal | undefined {
  if (headers['sec-websocket-version'] !== WEBSOCKET_VERSION) {
    return {
      status: 426,
      code: 'UPGRADE_REQUIRED',
      detail: `the WebSocket's version must be ${WEBSOCKET_VERSION}`,
      headers: [
        'Connection: Upgrade, close',
        'Upgrade: websocket',
        `Sec-WebSocket-Version: ${WEBSOCKET_VERSION}`,
      ],
    };
  }
  if (chooseSubprotocol(headers['sec-websocket-protocol']) === 'unknown') {
    return {
      status: 400,
      code: 'BAD_REQUEST',
      detail: `none of the offered subprotocols is known; offer ${FRAMES_PROTOCOL} or ${JSON_PROTOCOL}`,
    };
  }
  return undefined;
}

function sessionIn(message: ClientMessage): string | undefined {
  return 'sessionId' in message ? message.sessionId : undefined;
}

/** The session that a message is about, also where it names none. */
function sessionMeant(message: ClientMessage, { client }: Connection): string | undefined {
  if (!MEANS_OLDEST.includes(message.type)) return undefined;
  return sessionIn(message) ?? client?.oldestNotEnded()?.id;
}

/**
 * A binary frame → input.
 * @throws {ProtocolError} `BAD_MESSAGE` @throws {SessionError} `SESSION_NOT_FOUND` @throws {FramingError}
 */
function parseFrame(data: Buffer, connection: Connection): InputMessage {
  if (connection.protocol === JSON_PROTOCOL) {
    throw new ProtocolError('BAD_MESSAGE', 'invalid message format: this protocol has no binary frames');
  }
  const { kind, channel, offset, bytes } = decodeFrame(data);
  if (kind !== 'input') throw new FramingError('output comes from the server only');
  if (!connection.isGreeted) throw new ProtocolError('HELLO_REQUIRED', 'the first message must be hello');
  return { type: 'input', sessionId: connection.sessionOn(channel), offset, bytes };
}

type Upgrade = [request: IncomingMessage, socket: Duplex, head: Buffer];
