import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { once } from 'node:events';
import { type IncomingMessage } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import { aheadBytes, DEFAULT_FLOW_LIMITS } from '../../../src/core/flow-control.js';
import { type HelloMessage, type SessionInfo } from '../../../src/protocol/messages.js';
import { FRAMES_PROTOCOL, type Protocol } from '../../../src/terminal/subprotocol.js';
import { Claims } from '../../support/claims.js';
import { lives } from '../../support/leaks.js';
import { TestClient } from '../../support/test-client.js';
import { PATIENCE_MS, until } from '../../support/until.js';
import { type CloseAnswer } from './server.js';
import { LOG_BYTES, type Model, type ModelExit, type ModelSession } from './model.js';
import { greetingOf, pidOf, type ToldProcess, type ToldProcesses } from './processes.js';
import { SocketTerminal } from './socket-terminal.js';
import { type System } from './system.js';
import { seenAs, told } from './told.js';

/** Half of what a session without a size waits before it starts by itself: nothing is done to it that late. */
const STARTS_SOON_MS = 250;

/** Typed when everything has been. */
const LAST = '.';

/** How REST says that a session is closed, or why not. */
const ANSWERS: Record<number, NonNullable<CloseAnswer['answer']>> = {
  204: 'closed',
  404: 'SESSION_NOT_FOUND',
  503: 'CLOSE_TIMEOUT',
};

/**
 * A server that was built and started as usual, over its sockets, with processes of the system's. What follows from a
 * command is awaited, and then everything that was sent before a marker: nobody needs to guess how long that takes.
 */
export class SocketSystem implements System {
  readonly echoesEarlyInput = true;
  readonly terminals: SocketTerminal[] = [];
  private readonly observer: SocketTerminal;
  private readonly observed = new Set<string>();
  private readonly processes = new Map<ModelSession, ToldProcess>();
  private readonly announcedAt = new Map<ModelSession, number>();
  private readonly closeAnswers: CloseAnswer[] = [];
  private readonly claims = new Claims();
  private readonly agent = new Agent({ keepAlive: true });
  private hasShell = true;
  private turnBeganAt = 0;
  private connectionsSeen = 0;

  constructor(
    private readonly port: number,
    private readonly shell: ToldProcesses,
  ) {
    this.observer = this.open(FRAMES_PROTOCOL);
  }

  /** How many sessions the server has had: the newest is gone again. */
  async created(): Promise<number> {
    await this.observer.opened;
    this.observer.create();
    await this.observer.sync();
    const sessionId = this.observer.news.find(({ about }) => about !== '')!.about;
    this.observer.send({ type: 'close', sessionId });
    await this.observer.sync();
    return Number(sessionId.slice(1));
  }

  connect(protocol: Protocol, hello: Omit<HelloMessage, 'type'> = {}): void {
    this.connectionsSeen = -1;
    this.terminals.push(this.open(protocol, hello));
  }

  /** Sessions start by themselves when nobody starts them: that is waited for before it might come in between. */
  async awaitTurn(model: Model): Promise<void> {
    const now = performance.now();
    const announced = model.inPhase('announced');
    if (announced.some((session) => now - this.announcedAt.get(session)! > STARTS_SOON_MS)) {
      for (const session of announced) model.startByItself(session);
      await this.agreeWith(model);
    }
    this.turnBeganAt = performance.now();
  }

  async agreeWith(model: Model): Promise<void> {
    await Promise.all(this.terminals.map(({ opened }) => opened));
    for (const session of model.inPhase('announced')) {
      if (!this.announcedAt.has(session)) this.announcedAt.set(session, this.turnBeganAt);
    }
    // On a busy machine a command may take so long that a session starts by itself before all have heard of it.
    do {
      for (const session of this.begunByItself(model)) model.startByItself(session);
      await this.follow(model);
      // Why not, the comparison says.
      await this.claims
        .until(
          () => this.isAllTold(model) || this.begunByItself(model).length > 0,
          () => '',
          PATIENCE_MS,
        )
        .catch(() => undefined);
      await this.assertEnded(model);
      await this.assertSeen(model);
    } while (this.begunByItself(model).length > 0);
    this.assertTold(model);
  }

  catchUp(): void {
    // Over sockets they do so by themselves.
  }

  happen(): void {
    throw new Error('processes of the system start and die when they do');
  }

