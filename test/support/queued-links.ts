import { type Socket } from '../../client/socket.js';
import { decodeFrame } from '../../src/protocol/frames.js';
import { type ClientMessage, type ErrorMessage, type ServerMessage } from '../../src/protocol/messages.js';
import { ProtocolError } from '../../src/protocol/protocol-error.js';
import { Connection, type ConnectionSocket } from '../../src/terminal/connection.js';
import { errorMessage } from '../../src/terminal/error-message.js';
import { type MessageHandler, messageHandlers } from '../../src/terminal/message-handlers.js';
import { parseMessage } from '../../src/terminal/parse-message.js';
import { FRAMES_PROTOCOL } from '../../src/terminal/subprotocol.js';
import { type TestSessions } from './test-sessions.js';

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/** A close frame: behind it nothing comes. */
interface Ending {
  readonly code: number;
  readonly reason: string;
}

type Parcel = string | Uint8Array<ArrayBuffer> | Ending;

type Listener = (event: never) => void;

/** What a test is told of all links. */
export interface LinkNews {
  /** The server has got a message, and is about to handle it. */
  received(message: ClientMessage, link: QueuedLink): void;
  /** The server has refused one. */
  refused(error: ErrorMessage, link: QueuedLink): void;
  /** The client is about to be given a message. */
  told(message: ServerMessage): void;
  /** The server has been told that a connection is over. */
  ended(link: QueuedLink): void;
}

/** All links between one client and one server; the newest is the one that the client knows of. */
export class QueuedLinks {
  readonly all: QueuedLink[] = [];
  private readonly handlers: ReadonlyMap<string, MessageHandler>;

  constructor(
    private readonly server: TestSessions,
    private readonly news: LinkNews,
  ) {
    this.handlers = messageHandlers(server.gateway);
  }

  get newest(): QueuedLink {
    const link = this.all.at(-1);
    if (!link) throw new Error('nobody has connected');
    return link;
  }

  get older(): readonly QueuedLink[] {
    return this.all.slice(0, -1);
  }

  /** For a client, whenever it connects. */
  open(): Socket {
    const link = new QueuedLink(this.server, this.handlers, this.news);
    this.all.push(link);
    return link.socket;
  }
}

/**
 * A WebSocket of `trex.v2` without a network: in each direction what is sent waits until it is delivered, one message at
 * a time, and either end may be told that the link is lost while the other is not.
 */
export class QueuedLink {
  private readonly toServer: Parcel[] = [];
  private readonly toClient: Parcel[] = [];
  readonly socket = new ClientEnd(this.toServer);
  private readonly serverEnd = new ServerEnd(this.toClient);
  /** The server's, once the handshake is done. */
  connection?: Connection;

  constructor(
    private readonly server: TestSessions,
    private readonly handlers: ReadonlyMap<string, MessageHandler>,
    private readonly news: LinkNews,
  ) {}

  /** Whether the server takes it for alive, or may come to. */
  get isThereForServer(): boolean {
    return this.connection ? this.serverEnd.readyState !== CLOSED : this.socket.isConnecting;
  }

  /** With which code the server has closed it. */
  get serverCode(): number | undefined {
    return this.serverEnd.closedWith;
  }

  /** The first of what waits for the server arrives; before all that, the handshake. @returns whether anything did */
  deliverToServer(): boolean {
    if (!this.connection) return this.shakeHands();
    const parcel = this.toServer.shift();
    if (parcel === undefined) return false;
    if (this.serverEnd.readyState === CLOSED) return true;
    if (isEnding(parcel)) this.loseServer(parcel.code);
    else this.dispatch(this.connection, parcel);
    return true;
  }

  /** The first of what waits for the client arrives. @returns whether anything did */
  deliverToClient(): boolean {
    const parcel = this.toClient.shift();
    if (parcel === undefined) return false;
    if (typeof parcel === 'string' && this.socket.isOpen) this.news.told(JSON.parse(parcel) as ServerMessage);
    this.socket.take(parcel);
    return true;
  }

  /** The client is told that it is lost. What it had sent and has not arrived never will. */
  loseClient(code = 1006): void {
    this.toServer.length = 0;
    this.toClient.length = 0;
    this.socket.lose(code);
  }

