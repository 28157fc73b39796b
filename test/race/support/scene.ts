import assert from 'node:assert/strict';
import { SessionError } from '../../../src/core/session-error.js';
import { type Session } from '../../../src/core/session.js';
import { DEFAULT_SIZE, type TerminalSize } from '../../../src/core/terminal-size.js';
import { closeTimeoutMs } from '../../../src/sessions/session-closer.js';
import { type ProcessEvent, type ScheduledPty } from '../../fakes/scheduled-pty.js';
import { type Protocol } from '../../../src/terminal/subprotocol.js';
import { testConfig } from '../../support/test-sessions.js';
import { type Heard } from './hearing.js';
import { assertToldInOrder, type Client, type CloseAnswer, Server } from './server.js';

const PROTOCOLS: readonly Protocol[] = ['trex.v1', 'trex.v2', 'trex.v2'];
export const CLIENTS = PROTOCOLS.length;
const MAX_SESSIONS = 4;
const MAX_VIEWERS = 2;
const LOG_BYTES = 262_144;
const HOLD_MS = 30_000;
const RESUME_MS = 60_000;
/** Pauses the process where somebody does not read, or is away; where nobody does, fills more than is kept. */
const FLOOD = Buffer.alloc(70_000, 'flood ');
const FLOOD_TIMES = 4;
const FIRST_LETTER = 0x100;

/** What becomes of a process; written into the directory it is started in. */
export type Fate = 'lives' | 'cannotStart' | 'unkillable';

type AddressedType = 'input' | 'resize' | 'close' | 'detach';

/** One thing somebody does; `pick` is one of the sessions there have been by then. */
export type Action =
  | {
      readonly type: 'create';
      readonly fate: Fate;
      readonly size?: TerminalSize;
      readonly persistent: boolean;
    }
  | { readonly type: AddressedType; readonly pick: number }
  | { readonly type: 'attach'; readonly pick: number; readonly share: number; readonly readOnly: boolean }
  | { readonly type: 'stopReading' | 'startReading' | 'acknowledge' }
  | { readonly type: 'leave' | 'drop' }
  /** Into the first session that it looks at and that runs. */
  | { readonly type: 'typeOn' }
  /** With its token; over its older connection, if there is one. `naming`: how, of each session in turn. */
  | { readonly type: 'resume'; readonly naming: readonly Naming[]; readonly pick: number }
  | { readonly type: 'restClose'; readonly pick: number }
  | { readonly type: 'print' | 'flood' | 'end'; readonly pick: number }
  | { readonly type: 'wait'; readonly ms: number }
  | { readonly type: 'shutDown' };

/** How a client that comes back says where it wants to go on: where it was, at the oldest output, or not at all. */
export type Naming = 'heard' | 'oldest' | 'unnamed';

/** Whoever creates and looks, over one connection after the other. */
interface Person {
  /** What it types. */
  readonly letter: string;
  connection: Client;
  /** When its connection was lost, while it may come back. */
  awaySince?: number;
  /** Nobody knows it any more. */
  isGone: boolean;
}

/** A session as its maker remembers it. */
interface Known {
  readonly session: Session;
  readonly owner: Person;
  readonly fate: Fate;
  /** Somebody closed it while it was listed, or its owner left. */
  isUnwanted: boolean;
  /** There was a time when nobody looked at it. */
  wasUnwatched: boolean;
  /** Who looks at it, as clients remember it; or will, when they come back. */
  readonly viewers: Map<Person, { readonly readOnly: boolean }>;
  /** Who was away for so long that it is not kept for it any more. */
  readonly missedBy: Map<Person, { readonly readOnly: boolean }>;
  /** How much of what somebody typed was not refused. */
  readonly typed: Map<Person, { readonly times: number; readonly over: Client }>;
}

