import assert from 'node:assert/strict';
import { type AppConfig } from '../../../src/config/app-config.js';
import { SessionError } from '../../../src/core/session-error.js';
import { type TerminalSize } from '../../../src/core/terminal-size.js';
import { SessionEvents, type SessionEventType } from '../../../src/core/session-events.js';
import { type Timer } from '../../../src/core/clock.js';
import { type ClientMessage, type HelloMessage } from '../../../src/protocol/messages.js';
import { SessionCloser } from '../../../src/sessions/session-closer.js';
import { SessionDirectories } from '../../../src/sessions/session-directories.js';
import { SessionOpener } from '../../../src/sessions/session-opener.js';
import { SessionRegistry } from '../../../src/sessions/session-registry.js';
import { Connection, OUTPUT_HIGH_WATER_BYTES } from '../../../src/terminal/connection.js';
import { FRAMES_PROTOCOL, JSON_PROTOCOL, type Protocol } from '../../../src/terminal/subprotocol.js';
import { errorMessage } from '../../../src/terminal/error-message.js';
import { Clients } from '../../../src/terminal/clients.js';
import { SessionList } from '../../../src/terminal/session-list.js';
import { TerminalGateway } from '../../../src/terminal/terminal.gateway.js';
import { FakeClock } from '../../fakes/fake-clock.js';
import { FakeSocket } from '../../fakes/fake-socket.js';
import { type Later, ScheduledPtyFactory } from '../../fakes/scheduled-pty.js';
import { testConfig } from '../../support/test-sessions.js';
import { type Heard, Hearing } from './hearing.js';
import { type Terminal } from './system.js';

/** A channel that no client is told of in a life as short as these. */
export const NO_CHANNEL = 1000;

/** With what a client asks for a session. */
export const REQUEST = 'its own';

/** Longer than anything waits that a connection gathers: output, and what it says of input. */
const GATHERED_MS = 10;

const OPEN = 1;

/** Of a connection that is lost without a word. */
const ABNORMAL_CLOSURE = 1006;
const NORMAL_CLOSURE = 1000;
const TAKEN_OVER = 4001;

/** How a REST caller who closed a session was answered; nothing while it waits. */
export interface CloseAnswer {
  readonly sessionId: string;
  answer?: 'closed' | SessionError['code'];
}

/** Time in which something is done after everything that falls due. */
class FollowedClock extends FakeClock {
  constructor(private readonly follow: () => void) {
    super();
  }

  override after(ms: number, task: () => void): Timer {
    return super.after(ms, () => {
      task();
      this.follow();
    });
  }
}

/** All of a server between its sockets and its processes, without Nest. */
export class Server {
  readonly clock = new FollowedClock(() => {
    if (this.isKeptUpWith) this.catchUp();
  });
  readonly ptys: ScheduledPtyFactory;
  readonly registry: SessionRegistry;
  readonly closer: SessionCloser;
  readonly gateway: TerminalGateway;
  readonly clients: Client[] = [];
  readonly closeAnswers: CloseAnswer[] = [];
  /** What listeners were told of each session, in the order they were told. */
  readonly heard = new Map<string, SessionEventType[]>();
  /** Most sessions that ran at once. */
  mostRunning = 0;
  private readonly owners: Clients;
  private isKeptUpWith = false;

  constructor(
    later: Later,
    config: Partial<AppConfig>,
    private readonly takenLater?: () => Promise<void>,
  ) {
    const whole = testConfig(config);
    const events = new SessionEvents();
    this.ptys = new ScheduledPtyFactory(later);
    this.registry = new SessionRegistry(whole);
    const opener = new SessionOpener(whole, this.registry, this.ptys, this.clock, events);
    this.closer = new SessionCloser(whole, this.registry, this.clock, events);
    this.owners = new Clients(whole, this.clock, this.closer, events);
    // Where shells are is asked on a clock of its own.
    const list = new SessionList(this.registry, new SessionDirectories(new FakeClock(), events), events);
    this.gateway = new TerminalGateway(
      this.registry,
      opener,
      this.closer,
      this.owners,
      list,
      whole,
      this.clock,
    );
    // After the closer, as the log and the metrics of a server are.
    events.subscribe(({ type, session }) => {
      this.heard.set(session.id, [...(this.heard.get(session.id) ?? []), type]);
      const running = this.registry.list().filter(({ hasEnded }) => !hasEnded).length;
      this.mostRunning = Math.max(this.mostRunning, running);
    });
  }