  /** The server is told that it is lost. What it had sent may arrive still. */
  loseServer(code = 1006): void {
    this.toServer.length = 0;
    if (!this.connection || this.serverEnd.readyState === CLOSED) return;
    this.serverEnd.readyState = CLOSED;
    this.connection.closeCode = code;
    this.server.gateway.handleDisconnect(this.connection);
    this.news.ended(this);
  }

  private shakeHands(): boolean {
    if (!this.socket.isConnecting) return false;
    this.connection = new Connection(this.serverEnd, this.server.clock, FRAMES_PROTOCOL);
    this.server.gateway.handleConnection(this.connection);
    this.socket.open();
    return true;
  }

  /** As the adapter does. */
  private dispatch(connection: Connection, data: string | Uint8Array): void {
    if (connection.isClosed) return;
    let about = {};
    try {
      const message = parse(connection, data);
      const { type, requestId } = message;
      about = { sessionId: 'sessionId' in message ? message.sessionId : undefined, requestId };
      if (!connection.isGreeted && type !== 'hello') {
        throw new ProtocolError('HELLO_REQUIRED', 'the first message must be hello', { requestId });
      }
      this.news.received(message, this);
      this.handlers.get(type)!(connection, message);
    } catch (error) {
      const message = errorMessage(error, about);
      this.news.refused(message, this);
      connection.refuse(message);
    }
  }
}

/** The WebSocket that the client has. */
class ClientEnd implements Socket {
  binaryType = 'blob';
  private readyState = CONNECTING;
  private readonly listeners: { readonly type: string; readonly listener: Listener }[] = [];

  constructor(private readonly outbox: Parcel[]) {}

  get isConnecting(): boolean {
    return this.readyState === CONNECTING;
  }

  get isOpen(): boolean {
    return this.readyState === OPEN;
  }

  addEventListener(type: string, listener: Listener): void {
    this.listeners.push({ type, listener });
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    if (this.isConnecting) throw new Error('this socket is not open yet');
    if (this.isOpen) this.outbox.push(typeof data === 'string' ? data : data.slice());
  }

  close(code: number, reason: string): void {
    // Before it is open there is nobody who could be told.
    if (this.isOpen) this.outbox.push({ code, reason });
    this.readyState = CLOSING;
  }

  open(): void {
    this.readyState = OPEN;
    this.emit('open', {});
  }

  take(parcel: Parcel): void {
    if (!this.isOpen) return;
    if (!isEnding(parcel)) {
      this.emit('message', { data: typeof parcel === 'string' ? parcel : parcel.buffer });
      return;
    }
    // Whoever is told answers with the same.
    this.outbox.push(parcel);
    this.end(parcel);
  }

  lose(code: number): void {
    if (this.isOpen || this.isConnecting) this.end({ code, reason: '' });
  }

  private end(ending: Ending): void {
    this.readyState = CLOSED;
    this.emit('close', ending);
  }

  private emit(type: string, event: object): void {
    for (const each of this.listeners) if (each.type === type) each.listener(event as never);
  }
}

/** The WebSocket that the server has: whatever it sends is taken at once. */
class ServerEnd implements ConnectionSocket {
  readonly bufferedAmount = 0;
  readyState = OPEN;
  closedWith?: number;

  constructor(private readonly outbox: Parcel[]) {}

  send(data: string | Uint8Array, taken: () => void): void {
    if (this.readyState !== OPEN) throw new Error('this socket is not open');
    // As the operating system copies it: the memory is used again.
    this.outbox.push(typeof data === 'string' ? data : Uint8Array.from(data));
    // `ws` tells it later too, never from within `send`.
    queueMicrotask(taken);
  }

  close(code: number, reason: string): void {
    if (this.readyState !== OPEN) return;
    this.outbox.push({ code, reason });
    this.closedWith = code;
    this.readyState = CLOSING;
  }

  terminate(): void {
    throw new Error('a connection was cut off');
  }

  pause(): void {
    throw new Error('a client is not read from');
  }

  resume(): void {
    throw new Error('a client is read from that was all the time');
  }
}

function isEnding(parcel: Parcel): parcel is Ending {
  return typeof parcel === 'object' && 'code' in parcel;
}

function parse(connection: Connection, data: string | Uint8Array): ClientMessage {
  if (typeof data === 'string') return parseMessage(Buffer.from(data), FRAMES_PROTOCOL);
  const { channel, offset, bytes } = decodeFrame(data);
  return { type: 'input', sessionId: connection.sessionOn(channel), offset, bytes };
}