/** A server on which whatever takes time takes as long as a scheduler likes, and a memory of what was done to it. */
export class Scene {
  /** Situations that came up. */
  readonly seen = new Set<string>();
  private readonly server = new Server((event) => this.happens(event), {
    maxSessions: MAX_SESSIONS,
    maxViewers: MAX_VIEWERS,
    logBytes: LOG_BYTES,
    resumeHoldSeconds: HOLD_MS / 1000,
    resumeSeconds: RESUME_MS / 1000,
  });
  private arrivals = 0;
  private readonly people: Person[] = PROTOCOLS.map((protocol) =>
    this.arrived(this.server.connect(protocol)),
  );
  private readonly heard = new Map<Client, Heard[]>();
  private readonly known: Known[] = [];
  private readonly expectedAnswers = new Map<CloseAnswer, readonly (string | undefined)[]>();
  private isDown = false;
  private isStopped = true;

  /** `later` resolves when the scheduler says so. */
  constructor(private readonly later: (label: string) => Promise<void>) {}

  act(action: Action, actor: number): void {
    this.perform(action, actor);
    for (const one of this.known) {
      one.wasUnwatched ||= !one.session.isWatched;
      if (this.processOf(one.session)?.paused) this.seen.add('a process was paused');
    }
  }

  /** Everybody who is there takes what there is. */
  readAll(): void {
    for (const { connection } of this.people) if (connection.isOpen) connection.startReading();
    this.server.catchUp();
  }

  private perform(action: Action, actor: number): void {
    const isInside = ['print', 'flood', 'end', 'wait'].includes(action.type);
    // Nobody gets through to a server that is shutting down: it closes its doors first.
    if (this.isDown && !isInside) return;
    const person = this.people[actor]!;
    switch (action.type) {
      case 'create':
        this.create(person, action);
        break;
      case 'input':
      case 'resize':
      case 'close':
      case 'detach':
        this.address(person, action.type, this.one(action.pick));
        break;
      case 'typeOn':
        this.address(
          person,
          'input',
          this.known.find(({ session, viewers }) => session.state === 'Running' && viewers.has(person)),
        );
        break;
      case 'attach':
        this.attach(person, action, this.one(action.pick));
        break;
      case 'stopReading':
      case 'startReading':
        if (person.connection.isOpen) person.connection[action.type]();
        break;
      case 'acknowledge':
        person.connection.acknowledgeNews();
        break;
      case 'leave':
        this.disconnect(person);
        break;
      case 'drop':
        this.drop(person);
        break;
      case 'resume':
        this.resume(actor, action.naming, this.one(action.pick));
        break;
      case 'restClose':
        this.closeOverRest(this.one(action.pick));
        break;
      case 'print':
      case 'flood':
      case 'end':
        this.let(action.type, action.pick);
        break;
      case 'wait':
        this.wait(action.ms);
        break;
      case 'shutDown':
        this.shutDown();
        break;
    }
  }

  /** Everything that had to happen has happened, and clients that are there are still there. */
  assertNothingLost(): void {
    for (const pty of this.server.ptys.ptys) assert(pty.closings <= 1, 'a process is told to go once');
    for (const pty of this.server.ptys.alive) this.assertOwned(pty);
    for (const one of this.known) {
      this.assertListedRightly(one);
      this.assertControl(one);
      this.assertTyped(one);
      for (const person of this.people) this.assertShown(one, person);
    }
    assert.deepEqual(
      this.server.registry.list(),
      this.known.map(({ session }) => session).filter((session) => this.isListed(session)),
    );
    const waiting = this.server.closeAnswers.filter(({ answer }) => answer === undefined);
    for (const { sessionId } of waiting)
      assert(this.cannotBeEnded(sessionId), 'only the impossible is waited for');
    const unstarted = this.known.filter(({ session }) => this.isListed(session) && this.isUnstarted(session));
    const lingering = this.known.filter(
      ({ session }) => this.isListed(session) && session.hasEnded && !session.isWatched,
    );
    const alone = this.known.filter(
      ({ session }) =>
        this.isListed(session) && session.state === 'Running' && session.persistent && !session.isWatched,
    );
    // For those who are away; it is looked at again whether anybody else waits.
    const paused = this.known.filter(
      ({ session }) => session.state === 'Running' && this.processOf(session)?.paused,
    );
    // Of whoever is away: when its views go, and when it does.
    const away = this.people.filter(({ awaySince }) => awaySince !== undefined);
    const holding = away.filter((person) => this.awayFor(person) < HOLD_MS);
    // Stopping waits for each session too, and for all of them together.
    const stopping = this.isStopped ? 0 : this.server.registry.count();
    const timers = [unstarted, lingering, waiting, alone, paused, away, holding].reduce(
      (sum, { length }) => sum + length,
      0,
    );
    assert.equal(this.server.clock.timers, timers + stopping);
    assert(this.server.mostRunning <= MAX_SESSIONS);
    assertToldInOrder(this.server);
    this.noteEnd(waiting.length, unstarted.length);
  }