  /** `hello`: with what a client of `trex.v2` comes. */
  connect(protocol?: Protocol, hello?: Omit<HelloMessage, 'type'>): Client {
    const client = new Client(this.gateway, protocol, hello, this.takenLater);
    this.clients.push(client);
    return client;
  }

  /** Time passes, and clients acknowledge at once what they get: no viewer that reads is taken for one that does not. */
  pass(ms: number): void {
    this.isKeptUpWith = true;
    this.clock.advance(ms);
    this.isKeptUpWith = false;
  }

  /** As Nest stops it, once its sockets are closed. */
  async shutDown(): Promise<void> {
    this.owners.onApplicationShutdown();
    await this.closer.onApplicationShutdown();
  }

  /** Clients that read acknowledge what they have, until nothing more comes. */
  catchUp(): void {
    while (this.clients.filter((client) => client.acknowledgeNews()).length > 0);
  }

  /** `DELETE /api/sessions/:id` */
  closeOverRest(sessionId: string): void {
    const caller: CloseAnswer = { sessionId };
    this.closeAnswers.push(caller);
    this.closer.closeAndWait(sessionId).then(
      () => (caller.answer = 'closed'),
      (error: unknown) => {
        if (!(error instanceof SessionError)) throw error;
        caller.answer = error.code;
      },
    );
  }
}

/** The order of a session's life, as listeners are told it; each at most once. */
const LIFE: readonly SessionEventType[] = ['created', 'started', 'closing', 'ended', 'removed'];

/** Every listener was told of each session's life in its order, nothing twice. */
export function assertToldInOrder(server: Server): void {
  for (const [id, told] of server.heard) {
    const life = told.filter((type) => LIFE.includes(type));
    const expected = LIFE.filter((type) => life.includes(type));
    assert.deepEqual(life, expected, `the life of ${id}`);
    assert.equal(told[0], 'created');
  }
}

/** Full as long as it does not take; or has not, where somebody decides when it has. */
class FullSocket extends FakeSocket {
  private isFull = false;
  private untaken = 0;

  constructor(private readonly takenLater?: () => Promise<void>) {
    super();
  }

  override get bufferedAmount(): number {
    return super.bufferedAmount + (this.isFull || this.untaken > 0 ? OUTPUT_HIGH_WATER_BYTES : 0);
  }

  override send(data: string | Uint8Array, taken: (error?: Error | null) => void): void {
    const { takenLater } = this;
    if (!takenLater) {
      super.send(data, taken);
      return;
    }
    this.untaken += 1;
    super.send(data, (error) => {
      void takenLater().then(() => {
        this.untaken -= 1;
        taken(error);
      });
    });
  }

  override stopTaking(): void {
    this.isFull = true;
    super.stopTaking();
  }

  override startTaking(): void {
    this.isFull = false;
    super.startTaking();
  }
}

/** One WebSocket of the server, from the client's end; it takes what it is sent, and acknowledges where it should. */
export class Client implements Terminal {
  readonly socket: FullSocket;
  /** Of its own: what is being gathered for it is waited for whenever it is asked what it heard. */
  private readonly clock = new FakeClock();
  private readonly connection: Connection;
  private readonly hearing: Hearing;
  private taken = 0;
  private isReading = true;
  private acknowledges: boolean;

  constructor(
    private readonly gateway: TerminalGateway,
    readonly protocol: Protocol = JSON_PROTOCOL,
    greeting: Omit<HelloMessage, 'type'> = {},
    takenLater?: () => Promise<void>,
  ) {
    this.socket = new FullSocket(takenLater);
    this.hearing = new Hearing(greeting.resumeToken);
    this.connection = new Connection(this.socket, this.clock, protocol);
    this.acknowledges = protocol === FRAMES_PROTOCOL;
    gateway.handleConnection(this.connection);
    if (this.acknowledges) this.send({ type: 'hello', ...greeting });
  }

  get isOpen(): boolean {
    return !this.connection.isClosed;
  }

  /** With what it may come back. */
  get resumeToken(): string {
    this.hear();
    return this.hearing.resumeToken;
  }

  /** Ids of the sessions that the server remembers as its own. */
  get owned(): string[] {
    return this.connection.client?.owned.map(({ id }) => id) ?? [];
  }

