import { aheadBytes, DEFAULT_FLOW_LIMITS } from '../../../src/core/flow-control.js';
import { STALLED_MS } from '../../../src/core/session.js';
import { closeTimeoutMs } from '../../../src/sessions/session-closer.js';
import { START_WITHIN_MS } from '../../../src/sessions/session-opener.js';
import { testConfig } from '../../support/test-sessions.js';
import { JSON_PROTOCOL, type Protocol } from '../../../src/terminal/subprotocol.js';

export const CLOSE_TIMEOUT_MS = closeTimeoutMs(testConfig());
export const MAX_SESSIONS = 3;
export const MAX_VIEWERS = 2;
export const LINGER_SECONDS = 10;
export const RESUME_SECONDS = 60;
export const HOLD_SECONDS = 30;
export const DETACHED_SECONDS = 25;
/**
 * A flood pauses a process that somebody does not read, two of them one that somebody holds; with the fourth the first
 * begins to fall off the log.
 */
export const FLOOD_BYTES = 70_000;
/** The smallest that a server may have. */
export const LOG_BYTES = 262_144;

/** Where a session is, seen from outside: finer than the lifecycle, because its process has a life of its own. */
export type Phase =
  | 'announced'
  | 'spawning'
  | 'running'
  /** To be closed, and its process not there yet. */
  | 'closingUnspawned'
  | 'closing'
  | 'ended';

/** Why a process could not be started. */
export type SpawnFailure = 'SPAWN_FAILED' | 'INVALID_SHELL';

export interface ModelExit {
  readonly code: number;
  readonly signal?: string;
  readonly cause: 'ended' | 'closed' | 'failed';
  readonly failure?: SpawnFailure;
}

/** When something falls due; of what does at the same moment, what was set first is first. */
interface Due {
  readonly at: number;
  readonly order: number;
}

export interface ModelSession {
  readonly id: string;
  readonly name: string;
  readonly owner: ModelClient;
  readonly isPersistent: boolean;
  phase: Phase;
  /** Which of all processes that were ever asked for is its own. */
  process?: number;
  /** How its process ended, which nobody has been told while it is paused. */
  over?: Omit<ModelExit, 'cause'>;
  /** Nobody was told that its process had started: how that ended is nobody's concern. */
  closedBeforeStart?: boolean;
  size: Size;
  /** Every size it had, and how much it had printed by then. */
  readonly sizes: { readonly offset: number; readonly size: Size }[];
  /** What was typed, and reaches its process when there is one that reads. */
  input: string;
  /** What was typed while its process did not read. */
  waiting: string;
  isStuck: boolean;
  /** All it ever printed, and what its process says while it is paused. */
  printed: Buffer;
  unread: Buffer[];
  paused: boolean;
  /** When it will be asked who stands still, and where everybody was when it was paused. */
  look?: Due & { readonly progress: ReadonlyMap<ModelView, number> };
  viewers: ModelView[];
  controller?: ModelView;
  isRemoved: boolean;
  startAt?: Due;
  /** When it goes, because nobody looks at it. */
  leaveAt?: Due;
  exit?: ModelExit;
  /** How many had ended when it had. */
  ending?: number;
}

export interface ModelView {
  readonly connection: ModelConnection;
  readonly session: ModelSession;
  readonly isReadOnly: boolean;
  position: number;
  /** Where ends what it was sent: short of its position, where a session that was closed dropped the rest. */
  received: number;
  /** Where it began, whatever its client had asked for. */
  readonly begins: number;
  /** What its client has acknowledged; where it had left off until then. */
  consumed: number;
  isPacing: boolean;
  hasExit: boolean;
  /** Its client has been told that it begins. */
  isShown: boolean;
  /** Somebody closed the session before it had been sent everything. */
  isSkipped: boolean;
  /** Its connection is lost, and it waits for another. */
  isHeld: boolean;
  /** It goes on with what a lost connection looked at. */
  isResumed: boolean;
  /** It begins where what is kept begins: the terminal is told in which modes that finds it. */
  isCut: boolean;
}

/** Whoever creates sessions and types: of `trex.v2`, over one connection after the other. */
export interface ModelClient {
  /** The newest it had. */
  last: ModelConnection;
  isConnected: boolean;
  /** Nobody knows it any more. */
  isOver: boolean;
  held: ModelView[];
  /** What is not held for it any longer, and where it was. */
  readonly missed: Map<string, ModelView>;
  holdUntil?: Due;
  endAt?: Due;
  /** How much it has typed where, as `trex.v2` counts, and how much of that has reached its process. */
  readonly typed: Map<string, number>;
  readonly taken: Map<string, number>;
  /** The sessions that it asked for, until they are gone and it looks at them no more. */
  readonly asked: Set<string>;
  /** The exits it was sent of sessions that are gone. */
  readonly exits: Map<string, string>;
}