  /** Everybody leaves, those who are away included; what stays is closed. */
  leave(): void {
    for (const [actor, person] of this.people.entries()) {
      if (person.awaySince !== undefined) this.resume(actor, ['unnamed'], undefined);
      this.disconnect(this.people[actor]!);
    }
    for (const one of this.known) {
      if (one.isUnwanted || !this.isListed(one.session) || one.session.hasEnded) continue;
      assert(one.session.persistent);
      this.seen.add('outlived everybody');
      this.closeOverRest(one);
    }
    for (const { id, hasEnded } of this.server.registry.list()) if (hasEnded) this.server.closer.close(id);
  }

  letTimeouts(): void {
    this.server.clock.advance(closeTimeoutMs(testConfig()));
  }

  assertEverybodyAnswered(): void {
    for (const [{ sessionId, answer }, expected] of this.expectedAnswers) {
      assert(expected.includes(answer), `closing ${sessionId} was answered ${answer}`);
      if (answer === 'CLOSE_TIMEOUT') this.seen.add('a caller was told that closing takes too long');
    }
    assert(this.isStopped, 'a server that cannot end a process stops all the same');
  }

  /** What could not be ended ends. */
  kill(): void {
    for (const pty of this.server.ptys.alive) pty.end({ code: 137, signal: 'SIGKILL' });
  }

  assertNothingLeft(): void {
    assert.deepEqual(this.server.ptys.alive, []);
    assert.equal(this.server.registry.count(), 0);
    assert.equal(this.server.clock.timers, 0);
    for (const one of this.known) {
      assert(one.session.hasEnded);
      for (const client of this.server.clients) this.attachmentsOf(client, one).forEach(assertExitLast);
    }
    assertToldInOrder(this.server);
  }

  private async happens({ type, launch }: ProcessEvent): Promise<void> {
    const fate = launch.cwd.split('/').at(-1);
    if (type === 'death' && fate === 'unkillable') await new Promise(() => undefined);
    await this.later(`${type} ${launch.cwd}`);
    if (type === 'spawn' && fate === 'cannotStart') {
      throw new SessionError('SPAWN_FAILED', 'the shell could not be started');
    }
  }

  private arrived(connection: Client): Person {
    this.arrivals += 1;
    return { letter: String.fromCodePoint(FIRST_LETTER + this.arrivals), connection, isGone: false };
  }

  private create(
    owner: Person,
    {
      fate,
      size,
      persistent,
    }: { readonly fate: Fate; readonly size?: TerminalSize; readonly persistent: boolean },
  ): void {
    owner.connection.send({ type: 'create', size, persistent, cwd: `/${this.known.length}/${fate}` });
    const session = this.server.registry.list().at(-1);
    if (!session || this.known.some((one) => one.session === session)) return;
    this.known.push({
      session,
      owner,
      fate,
      isUnwanted: false,
      wasUnwatched: false,
      viewers: new Map([[owner, { readOnly: false }]]),
      missedBy: new Map(),
      typed: new Map(),
    });
  }