  /**
   * Nothing that pauses it: how much it has got rid of by then depends on how it is read. And nothing to one who is about
   * to be lost, because which of the two the server notices first is not known.
   */
  mayPrint({ viewers, printed }: ModelSession, bytes: Buffer): boolean {
    const end = printed.length + bytes.length;
    const isHeard = viewers.every(
      ({ connection, isHeld }) =>
        isHeld || connection.protocol !== FRAMES_PROTOCOL || connection.acknowledges,
    );
    return (
      isHeard &&
      viewers
        .filter(({ isHeld }) => isHeld)
        .map(({ consumed, begins }) => end - Math.max(consumed, begins, end - LOG_BYTES))
        .every((unconsumed) => aheadBytes(0, unconsumed, LOG_BYTES) <= DEFAULT_FLOW_LIMITS.pauseAboveBytes)
    );
  }

  print(session: ModelSession, bytes: Buffer): void {
    this.processes.get(session)!.print(bytes);
  }

  end(session: ModelSession, { code, signal }: Omit<ModelExit, 'cause'>): void {
    const process = this.processes.get(session)!;
    if (signal === undefined) process.exit(code);
    else process.kill();
  }

  stick(): void {
    throw new Error('the system takes what is typed, whether it is read or not');
  }

  unstick(): void {
    // It never sticks.
  }

  closeOverRest(sessionId: string): void {
    const caller: CloseAnswer = { sessionId };
    this.closeAnswers.push(caller);
    void this.request('DELETE', `/api/sessions/${sessionId}`).then(({ status }) => {
      caller.answer = ANSWERS[status];
      this.claims.look();
    });
  }

  pass(): void {
    throw new Error('the time of the system passes by itself');
  }

  /** From now on nothing can be started, or everything can again. */
  toggleShell(): void {
    if (this.hasShell) this.shell.hideShell();
    else this.shell.showShell();
    this.hasShell = !this.hasShell;
  }

  /** What runs has been typed what it was to be, and once: the next it is typed comes right behind. Its size is right. */
  async assertTyped(model: Model): Promise<void> {
    const typist = await TestClient.connect({ port: this.port });
    try {
      await this.typeLast(model, typist);
    } finally {
      await typist.close();
    }
  }

  /** Everybody goes, and every session. */
  async leave(): Promise<void> {
    if (!this.hasShell) this.toggleShell();
    await Promise.all(this.terminals.map((terminal) => terminal.end()));
    for (const { id } of await this.listed()) await this.request('DELETE', `/api/sessions/${id}`);
    await this.observer.end();
    for (const process of this.processes.values()) process.leave();
  }

  /** Nothing is, of all that was started. */
  async assertNothingLeft(): Promise<void> {
    await until(async () => (await this.connections()) === 0, 'no connection is left');
    assert.deepEqual(await this.listed(), []);
    for (const { pid } of this.processes.values()) assert(!lives(pid), `process ${pid} is left`);
    this.agent.destroy();
  }

  private open(protocol: Protocol, hello: Omit<HelloMessage, 'type'> = {}): SocketTerminal {
    return new SocketTerminal(this.port, protocol, hello, () => this.claims.look());
  }

  /** What processes do by themselves, now that something was done: they come, or go because they are told to. */
  private async follow(model: Model): Promise<void> {
    for (const { id } of model.sessions) await this.observe(id);
    for (const session of model.inPhase('spawning', 'closingUnspawned')) {
      if (!this.hasShell) model.spawnFailed(session, 'INVALID_SHELL');
      else if (session.phase === 'closingUnspawned') model.spawned(session);
      else await this.greet(session, model);
    }
    for (const session of model.inPhase('closing')) {
      await this.claims.until(
        () => this.hasEnded(session),
        () => `${session.id} ends`,
        PATIENCE_MS,
      );
      model.processEnds(session, { code: 129, signal: 'SIGHUP' });
    }
  }

  private async observe(id: string): Promise<void> {
    if (this.observed.has(id)) return;
    this.observed.add(id);
    await this.claims.until(
      () => this.terminals.some((terminal) => terminal.positionIn(id) !== undefined),
      () => `${id} is created`,
      PATIENCE_MS,
    );
    this.observer.send({ type: 'attach', sessionId: id, from: 0, readOnly: true });
  }

  /** Its process is there, and has said which it is. */
  private async greet(session: ModelSession, model: Model): Promise<void> {
    let pid: number | undefined;
    await this.claims.until(
      () => (pid = pidOf(this.printedBy(session))) !== undefined,
      () => `the process of ${session.id} says which it is`,
      PATIENCE_MS,
    );
    this.processes.set(session, this.shell.process(pid!));
    model.spawned(session);
    model.print(session, Buffer.from(greetingOf(pid!)));
  }

  private printedBy({ id }: ModelSession): string {
    return this.observer.news
      .filter((one) => one.about === id)
      .map((one) => ('bytes' in one ? one.bytes : ''))
      .join('');
  }

