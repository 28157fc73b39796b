import { DEFAULT_FLOW_LIMITS } from '../../../src/core/flow-control.js';
import { STALLED_MS } from '../../../src/core/session.js';
import { CLOSE_TIMEOUT_MS } from '../../../src/sessions/session-closer.js';
import { START_WITHIN_MS } from '../../../src/sessions/session-opener.js';
import { JSON_PROTOCOL, type Protocol } from '../../../src/terminal/subprotocol.js';

export const MAX_SESSIONS = 3;
export const MAX_VIEWERS = 2;
export const LINGER_SECONDS = 60;
/** A flood pauses a process that somebody does not read; two of them, and the first begins to fall off the log. */
export const FLOOD_BYTES = 70_000;
export const LOG_BYTES = 120_000;

/** Where a session is, seen from outside: finer than the lifecycle, because its process has a life of its own. */
export type Phase =
  | 'announced'
  | 'spawning'
  | 'running'
  /** To be closed, and its process not there yet. */
  | 'closingUnspawned'
  | 'closing'
  | 'ended';

export interface ModelExit {
  readonly code: number;
  readonly signal?: string;
  readonly cause: 'ended' | 'closed' | 'failed';
}

export interface ModelSession {
  readonly id: string;
  readonly name: string;
  readonly owner: ModelClient;
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
  /** What was typed, and reaches its process when there is one. */
  input: string;
  /** All it ever printed, and what its process says while it is paused. */
  printed: Buffer;
  unread: Buffer[];
  paused: boolean;
  /** When it will be asked who stands still, and who was there when it was paused. */
  look?: { readonly at: number; readonly among: readonly ModelView[] };
  viewers: ModelView[];
  controller?: ModelView;
  isRemoved: boolean;
  startAt?: number;
  lingerUntil?: number;
  exit?: ModelExit;
  /** How many had ended when it had. */
  ending?: number;
}

export interface ModelView {
  readonly client: ModelClient;
  readonly session: ModelSession;
  readonly isReadOnly: boolean;
  position: number;
  isPacing: boolean;
  hasExit: boolean;
  /** Its client has been told that it begins. */
  isShown: boolean;
}

export interface ModelClient {
  readonly number: number;
  readonly protocol: Protocol;
  isOpen: boolean;
  /** Whether it takes what it is sent: output waits while it does not, everything else is sent all the same. */
  reads: boolean;
  views: ModelView[];
  /** How much it has typed where, as `trex.v2` counts. */
  readonly typed: Map<string, number>;
  /** What it must have been sent, since it was asked last. */
  news: ModelNews[];
}

export type ModelNews =
  | { readonly about: string; readonly line: string }
  | { readonly about: string; readonly offset: number; readonly end: number };

interface Waiting {
  readonly sessionId: string;
  readonly until: number;
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
  readonly clients: ModelClient[] = [];
  readonly closeAnswers: Waiting[] = [];
  /** Every session there ever was, by its id. */
  readonly all = new Map<string, ModelSession>();
  /** Every way a session went: `announced → spawning`. */
  readonly transitions: string[] = [];
  /** What happened to viewers. */
  readonly notes: string[] = [];
  /** How many processes were ever asked for. */
  started = 0;
  private created = 0;
  private ended = 0;

  get ever(): number {
    return this.created;
  }

  get timers(): number {
    const waiting = this.closeAnswers.filter(({ answer }) => answer === undefined).length;
    const starts = this.sessions.filter(({ startAt }) => startAt !== undefined).length;
    const lingering = this.sessions.filter(({ lingerUntil }) => lingerUntil !== undefined).length;
    const looks = this.sessions.filter(({ look }) => look).length;
    return waiting + starts + lingering + looks;
  }

  find(id: string): ModelSession | undefined {
    return this.sessions.find((session) => session.id === id);
  }

  inPhase(...phases: Phase[]): ModelSession[] {
    return this.sessions.filter(({ phase }) => phases.includes(phase));
  }

  connect(protocol: Protocol): ModelClient {
    const number = this.clients.length;
    const client = { number, protocol, isOpen: true, reads: true, views: [], typed: new Map(), news: [] };
    this.clients.push(client);
    return client;
  }