  private address(person: Person, type: AddressedType, one: Known | undefined): void {
    const { connection } = person;
    if (!one || !connection.isOpen) return;
    const sessionId = one.session.id;
    switch (type) {
      case 'input':
        this.type(person, one);
        break;
      case 'resize':
        connection.send({ type, sessionId, size: DEFAULT_SIZE });
        break;
      case 'close':
        this.noteClose(one);
        connection.send({ type, sessionId });
        break;
      case 'detach':
        one.viewers.delete(person);
        connection.send({ type, sessionId });
        break;
    }
  }

  /** All that it has typed there, over whichever connection, and one letter more. */
  private type(person: Person, { session: { id: sessionId }, typed }: Known): void {
    const { connection, letter } = person;
    const { times = 0, over = connection } = typed.get(person) ?? {};
    const errors = this.errorsOf(connection);
    if (connection.protocol === 'trex.v1') {
      connection.send({ type: 'input', sessionId, bytes: Buffer.from(letter) });
    } else {
      connection.type(sessionId, 0, Buffer.from(letter.repeat(times + 1)));
    }
    if (this.errorsOf(connection) > errors) return;
    typed.set(person, { times: times + 1, over: connection });
    if (times > 0) this.seen.add(over === connection ? 'typed on' : 'typed on over another connection');
  }

  private errorsOf(client: Client): number {
    return this.heardBy(client).filter((heard) => 'line' in heard && heard.line.startsWith('error ')).length;
  }

  private attach(
    person: Person,
    { share, readOnly }: { readonly share: number; readonly readOnly: boolean },
    one: Known | undefined,
  ): void {
    const { connection } = person;
    if (!one || !connection.isOpen) return;
    const { session } = one;
    const before = this.attachmentsOf(connection, one).length;
    const hadEnded = session.hasEnded;
    connection.send({
      type: 'attach',
      sessionId: session.id,
      from: Math.floor(session.log.end * share),
      readOnly,
    });
    if (this.attachmentsOf(connection, one).length === before) {
      if (this.isListed(session)) this.seen.add('too many wanted to look');
      return;
    }
    if (one.viewers.has(person)) this.seen.add('attached again');
    if (hadEnded) this.seen.add('attached after the end');
    if (person !== one.owner) this.seen.add('attached to another’s');
    one.viewers.set(person, { readOnly });
  }

  private disconnect(person: Person): void {
    if (!person.connection.isOpen) return;
    this.noteGone(person);
    for (const { viewers } of this.known) viewers.delete(person);
    person.connection.leave();
  }

  private drop(person: Person): void {
    const { connection } = person;
    if (connection.protocol === 'trex.v1') {
      this.disconnect(person);
      return;
    }
    if (!connection.isOpen) return;
    person.awaySince = this.server.clock.elapsed();
    connection.drop();
  }

  /** `other` is named too, whether it was looked at or not. */
  private resume(actor: number, naming: readonly Naming[], other: Known | undefined): void {
    const person = this.people[actor]!;
    const { connection: older, isGone } = person;
    if (older.protocol === 'trex.v1') return;
    const looked = this.known.filter(
      (one) => one === other || one.viewers.has(person) || one.missedBy.has(person),
    );
    const wishes = looked.flatMap(({ session: { id } }, index) => {
      const how = naming[index % naming.length]!;
      if (how === 'unnamed') return [];
      return [{ sessionId: id, from: how === 'heard' ? (older.positionIn(id) ?? 0) : undefined }];
    });
    for (const one of looked) if (one.viewers.has(person)) this.noteRace(one);
    const { resumeToken } = older;
    const wasOpen = older.isOpen;
    const connection = this.server.connect(older.protocol, { resumeToken, sessions: wishes });
    if (isGone) {
      assert.notEqual(connection.resumeToken, resumeToken, 'who is gone does not come back');
      this.people[actor] = this.arrived(connection);
      this.seen.add('came back too late');
      return;
    }
    assert.equal(connection.resumeToken, resumeToken);
    assert(older.isEnded);
    this.seen.add(wasOpen ? 'was taken over' : 'came back');
    // That the older one has ended may become known at any time.
    if (wasOpen) void this.later('superseded').then(() => older.endSuperseded());
    person.connection = connection;
    person.awaySince = undefined;
    for (const one of looked) {
      const wish = wishes.find(({ sessionId }) => sessionId === one.session.id);
      if (wish || one.viewers.has(person) || one.missedBy.has(person)) this.lookOn(person, one, older, wish);
      // What it typed last it sends again: it may not have arrived.
      if (one.typed.has(person)) this.type(person, one);
    }
  }

