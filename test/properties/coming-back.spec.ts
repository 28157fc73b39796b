import fc from 'fast-check';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FailureReason, RequestFailed } from '../../client/client-error.js';
import { type Closure } from '../../client/connection.js';
import { type RemoteSession, type SessionHandlers } from '../../client/remote-session.js';
import { type Arrival, type ConnectionState, TerminalClient } from '../../client/terminal-client.js';
import { type Attachment } from '../../src/core/attachment.js';
import { type Session } from '../../src/core/session.js';
import {
  type ClientMessage,
  type Consumed,
  type ErrorMessage,
  type Exit,
  type GapBytes,
  type HelloMessage,
  type Resumption,
  type ServerMessage,
} from '../../src/protocol/messages.js';
import { FakeClock } from '../fakes/fake-clock.js';
import { type FakePty } from '../fakes/fake-pty.js';
import { type LinkNews, type QueuedLink, QueuedLinks } from '../support/queued-links.js';
import { settled } from '../support/running-session.js';
import { TestSessions } from '../support/test-sessions.js';
import { runs } from '../support/runs.js';

const RUNS = runs(2000);
const KIB = 1024;
const LOG_BYTES = 256 * KIB;
const LARGEST_READ_BYTES = 64 * KIB;
const HOLD_MS = 30_000;
const RESUME_MS = 60_000;
/** Nothing that waits for time to pass, and not for an answer, waits for so long while all are there. */
const QUIET_MS = 1200;
/** Between two tries to connect again. */
const LONGEST_WAIT_MS = 100;
/** After which a client gives up a connection on which it is not welcomed. */
const WELCOME_MS = 10_000;
/** With which a network, or a proxy between, ends a connection. */
const LOST_CODES = [1001, 1006, 1012];
/** How the process ends by itself. */
const STATUS = 3;

/** One kind of step, with what else it says. */
function kind<const Type extends string, Fields extends object>(
  type: Type,
  fields: { readonly [Name in keyof Fields]: fc.Arbitrary<Fields[Name]> },
): fc.Arbitrary<{ readonly type: Type } & Fields> {
  return fc.record<Fields>(fields).map((rest) => ({ type, ...rest }));
}