  /** What it was sent since it was asked last. */
  news(): Heard[] {
    this.hear();
    return this.hearing.take();
  }

  forgetNews(): void {
    this.news();
  }

  /** Everything it was sent of `sessionId` and has not been asked for yet; `undefined` before there was any. */
  positionIn(sessionId: string): number | undefined {
    this.hear();
    return this.hearing.positionIn(sessionId);
  }

  create(size?: TerminalSize, persistent = false): void {
    this.send({ type: 'create', requestId: REQUEST, size, persistent });
  }

  /** From now on it takes nothing, and something waits in the socket already. */
  stopReading(): void {
    if (!this.isReading) return;
    this.isReading = false;
    this.socket.stopTaking();
    this.send({ type: 'list_tmux_sessions' });
  }

  stopAcknowledging(): void {
    this.acknowledges = false;
  }

  startReading(): void {
    this.isReading = true;
    this.socket.startTaking();
  }

  /** As `trex.v2` types: on the channel that it was told last, if any. */
  type(sessionId: string, offset: number, bytes: Uint8Array): void {
    const channel = this.hearing.channelOf(sessionId) ?? NO_CHANNEL;
    this.deliver(() => {
      const named = this.connection.sessionOn(channel);
      this.gateway.input(this.connection, { type: 'input', sessionId: named, offset, bytes });
    });
  }

  acknowledge(sessionId: string, offset: number): void {
    this.acknowledges = true;
    this.send({ type: 'acknowledge', sessions: [{ sessionId, offset }] });
  }

  /** @returns whether there was anything to acknowledge. */
  acknowledgeNews(): boolean {
    this.hear();
    if (!this.isOpen || !this.isReading || !this.acknowledges) return false;
    const sessions = this.hearing.toAcknowledge();
    if (sessions.length === 0) return false;
    this.send({ type: 'acknowledge', sessions });
    return true;
  }

  /** As the adapter delivers a frame: to the gateway, and an error back. */
  send(message: ClientMessage): void {
    this.deliver(() => this.handle(message));
  }

  /** It goes, and says so. Repeats change nothing, as `close` comes once. */
  leave(): void {
    this.disconnect(NORMAL_CLOSURE);
  }

  /** Its connection is lost. */
  drop(): void {
    this.disconnect(ABNORMAL_CLOSURE);
  }

  /** Whether the server has ended it. */
  get isEnded(): boolean {
    return !this.isOpen && this.socket.readyState !== OPEN;
  }

  takenOver(isKnown: boolean): void {
    assert(this.isEnded);
    if (isKnown) this.endSuperseded();
  }

  /** The server learns that a connection is no more that another has taken the place of. */
  endSuperseded(): void {
    assert(this.isEnded);
    this.connection.closeCode = TAKEN_OVER;
    this.gateway.handleDisconnect(this.connection);
  }

  private disconnect(code: number): void {
    if (!this.isOpen) return;
    this.socket.close();
    this.connection.closeCode = code;
    this.gateway.handleDisconnect(this.connection);
  }

  private deliver(handle: () => void): void {
    if (!this.isOpen) return;
    try {
      handle();
    } catch (error) {
      this.connection.send(errorMessage(error));
    }
  }

  private hear(): void {
    this.clock.advance(GATHERED_MS);
    for (const news of this.socket.inOrder.slice(this.taken)) this.hearing.hear(news);
    this.taken = this.socket.inOrder.length;
  }

  private handle(message: ClientMessage): void {
    switch (message.type) {
      case 'hello':
        this.gateway.hello(this.connection, message);
        break;
      case 'attach':
        this.gateway.attach(this.connection, message);
        break;
      case 'acknowledge':
        this.gateway.acknowledge(this.connection, message);
        break;
      case 'create':
        this.gateway.create(this.connection, message);
        break;
      case 'input':
        this.gateway.input(this.connection, message);
        break;
      case 'resize':
        this.gateway.resize(this.connection, message);
        break;
      case 'close':
        this.gateway.close(this.connection, message);
        break;
      case 'detach':
        this.gateway.detach(this.connection, message);
        break;
      case 'watch':
        this.gateway.watch(this.connection, message);
        break;
      case 'tmux_config':
        this.gateway.tmuxConfig();
        break;
      case 'list_tmux_sessions':
        this.gateway.listTmuxSessions(this.connection, message);
        break;
    }
  }
}