  /** It goes on where it wanted to, or is told what is missing; or there is nothing to go on with. */
  private lookOn(
    person: Person,
    one: Known,
    older: Client,
    wish: { readonly from: number | undefined } | undefined,
  ): void {
    const looked = one.viewers.get(person);
    const missed = one.missedBy.get(person);
    one.missedBy.delete(person);
    const [attachment] = this.attachmentsOf(person.connection, one);
    if (!attachment) {
      const hasItsExit = this.attachmentsOf(older, one).at(-1)?.some(isExit) ?? false;
      const isFull = !looked && one.viewers.size >= MAX_VIEWERS;
      assert(hasItsExit || isFull || !this.isListed(one.session), 'it has nothing to come back to');
      assert(hasItsExit || !looked, 'what it looked at is there still');
      one.viewers.delete(person);
      return;
    }
    const [begin] = attachment;
    const line = begin && 'line' in begin ? begin.line : '';
    if (wish?.from !== undefined) assert(new RegExp(` (without )?${wish.from}–`).test(line));
    if (line.includes(' without ')) this.seen.add('was told of a gap after resume');
    // Named, it may type again; unnamed, it looks as it did.
    one.viewers.set(person, (wish ? undefined : (looked ?? missed)) ?? { readOnly: false });
  }

  private wait(ms: number): void {
    const until = this.server.clock.elapsed() + ms;
    const late = this.people.filter(({ awaySince }) => awaySince !== undefined);
    const lateForViews = late.filter(({ awaySince }) => awaySince! + HOLD_MS <= until);
    const lateForAll = late.filter(({ awaySince }) => awaySince! + RESUME_MS <= until);
    for (const person of lateForAll) this.noteGone(person);
    this.server.clock.advance(ms);
    for (const person of lateForViews) {
      for (const { viewers, missedBy } of this.known) {
        const looked = viewers.get(person);
        if (!looked) continue;
        viewers.delete(person);
        missedBy.set(person, looked);
        this.seen.add('a hold ended');
      }
    }
    if (lateForAll.length > 0) this.seen.add('a client expired');
  }

  /** What it owns goes with it. */
  private noteGone(person: Person): void {
    person.isGone = true;
    person.awaySince = undefined;
    for (const one of this.known) {
      if (one.owner !== person || !this.isListed(one.session)) continue;
      if (one.session.persistent) this.seen.add('outlived its client');
      else this.noteClose(one);
    }
  }

  private noteRace({ session }: Known): void {
    if (!this.isListed(session)) this.seen.add('resumed one that is gone');
    else if (session.hasEnded) this.seen.add('resumed one that has ended');
    else if (session.state === 'Closing') this.seen.add('resumed one that is closing');
    else if (this.isUnstarted(session)) this.seen.add('resumed one that is not started');
    else if (session.status === 'connecting') this.seen.add('resumed one that starts');
    else this.seen.add('resumed one that runs');
  }

  private awayFor({ awaySince }: Person): number {
    return this.server.clock.elapsed() - awaySince!;
  }

  private closeOverRest(one: Known | undefined): void {
    if (!one) return;
    const { session } = one;
    const isListed = this.isListed(session);
    this.noteClose(one);
    this.server.closeOverRest(session.id);
    const waiting = this.server.closeAnswers.filter(
      ({ sessionId, answer }) => sessionId === session.id && answer === undefined,
    );
    if (waiting.length > 1 && session.state === 'Closing') this.seen.add('several waited for one to close');
    this.expectedAnswers.set(
      this.server.closeAnswers.at(-1)!,
      isListed ? ['closed', 'CLOSE_TIMEOUT'] : ['SESSION_NOT_FOUND'],
    );
  }

