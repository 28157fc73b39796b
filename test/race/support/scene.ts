import assert from 'node:assert/strict';
import { SessionError } from '../../../src/core/session-error.js';
import { type Session } from '../../../src/core/session.js';
import { DEFAULT_SIZE, type TerminalSize } from '../../../src/core/terminal-size.js';
import { CLOSE_TIMEOUT_MS } from '../../../src/sessions/session-closer.js';
import { type ProcessEvent, type ScheduledPty } from '../../fakes/scheduled-pty.js';
import { type Protocol } from '../../../src/terminal/subprotocol.js';
import { assertToldInOrder, type Client, type CloseAnswer, type Heard, Server } from './server.js';

const PROTOCOLS: readonly Protocol[] = ['trex.v1', 'trex.v2', 'trex.v2'];
export const CLIENTS = PROTOCOLS.length;
const MAX_SESSIONS = 4;
const MAX_VIEWERS = 2;
/** Pauses the process where somebody does not read. */
const FLOOD = Buffer.alloc(70_000, 'flood ');

/** What becomes of a process; written into the directory it is started in. */
export type Fate = 'lives' | 'cannotStart' | 'unkillable';

type AddressedType = 'input' | 'resize' | 'close' | 'detach';

/** One thing somebody does; `pick` is one of the sessions there have been by then. */
export type Action =
  | { readonly type: 'create'; readonly fate: Fate; readonly size?: TerminalSize }
  | { readonly type: AddressedType; readonly pick: number }
  | { readonly type: 'attach'; readonly pick: number; readonly share: number; readonly readOnly: boolean }
  | { readonly type: 'stopReading' | 'startReading' | 'acknowledge' }
  | { readonly type: 'leave' }
  | { readonly type: 'restClose'; readonly pick: number }
  | { readonly type: 'print' | 'flood' | 'end'; readonly pick: number }
  | { readonly type: 'wait'; readonly ms: number }
  | { readonly type: 'shutDown' };

/** A session as its maker remembers it. */
interface Known {
  readonly session: Session;
  readonly owner: Client;
  readonly fate: Fate;
  /** Somebody closed it while it was listed, or its owner left. */
  isUnwanted: boolean;
  /** There was a time when nobody looked at it. */
  wasUnwatched: boolean;
  /** Who looks at it, as clients remember it. */
  readonly viewers: Map<Client, { readonly readOnly: boolean }>;
}