export interface ModelConnection {
  readonly number: number;
  readonly protocol: Protocol;
  readonly client: ModelClient;
  isOpen: boolean;
  /** Whether it takes what it is sent: output waits while it does not, everything else is sent all the same. */
  reads: boolean;
  /** Whether it says what it has taken. */
  acknowledges: boolean;
  views: ModelView[];
  /** What it must have been sent, since it was asked last. */
  news: ModelNews[];
}

/** A session that a client wants to go on with. */
export interface Wish {
  readonly sessionId: string;
  readonly from?: number;
  readonly readOnly: boolean;
}

export type ModelNews =
  | { readonly about: string; readonly line: string }
  | { readonly about: string; readonly offset: number; readonly end: number };

interface Waiting {
  readonly sessionId: string;
  readonly until: Due;
  answer?: string;
}

/** What a size is called here. */
export type Size = `${number}x${number}`;

/**
 * The smallest thing that can predict the server: one list of sessions, each in one phase, and what every client must
 * be told. No events, no promises, no frames: whoever reads has everything at once.
 */
export class Model {
  now = 0;
  readonly sessions: ModelSession[] = [];
  readonly connections: ModelConnection[] = [];
  readonly clients: ModelClient[] = [];
  readonly closeAnswers: Waiting[] = [];
  /** Every session there ever was, by its id. */
  readonly all = new Map<string, ModelSession>();
  /** Every way a session went: `announced → spawning`. */
  readonly transitions: string[] = [];
  /** What happened to viewers and clients. */
  readonly notes: string[] = [];
  /** Every command that was run, and every refusal that was given. */
  readonly commands: string[] = [];
  readonly refusals: string[] = [];
  /** How many processes were ever asked for. */
  started = 0;
  private ended = 0;
  private timersSet = 0;

  /** `created`: how many sessions the server has had before. */
  constructor(private created = 0) {}

  get ever(): number {
    return this.created;
  }

  get timers(): number {
    const waiting = this.closeAnswers.filter(({ answer }) => answer === undefined).length;
    const starts = this.sessions.filter(({ startAt }) => startAt !== undefined).length;
    const leaving = this.sessions.filter(({ leaveAt }) => leaveAt !== undefined).length;
    const looks = this.sessions.filter(({ look }) => look).length;
    const holds = this.clients.filter(({ holdUntil }) => holdUntil).length;
    const ends = this.clients.filter(({ endAt }) => endAt).length;
    return waiting + starts + leaving + looks + holds + ends;
  }

  find(id: string): ModelSession | undefined {
    return this.sessions.find((session) => session.id === id);
  }

  inPhase(...phases: Phase[]): ModelSession[] {
    return this.sessions.filter(({ phase }) => phases.includes(phase));
  }

  /** Somebody new connects, or somebody who was here before: with the sessions it names, and those it had. */
  connect(protocol: Protocol, returning?: ModelClient, wishes: readonly Wish[] = []): ModelConnection {
    const isKnown = returning !== undefined && !returning.isOver;
    if (isKnown) this.welcomeBack(returning);
    else if (returning) this.notes.push('came too late');
    const connection = this.addConnection(protocol, isKnown ? returning : undefined);
    if (protocol === JSON_PROTOCOL) return connection;
    const { client } = connection;
    const arrived: ModelView[] = [];
    // As they are now: what goes on with one may be the end of another.
    const named = (isKnown ? wishes : []).map((wish) => ({ ...wish, session: this.find(wish.sessionId) }));
    const resumed = named.map((wish) => this.goOn(connection, wish, arrived));
    const unnamed = [...client.held, ...client.missed.values()].filter(
      ({ session }) => !wishes.some(({ sessionId }) => sessionId === session.id),
    );
    client.missed.clear();
    for (const { session, consumed: from, isReadOnly: readOnly } of unnamed) {
      resumed.push(this.goOn(connection, { sessionId: session.id, session, from, readOnly }, arrived));
      this.notes.push('went on unnamed');
    }
    const names = resumed.map(({ sessionId }) => sessionId);
    say(connection, '', ['welcome', ...(isKnown ? ['back'] : []), ...names].join(' '));
    for (const { sessionId, line } of resumed) say(connection, sessionId, line);
    for (const view of arrived) this.show(view);
    return connection;
  }

  create(connection: ModelConnection, size?: Size, isPersistent = false): ModelSession | undefined {
    if (this.sessions.length - this.inPhase('ended').length >= MAX_SESSIONS) {
      refuse(connection, 'SESSION_LIMIT');
      return undefined;
    }
    this.created += 1;
    const session: ModelSession = {
      id: `s${this.created}`,
      name: `bash-${this.created}`,
      owner: connection.client,
      isPersistent,
      phase: 'announced',
      size: size ?? '80x24',
      sizes: [{ offset: 0, size: size ?? '80x24' }],
      input: '',
      waiting: '',
      isStuck: false,
      printed: Buffer.alloc(0),
      unread: [],
      paused: false,
      viewers: [],
      isRemoved: false,
      startAt: this.in(START_WITHIN_MS),
    };
    this.sessions.push(session);
    this.all.set(session.id, session);
    connection.client.asked.add(session.id);
    session.controller = addView(connection, session, 0, false);
    say(connection, session.id, `session_created ${session.name}`);
    this.show(session.controller);
    if (size) this.start(session);
    return session;
  }

