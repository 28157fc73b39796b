import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type ClientOptions, WebSocket } from 'ws';
import { decodeFrame, encodeFrame, type Frame } from '../../src/protocol/frames.js';
import { FRAMES_PROTOCOL } from '../../src/terminal/subprotocol.js';
import { Claims } from './claims.js';
import { type TestServer } from './test-server.js';
import { PATIENCE_MS } from './until.js';

/** A message of the server's, as loosely as a client may read it. */
export interface Received {
  readonly type: string;
  readonly sessionId?: string;
  readonly requestId?: string;
  readonly shellType?: string;
  readonly data?: string;
  readonly cwd?: string;
  readonly offset?: number;
  readonly end?: number;
  readonly code?: number;
  readonly signal?: string;
  readonly cause?: string;
  readonly reason?: string;
  readonly error?: string;
  readonly channel?: number;
  readonly inputOffset?: number;
  readonly inControl?: boolean;
  readonly cols?: number;
  readonly rows?: number;
  readonly sizes?: readonly { readonly offset: number; readonly cols: number; readonly rows: number }[];
  readonly gap?: { readonly offset: number; readonly end: number };
  readonly modes?: string;
  readonly epoch?: string;
  readonly resumeToken?: string;
  readonly sessions?: readonly Omit<Received, 'type'>[];
  readonly limits?: Readonly<Record<string, number>>;
}

/** Fields a message must have, or a claim about it. */
export type Match = Partial<Received> | ((message: Received) => boolean);

/** A real WebSocket client that remembers what it was sent. */
export class TestClient {
  /** Every message, in order. */
  readonly messages: Received[] = [];
  /** Every binary frame, in order, of a client of `trex.v2`. */
  readonly frames: Frame[] = [];
  /** Both, in the order they came. */
  readonly inOrder: (Received | Frame)[] = [];
  /** How the connection was closed, once it is. */
  closing?: { readonly code: number; readonly reason: string };

  private reading = true;
  private readonly unread: Received[] = [];
  private readonly claims = new Claims();
  private lastSync = 0;