  private let(what: 'print' | 'flood' | 'end', number: number): void {
    const { alive } = this.server.ptys;
    const pty = alive[number % alive.length];
    if (what === 'print') pty?.print('output');
    else if (what === 'flood') for (let time = 0; time < FLOOD_TIMES; time += 1) pty?.print(FLOOD);
    else pty?.end({ code: 3 });
    if (what === 'end' && pty?.closing) this.seen.add('a process ended by itself while it was being ended');
  }

  private shutDown(): void {
    this.isDown = true;
    if (this.server.ptys.alive.length > 0) this.seen.add('shut down with processes');
    if (this.people.some(({ awaySince }) => awaySince !== undefined))
      this.seen.add('shut down with clients away');
    for (const person of this.people) {
      this.drop(person);
      this.noteGone(person);
    }
    for (const one of this.known) this.noteClose(one);
    this.isStopped = false;
    void this.server.shutDown().then(() => (this.isStopped = true));
  }

  private assertOwned(pty: ScheduledPty): void {
    const one = this.known.find(({ session }) => session.cwd === pty.launch.cwd);
    assert(one && this.isListed(one.session), 'a process of no session');
    if (one.isUnwanted) {
      assert.equal(pty.closings, 1, 'a process nobody wants was not told to go');
      assert.equal(one.fate, 'unkillable');
    } else {
      assert(!one.owner.isGone || one.session.persistent);
      assert.equal(pty.closings, 0);
    }
  }

  private assertListedRightly({ session, isUnwanted, wasUnwatched, viewers }: Known): void {
    const pty = this.processOf(session);
    if (this.isListed(session)) assert.equal(session.isWatched, viewers.size > 0);
    assert(viewers.size <= MAX_VIEWERS);
    // Everybody who is there has read everything.
    const isHeld = [...viewers.keys()].some(({ awaySince }) => awaySince !== undefined);
    assert(session.state !== 'Running' || isHeld || !pty?.paused);
    if (session.state === 'Running' && pty?.paused) this.seen.add('a process was paused for one who is away');
    if (isUnwanted) {
      assert.equal(this.isListed(session), pty !== undefined && !pty.isOver);
      assert.equal(session.state, this.isListed(session) ? 'Closing' : 'Closed');
    } else if (!session.hasEnded) {
      assert(this.isListed(session));
      assert.equal(session.status, this.isUnstarted(session) ? 'connecting' : 'active');
    } else if (session.exit?.cause === 'failed') {
      assert(!this.isListed(session));
    } else {
      const byItself = this.known.filter((one) => one.session.exit?.cause === 'ended').length;
      assert(this.isListed(session) || wasUnwatched || byItself > MAX_SESSIONS);
      this.seen.add('ended by itself and stays listed');
    }
  }

  /** Whoever looks has all that there is, and one exit behind it; whoever does not hears nothing. */
  private assertShown(one: Known, person: Person): void {
    const { session, isUnwanted, viewers } = one;
    const { connection: client } = person;
    const attachments = this.attachmentsOf(client, one);
    attachments.forEach(assertExitLast);
    for (const attachment of attachments) this.assertPrinted(session, attachment);
    if (!viewers.has(person) || !client.isOpen) return;
    const last = attachments.at(-1)!;
    assert.equal(last.some(isExit), session.hasEnded);
    // What a close finds unsent is dropped.
    if (!isUnwanted) assert.equal(client.positionIn(session.id), session.log.end);
    if (session.hasEnded && viewers.size > 1) this.seen.add('several were told of the end');
  }

  private assertPrinted({ log }: Session, attachment: readonly Heard[]): void {
    for (const heard of attachment) {
      if (!('bytes' in heard)) continue;
      const { offset, end, bytes } = heard;
      const from = Math.min(end, Math.max(offset, log.start));
      // Not `equal`, which would print them.
      assert(Buffer.from(log.read(from, end - from).bytes).toString() === bytes.slice(from - offset));
    }
  }