  /** Whether a session starts with what is sent to it now. */
  startsWith(connection: ModelConnection, id: string | undefined): boolean {
    const session = id === undefined ? this.oldestOf(connection) : this.find(id);
    return session ? session.phase === 'announced' : id === undefined;
  }

  /** `skip`: how much of it the client has typed before; negative leaves a hole. Only `trex.v2` says so. */
  type(connection: ModelConnection, id: string | undefined, text: string, skip = 0): void {
    const { client } = connection;
    const isJson = connection.protocol === JSON_PROTOCOL;
    if (!isJson && !viewOf(connection, id)) {
      refuse(connection, 'SESSION_NOT_FOUND');
      return;
    }
    const session = this.found(connection, id);
    if (!session) return;
    if (!isJson && skip < 0) {
      refuse(connection, `BAD_INPUT_OFFSET ${typedBy(client, session)}`);
      return;
    }
    const refusal = usageRefusal(connection, session);
    if (refusal !== undefined) {
      refuse(connection, isJson ? refusal : `${refusal} ${typedBy(client, session)}`);
      return;
    }
    if (!isJson) client.typed.set(session.id, typedBy(client, session) + text.length);
    if (session.isStuck) session.waiting += text;
    else if (!session.over) session.input += text;
    this.handControlTo(viewFor(connection, session), session);
    this.start(session);
    if (session.phase === 'running') this.take(session);
  }

  resize(connection: ModelConnection, id: string | undefined, size: Size): void {
    const session = this.found(connection, id);
    if (!session) return;
    const refusal = usageRefusal(connection, session);
    if (refusal !== undefined) {
      refuse(connection, refusal);
      return;
    }
    this.handControlTo(viewFor(connection, session), session);
    const offset = session.printed.length;
    session.size = size;
    if (session.sizes.at(-1)!.offset === offset) session.sizes.pop();
    session.sizes.push({ offset, size });
    this.start(session);
    for (const view of session.viewers) {
      if (view.connection !== connection) sayToFrames(view, `resized ${size}@${offset}`);
    }
  }

  attach(connection: ModelConnection, id: string, from: number | undefined, isReadOnly: boolean): void {
    const session = this.find(id);
    if (!session) {
      refuse(connection, 'SESSION_NOT_FOUND');
      return;
    }
    const before = viewOf(connection, id);
    const view = this.place(connection, session, from, isReadOnly, before);
    if (typeof view === 'string') {
      refuse(connection, view);
      return;
    }
    this.notes.push(before ? 'attached again' : session.exit ? 'came after the end' : 'attached');
    say(connection, id, `attached ${shown(view, from)}`);
    this.show(view);
  }

  /** From now on it says what it has taken, whenever it takes anything. */
  acknowledge(connection: ModelConnection, id: string, offset: number): void {
    connection.acknowledges = true;
    const view = viewOf(connection, id);
    if (view && offset > view.received) refuse(connection, 'BAD_OFFSET');
    else if (view) view.consumed = Math.max(view.consumed, offset);
    if (!connection.reads) return;
    // Of what begins behind a gap and has not gone on, it has taken nothing.
    for (const one of connection.views) if (one.received > one.begins) one.consumed = one.received;
  }

  stopReading(connection: ModelConnection): void {
    if (connection.reads) say(connection, '', 'tmux_sessions');
    connection.reads = false;
  }

  startReading(connection: ModelConnection): void {
    connection.reads = true;
    for (const view of [...connection.views]) this.read(view);
  }

  /** Nobody has started it for so long that it does so by itself. */
  startByItself(session: ModelSession): void {
    this.start(session);
  }

  spawned(session: ModelSession): void {
    session.closedBeforeStart = session.phase === 'closingUnspawned';
    this.go(session, session.closedBeforeStart ? 'closing' : 'running');
    if (session.phase === 'running') this.take(session);
  }

  spawnFailed(session: ModelSession, failure: SpawnFailure = 'SPAWN_FAILED'): void {
    if (session.phase === 'closingUnspawned') this.end(session, { code: 0, cause: 'closed' });
    else this.end(session, { code: 127, cause: 'failed', failure });
  }

  /** Its process does not read what is typed. */
  stick(session: ModelSession): void {
    session.isStuck = true;
  }

  unstick(session: ModelSession): void {
    session.isStuck = false;
    if (session.over) return;
    session.input += session.waiting;
    session.waiting = '';
    this.take(session);
  }

  print(session: ModelSession, bytes: Buffer): void {
    if (session.phase !== 'running') return;
    session.unread.push(bytes);
    this.hear(session);
  }