  create(client: ModelClient, size?: Size): ModelSession | undefined {
    if (this.sessions.length - this.inPhase('ended').length >= MAX_SESSIONS) {
      refuse(client, 'SESSION_LIMIT');
      return undefined;
    }
    this.created += 1;
    const session: ModelSession = {
      id: `s${this.created}`,
      name: `bash-${this.created}`,
      owner: client,
      phase: 'announced',
      size: size ?? '80x24',
      sizes: [{ offset: 0, size: size ?? '80x24' }],
      input: '',
      printed: Buffer.alloc(0),
      unread: [],
      paused: false,
      viewers: [],
      isRemoved: false,
      startAt: this.now + START_WITHIN_MS,
    };
    this.sessions.push(session);
    this.all.set(session.id, session);
    session.controller = this.addView(client, session, 0, false);
    session.controller.isShown = true;
    say(client, session.id, `session_created ${session.name}`);
    if (size) this.start(session);
    return session;
  }

  /** `skip`: how much of it the client has typed before; negative leaves a hole. Only `trex.v2` says so. */
  type(client: ModelClient, id: string | undefined, text: string, skip = 0): void {
    const isJson = client.protocol === JSON_PROTOCOL;
    if (!isJson && !viewOf(client, id)) {
      refuse(client, 'SESSION_NOT_FOUND');
      return;
    }
    const session = this.found(client, id);
    if (!session) return;
    if (!isJson && skip < 0) {
      refuse(client, 'BAD_INPUT_OFFSET');
      return;
    }
    if (!this.isUsable(client, session)) return;
    if (!isJson) client.typed.set(session.id, typedBy(client, session) + text.length);
    if (!session.over) session.input += text;
    this.handControlTo(viewFor(client, session), session);
    this.start(session);
  }

  resize(client: ModelClient, id: string | undefined, size: Size): void {
    const session = this.found(client, id);
    if (!session || !this.isUsable(client, session)) return;
    this.handControlTo(viewFor(client, session), session);
    const offset = session.printed.length;
    session.size = size;
    if (session.sizes.at(-1)!.offset === offset) session.sizes.pop();
    session.sizes.push({ offset, size });
    this.start(session);
    for (const view of session.viewers) {
      if (view.client !== client) sayToFrames(view, `resized ${size}@${offset}`);
    }
  }

  attach(client: ModelClient, id: string, from: number | undefined, isReadOnly: boolean): void {
    const session = this.find(id);
    if (!session) {
      refuse(client, 'SESSION_NOT_FOUND');
      return;
    }
    const { printed } = session;
    const before = viewOf(client, id);
    if (from !== undefined && from > printed.length) refuse(client, 'BAD_OFFSET');
    else if (session.viewers.length - (before ? 1 : 0) >= MAX_VIEWERS) refuse(client, 'SESSION_LIMIT');
    else {
      const wanted = client.protocol === JSON_PROTOCOL ? wholeFrom(session, from) : from;
      const isClosed = session.phase.startsWith('closing') || session.exit?.cause === 'closed';
      const start = isClosed ? printed.length : Math.max(wanted ?? 0, startOf(session));
      const view = this.addView(client, session, start, isReadOnly);
      if (!isReadOnly && (!session.controller || session.controller === before)) session.controller = view;
      if (session.lingerUntil !== undefined) this.notes.push('came while it lingered');
      session.lingerUntil = undefined;
      if (before) this.leave(before);
      this.pace(session);
      this.notes.push(before ? 'attached again' : session.exit ? 'came after the end' : 'attached');
      say(client, id, attached(view, from));
      view.isShown = true;
      this.read(view);
    }
  }

  /** Beyond what can have been sent, or anything before that. */
  acknowledge(client: ModelClient, id: string, isBeyond: boolean): void {
    if (isBeyond && viewOf(client, id)) refuse(client, 'BAD_OFFSET');
  }

  stopReading(client: ModelClient): void {
    if (client.reads) say(client, '', 'tmux_sessions');
    client.reads = false;
  }

  startReading(client: ModelClient): void {
    client.reads = true;
    for (const view of [...client.views]) this.read(view);
  }

  spawned(session: ModelSession): void {
    session.closedBeforeStart = session.phase === 'closingUnspawned';
    this.go(session, session.closedBeforeStart ? 'closing' : 'running');
  }

