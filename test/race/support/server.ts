import assert from 'node:assert/strict';
import { type AppConfig } from '../../../src/config/app-config.js';
import { SessionError } from '../../../src/core/session-error.js';
import { SessionEvents, type SessionEventType } from '../../../src/core/session-events.js';
import { type ClientMessage, type ServerMessage } from '../../../src/protocol/messages.js';
import { SessionCloser } from '../../../src/sessions/session-closer.js';
import { SessionOpener } from '../../../src/sessions/session-opener.js';
import { SessionRegistry } from '../../../src/sessions/session-registry.js';
import { Connection } from '../../../src/terminal/connection.js';
import { errorMessage } from '../../../src/terminal/terminal-error.filter.js';
import { TerminalGateway } from '../../../src/terminal/terminal.gateway.js';
import { FakeClock } from '../../fakes/fake-clock.js';
import { FakeSocket } from '../../fakes/fake-socket.js';
import { type Later, ScheduledPtyFactory } from '../../fakes/scheduled-pty.js';
import { testConfig } from '../../support/test-sessions.js';

/** How a REST caller who closed a session was answered; nothing while it waits. */
export interface CloseAnswer {
  readonly sessionId: string;
  answer?: 'closed' | SessionError['code'];
}

/** All of a server between its sockets and its processes, without Nest. */
export class Server {
  readonly clock = new FakeClock();
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

  constructor(later: Later, config: Partial<AppConfig>) {
    const whole = testConfig(config);
    const events = new SessionEvents();
    this.ptys = new ScheduledPtyFactory(later);
    this.registry = new SessionRegistry(whole);
    const opener = new SessionOpener(whole, this.registry, this.ptys, this.clock, events);
    this.closer = new SessionCloser(whole, this.registry, this.clock, events);
    this.gateway = new TerminalGateway(this.registry, opener, this.closer, events);
    // After the closer, as the log and the metrics of a server are.
    events.subscribe(({ type, session }) => {
      this.heard.set(session.id, [...(this.heard.get(session.id) ?? []), type]);
      const running = this.registry.list().filter(({ hasEnded }) => !hasEnded).length;
      this.mostRunning = Math.max(this.mostRunning, running);
    });
  }

  connect(): Client {
    const client = new Client(this.gateway);
    this.clients.push(client);
    return client;
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

/** One WebSocket of the server, from the client's end; it takes what it is sent. */
export class Client {
  readonly socket = new FakeSocket();
  private readonly connection = new Connection(this.socket, new FakeClock());
  private reported = 0;

  constructor(private readonly gateway: TerminalGateway) {}

  get isOpen(): boolean {
    return !this.connection.isClosed;
  }

  /** What it was sent since it was asked last. */
  news(): ServerMessage[] {
    const news = this.socket.sent.slice(this.reported);
    this.reported = this.socket.sent.length;
    return news;
  }

  /** As the adapter delivers a frame: to the gateway, and an error back. */
  send(message: ClientMessage): void {
    if (!this.isOpen) return;
    try {
      this.deliver(message);
    } catch (error) {
      this.connection.send(errorMessage(error));
    }
  }

  /** Its connection is lost. Repeats change nothing, as `close` comes once. */
  leave(): void {
    if (!this.isOpen) return;
    this.socket.close();
    this.gateway.handleDisconnect(this.connection);
  }

  private deliver(message: ClientMessage): void {
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
      case 'tmux_config':
        this.gateway.tmuxConfig();
        break;
      case 'list_tmux_sessions':
        this.gateway.listTmuxSessions(this.connection, message);
        break;
    }
  }
}