  processEnds(session: ModelSession, exit: Omit<ModelExit, 'cause'>): void {
    session.over ??= exit;
    const { over, closedBeforeStart } = session;
    if (session.phase === 'closing')
      this.end(session, { ...(closedBeforeStart ? { code: 0 } : over), cause: 'closed' });
    else this.hear(session);
  }

  close(connection: ModelConnection, id: string | undefined): void {
    const target = id ?? this.oldestOf(connection)?.id;
    if (target === undefined) return;
    const session = this.find(target);
    if (session) this.closeSession(session);
    else if (!this.wasEver(target)) refuse(connection, 'SESSION_NOT_FOUND');
  }

  closeOverRest(id: string): void {
    const waiting: Waiting = { sessionId: id, until: this.in(CLOSE_TIMEOUT_MS) };
    this.closeAnswers.push(waiting);
    const session = this.find(id);
    if (!session) {
      waiting.answer = 'SESSION_NOT_FOUND';
      return;
    }
    this.closeSession(session);
    if (session.phase === 'ended') waiting.answer = 'closed';
  }

  detach(connection: ModelConnection, id: string | undefined): void {
    const wanted = id ?? this.oldestOf(connection)?.id;
    if (wanted === undefined) return;
    const view = viewOf(connection, wanted);
    if (view) this.letGo(view);
    else if (!this.wasEver(wanted)) refuse(connection, 'SESSION_NOT_FOUND');
  }

  /** It says that it does not come back. */
  disconnect(connection: ModelConnection): void {
    connection.isOpen = false;
    for (const view of [...connection.views]) this.leave(view);
    this.endClient(connection.client);
  }

  /** Its connection is lost. */
  drop(connection: ModelConnection): void {
    if (connection.protocol === JSON_PROTOCOL) {
      this.disconnect(connection);
      return;
    }
    const { client } = connection;
    this.hold(connection);
    client.isConnected = false;
    client.holdUntil = this.in(HOLD_SECONDS * 1000);
    client.endAt = this.in(RESUME_SECONDS * 1000);
  }

  /** Everything that falls due, in its order. */
  tick(ms: number): void {
    const until = this.now + ms;
    for (let next = this.nextDue(until); next; next = this.nextDue(until)) {
      this.now = next.at;
      next.run();
    }
    this.now = until;
  }

  private nextDue(until: number): { at: number; run: () => void } | undefined {
    const due: { due: Due | undefined; run: () => void }[] = [
      ...this.sessions.map((session) => ({ due: session.startAt, run: () => this.start(session) })),
      ...this.sessions.map((session) => ({ due: session.leaveAt, run: () => this.leaveAlone(session) })),
      ...this.sessions.map((session) => ({ due: session.look, run: () => this.lookAround(session) })),
      ...this.clients.map((client) => ({ due: client.holdUntil, run: () => this.endHold(client) })),
      ...this.clients.map((client) => ({ due: client.endAt, run: () => this.expire(client) })),
      ...this.closeAnswers
        .filter(({ answer }) => answer === undefined)
        .map((waiting) => ({ due: waiting.until, run: () => void (waiting.answer = 'CLOSE_TIMEOUT') })),
    ];
    const [next] = due
      .filter((one): one is { due: Due; run: () => void } => one.due !== undefined && one.due.at <= until)
      .sort((a, b) => a.due.at - b.due.at || a.due.order - b.due.order);
    return next && { at: next.due.at, run: next.run };
  }

  private in(ms: number): Due {
    return { at: this.now + ms, order: (this.timersSet += 1) };
  }

  private addConnection(protocol: Protocol, known: ModelClient | undefined): ModelConnection {
    const connection: ModelConnection = {
      number: this.connections.length,
      protocol,
      client: known ?? this.addClient(),
      isOpen: true,
      reads: true,
      acknowledges: protocol !== JSON_PROTOCOL,
      views: [],
      news: [],
    };
    connection.client.last = connection;
    this.connections.push(connection);
    return connection;
  }

  private addClient(): ModelClient {
    const client = {
      // Until it has its first, which is at once.
      last: undefined as unknown as ModelConnection,
      isConnected: true,
      isOver: false,
      held: [],
      missed: new Map<string, ModelView>(),
      typed: new Map(),
      taken: new Map(),
      asked: new Set<string>(),
      exits: new Map(),
    };
    this.clients.push(client);
    return client;
  }

  /** Its older connection, if there still is one, counts no more. */
  private welcomeBack(client: ModelClient): void {
    this.notes.push(client.isConnected ? 'was taken over' : 'was resumed');
    stopWaiting(client);
    if (client.isConnected) keepViews(client.last);
    client.isConnected = true;
  }

  /** Of a connection that is lost. */
  private hold(connection: ModelConnection): void {
    for (const view of keepViews(connection)) {
      const { session } = view;
      view.isHeld = true;
      if (session.controller === view && session.phase !== 'ended') {
        const present = session.viewers.find(({ isReadOnly, isHeld }) => !isReadOnly && !isHeld);
        this.handControlTo(present, session);
      }
      this.pace(session);
    }
  }

