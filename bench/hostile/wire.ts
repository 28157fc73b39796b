import { connect, type Socket } from 'node:net';

/** What is sent by hand, since no client library would: neither so much nor without reading. */

export const TEXT = 1;
export const BINARY = 2;
export const PING = 9;
export const PONG = 10;
const CLOSE = 8;

/** RFC 6455, 7.4.1: no close frame came, or one without a code. */
const WITHOUT_CODE = 1005;

const OPEN_MS = 20_000;
/** Whoever sends something now and then counts as alive, whether it reads or not. */
const ALIVE_EVERY_MS = 5000;
/** So much waits in a flooding socket: what comes next is there before the server asks for it. */
const WAITING_BYTES = 1024 * 1024;
/** As much as anybody wants to find something in. */
const HEARD_CHARACTERS = 64 * 1024;

/** A frame as clients send it, masked with zeros. */
export function frame(opcode: number, payload: Uint8Array | string): Buffer {
  const bytes = Buffer.from(payload);
  const length = bytes.length;
  const head = Buffer.alloc(length < 126 ? 6 : length < 65_536 ? 8 : 14);
  head[0] = 0x80 | opcode;
  head[1] = 0x80 | (length < 126 ? length : length < 65_536 ? 126 : 127);
  if (length >= 65_536) head.writeBigUInt64BE(BigInt(length), 2);
  else if (length >= 126) head.writeUInt16BE(length, 2);
  return Buffer.concat([head, bytes]);
}

export function message(fields: object): Buffer {
  return frame(TEXT, JSON.stringify(fields));
}

/** Input of `trex.v2`, as the first on the first channel of its connection. */
export function firstInput(text: string): Buffer {
  const head = Buffer.alloc(16);
  head.writeUInt8(2, 0);
  head.writeUInt32BE(1, 4);
  return frame(BINARY, Buffer.concat([head, Buffer.from(text)]));
}

/** The head of a handshake. */
export function upgrade(port: number, path = '/ws', protocol?: string): string {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dHJleCB0cmV4IHRyZXggdA==',
    ...(protocol ? [`Sec-WebSocket-Protocol: ${protocol}`] : []),
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** A TCP connection that nobody minds to lose. */
export function tcp(port: number): Socket {
  return connect({ port, host: '127.0.0.1', noDelay: true }).on('error', () => undefined);
}

/** Resolves once it is gone. */
export function gone(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}

/** A WebSocket that keeps to nothing but the layout of frames. */
export class RawSocket {
  private closeCode?: number;
  private heard = '';
  private hear: () => void = () => undefined;
  private pending = Buffer.alloc(0);
  /** What is left of a frame that is of no interest. */
  private skipping = 0;

  private constructor(
    private readonly socket: Socket,
    first: Buffer,
  ) {
    const alive = setInterval(() => socket.write(frame(PONG, '')), ALIVE_EVERY_MS);
    socket.once('close', () => clearInterval(alive));
    socket.on('data', (bytes: Buffer) => this.take(bytes));
    this.take(first);
  }

  /** @throws when it is not let in */
  static open(port: number, protocol?: string): Promise<RawSocket> {
    const socket = tcp(port);
    socket.write(upgrade(port, '/ws', protocol));
    return new Promise((resolve, reject) => {
      let answer = Buffer.alloc(0);
      const refused = (): void => reject(new Error('refused'));
      const late = setTimeout(() => socket.destroy(), OPEN_MS);
      const take = (bytes: Buffer): void => {
        answer = Buffer.concat([answer, bytes]);
        const end = answer.indexOf('\r\n\r\n');
        if (end < 0) return;
        clearTimeout(late);
        socket.off('data', take).off('close', refused);
        if (answer.toString('latin1', 0, 13) === 'HTTP/1.1 101 ') {
          resolve(new RawSocket(socket, answer.subarray(end + 4)));
        } else {
          socket.destroy();
          refused();
        }
      };
      socket.on('data', take).once('close', refused);
    });
  }

  /** By which code it was closed. */
  get end(): string {
    return String(this.closeCode ?? 'cut off');
  }

  get isGone(): boolean {
    return this.socket.destroyed;
  }

  /** Reads no more, for good. */
  stopReading(): void {
    this.socket.pause();
  }

  send(...frames: readonly Buffer[]): void {
    for (const one of frames) this.socket.write(one);
  }

  /** Sends `frames` again and again, as fast as the server takes them, until it is gone; `sent` is told of each time. */
  async flood(frames: Buffer, sent: () => void): Promise<void> {
    const more = (): void => {
      while (!this.isGone && this.socket.writableLength < WAITING_BYTES) {
        this.socket.write(frames);
        sent();
      }
    };
    // Not at once: what comes from the server is to be noticed, too.
    this.socket.on('drain', () => setImmediate(more));
    more();
    await this.gone();
  }

  /** Resolves with what `pattern` finds in what the server says. @throws when it is gone before */
  async hears(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = pattern.exec(this.heard);
      if (found) return found[1] ?? '';
      if (this.isGone) throw new Error('gone');
      await new Promise<void>((resolve) => {
        this.hear = resolve;
        this.socket.once('close', resolve);
      });
    }
  }

  gone(): Promise<void> {
    return gone(this.socket);
  }

  /** Without a word. */
  cut(): void {
    this.socket.resetAndDestroy();
  }

  /** Looks for the close frame; all else is skipped. */
  private take(bytes: Buffer): void {
    if (this.heard.length < HEARD_CHARACTERS) {
      this.heard += bytes.toString('latin1', 0, HEARD_CHARACTERS);
      this.hear();
    }
    let rest = Buffer.concat([this.pending, bytes]);
    for (;;) {
      const skipped = Math.min(this.skipping, rest.length);
      this.skipping -= skipped;
      rest = rest.subarray(skipped);
      if (rest.length < 2) break;
      const short = (rest[1] ?? 0) & 0x7f;
      const head = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (rest.length < head) break;
      const length =
        short < 126 ? short : short === 126 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2));
      if (((rest[0] ?? 0) & 0x0f) === CLOSE) {
        if (rest.length < head + length) break;
        this.closeCode = length < 2 ? WITHOUT_CODE : rest.readUInt16BE(head);
      }
      rest = rest.subarray(head);
      this.skipping = length;
    }
    this.pending = Buffer.from(rest);
  }
}
