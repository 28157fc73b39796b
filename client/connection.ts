import {
  decodeFrame,
  type Frame,
  FRAME_HEADER_BYTES,
  FramingError,
  writeFrameHeader,
} from '../src/protocol/frames.js';
import { type ClientMessageType, type ServerMessage } from '../src/protocol/messages.js';
import { ServerViolation } from './client-error.js';
import { type Socket } from './socket.js';

/** How a connection ended. */
export interface Closure {
  /** The WebSocket's close code: 1000 when the client closed it, 4002 when the server broke the protocol. */
  readonly code: number;
  readonly reason: string;
  /** The {@link ServerViolation}, or what the socket told in its `error` event. */
  readonly cause?: unknown;
}

/** A control message as it is sent; input travels in frames. */
export interface Outgoing {
  readonly type: Exclude<ClientMessageType, 'input'>;
  readonly sessionId?: string;
  readonly [field: string]: unknown;
}

export interface ConnectionEvents {
  opened(): void;
  /** Of a type that this client knows, or of one that it does not. */
  message(message: ServerMessage): void;
  frame(frame: Frame): void;
  /** Once; nothing comes after it. */
  closed(closure: Closure): void;
}

/** Any but 1000, by which the server would take this client to have finished. */
const GIVEN_UP = 4000;

/** The code with which a connection is closed whose server breaks the protocol. */
const PROTOCOL_BROKEN = 4002;

/** One socket: its messages and frames. A session outlives it; nothing here knows of sessions. */
export class Connection {
  private isClosed = false;
  private lastError: unknown;

  constructor(
    private readonly socket: Socket,
    private readonly events: ConnectionEvents,
  ) {
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('open', () => {
      if (!this.isClosed) events.opened();
    });
    socket.addEventListener('message', ({ data }) => this.receive(data));
    // A browser does not tell what it was.
    socket.addEventListener('error', (event) => (this.lastError = event.error ?? event));
    socket.addEventListener('close', ({ code, reason }) => this.ended(code, reason, this.lastError));
  }

  send(message: Outgoing): void {
    this.socket.send(JSON.stringify(message));
  }

  /** `bytes` are at most a frame's. */
  sendInput(channel: number, offset: number, bytes: Uint8Array): void {
    const frame = new Uint8Array(FRAME_HEADER_BYTES + bytes.length);
    writeFrameHeader(frame, 'input', channel, offset);
    frame.set(bytes, FRAME_HEADER_BYTES);
    this.socket.send(frame);
  }

  /** Closes it for good; what was sent before still arrives. Does nothing when it is closed. */
  close(): void {
    this.end(1000, 'closed by the client');
  }

  /** Gives it up as lost: whoever is at the other end is to think so too. */
  lose(): void {
    this.end(GIVEN_UP, 'given up by the client');
  }

  private receive(data: unknown): void {
    if (this.isClosed) return;
    try {
      if (typeof data === 'string') this.events.message(parseMessage(data));
      else this.events.frame(decodeFrame(new Uint8Array(data as ArrayBuffer)));
    } catch (error) {
      // Our own sentences, ASCII and short: a close reason has room for 123 bytes.
      const isOwn = error instanceof ServerViolation || error instanceof FramingError;
      this.end(PROTOCOL_BROKEN, isOwn ? error.message : 'a message that lacks what it should have', error);
    }
  }

  private end(code: number, reason: string, cause?: unknown): void {
    if (this.isClosed) return;
    this.socket.close(code, reason);
    // A peer that is gone would take its time to agree.
    this.ended(code, reason, cause);
  }

  private ended(code: number, reason: string, cause: unknown): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.events.closed({ code, reason, cause });
  }
}

function parseMessage(text: string): ServerMessage {
  try {
    const message: unknown = JSON.parse(text);
    if (typeof message === 'object' && message !== null && 'type' in message) return message as ServerMessage;
  } catch {
    // Not JSON at all: no message either.
  }
  throw new ServerViolation('a message that is no JSON object with a type');
}