  private endHold(client: ModelClient): void {
    client.holdUntil = undefined;
    if (client.held.length > 0) this.notes.push('hold ended');
    for (const view of client.held.splice(0)) {
      client.missed.set(view.session.id, view);
      this.letGo(view);
    }
  }

  private expire(client: ModelClient): void {
    this.notes.push('client expired');
    this.endClient(client);
  }

  private endClient(client: ModelClient): void {
    stopWaiting(client);
    client.isConnected = false;
    client.isOver = true;
    const own = this.sessions.filter(({ owner }) => owner === client);
    for (const session of own) {
      if (session.isPersistent) this.notes.push('outlived its client');
      else if (this.find(session.id)) this.closeSession(session);
    }
  }

  /** One of the sessions that a client comes back to. */
  private goOn(
    connection: ModelConnection,
    { sessionId, session: wanted, from, readOnly }: Wish & { readonly session?: ModelSession },
    arrived: ModelView[],
  ): { readonly sessionId: string; readonly line: string } {
    const { client } = connection;
    const held = client.held.find(({ session }) => session.id === sessionId);
    client.held = client.held.filter((view) => view !== held);
    const session = held?.session ?? wanted;
    if (!session) {
      const exit = client.exits.get(sessionId);
      this.notes.push(exit === undefined ? 'came back to nothing' : 'was told of its exit again');
      return { sessionId, line: `not resumed: ${exit ? `SESSION_ENDED ${exit}` : 'SESSION_NOT_FOUND'}` };
    }
    const view = this.place(connection, session, from, readOnly, held);
    if (typeof view === 'string') {
      if (held) this.letGo(held);
      this.notes.push(`came back: ${view}`);
      return { sessionId, line: `not resumed: ${view}` };
    }
    arrived.push(view);
    if (held) {
      view.isResumed = !held.hasExit;
      if (session.isRemoved) this.notes.push('came back to one that was gone');
      if (from !== undefined && from < view.position) this.notes.push('was told of a gap after resume');
    }
    const whose = client.asked.has(sessionId) ? 'its own' : 'another';
    return { sessionId, line: `resumed ${whose} ${session.name} ${shown(view, from)}` };
  }

  /** Begins to look, instead of `replaced`. @returns why not, otherwise */
  private place(
    connection: ModelConnection,
    session: ModelSession,
    from: number | undefined,
    isReadOnly: boolean,
    replaced: ModelView | undefined,
  ): ModelView | 'BAD_OFFSET' | 'SESSION_LIMIT' {
    const { printed } = session;
    if (from !== undefined && from > printed.length) return 'BAD_OFFSET';
    if (session.viewers.length - (replaced ? 1 : 0) >= MAX_VIEWERS) return 'SESSION_LIMIT';
    const wanted = connection.protocol === JSON_PROTOCOL ? wholeFrom(session, from) : from;
    const isClosed = session.phase.startsWith('closing') || session.exit?.cause === 'closed';
    const start = isClosed ? printed.length : placeFrom(session, wanted ?? 0);
    const view = addView(connection, session, start, isReadOnly, Math.min(wanted ?? start, start));
    view.isCut = !isClosed && (wanted ?? 0) < startOf(session);
    const { controller } = session;
    if (!isReadOnly && (!controller || controller === replaced || controller.isHeld)) {
      if (controller?.isHeld && controller !== replaced) this.notes.push('control was taken from one held');
      session.controller = view;
    }
    if (session.leaveAt) this.notes.push(session.exit ? 'came while it lingered' : 'came to one left alone');
    session.leaveAt = undefined;
    if (replaced) this.leave(replaced);
    this.pace(session);
    return view;
  }

  /** Its client has been told of it. */
  private show(view: ModelView): void {
    const { connection, session } = view;
    connection.views.push(view);
    view.isShown = true;
    if (view.isCut && connection.protocol === JSON_PROTOCOL) say(connection, session.id, 'modes');
    this.read(view);
    const isStillShown = connection.views.includes(view);
    if (!isStillShown || !connection.client.taken.get(session.id)) return;
    tellTaken(connection, session);
    this.notes.push('was told again what was taken');
  }

  /** The session a message means; a client that names none and has none gets one. */
  private found(connection: ModelConnection, id: string | undefined): ModelSession | undefined {
    const session = id === undefined ? (this.oldestOf(connection) ?? this.create(connection)) : this.find(id);
    if (!session && id !== undefined) refuse(connection, 'SESSION_NOT_FOUND');
    return session;
  }

  private oldestOf({ client }: ModelConnection): ModelSession | undefined {
    return this.sessions.find(({ owner, phase }) => owner === client && phase !== 'ended');
  }

  private wasEver(id: string): boolean {
    return Number(id.slice(1)) <= this.created;
  }

