import assert from 'node:assert/strict';
import { SessionError } from '../../../src/core/session-error.js';
import { type Session } from '../../../src/core/session.js';
import { DEFAULT_SIZE, type TerminalSize } from '../../../src/core/terminal-size.js';
import { CLOSE_TIMEOUT_MS } from '../../../src/sessions/session-closer.js';
import { type ProcessEvent, type ScheduledPty } from '../../fakes/scheduled-pty.js';
import { assertToldInOrder, type Client, type CloseAnswer, Server } from './server.js';

export const CLIENTS = 2;
const MAX_SESSIONS = 4;

/** What becomes of a process; written into the directory it is started in. */
export type Fate = 'lives' | 'cannotStart' | 'unkillable';

/** One thing somebody does; `pick` is one of the sessions there have been by then. */
export type Action =
  | { readonly type: 'create'; readonly fate: Fate; readonly size?: TerminalSize }
  | { readonly type: 'input' | 'resize' | 'close' | 'detach'; readonly pick: number }
  | { readonly type: 'leave' }
  | { readonly type: 'restClose'; readonly pick: number }
  | { readonly type: 'print' | 'end'; readonly pick: number }
  | { readonly type: 'wait'; readonly ms: number }
  | { readonly type: 'shutDown' };

/** A session as its maker remembers it. */
interface Known {
  readonly session: Session;
  readonly owner: Client;
  readonly fate: Fate;
  /** Somebody closed it while it was listed, or its owner left. */
  isUnwanted: boolean;
  /** How many exits its owner had been told when it stopped viewing it. */
  exitsAtDetach?: number;
}

/** A server on which whatever takes time takes as long as a scheduler likes, and a memory of what was done to it. */
export class Scene {
  /** Situations that came up. */
  readonly seen = new Set<string>();
  private readonly server = new Server((event) => this.happens(event), { maxSessions: MAX_SESSIONS });
  private readonly clients = Array.from({ length: CLIENTS }, () => this.server.connect());
  private readonly known: Known[] = [];
  private readonly expectedAnswers = new Map<CloseAnswer, readonly (string | undefined)[]>();
  private isDown = false;
  private isStopped = true;

  /** `later` resolves when the scheduler says so. */
  constructor(private readonly later: (label: string) => Promise<void>) {}

  act(action: Action, actor: number): void {
    const isInside = action.type === 'print' || action.type === 'end' || action.type === 'wait';
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
      case 'leave':
        this.disconnect(this.clients[actor]!);
        break;
      case 'restClose':
        this.closeOverRest(this.one(action.pick));
        break;
      case 'print':
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
      this.assertExits(one);
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
      assert(this.exitsOf(one).length <= 1);
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
    this.known.push({ session, owner, fate, isUnwanted: false });
  }

  private address(
    client: Client,
    type: 'input' | 'resize' | 'close' | 'detach',
    one: Known | undefined,
  ): void {
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
        if (client === one.owner) one.exitsAtDetach ??= this.exitsOf(one).length;
        client.send({ type, sessionId });
        break;
    }
  }

  private disconnect(client: Client): void {
    if (!client.isOpen) return;
    for (const one of this.known) if (one.owner === client) this.noteClose(one);
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

  private let(what: 'print' | 'end', number: number): void {
    const { alive } = this.server.ptys;
    const pty = alive[number % alive.length];
    if (what === 'print') pty?.print('output');
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

  private assertListedRightly({ session, isUnwanted, exitsAtDetach }: Known): void {
    const pty = this.processOf(session);
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
      assert(this.isListed(session) || exitsAtDetach !== undefined || byItself > MAX_SESSIONS);
      this.seen.add('ended by itself and stays listed');
    }
  }

  /** Exactly one per viewer, the last thing it hears of the session. */
  private assertExits(one: Known): void {
    const exits = this.exitsOf(one);
    if (one.exitsAtDetach !== undefined) assert.equal(exits.length, one.exitsAtDetach);
    else if (one.owner.isOpen) assert.equal(exits.length, one.session.hasEnded ? 1 : 0);
    else assert(exits.length <= 1);
    for (const client of this.clients) {
      const told = client.socket.sent.filter(
        (message) =>
          'sessionId' in message &&
          message.sessionId === one.session.id &&
          message.type !== 'session_created',
      );
      if (client !== one.owner) assert.deepEqual(told, []);
      else if (exits.length > 0) assert.equal(told.at(-1)?.type, 'exit');
    }
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

  private exitsOf({ owner, session }: Known): unknown[] {
    return owner.socket.sent.filter((message) => message.type === 'exit' && message.sessionId === session.id);
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