  /** Everything once. */
  private assertTyped({ session, typed }: Known): void {
    const pty = this.processOf(session);
    if (session.state !== 'Running' || !pty || pty.isOver) return;
    for (const [{ letter }, { times }] of typed) assert.equal(pty.input.split(letter).length - 1, times);
  }

  /** Nobody shares control; and of those who are told, one has it who may. */
  private assertControl(one: Known): void {
    const { session, viewers } = one;
    if (session.hasEnded) return;
    const present = [...viewers].filter(([{ connection }]) => connection.isOpen);
    const told = present.filter(([{ connection }]) => connection.protocol === 'trex.v2');
    const inControl = told.filter(([{ connection }]) => this.isInControl(connection, one));
    assert(inControl.length <= 1);
    for (const [, { readOnly }] of inControl) assert(!readOnly);
    const everybodyIsTold = told.length === present.length;
    if (everybodyIsTold && told.some(([, { readOnly }]) => !readOnly)) assert.equal(inControl.length, 1);
    if (inControl.some(([person]) => person !== one.owner))
      this.seen.add('another than the owner is in control');
  }

  /** As its messages say; whoever creates a session has it. */
  private isInControl(client: Client, one: Known): boolean {
    const lines = this.attachmentsOf(client, one)
      .flat()
      .map((heard) => ('line' in heard ? heard.line : ''));
    const last = lines.findLast((line) => /^(session_created|attached|resumed|control)/.test(line))!;
    return /^session_created|^(attached|resumed) .* true |^control true/.test(last);
  }

  /** What a client heard of a session, from each time on that it began to look. */
  private attachmentsOf(client: Client, { session: { id } }: Known): Heard[][] {
    const attachments: Heard[][] = [];
    for (const one of this.heardBy(client).filter(({ about }) => about === id)) {
      if ('line' in one && one.line.startsWith('not resumed')) continue;
      if ('line' in one && /^(session_created|attached|resumed)/.test(one.line)) attachments.push([]);
      assert(attachments.length > 0, 'news for somebody who does not look');
      attachments.at(-1)!.push(one);
    }
    return attachments;
  }

  /** All that it was ever sent. */
  private heardBy(client: Client): Heard[] {
    const heard = this.heard.get(client) ?? [];
    heard.push(...client.news());
    this.heard.set(client, heard);
    return heard;
  }

  private noteClose(one: Known): void {
    const { session } = one;
    if (!this.isListed(session)) return;
    one.isUnwanted = true;
    if (session.state !== 'Running' || session.status !== 'connecting') return;
    this.seen.add(
      this.isUnstarted(session) ? 'closed before its start' : `closed while it starts: ${one.fate}`,
    );
  }

  private noteEnd(waiting: number, unstarted: number): void {
    if (waiting > 0) this.seen.add('a caller waits for the impossible');
    if (unstarted > 0) this.seen.add('never started');
  }

  private one(number: number): Known | undefined {
    return this.known[number % this.known.length];
  }

  private processOf(session: Session): ScheduledPty | undefined {
    return this.server.ptys.ptys.find(({ launch }) => launch.cwd === session.cwd);
  }

  private isListed(session: Session): boolean {
    return this.server.registry.find(session.id) === session;
  }

  private isUnstarted(session: Session): boolean {
    return !session.hasEnded && !this.server.ptys.asked.some(({ cwd }) => cwd === session.cwd);
  }

  private cannotBeEnded(id: string): boolean {
    const one = this.known.find(({ session }) => session.id === id);
    return one?.fate === 'unkillable' && one.session.state === 'Closing';
  }
}

/** At most one, and nothing after it. */
function assertExitLast(attachment: readonly Heard[]): void {
  const index = attachment.findIndex(isExit);
  assert(index < 0 || index === attachment.length - 1);
}

function isExit(heard: Heard): boolean {
  return 'line' in heard && heard.line.startsWith('exit ');
}