  private start(session: ModelSession): void {
    if (session.phase !== 'announced') return;
    session.startAt = undefined;
    session.process = this.started;
    this.started += 1;
    this.go(session, 'spawning');
  }

  /** Its process takes all that was typed, if it takes anything. */
  private take(session: ModelSession): void {
    const { id } = session;
    if (session.isStuck || session.over) return;
    for (const client of this.clients) {
      const typed = client.typed.get(id);
      if (typed === undefined || typed === client.taken.get(id)) continue;
      client.taken.set(id, typed);
      if (client.isConnected && viewOf(client.last, id)) tellTaken(client.last, session);
      else this.notes.push('was not there when its input was taken');
    }
  }

  /** A process says what it has to say, unless it is paused. */
  private hear(session: ModelSession): void {
    while (!session.paused && session.unread.length > 0) {
      session.printed = Buffer.concat([session.printed, session.unread.shift()!]);
      for (const view of session.viewers) this.read(view);
      this.pace(session);
    }
    if (!session.paused && session.over && session.phase === 'running') {
      this.end(session, { ...session.over, cause: 'ended' });
    }
  }

  /** Its client takes what there is, if it takes anything; the exit needs no room. */
  private read(view: ModelView): void {
    const { connection, session } = view;
    if (!view.isShown || view.isHeld) return;
    const end = session.printed.length;
    if (connection.reads && view.position < end) {
      const offset = placeFrom(session, view.position);
      if (offset > view.position) {
        sayMissed(view, `gap ${view.position}–${offset}`);
        this.notes.push('was told of a gap');
      }
      if (connection.isOpen) connection.news.push({ about: session.id, offset, end });
      view.position = end;
      view.received = end;
      // What it acknowledges comes a little later: until then it may be asked for again, and is kept.
      this.pace(session);
      if (connection.acknowledges) view.consumed = view.received;
      this.pace(session);
    }
    if (!session.exit || view.hasExit || view.position < session.printed.length) return;
    view.hasExit = true;
    if (view.isResumed) this.notes.push('exit came after resume');
    if (session.exit.cause === 'failed') say(connection, session.id, `error ${session.exit.failure}`);
    say(connection, session.id, `exit ${exitText(session.exit)}`);
    if (!session.isRemoved || !hasEverything(view)) return;
    this.notes.push('read one that was gone');
    this.forget(view);
  }

  /** Pauses the process, or lets it run on, by the slowest viewer it waits for. */
  private pace(session: ModelSession): void {
    if (session.phase !== 'running') return;
    const { pauseAboveBytes, resumeBelowBytes } = DEFAULT_FLOW_LIMITS;
    for (const view of session.viewers) {
      if (behind(view) >= resumeBelowBytes) continue;
      if (!view.isPacing) this.notes.push('is waited for again');
      view.isPacing = true;
    }
    const pacing = session.viewers.filter(({ isPacing }) => isPacing);
    const slowest = Math.max(0, ...(pacing.length > 0 ? pacing : session.viewers).map(behind));
    const paused = session.paused ? slowest >= resumeBelowBytes : slowest > pauseAboveBytes;
    if (paused === session.paused) return;
    session.paused = paused;
    if (paused && session.viewers.every((view) => view.isHeld || behind(view) <= pauseAboveBytes)) {
      this.notes.push('paused for one that is held');
    }
    if (paused && pacing.length === 0) this.notes.push('paused for one not waited for before');
    if (paused) this.watch(session);
    else {
      session.look = undefined;
      this.hear(session);
    }
  }

  private watch(session: ModelSession): void {
    const progress = new Map(session.viewers.map((view) => [view, progressOf(view)]));
    session.look = { ...this.in(STALLED_MS), progress };
  }

  /** Whoever is behind, and has neither taken nor acknowledged anything since, is not waited for. */
  private lookAround(session: ModelSession): void {
    const late = session.viewers.filter((view) => behind(view) >= DEFAULT_FLOW_LIMITS.resumeBelowBytes);
    if (late.length < session.viewers.length) {
      for (const view of late.filter((one) => session.look!.progress.get(one) === progressOf(one))) {
        view.isPacing = false;
        this.notes.push(view.isHeld ? 'is held and not waited for' : 'is not waited for');
      }
    }
    session.look = undefined;
    this.pace(session);
    if (session.paused && !session.look) this.watch(session);
  }

  private handControlTo(view: ModelView | undefined, session: ModelSession): void {
    const before = session.controller;
    if (!view || view.isReadOnly || view === before) return;
    session.controller = view;
    if (before) sayToFrames(before, 'control false');
    sayToFrames(view, 'control true');
    this.notes.push(before ? 'control was taken' : 'control was handed over');
  }

