import { type Socket } from '../../client/socket.js';
import { decodeFrame, encodeFrame, type Frame, type FrameKind } from '../../src/protocol/frames.js';

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;

type Listener = (event: never) => void;

/** A client's WebSocket; the test is its server. */
export class FakeWebSocket implements Socket {
  binaryType = 'blob';
  /** Control messages that the client has sent. */
  readonly messages: Record<string, unknown>[] = [];
  /** Frames that the client has sent. */
  readonly frames: Frame[] = [];
  /** What the client closed it with. */
  closed?: { readonly code: number; readonly reason: string };
  private readyState = CONNECTING;
  private readonly listeners: { readonly type: string; readonly listener: Listener }[] = [];

  addEventListener(type: string, listener: Listener): void {
    this.listeners.push({ type, listener });
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    if (this.readyState === CONNECTING) throw new Error('this socket is not open yet');
    if (this.readyState !== OPEN) return;
    if (typeof data === 'string') this.messages.push(JSON.parse(data) as Record<string, unknown>);
    else this.frames.push(decodeFrame(data.slice()));
  }

  close(code: number, reason: string): void {
    // What a browser allows.
    if (code !== 1000 && (code < 3000 || code > 4999)) throw new Error(`a client may not close with ${code}`);
    if (Buffer.byteLength(reason) > 123) throw new Error('too long a reason');
    this.closed ??= { code, reason };
    this.readyState = CLOSING;
  }

  /** Control messages of one type that the client has sent. */
  sent(type: string): Record<string, unknown>[] {
    return this.messages.filter((message) => message.type === type);
  }

  /** The handshake is done. */
  open(): void {
    this.readyState = OPEN;
    this.emit('open', {});
  }

  /** The server sends a control message, or text that is none. */
  receive(message: object | string): void {
    this.emit('message', { data: typeof message === 'string' ? message : JSON.stringify(message) });
  }

  /** The server answers the newest message of a type. */
  answer(type: string, answer: object): void {
    this.receive({ requestId: this.sent(type).at(-1)?.requestId, ...answer });
  }

  /** The server sends a frame. */
  receiveFrame(channel: number, offset: number, data: string | Uint8Array, kind: FrameKind = 'output'): void {
    const frame = encodeFrame({ kind, channel, offset, bytes: Buffer.from(data) });
    this.receiveBytes(frame);
  }

  receiveBytes(bytes: Uint8Array): void {
    this.emit('message', { data: this.binaryType === 'arraybuffer' ? Uint8Array.from(bytes).buffer : bytes });
  }

  /** The connection is gone. */
  drop(code = 1006, reason = '', error?: object): void {
    this.readyState = CLOSING;
    if (error) this.emit('error', error);
    this.emit('close', { code, reason });
  }

  private emit(type: string, event: object): void {
    for (const each of this.listeners) if (each.type === type) each.listener(event as never);
  }
}
