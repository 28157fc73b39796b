import { decodeFrame, type Frame } from '../../src/protocol/frames.js';
import { type ServerMessage } from '../../src/protocol/messages.js';
import { type ConnectionSocket } from '../../src/terminal/connection.js';

const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

interface Unsent {
  readonly bytes: number;
  left: number;
  readonly taken: (error?: Error | null) => void;
}

/** A WebSocket whose other end takes everything soon, unless told to wait. */
export class FakeSocket implements ConnectionSocket {
  readyState = OPEN;
  /** Whether the server reads what the client sends. */
  reading = true;
  /** When set, every `send` throws. */
  broken = false;
  /** What the server closed it with. */
  closed?: { readonly code: number; readonly reason: string };
  readonly sent: ServerMessage[] = [];
  /** What was sent in binary frames. */
  readonly frames: Frame[] = [];
  /** Both, in the order they were sent. */
  readonly inOrder: (ServerMessage | Frame)[] = [];
  private readonly unsent: Unsent[] = [];

  /** `sending` sees each message before it is put behind what waits. */
  constructor(
    private taking = true,
    private readonly sending: (message: ServerMessage) => void = () => undefined,
  ) {}

  /** As Node's sockets count: a message is there until all of it is taken. */
  get bufferedAmount(): number {
    return this.unsent.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** From now on what is sent waits. */
  stopTaking(): void {
    this.taking = false;
  }

  /** Takes what waits, and from now on everything. */
  startTaking(): void {
    this.taking = true;
    this.take(Infinity);
  }

  /** The other end takes `bytes` of what waits, and of what is sent meanwhile. */
  take(bytes: number): void {
    let room = bytes;
    for (let next = this.unsent[0]; next && room > 0; next = this.unsent[0]) {
      const count = Math.min(room, next.left);
      room -= count;
      next.left -= count;
      if (next.left > 0) return;
      this.unsent.shift();
      next.taken();
    }
  }

  send(data: string | Uint8Array, taken: (error?: Error | null) => void): void {
    if (this.broken) throw new Error('this socket is broken');
    if (this.readyState !== OPEN) throw new Error('this socket is not open');
    if (typeof data === 'string') {
      const message = JSON.parse(data) as ServerMessage;
      this.sending(message);
      this.sent.push(message);
      this.inOrder.push(message);
    } else {
      // As the operating system copies it: the memory is used again.
      const frame = decodeFrame(Uint8Array.from(data));
      this.frames.push(frame);
      this.inOrder.push(frame);
    }
    const bytes = Buffer.byteLength(data);
    // `ws` tells it later too, never from within `send`.
    if (this.taking) queueMicrotask(() => taken());
    else this.unsent.push({ bytes, left: bytes, taken });
  }

  pause(): void {
    this.reading = false;
  }

  resume(): void {
    this.reading = true;
  }

  terminate(): void {
    this.readyState = CLOSING;
  }

  /** As the server closes it; after that, or without that, the connection is gone: what waits cannot be taken any more. */
  close(code = 1006, reason = ''): void {
    if (this.readyState === OPEN) this.closed = { code, reason };
    this.readyState = CLOSED;
    for (const { taken } of this.unsent.splice(0)) taken(new Error('the socket was closed'));
  }
}