  private closeSession(session: ModelSession): void {
    if (session.phase !== 'ended') session.leaveAt = undefined;
    session.unread = [];
    session.look = undefined;
    for (const view of session.viewers) {
      if (view.position < session.printed.length) view.isSkipped = true;
      view.position = session.printed.length;
    }
    switch (session.phase) {
      case 'announced':
        this.end(session, { code: 0, cause: 'closed' });
        break;
      case 'spawning':
        session.input = '';
        this.go(session, 'closingUnspawned');
        break;
      case 'running':
        this.go(session, 'closing');
        if (session.over) this.end(session, { ...session.over, cause: 'closed' });
        break;
      case 'closingUnspawned':
      case 'closing':
        break;
      case 'ended':
        for (const view of session.viewers) this.read(view);
        this.remove(session, 'closed');
        break;
    }
  }

  private end(session: ModelSession, exit: ModelExit): void {
    session.startAt = undefined;
    session.look = undefined;
    session.exit = exit;
    session.ending = this.ended += 1;
    this.go(session, 'ended');
    for (const view of session.viewers) this.read(view);
    for (const waiting of this.closeAnswers) {
      if (waiting.sessionId === session.id) waiting.answer ??= 'closed';
    }
    if (exit.cause !== 'ended') {
      this.remove(session, exit.cause);
      return;
    }
    this.leaveUnlessWatched(session);
    const ended = this.inPhase('ended').sort((a, b) => a.ending! - b.ending!);
    for (const oldest of ended.slice(0, Math.max(0, ended.length - MAX_SESSIONS))) {
      this.remove(oldest, 'oldest');
    }
  }

  /** It has the exit, and the session is gone. */
  private forget(view: ModelView): void {
    const { connection, session } = view;
    connection.client.exits.set(session.id, exitText(session.exit!));
    this.letGo(view);
  }

  /** Of a session that is gone, there is nothing to remember then. */
  private letGo(view: ModelView): void {
    this.leave(view);
    if (view.session.isRemoved) forgetWhatItDid(view.connection.client, view.session);
  }

  private leave(view: ModelView): void {
    const { connection, session } = view;
    connection.views = connection.views.filter((one) => one !== view);
    session.viewers = session.viewers.filter((one) => one !== view);
    if (session.controller === view) {
      session.controller = undefined;
      if (session.phase !== 'ended') this.handControlTo(candidateOf(session), session);
    }
    this.pace(session);
    this.leaveUnlessWatched(session);
  }

  private leaveUnlessWatched(session: ModelSession): void {
    if (session.viewers.length > 0 || session.isRemoved) return;
    session.leaveAt = undefined;
    if (session.exit) session.leaveAt = this.in(LINGER_SECONDS * 1000);
    else if (session.isPersistent && isUsable(session)) session.leaveAt = this.in(DETACHED_SECONDS * 1000);
  }

  /** Nobody has looked at it for too long. */
  private leaveAlone(session: ModelSession): void {
    session.leaveAt = undefined;
    if (session.exit) {
      this.remove(session, 'lingered out');
      return;
    }
    this.notes.push('was left alone for too long');
    this.closeSession(session);
  }

  private remove(session: ModelSession, why: 'closed' | 'failed' | 'lingered out' | 'oldest'): void {
    this.transitions.push(`${session.phase} → gone: ${why}`);
    this.sessions.splice(this.sessions.indexOf(session), 1);
    session.isRemoved = true;
    session.leaveAt = undefined;
    for (const client of this.clients) if (!mayComeBackTo(client, session)) forgetWhatItDid(client, session);
    // Those of a connection that is lost are kept, also while not all of them are held yet.
    for (const view of [...session.viewers]) {
      if (view.connection.isOpen && hasEverything(view)) this.forget(view);
    }
  }

  private go(session: ModelSession, phase: Phase): void {
    this.transitions.push(`${session.phase} → ${phase}`);
    session.phase = phase;
  }
}

function addView(
  connection: ModelConnection,
  session: ModelSession,
  position: number,
  isReadOnly: boolean,
  consumed = position,
): ModelView {
  const view = {
    connection,
    session,
    isReadOnly,
    position,
    received: position,
    begins: position,
    consumed,
    isPacing: true,
    hasExit: false,
    isShown: false,
    isSkipped: false,
    isHeld: false,
    isResumed: false,
    isCut: false,
  };
  session.viewers.push(view);
  return view;
}

/** For the next connection of its client, which may be there already. */
function keepViews(connection: ModelConnection): ModelView[] {
  connection.isOpen = false;
  const views = connection.views.splice(0);
  connection.client.held.push(...views);
  return views;
}

function mayComeBackTo({ held, isConnected, last }: ModelClient, session: ModelSession): boolean {
  return [...held, ...(isConnected ? last.views : [])].some((view) => view.session === session);
}

function forgetWhatItDid({ asked, typed, taken, missed, exits }: ModelClient, session: ModelSession): void {
  const { id, exit } = session;
  if (missed.delete(id) && exit) exits.set(id, exitText(exit));
  asked.delete(id);
  typed.delete(id);
  taken.delete(id);
}