  /** Sessions that nobody has started, and that print. */
  private begunByItself(model: Model): ModelSession[] {
    return model.inPhase('announced').filter(({ id }) => (this.observer.positionIn(id) ?? 0) > 0);
  }

  /** Whose place another has taken. */
  private async assertEnded(model: Model): Promise<void> {
    for (const [number, terminal] of this.terminals.entries())
      if (terminal.isTakenOver && model.connections[number]) assert.equal(await terminal.closed(), 4001);
  }

  private async typeLast(model: Model, typist: TestClient): Promise<void> {
    for (const session of model.inPhase('running')) {
      typist.send({ type: 'input', sessionId: session.id, data: LAST });
      const expected = session.input + LAST;
      const process = this.processes.get(session)!;
      assert.equal((await process.look(expected.length)).typed, expected);
      const [columns, rows] = session.size.split('x');
      let size = '';
      await until(
        async () => ({ size } = await process.look(0)).size === `${rows} ${columns}`,
        `the terminal of ${session.id} is as large as the session`,
      ).catch(() => assert.equal(size, `${rows} ${columns}`));
    }
  }

  private hasEnded({ id }: ModelSession): boolean {
    return this.observer.news.some(
      (one) => 'line' in one && one.about === id && one.line.startsWith('exit '),
    );
  }

  /** Everybody has heard what the model says, and whoever waits for an answer has it. */
  private isAllTold(model: Model): boolean {
    try {
      return (
        model.sessions.every(({ id, printed }) => this.observer.positionIn(id) === printed.length) &&
        isDeepStrictEqual(this.closeAnswers, answersOf(model)) &&
        model.connections.every(({ number, news }) =>
          isDeepStrictEqual(told(this.terminals[number]!.news, model), told(news, model)),
        )
      );
    } catch {
      // It was told what nobody has printed: whoever compares says so.
      return false;
    }
  }

  private assertTold(model: Model): void {
    for (const { number, news } of model.connections) {
      for (const one of news) {
        if ('line' in one && one.line.startsWith('error ')) model.refusals.push(one.line.split(' ')[1]!);
      }
      const terminal = this.terminals[number]!;
      assert.deepEqual(
        told(terminal.news, model),
        told(news.splice(0), model),
        `what connection ${number} is told`,
      );
      terminal.forgetNews();
    }
    assert.deepEqual(this.closeAnswers, answersOf(model));
  }

  /** That connections are lost the server learns when it does; then nothing is different from what the model says. */
  private async assertSeen(model: Model): Promise<void> {
    const expected = {
      connections: model.connections.filter(({ isOpen }) => isOpen).length + 1,
      sessions: model.sessions.map(({ id, name, phase, isPersistent, exit }) => ({
        id,
        name,
        status: seenAs[phase].status,
        persistent: isPersistent,
        exitCode: exit?.code,
        signal: exit?.signal,
      })),
    };
    let seen: unknown;
    await until(async () => {
      // Only what has become of connections can be seen nowhere else.
      const areSame = this.connectionsSeen === expected.connections;
      const connections = areSame ? this.connectionsSeen : await this.connections();
      this.connectionsSeen = connections;
      await Promise.all([this.observer, ...this.terminals].map((terminal) => terminal.sync()));
      const sessions = (await this.listed()).map(({ id, name, status, persistent, exitCode, signal }) => ({
        id,
        name,
        status,
        persistent,
        exitCode,
        signal,
      }));
      seen = { connections, sessions };
      return isDeepStrictEqual(seen, expected) || this.begunByItself(model).length > 0;
    }, 'the server is as the model says').catch(() => assert.deepEqual(seen, expected));
  }

  private async listed(): Promise<SessionInfo[]> {
    return JSON.parse((await this.request('GET', '/api/sessions')).body) as SessionInfo[];
  }

  private async connections(): Promise<number> {
    const { body } = await this.request('GET', '/metrics');
    const values = [...body.matchAll(/^trex_connections\{.*\} (\d+)$/gm)];
    return values.reduce((sum, [, value]) => sum + Number(value), 0);
  }

  private async request(method: string, path: string): Promise<{ status: number; body: string }> {
    const sent = request({ host: '127.0.0.1', port: this.port, method, path, agent: this.agent });
    sent.end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return { status: response.statusCode!, body: await text(response) };
  }
}

function answersOf({ closeAnswers }: Model): CloseAnswer[] {
  return closeAnswers.map(({ sessionId, answer }) => ({
    sessionId,
    answer: answer as CloseAnswer['answer'],
  }));
}