  spawnFailed(session: ModelSession): void {
    if (session.phase === 'closingUnspawned') this.end(session, { code: 0, cause: 'closed' });
    else this.end(session, { code: 127, cause: 'failed' });
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

  close(client: ModelClient, id: string | undefined): void {
    const target = id ?? this.oldestOf(client)?.id;
    if (target === undefined) return;
    const session = this.find(target);
    if (session) this.closeSession(session);
    else if (!this.wasEver(target)) refuse(client, 'SESSION_NOT_FOUND');
  }

  closeOverRest(id: string): void {
    const waiting: Waiting = { sessionId: id, until: this.now + CLOSE_TIMEOUT_MS };
    this.closeAnswers.push(waiting);
    const session = this.find(id);
    if (!session) {
      waiting.answer = 'SESSION_NOT_FOUND';
      return;
    }
    this.closeSession(session);
    if (session.phase === 'ended') waiting.answer = 'closed';
  }

  detach(client: ModelClient, id: string | undefined): void {
    const wanted = id ?? this.oldestOf(client)?.id;
    if (wanted === undefined) return;
    const view = viewOf(client, wanted);
    if (view) this.forget(view);
    else if (!this.wasEver(wanted)) refuse(client, 'SESSION_NOT_FOUND');
  }

  disconnect(client: ModelClient): void {
    client.isOpen = false;
    for (const view of [...client.views]) this.leave(view);
    const own = this.sessions.filter(({ owner }) => owner === client);
    for (const session of own) if (this.find(session.id)) this.closeSession(session);
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
    const due: { at: number | undefined; run: () => void }[] = [
      ...this.sessions.map((session) => ({ at: session.startAt, run: () => this.start(session) })),
      ...this.sessions.map((session) => ({
        at: session.lingerUntil,
        run: () => this.remove(session, 'lingered out'),
      })),
      ...this.sessions.map((session) => ({ at: session.look?.at, run: () => this.lookAround(session) })),
      ...this.closeAnswers
        .filter(({ answer }) => answer === undefined)
        .map((waiting) => ({ at: waiting.until, run: () => void (waiting.answer = 'CLOSE_TIMEOUT') })),
    ];
    return due
      .filter((one): one is { at: number; run: () => void } => one.at !== undefined && one.at <= until)
      .sort((a, b) => a.at - b.at)[0];
  }

  /** The session a message means; a client that names none and has none gets one. */
  private found(client: ModelClient, id: string | undefined): ModelSession | undefined {
    const session = id === undefined ? (this.oldestOf(client) ?? this.create(client)) : this.find(id);
    if (!session && id !== undefined) refuse(client, 'SESSION_NOT_FOUND');
    return session;
  }

  private isUsable(client: ModelClient, session: ModelSession): boolean {
    if (!['announced', 'spawning', 'running'].includes(session.phase)) refuse(client, 'SESSION_ENDED');
    else if (viewOf(client, session.id)?.isReadOnly) refuse(client, 'READ_ONLY');
    else return true;
    return false;
  }

  private oldestOf(client: ModelClient): ModelSession | undefined {
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

  private addView(
    client: ModelClient,
    session: ModelSession,
    position: number,
    isReadOnly: boolean,
  ): ModelView {
    const view = { client, session, position, isReadOnly, isPacing: true, hasExit: false, isShown: false };
    session.viewers.push(view);
    client.views.push(view);
    return view;
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
    const { client, session } = view;
    if (!view.isShown) return;
    const end = session.printed.length;
    if (client.reads && view.position < end) {
      const offset = Math.max(view.position, startOf(session));
      if (offset > view.position) {
        say(client, session.id, `gap ${view.position}–${offset}`);
        this.notes.push('was told of a gap');
      }
      if (client.isOpen) client.news.push({ about: session.id, offset, end });
      view.position = end;
      this.pace(session);
    }
    if (!session.exit || view.hasExit || view.position < session.printed.length) return;
    const { code, signal, cause } = session.exit;
    view.hasExit = true;
    if (cause === 'failed') say(client, session.id, 'error SPAWN_FAILED');
    say(client, session.id, ['exit', code, signal, cause].filter((part) => part !== undefined).join(' '));
    if (!session.isRemoved) return;
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
    if (paused && pacing.length === 0) this.notes.push('paused for one not waited for before');
    if (paused) this.watch(session);
    else {
      session.look = undefined;
      this.hear(session);
    }
  }

  private watch(session: ModelSession): void {
    session.look = { at: this.now + STALLED_MS, among: [...session.viewers] };
  }

  /** Whoever is behind, and was when the process was paused, has taken nothing since: it would be at the end. */
  private lookAround(session: ModelSession): void {
    const late = session.viewers.filter((view) => behind(view) >= DEFAULT_FLOW_LIMITS.resumeBelowBytes);
    if (late.length < session.viewers.length) {
      for (const view of late.filter((one) => session.look!.among.includes(one))) {
        view.isPacing = false;
        this.notes.push('is not waited for');
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
    session.unread = [];
    session.look = undefined;
    for (const view of session.viewers) view.position = session.printed.length;
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
    if (session.viewers.length === 0) this.linger(session);
    const ended = this.inPhase('ended').sort((a, b) => a.ending! - b.ending!);
    for (const oldest of ended.slice(0, Math.max(0, ended.length - MAX_SESSIONS))) {
      this.remove(oldest, 'oldest');
    }
  }

  private forget(view: ModelView): void {
    const { client, session } = view;
    this.leave(view);
    if (session.owner !== client) client.typed.delete(session.id);
  }

  private leave(view: ModelView): void {
    const { client, session } = view;
    client.views = client.views.filter((one) => one !== view);
    session.viewers = session.viewers.filter((one) => one !== view);
    if (session.controller === view) {
      session.controller = undefined;
      const next = session.viewers.find(({ isReadOnly }) => !isReadOnly);
      if (session.phase !== 'ended') this.handControlTo(next, session);
    }
    this.pace(session);
    if (session.phase === 'ended' && session.viewers.length === 0 && !session.isRemoved) this.linger(session);
  }

  private linger(session: ModelSession): void {
    session.lingerUntil = this.now + LINGER_SECONDS * 1000;
  }

  private remove(session: ModelSession, why: 'closed' | 'failed' | 'lingered out' | 'oldest'): void {
    this.transitions.push(`${session.phase} → gone: ${why}`);
    this.sessions.splice(this.sessions.indexOf(session), 1);
    session.isRemoved = true;
    for (const view of session.viewers.filter(({ hasExit }) => hasExit)) this.forget(view);
  }

  private go(session: ModelSession, phase: Phase): void {
    this.transitions.push(`${session.phase} → ${phase}`);
    session.phase = phase;
  }
}

function say(client: ModelClient, about: string, line: string): void {
  if (client.isOpen) client.news.push({ about, line });
}

function refuse(client: ModelClient, reason: string): void {
  say(client, '', `error ${reason}`);
}

/** What existing clients are not told. */
function sayToFrames({ client, session }: ModelView, line: string): void {
  if (client.protocol !== JSON_PROTOCOL) say(client, session.id, line);
}

function viewOf(client: ModelClient, id: string | undefined): ModelView | undefined {
  return client.views.find(({ session }) => session.id === id);
}

/** Who is in control when `client` types: itself, or the owner when it does not look. */
function viewFor(client: ModelClient, session: ModelSession): ModelView | undefined {
  return viewOf(client, session.id) ?? viewOf(session.owner, session.id);
}

export function typedBy(client: ModelClient, { id }: ModelSession): number {
  return client.typed.get(id) ?? 0;
}

function behind({ session, position }: ModelView): number {
  return session.printed.length - position;
}

function startOf({ printed }: ModelSession): number {
  return Math.max(0, printed.length - LOG_BYTES);
}

/** Where the character begins that `from` lies in. */
function wholeFrom(session: ModelSession, from: number | undefined): number | undefined {
  let whole = from ?? 0;
  while (whole > startOf(session) && ((session.printed[whole] ?? 0) & 0xc0) === 0x80) whole -= 1;
  return from === undefined ? undefined : whole;
}

function attached({ client, session, position }: ModelView, from = position): string {
  const { id, printed, size, sizes, controller } = session;
  const was = sizes.filter((_, index) => (sizes[index + 1]?.offset ?? Infinity) > position);
  return [
    `attached ${position}–${printed.length}`,
    `typed ${typedBy(client, session)}`,
    `${controller !== undefined && controller === viewOf(client, id)}`,
    size,
    was.map((one) => `${one.size}@${one.offset}`).join(),
    ...(from < position ? [`without ${from}–${position}`] : []),
  ].join(' ');
}