function stopWaiting(client: ModelClient): void {
  client.holdUntil = undefined;
  client.endAt = undefined;
}

function say(connection: ModelConnection, about: string, line: string): void {
  if (connection.isOpen) connection.news.push({ about, line });
}

function refuse(connection: ModelConnection, reason: string): void {
  say(connection, '', `error ${reason}`);
}

/** What existing clients are not told. */
function sayToFrames({ connection, session }: ModelView, line: string): void {
  if (connection.protocol !== JSON_PROTOCOL) say(connection, session.id, line);
}

/** Behind what is missing come the modes that the terminal is to be in; to existing clients, as output. */
function sayMissed({ connection, session }: ModelView, line: string): void {
  if (connection.protocol !== JSON_PROTOCOL) {
    say(connection, session.id, `${line} with modes`);
    return;
  }
  say(connection, session.id, line);
  say(connection, session.id, 'modes');
}

/** Apart from its output, because it comes a little later. */
function tellTaken(connection: ModelConnection, { id }: ModelSession): void {
  say(connection, `typing into ${id}`, `taken ${connection.client.taken.get(id)}`);
}

function viewOf({ views }: ModelConnection, id: string | undefined): ModelView | undefined {
  return views.find(({ session }) => session.id === id);
}

/** Who is in control when somebody types there: itself, or the owner when it does not look. */
function viewFor(connection: ModelConnection, { id, owner }: ModelSession): ModelView | undefined {
  return viewOf(connection, id) ?? (owner.isConnected ? viewOf(owner.last, id) : undefined);
}

/** Who is in control when nobody else is. */
function candidateOf({ viewers }: ModelSession): ModelView | undefined {
  const may = viewers.filter(({ isReadOnly }) => !isReadOnly);
  return may.find(({ isHeld }) => !isHeld) ?? may[0];
}

function isUsable({ phase }: ModelSession): boolean {
  return ['announced', 'spawning', 'running'].includes(phase);
}

/** Why nobody types or resizes there, if nobody does. */
function usageRefusal(connection: ModelConnection, session: ModelSession): string | undefined {
  if (!isUsable(session)) return 'SESSION_ENDED';
  return viewOf(connection, session.id)?.isReadOnly ? 'READ_ONLY' : undefined;
}

export function typedBy({ typed }: ModelClient, { id }: ModelSession): number {
  return typed.get(id) ?? 0;
}

/** How far its process is ahead of it. */
function behind({ connection, session, position, begins, consumed, isHeld }: ModelView): number {
  const end = session.printed.length;
  const isResumable = connection.protocol !== JSON_PROTOCOL;
  const needed = isResumable ? Math.max(consumed, begins, startOf(session)) : position;
  return aheadBytes(isHeld ? 0 : end - position, end - needed, LOG_BYTES);
}

/** Its exit, and all the output before it that was not dropped: what may have been lost on its way does not count. */
function hasEverything({ connection, session, hasExit, consumed, isSkipped }: ModelView): boolean {
  const isResumable = connection.protocol !== JSON_PROTOCOL;
  const mayLack = isResumable && !isSkipped && session.exit?.cause !== 'closed';
  return hasExit && (!mayLack || consumed >= session.printed.length);
}

function progressOf({ position, consumed }: ModelView): number {
  return position + consumed;
}

function startOf({ printed }: ModelSession): number {
  return Math.max(0, printed.length - LOG_BYTES);
}

/** There, or where the first whole character begins that has not fallen off the log. */
function placeFrom(session: ModelSession, from: number): number {
  let place = startOf(session);
  if (from >= place) return from;
  while (isInside(session, place)) place += 1;
  return place;
}

/** Where the character begins that `from` lies in. */
function wholeFrom(session: ModelSession, from: number | undefined): number | undefined {
  if (from === undefined || from < startOf(session)) return from;
  let whole = from;
  while (whole > startOf(session) && isInside(session, whole)) whole -= 1;
  while (isInside(session, whole)) whole += 1;
  return whole;
}

function isInside({ printed }: ModelSession, offset: number): boolean {
  return ((printed[offset] ?? 0) & 0xc0) === 0x80;
}

function exitText({ code, signal, cause }: ModelExit): string {
  return [code, signal, cause].filter((part) => part !== undefined).join(' ');
}

function shown(view: ModelView, from = view.position): string {
  const { connection, session, position, isCut } = view;
  const { printed, size, sizes, controller } = session;
  const was = sizes.filter((_, index) => (sizes[index + 1]?.offset ?? Infinity) > position);
  const isJson = connection.protocol === JSON_PROTOCOL;
  return [
    `${position}–${printed.length}`,
    ...(isJson ? [] : [`typed ${typedBy(connection.client, session)}`]),
    `${controller === view}`,
    size,
    was.map((one) => `${one.size}@${one.offset}`).join(),
    ...(from < position ? [`without ${from}–${position}`] : []),
    ...(isCut && !isJson ? ['with modes'] : []),
  ].join(' ');
}