  private constructor(
    readonly socket: WebSocket,
    private readonly tcp: () => Socket,
  ) {
    // The close that follows tells the same.
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer, isBinary) => {
      // What had arrived before, a WebSocket hands over when it is closed.
      if (!this.reading) return;
      if (isBinary) {
        if (socket.protocol !== FRAMES_PROTOCOL) throw new Error('the JSON protocol has no binary frames');
        const frame = decodeFrame(data);
        this.frames.push(frame);
        this.inOrder.push(frame);
        this.claims.look();
        return;
      }
      const message = JSON.parse(data.toString()) as Received;
      this.messages.push(message);
      this.inOrder.push(message);
      this.unread.push(message);
      this.claims.look();
    });
    socket.on('close', (code, reason) => {
      this.closing = { code, reason: reason.toString() };
      this.claims.look();
    });
  }

  static async connect(
    server: TestServer | { readonly port: number },
    { protocols = [], ...options }: ClientOptions & { protocols?: string[] } = {},
  ): Promise<TestClient> {
    let tcp: Socket | undefined;
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/ws`, protocols, {
      createConnection: () => (tcp = connect(server.port, '127.0.0.1')),
      ...options,
    });
    const client = new TestClient(socket, () => tcp!);
    await once(socket, 'open');
    return client;
  }

  /** A client of `trex.v2` that has been welcomed. */
  static async greeted(
    server: TestServer | { readonly port: number },
    hello: object = {},
  ): Promise<TestClient> {
    const client = await TestClient.connect(server, { protocols: [FRAMES_PROTOCOL] });
    client.send({ type: 'hello', ...hello });
    await client.next({ type: 'welcome' });
    return client;
  }

  /** How a client of `trex.v2` was welcomed. */
  get welcome(): Received {
    return this.messages.find(({ type }) => type === 'welcome')!;
  }

  /** Sends messages, one frame each. */
  send(...messages: readonly object[]): void {
    for (const message of messages) this.socket.send(JSON.stringify(message));
  }

  /** Sends frames as they are: text as text frames, bytes as binary ones. */
  sendRaw(...frames: readonly (string | Buffer)[]): void {
    for (const frame of frames) this.socket.send(frame, { binary: typeof frame !== 'string' });
  }

  /** Sends messages so that they reach the server in one read. */
  sendAtOnce(...messages: readonly object[]): void {
    const tcp = this.tcp();
    tcp.cork();
    this.send(...messages);
    tcp.uncork();
  }

  /** The next message not taken yet that matches; takes it. */
  async next(match: Match, deadlineMs = PATIENCE_MS): Promise<Received> {
    const matches = typeof match === 'function' ? match : (message: Received) => hasFields(message, match);
    let found = -1;
    await this.when(
      () => (found = this.unread.findIndex(matches)) >= 0,
      () => `a message with ${typeof match === 'function' ? match.toString() : JSON.stringify(match)}`,
      deadlineMs,
    );
    return this.unread.splice(found, 1)[0]!;
  }

  /** Asks for a session with a size, so that its process starts at once. @returns its id. */
  async create(fields: object = {}): Promise<string> {
    this.send({ type: 'create', cols: 80, rows: 24, ...fields });
    const { sessionId } = await this.next({ type: 'session_created' });
    return sessionId!;
  }

  /** Resolves when everything sent so far has been handled, and its answers are here. */
  async sync(): Promise<void> {
    const requestId = `sync-${++this.lastSync}`;
    this.send({ type: 'list_tmux_sessions', requestId });
    await this.next({ requestId });
  }

  /** As {@link sync}, or until the connection is closed, which it may be. */
  async syncUnlessClosed(): Promise<void> {
    const requestId = `sync-${++this.lastSync}`;
    this.send({ type: 'list_tmux_sessions', requestId });
    const isOver = (): boolean =>
      this.closing !== undefined || this.messages.some((message) => message.requestId === requestId);
    await this.when(isOver, () => 'an answer, or the end', PATIENCE_MS);
  }

  /** Types into a session of `trex.v2`; `offset` is where that belongs in all that is typed there. */
  type(channel: number, offset: number, input: string): void {
    this.sendRaw(Buffer.from(encodeFrame({ kind: 'input', channel, offset, bytes: Buffer.from(input) })));
  }

  /** All output that came on a channel so far. */
  bytesOn(channel: number): Buffer {
    return Buffer.concat(this.frames.filter((frame) => frame.channel === channel).map(({ bytes }) => bytes));
  }

  /** Resolves once so much output has come on a channel. */
  untilBytes(channel: number, count: number, deadlineMs = PATIENCE_MS): Promise<void> {
    return this.when(
      () => this.bytesOn(channel).length >= count,
      () => `${count} bytes on channel ${channel}; there are ${this.bytesOn(channel).length}`,
      deadlineMs,
    );
  }

  /** All output of a session so far. */
  output(sessionId: string): string {
    return this.of(sessionId, 'output')
      .map(({ data }) => data)
      .join('');
  }

  /** All messages about a session so far, of one type if asked. */
  of(sessionId: string, type?: string): Received[] {
    return this.messages.filter(
      (message) => message.sessionId === sessionId && (type === undefined || message.type === type),
    );
  }

  /** Takes nothing more from its socket, and answers nothing: to the server it looks as if it were there. */
  stopReading(): void {
    this.reading = false;
    this.socket.pause();
  }

  /** Resolves once a session's output holds `text`. */
  async untilOutput(sessionId: string, text: string | RegExp, deadlineMs = PATIENCE_MS): Promise<void> {
    await this.when(
      () => {
        const output = this.output(sessionId);
        return typeof text === 'string' ? output.includes(text) : text.test(output);
      },
      () =>
        `output of ${sessionId} with ${String(text)}; it is ${JSON.stringify(this.output(sessionId).slice(-300))}`,
      deadlineMs,
    );
  }

  /** How the connection was closed, as soon as it is. */
  async closed(deadlineMs = PATIENCE_MS): Promise<{ readonly code: number; readonly reason: string }> {
    await this.when(
      () => this.closing !== undefined,
      () => 'the connection closes',
      deadlineMs,
    );
    return this.closing!;
  }

  /** Closes as a client does that has finished. */
  async close(): Promise<void> {
    this.socket.close(1000);
    await this.closed();
  }

  /** Vanishes. */
  async terminate(): Promise<void> {
    this.socket.terminate();
    await this.closed();
  }

  private when(claim: () => boolean, what: () => string, deadlineMs: number): Promise<void> {
    return this.claims.until(claim, () => `${what()}\n${this.story()}`, deadlineMs);
  }

  private story(): string {
    const last = this.messages.slice(-10).map((message) => JSON.stringify(message).slice(0, 300));
    const end = this.closing ? `, then ${JSON.stringify(this.closing)}` : '';
    return `received ${this.messages.length} messages${end}; the last of them:\n${last.join('\n')}`;
  }
}

function hasFields(message: Received, fields: Partial<Received>): boolean {
  return Object.entries(fields).every(([name, value]) => Reflect.get(message, name) === value);
}