const which = fc.nat(20);
const few = fc.nat(40);
const isLate = fc.boolean();
const step = fc.oneof(
  /** `over`: how many links are newer than the one that delivers. */
  {
    weight: 14,
    arbitrary: kind('deliver', {
      over: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(4) }),
      toServer: fc.nat(6),
      toClient: fc.nat(6),
    }),
  },
  /** `told`: who is told that the newest link is lost; `kept`: how much of what is on its way arrives before. */
  {
    weight: 4,
    arbitrary: kind('cut', {
      told: fc.constantFrom('both', 'client', 'server'),
      kept: fc.nat(6),
      code: fc.constantFrom(...LOST_CODES),
    }),
  },
  /** The client lets go of a link that may be alive, or takes its place back. */
  { weight: 1, arbitrary: kind('reconnect', {}) },
  /** The client's next connection opens, and then nothing comes over it for so long that the client lets go. */
  { weight: 1, arbitrary: kind('hang', {}) },
  /** The server is told of the links that the client has let go of. */
  { weight: 1, arbitrary: kind('notice', {}) },
  {
    weight: 5,
    arbitrary: kind('wait', {
      ms: fc.oneof(
        { weight: 12, arbitrary: fc.nat(60) },
        { weight: 4, arbitrary: fc.constant(WELCOME_MS) },
        { weight: 1, arbitrary: fc.constantFrom(HOLD_MS, RESUME_MS) },
      ),
    }),
  },
  { weight: 2, arbitrary: kind('create', { persistent: fc.boolean(), hasSize: fc.boolean(), isLate }) },
  /** `share`: from behind which part of what was shown on; without it, from the oldest that is kept. */
  {
    weight: 3,
    arbitrary: kind('attach', {
      which,
      share: fc.option(fc.constantFrom(0, 0.5, 1), { nil: undefined }),
      readOnly: fc.nat(3).map((one) => one === 0),
      isLate,
    }),
  },
  { weight: 1, arbitrary: kind('detach', { which }) },
  { weight: 1, arbitrary: kind('close', { which }) },
  {
    weight: 8,
    arbitrary: kind('write', {
      which,
      bytes: fc.oneof({ weight: 20, arbitrary: few }, { weight: 1, arbitrary: fc.constant(150 * KIB) }),
    }),
  },
  {
    weight: 8,
    arbitrary: kind('print', {
      which,
      bytes: fc.oneof(
        { weight: 6, arbitrary: few },
        { weight: 2, arbitrary: fc.nat(30 * KIB) },
        { weight: 1, arbitrary: fc.constant(300 * KIB) },
      ),
    }),
  },
  /** The process takes so much more of its input, and then stops. */
  { weight: 3, arbitrary: kind('read', { which, bytes: few }) },
  { weight: 1, arbitrary: kind('end', { which }) },
  { weight: 3, arbitrary: kind('consume', { which, chunks: fc.nat(5) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
/** Cases that were found before: looked at first. */
const corpus = JSON.parse(readFileSync(join(__dirname, '../corpus/coming-back.json'), 'utf8')) as Step[][];
type Of<Type extends Step['type']> = Extract<Step, { type: Type }>;
/** What an application or a process does with one session. */
type Deed = Extract<Step, { which: number }>;

/** A prime, so that no mistake of a round number of bytes goes unseen. */
const PERIOD = 65_521;
const pattern = Buffer.from(
  Array.from({ length: 4 * PERIOD }, (_, at) => 97 + ((Math.imul(at % PERIOD, 0x9e3779b1) >>> 8) % 26)),
);

/** Text of session `number` from a position on, up to so much at once. It has neither controls nor long characters. */
function textAt(number: number, offset: number, bytes: number): Buffer {
  const from = (offset + number * 7919) % PERIOD;
  return pattern.subarray(from, from + bytes);
}

/** An application's view of a session: whoever attaches anew has another. */
class Showing implements SessionHandlers {
  /** Everything before has come, or was told to be missing. Without it: not known yet. */
  next?: number;
  over?: 'exit' | 'gone';
  private readonly late: { readonly end: number; readonly consumed: () => void }[] = [];

  constructor(
    private readonly known: Known,
    private readonly from: number | undefined,
    /** Whether it consumes only when it is told to. */
    private readonly isLate: boolean,
  ) {
    this.next = from;
  }

  output(bytes: Uint8Array, offset: number, consumed: () => void): void {
    this.known.check(!this.over, 'output after the end');
    this.known.check(offset === (this.next ?? offset), `output at ${offset} where ${this.next} is next`);
    const isRight = textAt(this.known.number, offset, bytes.length).equals(bytes);
    this.known.check(isRight, `other output at ${offset} than was printed`);
    this.next = offset + bytes.length;
    this.late.push({ end: this.next, consumed });
    if (!this.isLate) this.consume();
  }

  gap({ offset, end }: GapBytes): void {
    this.known.check(!this.over, 'a gap after the end');
    this.known.check(offset === (this.next ?? offset), `a gap at ${offset} where ${this.next} is next`);
    const isOne = this.known.mayMiss({ offset, end }, this.from);
    this.known.check(isOne, `a gap of ${offset} to ${end} that is none`);
    this.known.seen.gaps += 1;
    this.next = end;
  }

  exit({ cause, code }: Pick<Exit, 'code' | 'cause'>): void {
    this.finish('exit');
    this.known.check(this.known.mayExit(cause, code), `an exit ${cause} ${code}`);
    const { printed, isClosed } = this.known;
    // What was not sent of one that is closed is dropped, also when it had ended.
    const mayLack = cause === 'closed' || isClosed;
    this.known.check(mayLack || (this.next ?? printed) === printed, 'an exit before the last byte');
  }

  gone(reason: FailureReason): void {
    this.finish('gone');
    const isExpected = reason === 'SESSION_NOT_FOUND' && this.known.isGone && this.known.mayBeUnknown;
    this.known.check(isExpected, `gone: ${reason}`);
  }

  inputLost(bytes: number): void {
    this.known.seen.inputLosses += 1;
    this.known.check(this.known.mayLoseInput, 'input lost that was kept');
    this.known.loseInput(bytes);
  }

  /** Consumes the oldest so many of the chunks that have come. */
  consume(chunks = Infinity): void {
    for (const { end, consumed } of this.late.splice(0, chunks)) {
      this.known.consumed = Math.max(this.known.consumed, end);
      consumed();
    }
  }

  private finish(how: 'exit' | 'gone'): void {
    this.known.check(this.over === undefined, `${how} after ${this.over}`);
    this.over = how;
  }
}

/** What happened in all runs. */
class Seen {
  resumptions = 0;
  takeovers = 0;
  /** Hellos that came over a link the client had let go of before, and ended a newer one. */
  lateHellos = 0;
  /** Arrivals at a server that knew the client no more. */
  forgotten = 0;
  gaps = 0;
  inputLosses = 0;
  /** Sessions that ended while their client was away, and were shown to the end. */
  exitsWhileAway = 0;
  /** Sessions that were found in a welcome. */
  lostAnswers = 0;
  /** Sessions that were attached to over another link than it was asked over. */
  attachedLater = 0;
  /** Sessions that were closed while the client had no connection. */
  closesWhileAway = 0;
}

interface InputRange {
  readonly from: number;
  readonly to: number;
}

/** A session that the application has asked for, and all that it and its process know of it. */
class Known {
  readonly cwd: string;
  session?: Session;
  remote?: RemoteSession;
  showing?: Showing;
  printed = 0;
  /** All that was ever consumed of it lies before. */
  consumed = 0;
  hasEnded = false;
  endedWhileAway = false;
  isClosed = false;
  /** What it had typed and waits still was forgotten, when it was detached or shown for reading only. */
  hasForgottenInput = false;
  private linksWhenCreated = 0;
  /** What is before it was given up by a hello that came late: its view had gone back since. */
  private givenUpBefore = 0;
  private written = 0;
  /** Of what was written: what may have been typed from its beginning on, or not at all. */
  private readonly unsure: InputRange[] = [];
  /** How many times it was asked for, without an answer yet. */
  private attaching = 0;
  /** The same, for reading only. */
  private attachingToRead = 0;

  constructor(
    readonly number: number,
    private readonly scene: Scene,
  ) {
    this.cwd = `/${number}`;
  }

  get seen(): Seen {
    return this.scene.seen;
  }

  get pty(): FakePty | undefined {
    return this.scene.server.ptys.ptys.find(({ launch }) => launch.cwd === this.cwd);
  }

  get isRunning(): boolean {
    return this.session?.state === 'Running' && !this.hasEnded;
  }

  /** Whether it is in the server's list no longer. */
  get isGone(): boolean {
    return this.session?.isRemoved === true;
  }

  /** Whether a server that is asked for it may not know how it ended. */
  get mayBeUnknown(): boolean {
    return this.scene.wasForgotten;
  }

  get mayLoseInput(): boolean {
    return this.scene.wasForgotten;
  }

  check(holds: boolean, otherwise: string): void {
    if (!holds) this.scene.problems.push(`session ${this.number}: ${otherwise}`);
  }

  /** Whether a view that began at `from` may be told of this gap. */
  mayMiss({ offset, end }: GapBytes, from: number | undefined): boolean {
    const { session } = this;
    if (!session || end <= offset || end > this.printed) return false;
    // While it was held for the client nothing has fallen off where that had got to, or wanted to be.
    const isWanted = this.attaching === 0 && offset !== from && offset >= this.givenUpBefore;
    const wasHeld = !this.scene.wasLetGo && isWanted;
    if (end <= session.log.start && !wasHeld) return true;
    return this.isGoing && end === session.log.end;
  }

  mayExit(cause: Exit['cause'], code: number): boolean {
    if (cause === 'ended') return this.hasEnded && code === STATUS;
    return cause === 'closed' && (this.isClosed || this.scene.wasForgotten);
  }

  created(session: Session): void {
    this.check(this.session === undefined, 'created twice');
    this.session = session;
    this.linksWhenCreated = this.scene.links.all.length;
  }

  /** The server was told, by a hello that came late, that the client goes on from there. */
  wentOn({ from = 0 }: Resumption): void {
    this.givenUpBefore = Math.max(this.givenUpBefore, from);
  }

  create({ persistent, hasSize, isLate }: Of<'create'>): void {
    const showing = new Showing(this, 0, isLate);
    const size = hasSize ? { cols: 80, rows: 24 } : {};
    const asked = this.scene.client.create(showing, { ...size, persistent, cwd: this.cwd });
    this.awaitAnswer(asked, showing, ['DISCONNECTED'], () => {
      if (this.session && this.scene.links.all.length > this.linksWhenCreated) this.seen.lostAnswers += 1;
    });
  }

  play(deed: Deed): void {
    switch (deed.type) {
      case 'attach':
        return this.attach(deed);
      case 'detach':
        return this.detach();
      case 'close':
        return this.close();
      case 'write':
        return this.write(deed.bytes);
      case 'print':
        return this.print(deed.bytes);
      case 'read':
        return this.read(deed.bytes);
      case 'end':
        return this.end();
      case 'consume':
        return this.showing?.consume(deed.chunks);
    }
  }

  private attach({ share, readOnly, isLate }: Of<'attach'>): void {
    if (!this.session || !this.remote) return;
    const from = share === undefined ? undefined : Math.floor(this.remote.offset * share);
    const showing = new Showing(this, from, isLate);
    const linksBefore = this.scene.links.all.length;
    this.attaching += 1;
    if (readOnly) this.attachingToRead += 1;
    if (readOnly) this.forgetInput(this.remote);
    const asked = this.scene.client.attach(this.session.id, showing, { from, readOnly });
    this.awaitAnswer(asked, showing, ['DISCONNECTED', 'SESSION_NOT_FOUND', 'DETACHED'], () => {
      this.attaching -= 1;
      if (readOnly) this.attachingToRead -= 1;
      if (this.scene.links.all.length > linksBefore) this.seen.attachedLater += 1;
    });
  }

  private detach(): void {
    if (!this.remote || this.remote.isOver) return;
    this.forgetInput(this.remote);
    this.remote.detach();
  }

  private close(): void {
    if (!this.remote || this.remote.isOver) return;
    this.isClosed = true;
    this.remote.close();
    if (this.scene.client.state !== 'open') this.seen.closesWhileAway += 1;
  }

  private write(bytes: number): void {
    if (!this.remote?.write(textAt(this.number, this.written, bytes))) return;
    this.written += bytes;
    if (this.attachingToRead > 0) this.loseInput(bytes);
  }

  private forgetInput({ bufferedInput }: RemoteSession): void {
    this.hasForgottenInput = true;
    this.loseInput(bufferedInput);
  }

  /** Of the last `bytes` that were written nobody knows whether they are typed. */
  loseInput(bytes: number): void {
    if (bytes === 0) return;
    let from = this.written - bytes;
    // What waits still is typed behind what waited before, or not at all.
    for (let last = this.unsure.at(-1); last && last.to > from; last = this.unsure.at(-1)) {
      from = Math.min(from, last.from);
      this.unsure.pop();
    }
    this.unsure.push({ from, to: this.written });
  }

  private print(bytes: number): void {
    const { pty } = this;
    if (!pty || !this.isRunning) return;
    // As a terminal is read.
    for (let left = bytes; left > 0; left -= LARGEST_READ_BYTES) {
      const length = Math.min(left, LARGEST_READ_BYTES);
      const offset = this.printed;
      this.printed += length;
      pty.print(textAt(this.number, offset, length));
    }
  }

  private read(bytes: number): void {
    const { pty } = this;
    if (!pty) return;
    pty.room = 0;
    pty.read(bytes);
  }

  private end(): void {
    const { pty } = this;
    if (!pty || !this.isRunning) return;
    this.hasEnded = true;
    this.endedWhileAway = this.isShown && !this.scene.isPresent;
    pty.end({ code: STATUS });
  }

  /** The process reads everything, and the application shows everything. */
  goOn(): void {
    const { pty } = this;
    if (pty) pty.room = Infinity;
    pty?.read(0);
    this.showing?.consume();
  }

  /** Nothing is on its way any more, and nothing waits. */
  assertSettled(): void {
    if (this.isShown) this.assertShown();
    else assert(this.isGone || !this.attachment, `${this.number} is not shown, and viewed`);
    if (this.showing?.over === 'exit' && this.endedWhileAway) this.seen.exitsWhileAway += 1;
    // Of a client that it has forgotten a server may never have heard it.
    if (this.isClosed && !this.scene.wasForgotten) assert(this.session?.hasEnded, `${this.number} is closed`);
    assert(this.wasTyped(this.pty?.input ?? ''), `${this.number} was typed into as was written`);
  }

  /** Its client has gone. */
  assertLeft(): void {
    const { session, number } = this;
    if (session?.persistent === false) assert(this.isGone && this.pty?.isOver !== false, `${number} goes`);
    if (session?.persistent && !this.isClosed && !this.hasEnded) assert(this.isRunning, `${number} stays`);
  }

  private get isShown(): boolean {
    return this.remote?.isOver === false && this.showing?.over === undefined;
  }

  /** Whether somebody has closed it: what was not sent by then is dropped. */
  private get isGoing(): boolean {
    return this.session?.state === 'Closing' || this.session?.exit?.cause === 'closed';
  }

  /** The server's, on the connection that there is. */
  private get attachment(): Attachment | undefined {
    return this.scene.links.newest.connection?.attachmentTo(this.session?.id ?? '');
  }

  private assertShown(): void {
    const name = `session ${this.number}`;
    assert(this.session?.state === 'Running' && !this.isGone, `${name} is shown and has ended`);
    assert.equal(this.showing?.next ?? this.remote?.offset, this.printed, `${name} is shown to its end`);
    assert.equal(this.remote?.offset, this.printed);
    assert.equal(this.pty?.paused, false, `${name} runs on`);
    assert.equal(this.attachment?.consumedOffset, this.printed, `${name} is acknowledged`);
    assert.equal(this.remote?.bufferedInput, 0, `${name} has taken all input`);
  }

  private wasTyped(typed: string, from = 0, unsure: readonly InputRange[] = this.unsure): boolean {
    const [next, ...later] = unsure;
    const sure = this.writtenBetween(from, next?.from ?? this.written);
    // Of what waits when a session ends the rest is dropped.
    if (typed.length < sure.length) return !this.isRunning && sure.startsWith(typed);
    if (!typed.startsWith(sure)) return false;
    const rest = typed.slice(sure.length);
    if (!next) return rest === '';
    const doubtful = this.writtenBetween(next.from, next.to);
    let most = 0;
    while (most < doubtful.length && doubtful[most] === rest[most]) most += 1;
    for (let bytes = most; bytes >= 0; bytes -= 1) {
      if (this.wasTyped(rest.slice(bytes), next.to, later)) return true;
    }
    return false;
  }

  private writtenBetween(from: number, to: number): string {
    const parts: Buffer[] = [];
    for (let at = from; at < to; at += PERIOD) {
      parts.push(textAt(this.number, at, Math.min(PERIOD, to - at)));
    }
    return Buffer.concat(parts).toString();
  }

  private awaitAnswer(
    asked: Promise<RemoteSession>,
    showing: Showing,
    reasons: readonly FailureReason[],
    settle: () => void = () => undefined,
  ): void {
    this.scene.pending += 1;
    const done = (): void => {
      this.scene.pending -= 1;
      settle();
    };
    asked.then(
      (remote) => {
        done();
        this.remote = remote;
        this.showing = showing;
      },
      (error: unknown) => {
        done();
        const isExpected = error instanceof RequestFailed && reasons.includes(error.reason);
        this.check(isExpected, `refused with ${String(error)}`);
      },
    );
  }
}

/** One client, its application, one server with its processes, and the links between. */
class Scene implements LinkNews {
  readonly server = new TestSessions({ logBytes: LOG_BYTES, maxSessions: 1000 });
  readonly links = new QueuedLinks(this.server, this);
  readonly client: TerminalClient;
  readonly problems: string[] = [];
  /** Questions of the application's without an answer. */
  pending = 0;
  /** Whether the server has ever given up what it held for the client. */
  wasLetGo = false;
  /** Whether it has ever forgotten the client. */
  wasForgotten = false;
  private readonly clientClock = new FakeClock();
  private readonly known: Known[] = [];
  private readonly answered = new Set<string>();
  /** Since when the server has had no connection of the client's. */
  private absentSince?: number;
  private hasArrived = false;
  private isLeaving = false;

  constructor(readonly seen: Seen) {
    this.server.events.subscribe(({ type, session }) => {
      if (type === 'created') this.known.find(({ cwd }) => cwd === session.cwd)?.created(session);
    });
    this.client = new TerminalClient({
      open: () => this.links.open(),
      timers: this.clientClock,
      random: () => 0.5,
      reconnect: { firstMs: 20, mostMs: LONGEST_WAIT_MS },
      handlers: {
        state: (state, closure) => this.entered(state, closure),
        arrived: (arrival) => this.arrived(arrival),
      },
    });
  }

  /** Whether the server has a connection of the client's. */
  get isPresent(): boolean {
    return this.absentSince === undefined;
  }

  async open(): Promise<void> {
    this.connect();
    await this.deliverAll();
    this.create({ type: 'create', persistent: false, hasSize: true, isLate: false });
    await this.deliverAll();
  }

  async play(next: Step): Promise<void> {
    if ('which' in next) this.known[next.which % this.known.length]?.play(next);
    else this.act(next);
    await settled();
    assert.deepEqual(this.problems, []);
  }

  /** Everything arrives, the client is connected, and everybody reads. */
  async finish(): Promise<void> {
    await this.deliverAll();
    for (const link of this.links.older) link.loseServer();
    const { newest } = this.links;
    // The one that only the client takes for alive.
    if (!newest.isThereForServer) newest.loseClient();
    let quietMs = 0;
    for (let rounds = 0; quietMs < QUIET_MS; rounds += 1) {
      assert(rounds < 500, 'it does not come to an end');
      for (const one of this.known) one.goOn();
      this.wait(50);
      quietMs = (await this.deliverAll()) || this.client.state !== 'open' ? 0 : quietMs + 50;
    }
    assert.deepEqual(this.problems, []);
    assert.equal(this.pending, 0, 'a question without an answer');
    for (const one of this.known) one.assertSettled();
  }

  /** The client is closed for good. */
  async leave(): Promise<void> {
    this.isLeaving = true;
    this.client.close();
    assert.equal(this.clientClock.timers, 0);
    await this.deliverAll();
    assert.deepEqual(this.problems, []);
    for (const one of this.known) one.assertLeft();
  }

  received(message: ClientMessage, link: QueuedLink): void {
    if (message.type === 'hello') this.greeted(link, message);
    if (message.type === 'acknowledge') for (const one of message.sessions) this.acknowledged(one);
  }

  refused({ reason, sessionId = '' }: ErrorMessage, { connection }: QueuedLink): void {
    const one = this.knownAs(sessionId);
    const isReadOnly = connection?.attachmentTo(sessionId)?.isReadOnly === true;
    const isOver = one?.session?.state !== 'Running';
    // A channel that is shown no longer is that of a session that has ended: who detaches types no more.
    const mayBeMissing = one ? one.isGone : this.known.some(({ isRunning }) => !isRunning);
    // Who shows a session anew does not know how much of what it typed before still waits.
    const mayBeFull = one?.hasForgottenInput === true;
    const isExpected =
      (reason === 'SESSION_NOT_FOUND' && mayBeMissing) ||
      (reason === 'SESSION_ENDED' && isOver) ||
      (reason === 'READ_ONLY' && isReadOnly) ||
      (reason === 'INPUT_QUEUE_FULL' && mayBeFull) ||
      (reason === 'BAD_INPUT_OFFSET' && (isReadOnly || isOver || mayBeFull));
    this.problem(!isExpected && `the server refused something of ${sessionId} with ${reason}`);
  }

  told(message: ServerMessage): void {
    const { requestId } = message as { readonly requestId?: string };
    if (requestId === undefined) return;
    this.problem(this.answered.has(requestId) && `question ${requestId} was answered twice`);
    this.answered.add(requestId);
  }

  ended({ connection, serverCode }: QueuedLink): void {
    // One that was taken over ends nothing.
    if (connection?.isGreeted && serverCode === undefined) this.absentSince = this.server.clock.elapsed();
  }

  private act(next: Exclude<Step, Deed>): void {
    switch (next.type) {
      case 'deliver':
        return this.deliver(next);
      case 'cut':
        return this.cut(next);
      case 'reconnect':
        return this.client.reconnect();
      case 'hang':
        return this.hang();
      case 'notice':
        return this.links.older.forEach((link) => link.loseServer());
      case 'wait':
        return this.wait(next.ms);
      case 'create':
        return this.create(next);
    }
  }

  private problem(what: string | false): void {
    if (what !== false) this.problems.push(what);
  }

  private connect(): void {
    this.client.connect().catch(() => undefined);
  }

  private knownAs(sessionId: string): Known | undefined {
    return this.known.find(({ session }) => session?.id === sessionId);
  }

  private create(how: Of<'create'>): void {
    const one = new Known(this.known.length, this);
    this.known.push(one);
    one.create(how);
  }

  private deliver({ toServer, toClient, over }: Of<'deliver'>): void {
    const link = this.links.all.at(-1 - (over % this.links.all.length));
    for (let count = 0; count < toServer; count += 1) link?.deliverToServer();
    for (let count = 0; count < toClient; count += 1) link?.deliverToClient();
  }

  /** @returns whether there was anything. */
  private async deliverAll(): Promise<boolean> {
    let rounds = 0;
    for (let more = true; more; rounds += 1) {
      more = false;
      for (const link of this.links.all) {
        while (link.deliverToServer() || link.deliverToClient()) more = true;
      }
      await settled();
    }
    return rounds > 1;
  }

  private cut({ told, kept, code }: Of<'cut'>): void {
    const link = this.links.newest;
    this.deliver({ type: 'deliver', over: 0, toServer: kept, toClient: kept });
    if (told !== 'server') link.loseClient(code);
    if (told !== 'client') link.loseServer(code);
  }

  private hang(): void {
    this.links.newest.loseClient();
    this.wait(LONGEST_WAIT_MS);
    this.links.newest.deliverToServer();
    this.wait(WELCOME_MS);
  }

  private wait(ms: number): void {
    this.clientClock.advance(ms);
    this.server.clock.advance(ms);
    this.noteAbsence();
  }

  private noteAbsence(): void {
    if (this.absentSince === undefined) return;
    const absentMs = this.server.clock.elapsed() - this.absentSince;
    if (absentMs >= HOLD_MS) this.wasLetGo = true;
    if (absentMs >= RESUME_MS) this.wasForgotten = true;
  }

  private entered(state: ConnectionState, { code, reason }: Partial<Closure> = {}): void {
    // Nobody else takes its place: what ends its connection is the network, or a hello of its own that came late.
    this.problem(state === 'closed' && !this.isLeaving && `the client is closed: ${code} ${reason}`);
  }

  private arrived({ isKnown, isServerNew }: Arrival): void {
    this.problem(isServerNew && 'another server');
    if (!this.hasArrived) {
      this.hasArrived = true;
      return;
    }
    this.problem(isKnown === false && !this.wasForgotten && 'the client was forgotten');
    if (isKnown) this.seen.resumptions += 1;
    else this.seen.forgotten += 1;
  }

  private greeted(link: QueuedLink, { sessions = [] }: HelloMessage): void {
    this.noteAbsence();
    if (this.hasArrived && this.isPresent) this.seen.takeovers += 1;
    this.absentSince = undefined;
    if (link === this.links.newest) return;
    this.seen.lateHellos += 1;
    for (const one of sessions) this.knownAs(one.sessionId)?.wentOn(one);
  }

  private acknowledged({ sessionId, offset }: Consumed): void {
    const one = this.knownAs(sessionId);
    this.problem(offset > (one?.consumed ?? 0) && `${sessionId} is acknowledged before it is consumed`);
  }
}

describe('properties of a client and a server whose connections are lost', () => {
  it(
    'show all output once, type all input once, and answer every question',
    async () => {
      const seen = new Seen();
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 80, size: 'max' }), async (steps) => {
          const scene = new Scene(seen);
          await scene.open();
          for (const next of steps) await scene.play(next);
          await scene.finish();
          await scene.leave();
        }),
        { numRuns: RUNS, examples: corpus.map((steps): [Step[]] => [steps]) },
      );
      const { resumptions, takeovers, lateHellos, attachedLater } = seen;
      expect(Math.min(resumptions, takeovers, lateHellos, attachedLater)).toBeGreaterThan(RUNS / 10);
      const { exitsWhileAway, closesWhileAway, lostAnswers, gaps, forgotten, inputLosses } = seen;
      expect(Math.min(exitsWhileAway, closesWhileAway, lostAnswers)).toBeGreaterThan(RUNS / 100);
      expect(Math.min(gaps, forgotten, inputLosses)).toBeGreaterThan(RUNS / 200);
    },
    runs(300_000),
  );
});
