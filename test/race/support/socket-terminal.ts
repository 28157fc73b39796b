import { type Frame } from '../../../src/protocol/frames.js';
import { type ClientMessage, type HelloMessage, type ServerMessage } from '../../../src/protocol/messages.js';
import { type TerminalSize } from '../../../src/core/terminal-size.js';
import { FRAMES_PROTOCOL, JSON_PROTOCOL, type Protocol } from '../../../src/terminal/subprotocol.js';
import { type Received, TestClient } from '../../support/test-client.js';
import { type Heard, Hearing } from './hearing.js';
import { NO_CHANNEL, REQUEST } from './server.js';
import { type Terminal } from './system.js';

const NORMAL_CLOSURE = 1000;

/** One connection over a real socket; nothing is sent before it is open. */
export class SocketTerminal implements Terminal {
  /** Resolves when it may send. */
  readonly opened: Promise<void>;
  /** Another has taken its place, and the server is to end it. */
  isTakenOver = false;
  /** Nothing counts any more that it is sent. */
  private isGone = false;
  private readonly hearing: Hearing;
  private acknowledges: boolean;
  private connection?: TestClient;
  private seen = 0;

  /** `heard` is called whenever anything has come. */
  constructor(
    port: number,
    private readonly protocol: Protocol,
    greeting: Omit<HelloMessage, 'type'>,
    private readonly heard: () => void,
  ) {
    this.hearing = new Hearing(greeting.resumeToken);
    this.acknowledges = protocol === FRAMES_PROTOCOL;
    this.opened = this.open(port, greeting);
  }

  get resumeToken(): string {
    return this.hearing.resumeToken;
  }

  /** What has come and is compared with nothing yet. */
  get news(): readonly Heard[] {
    return this.hearing.untaken;
  }

  positionIn(sessionId: string): number | undefined {
    return this.hearing.positionIn(sessionId);
  }

  send(message: ClientMessage): void {
    this.client.send(wire(message));
  }

  create(size?: TerminalSize, persistent = false): void {
    this.send({ type: 'create', requestId: REQUEST, size, persistent });
  }

  type(sessionId: string, offset: number, bytes: Uint8Array): void {
    this.client.type(this.hearing.channelOf(sessionId) ?? NO_CHANNEL, offset, Buffer.from(bytes).toString());
  }

  acknowledge(sessionId: string, offset: number): void {
    this.acknowledges = true;
    this.send({ type: 'acknowledge', sessions: [{ sessionId, offset }] });
    this.acknowledgeNews();
  }

  stopAcknowledging(): void {
    this.acknowledges = false;
  }

  stopReading(): void {
    throw new Error('what the system takes for a client that does not read is not known');
  }

  startReading(): void {
    // It has never stopped.
  }

  leave(): void {
    this.isGone = true;
    this.client.socket.close(NORMAL_CLOSURE);
  }

  drop(): void {
    this.isGone = true;
    this.client.socket.terminate();
  }

  takenOver(): void {
    this.isTakenOver = true;
  }

  forgetNews(): void {
    this.hearing.take();
  }

  /** Everything that it has sent so far has been handled, and it has the answers. */
  async sync(): Promise<void> {
    if (!this.isGone && !this.isTakenOver) await this.client.sync();
  }

  /** With which code it was closed, once it is. */
  async closed(): Promise<number> {
    return (await this.client.closed()).code;
  }

  /** No matter how it has gone before. */
  async end(): Promise<void> {
    await this.opened;
    if (!this.isGone && !this.client.closing) this.leave();
    await this.closed();
  }

  private get client(): TestClient {
    if (!this.connection) throw new Error('it is not open yet');
    return this.connection;
  }

  private async open(port: number, greeting: Omit<HelloMessage, 'type'>): Promise<void> {
    const protocols = this.protocol === JSON_PROTOCOL ? [] : [this.protocol];
    this.connection = await TestClient.connect({ port }, { protocols });
    this.connection.socket.on('message', () => this.hear());
    if (this.protocol === FRAMES_PROTOCOL) this.send({ type: 'hello', ...greeting });
  }

  private hear(): void {
    const { inOrder } = this.client;
    for (const news of inOrder.slice(this.seen))
      if (!this.isGone && !isAside(news)) this.hearing.hear(checked(news));
    this.seen = inOrder.length;
    if (!this.isGone && this.acknowledges) this.acknowledgeNews();
    this.heard();
  }

  private acknowledgeNews(): void {
    const sessions = this.hearing.toAcknowledge();
    if (sessions.length > 0 && !this.client.closing) this.send({ type: 'acknowledge', sessions });
  }
}

/** Where shells are is asked at times of its own; and a marker's answer is a marker. */
function isAside(news: Received | Frame): boolean {
  return !('kind' in news) && (news.type === 'cwd_update' || news.requestId?.startsWith('sync-') === true);
}

/** What the server says is what the protocol says it does: tests of their own see to that. */
function checked(news: Received | Frame): ServerMessage | Frame {
  return 'kind' in news ? news : (news as unknown as ServerMessage);
}

function wire(message: ClientMessage): object {
  if ('size' in message) {
    const { size, ...rest } = message;
    return { ...rest, cols: size?.columns, rows: size?.rows };
  }
  if (message.type !== 'input') return message;
  const { bytes, ...rest } = message;
  return { ...rest, data: Buffer.from(bytes).toString() };
}