/** A server on which whatever takes time takes as long as a scheduler likes, and a memory of what was done to it. */
export class Scene {
  /** Situations that came up. */
  readonly seen = new Set<string>();
  private readonly server = new Server((event) => this.happens(event), {
    maxSessions: MAX_SESSIONS,
    maxViewers: MAX_VIEWERS,
  });
  private readonly clients = PROTOCOLS.map((protocol) => this.server.connect(protocol));
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
    for (const client of this.clients) if (client.isOpen) client.startReading();
    this.server.catchUp();
  }

  private perform(action: Action, actor: number): void {
    const isInside = ['print', 'flood', 'end', 'wait'].includes(action.type);
    // Nobody gets through to a server that is shutting down: it closes its doors first.
    if (this.isDown && !isInside) return;
    switch (action.type) {
      case 'create':
        this.create(this.clients[actor]!, action.fate, action.size);
        break;
      case 'input':
      case 'resize':
      case 'close':
      case 'detach':
        this.address(this.clients[actor]!, action.type, this.one(action.pick));
        break;
      case 'attach':
        this.attach(this.clients[actor]!, action, this.one(action.pick));
        break;
      case 'stopReading':
      case 'startReading':
        if (this.clients[actor]!.isOpen) this.clients[actor]![action.type]();
        break;
      case 'acknowledge':
        this.clients[actor]!.acknowledgeNews();
        break;
      case 'leave':
        this.disconnect(this.clients[actor]!);
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
        this.server.clock.advance(action.ms);
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
      for (const client of this.clients) this.assertShown(one, client);
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
    // Stopping waits for each session too, and for all of them together.
    const stopping = this.isStopped ? 0 : this.server.registry.count();
    assert.equal(this.server.clock.timers, unstarted.length + lingering.length + waiting.length + stopping);
    assert(this.server.mostRunning <= MAX_SESSIONS);
    assertToldInOrder(this.server);
    this.noteEnd(waiting.length, unstarted.length);
  }

  leave(): void {
    for (const client of this.clients) this.disconnect(client);
  }

  letTimeouts(): void {
    this.server.clock.advance(CLOSE_TIMEOUT_MS);
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
      for (const client of this.clients) this.attachmentsOf(client, one).forEach(assertExitLast);
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

  private create(owner: Client, fate: Fate, size: TerminalSize | undefined): void {
    owner.send({ type: 'create', size, cwd: `/${this.known.length}/${fate}` });
    const session = this.server.registry.list().at(-1);
    if (!session || this.known.some((one) => one.session === session)) return;
    this.known.push({
      session,
      owner,
      fate,
      isUnwanted: false,
      wasUnwatched: false,
      viewers: new Map([[owner, { readOnly: false }]]),
    });
  }

  private address(client: Client, type: AddressedType, one: Known | undefined): void {
    if (!one || !client.isOpen) return;
    const sessionId = one.session.id;
    switch (type) {
      case 'input':
        client.send({ type, sessionId, bytes: Buffer.from('x') });
        break;
      case 'resize':
        client.send({ type, sessionId, size: DEFAULT_SIZE });
        break;
      case 'close':
        this.noteClose(one);
        client.send({ type, sessionId });
        break;
      case 'detach':
        one.viewers.delete(client);
        client.send({ type, sessionId });
        break;
    }
  }

  private attach(
    client: Client,
    { share, readOnly }: { readonly share: number; readonly readOnly: boolean },
    one: Known | undefined,
  ): void {
    if (!one || !client.isOpen) return;
    const { session } = one;
    const before = this.attachmentsOf(client, one).length;
    const hadEnded = session.hasEnded;
    client.send({
      type: 'attach',
      sessionId: session.id,
      from: Math.floor(session.log.end * share),
      readOnly,
    });
    if (this.attachmentsOf(client, one).length === before) {
      if (this.isListed(session)) this.seen.add('too many wanted to look');
      return;
    }
    if (one.viewers.has(client)) this.seen.add('attached again');
    if (hadEnded) this.seen.add('attached after the end');
    if (client !== one.owner) this.seen.add('attached to another’s');
    one.viewers.set(client, { readOnly });
  }

  private disconnect(client: Client): void {
    if (!client.isOpen) return;
    for (const one of this.known) {
      if (one.owner === client) this.noteClose(one);
      one.viewers.delete(client);
    }
    client.leave();
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
    else if (what === 'flood') pty?.print(FLOOD);
    else pty?.end({ code: 3 });
    if (what === 'end' && pty?.closing) this.seen.add('a process ended by itself while it was being ended');
  }

  private shutDown(): void {
    this.isDown = true;
    if (this.server.ptys.alive.length > 0) this.seen.add('shut down with processes');
    for (const client of this.clients) this.disconnect(client);
    this.isStopped = false;
    void this.server.closer.onApplicationShutdown().then(() => (this.isStopped = true));
  }

  private assertOwned(pty: ScheduledPty): void {
    const one = this.known.find(({ session }) => session.cwd === pty.launch.cwd);
    assert(one && this.isListed(one.session), 'a process of no session');
    if (one.isUnwanted) {
      assert.equal(pty.closings, 1, 'a process nobody wants was not told to go');
      assert.equal(one.fate, 'unkillable');
    } else {
      assert(one.owner.isOpen);
      assert.equal(pty.closings, 0);
    }
  }

  private assertListedRightly({ session, isUnwanted, wasUnwatched, viewers }: Known): void {
    const pty = this.processOf(session);
    if (this.isListed(session)) assert.equal(session.isWatched, viewers.size > 0);
    assert(viewers.size <= MAX_VIEWERS);
    // Everybody has read everything.
    assert(session.state !== 'Running' || !pty?.paused);
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
  private assertShown(one: Known, client: Client): void {
    const { session, isUnwanted, viewers } = one;
    const attachments = this.attachmentsOf(client, one);
    attachments.forEach(assertExitLast);
    for (const attachment of attachments) this.assertPrinted(session, attachment);
    if (!viewers.has(client)) return;
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
      // Not `equal`, which would print them.
      assert(Buffer.from(log.read(offset, end - offset).bytes).toString() === bytes);
    }
  }

  /** Nobody shares control; and of those who are told, one has it who may. */
  private assertControl(one: Known): void {
    const { session, viewers } = one;
    if (session.hasEnded) return;
    const told = [...viewers].filter(([client]) => client.protocol === 'trex.v2');
    const inControl = told.filter(([client]) => this.isInControl(client, one));
    assert(inControl.length <= 1);
    for (const [, { readOnly }] of inControl) assert(!readOnly);
    const everybodyIsTold = told.length === viewers.size;
    if (everybodyIsTold && told.some(([, { readOnly }]) => !readOnly)) assert.equal(inControl.length, 1);
    if (inControl.some(([client]) => client !== one.owner))
      this.seen.add('another than the owner is in control');
  }

  /** As its messages say; whoever creates a session has it. */
  private isInControl(client: Client, one: Known): boolean {
    const lines = this.attachmentsOf(client, one)
      .flat()
      .map((heard) => ('line' in heard ? heard.line : ''));
    const last = lines.findLast((line) => /^(session_created|attached|control)/.test(line))!;
    return /^session_created|^attached .* true |^control true/.test(last);
  }

  /** What a client heard of a session, from each time on that it began to look. */
  private attachmentsOf(client: Client, { session: { id } }: Known): Heard[][] {
    const heard = this.heard.get(client) ?? [];
    heard.push(...client.news());
    this.heard.set(client, heard);
    const attachments: Heard[][] = [];
    for (const one of heard.filter(({ about }) => about === id)) {
      if ('line' in one && /^(session_created|attached)/.test(one.line)) attachments.push([]);
      assert(attachments.length > 0, 'news for somebody who does not look');
      attachments.at(-1)!.push(one);
    }
    return attachments;
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
