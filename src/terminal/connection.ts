import { type Attachment, type MissedOutput, type Viewer, type ViewerNews } from '../core/attachment.js';
import { type Clock, type Timer } from '../core/clock.js';
import { DeliveryWindow, MAX_WINDOW_BYTES } from '../core/delivery-window.js';
import { SessionError } from '../core/session-error.js';
import { type Session } from '../core/session.js';
import { Statistics } from '../core/statistics.js';
import { FRAME_HEADER_BYTES, writeFrameHeader } from '../protocol/frames.js';
import { MAX_FRAME_PAYLOAD_BYTES, MAX_TEXT_PAYLOAD_BYTES } from '../protocol/limits.js';
import {
  type Consumed,
  type ErrorMessage,
  type ResumedSession,
  type ServerMessage,
  type SessionChanged,
  type SessionCreated,
  type SessionInfo,
  type Shown,
  type UnresumedSession,
  type Welcome,
} from '../protocol/messages.js';
import { brokenCharacter, LONGEST_UNFINISHED, wholeCharacters } from '../protocol/utf8.js';
import { type Client, unresumed, type Wish } from './client.js';
import { FrameBuffers } from './frame-buffers.js';
import { FRAMES_PROTOCOL, JSON_PROTOCOL, type Protocol } from './subprotocol.js';
import { View } from './view.js';

/** What a connection needs of a WebSocket; `ws` has it. */
export interface ConnectionSocket {
  /** Bytes handed to `send` that the operating system has not taken yet. */
  readonly bufferedAmount: number;
  readonly readyState: number;
  /** `taken` is called once the operating system has taken the message, or cannot any more. */
  send(data: string | Uint8Array, taken: (error?: Error | null) => void): void;
  pause(): void;
  resume(): void;
  close(code: number, reason: string): void;
  terminate(): void;
}

const OPEN = 1;

/** What may be on its way to a client. */
export interface ConnectionBounds {
  /** Most that is sent and not acknowledged, where the client acknowledges. */
  readonly maxWindowBytes: number;
  /** No more output is put into a socket that holds this much: the rest waits in the logs, where it is bounded. */
  readonly socketBufferBytes: number;
}

export const OUTPUT_HIGH_WATER_BYTES = 256 * 1024;

const usualBounds = { maxWindowBytes: MAX_WINDOW_BYTES, socketBufferBytes: OUTPUT_HIGH_WATER_BYTES };

/** Answers are sent regardless; a client that asks on without taking them is not read from beyond this. */
export const ANSWERS_HIGH_WATER_BYTES = 1024 * 1024;

/**
 * So much is worth a frame of its own, with room for one more read in it; less is gathered, but not for longer than this
 * after the last one.
 */
const LARGE_BYTES = MAX_FRAME_PAYLOAD_BYTES - 4 * 1024;
export const GATHER_MS = 2;
/** An echo: so little is sent at once, unless the last frame was a moment ago. */
const SMALL_BYTES = 1024;
const SMALL_GATHER_MS = 1;

/** What a terminal takes is acknowledged so late: a key's echo is not to wait for it. */
const INPUT_ACKNOWLEDGE_MS = 10;

const frameBuffers = new FrameBuffers();

/** For text, which is made of a copy at once. */
const textBytes = Buffer.alloc(MAX_TEXT_PAYLOAD_BYTES);

/** One socket: its viewers, its frames. The only caller of `socket.send`. */
export class Connection implements Viewer {
  private readonly views = new Map<string, View>();
  private readonly channels = new Map<number, View>();
  /** Views that have something to send and are due, in the order of their turns. */
  private readonly ready = new Set<View>();
  /** Views of which more is being gathered. */
  private readonly gathering = new Set<View>();
  private gatherTimer?: Timer;
  /** News that the socket has no room for: the newest of each kind and session. */
  private readonly untold = new Map<string, { readonly sessionId: string; readonly news: ViewerNews }>();
  /** The same for the list of sessions, of whoever watches it. */
  private readonly untoldOfList = new Map<string, SessionChanged>();
  /** Sessions whose terminals have taken more input than the client has been told of. */
  private readonly inputTaking = new Set<string>();
  private inputTimer?: Timer;
  /** What may be on its way. Without one the socket paces: what it has taken counts as consumed. */
  private window?: DeliveryWindow;
  private lastChannel = 0;
  private pumping = false;
  /** Whether something has left the window that had been asked for room before. */
  private hasMoreRoom = false;
  private reading = true;
  /** While it is read from no more, because it has sent too much. */
  private slowed?: Timer;
  private closed = false;
  private ending = false;

  /** Whose connection it is; in `trex.v2` from its `hello` on. */
  client?: Client;
  /** With which code it was closed, once it is. */
  closeCode?: number;

  constructor(
    private readonly socket: ConnectionSocket,
    private readonly clock: Clock,
    readonly protocol: Protocol = JSON_PROTOCOL,
    /** Whether its client was let in to watch, and nothing else. */
    readonly isReadOnly = false,
    private readonly bounds: ConnectionBounds = usualBounds,
    private readonly statistics: Statistics = new Statistics(),
  ) {
    if (protocol === FRAMES_PROTOCOL) this.window = new DeliveryWindow(bounds.maxWindowBytes);
  }

  /** Whether nothing counts any more that the client sends. */
  get isClosed(): boolean {
    return this.closed || this.ending;
  }

  /** Whether the client is read from: it is not while it does not take its answers, or has sent too much. */
  get isReading(): boolean {
    return this.reading && !this.slowed;
  }

  /** Whether the client may send what needs a `hello` before it. */
  get isGreeted(): boolean {
    return this.client !== undefined;
  }

  /** Sends an answer, whatever waits. */
  send(message: ServerMessage): void {
    this.transmit(message);
    if (this.isOpen && this.reading && this.socket.bufferedAmount > ANSWERS_HIGH_WATER_BYTES) {
      this.reading = false;
      this.socket.pause();
    }
  }

  /** Tells that a message was refused. Before its greeting a client has no sessions that it could be about. */
  refuse(error: ErrorMessage): void {
    this.send(this.isGreeted ? error : { ...error, sessionId: undefined });
  }

  /**
   * Answers `hello`: the client may go on. With the sessions it names as it wishes, and with those that it viewed and
   * does not name from what it consumed last.
   */
  greet(client: Client, welcome: Omit<Welcome, 'sessions'>, wanted: readonly Wish[]): void {
    this.client = client;
    const arrived: View[] = [];
    const sessions = wanted.map((wish) => this.resume(client, wish, arrived));
    for (const wish of client.unnamed(wanted)) sessions.push(this.resume(client, wish, arrived));
    this.send({ ...welcome, sessions });
    for (const view of arrived) this.show(view);
  }

  /** Shows a new session to whoever asked for it. */
  announce(session: Session, requestId?: string): void {
    const view = this.place(session, 0, false);
    const { channel } = this.shown(view, 0);
    this.send({ type: 'session_created', requestId, ...identityOf(session), channel });
    this.show(view);
  }

  /** Shows a session of anybody's; one that is shown already is shown from there on. Wrong wishes change nothing. */
  attach(session: Session, from: number | undefined, readOnly: boolean, requestId?: string): void {
    const replaced = this.views.get(session.id);
    const view = this.place(session, from, readOnly, replaced);
    if (replaced) this.hide(replaced);
    this.send({ type: 'attached', requestId, ...this.shown(view, from) });
    this.show(view);
  }

  /**
   * The client has consumed this much. From now on that paces it, whatever did before. One that it no longer views may
   * be among them: it may not have heard.
   * @returns whether any of it was news
   * @throws {ProtocolError} `BAD_OFFSET` for what has not been sent; nothing of the message counts then
   */
  acknowledge(consumed: readonly Consumed[]): boolean {
    for (const { sessionId, offset } of consumed) this.views.get(sessionId)?.assertSent(offset);
    const window = (this.window ??= new DeliveryWindow(this.bounds.maxWindowBytes));
    const now = this.clock.elapsed();
    let isNews = false;
    for (const { sessionId, offset } of consumed) {
      const view = this.views.get(sessionId);
      if (view?.acknowledge(offset, window, now)) isNews = true;
      if (view) this.forgetIfOver(view);
    }
    this.pump();
    return isNews;
  }

  /** The session that input on `channel` is for. @throws {SessionError} `SESSION_NOT_FOUND` */
  sessionOn(channel: number): string {
    const view = this.channels.get(channel);
    if (!view) throw new SessionError('SESSION_NOT_FOUND', `no session is shown on channel ${channel}`);
    return view.attachment.sessionId;
  }

  /** A terminal has taken input of this client's: it is told soon, and before long if the socket has no room. */
  inputTaken(sessionId: string): void {
    this.inputTaking.add(sessionId);
    this.inputTimer ??= this.clock.after(INPUT_ACKNOWLEDGE_MS, () => {
      this.inputTimer = undefined;
      this.acknowledgeInput();
    });
  }

  /** How this connection looks at a session, if it does. */
  attachmentTo(sessionId: string): Attachment | undefined {
    return this.views.get(sessionId)?.attachment;
  }

  /** Stops viewing a session; one it does not view is no matter. */
  detach(sessionId: string): void {
    const view = this.views.get(sessionId);
    if (!view) return;
    this.forget(view);
    // What was on its way of it no longer fills the window.
    this.pump();
  }

  wake(attachment: Attachment): void {
    const view = this.views.get(attachment.sessionId);
    // A session speaks up while it is being attached to, before it is shown.
    if (this.closed || view?.attachment !== attachment) return;
    if (!this.ready.has(view) && !this.isDue(view)) {
      this.gather(view);
      return;
    }
    this.gathering.delete(view);
    this.ready.add(view);
    this.pump();
  }

  hear({ sessionId }: Attachment, news: ViewerNews): void {
    if ((news.type === 'moved') !== (this.protocol === JSON_PROTOCOL)) return;
    // Whoever does not read is told the newest, once it does: others could go on resizing for ever.
    this.untold.set(`${sessionId} ${news.type}`, { sessionId, news });
    this.tellNews();
  }

  /** All sessions there are: what was to be told of the list before is told with it. */
  list(sessions: readonly SessionInfo[], requestId?: string): void {
    this.untoldOfList.clear();
    this.send({ type: 'sessions', requestId, sessions });
  }

  /** Whoever does not read is told the newest of each session, once it does; of new ones in the order they came. */
  tellOfList(news: SessionChanged): void {
    const { sessionId, change } = news;
    const before = this.untoldOfList.get(sessionId)?.change;
    // One that came and went in between is nothing to be told.
    if (before === 'added' && change === 'removed') {
      this.untoldOfList.delete(sessionId);
      return;
    }
    // That it was added, or has ended, is not to be lost: it is told with what the session is now.
    const isKept = (before === 'added' || before === 'ended') && change !== 'removed';
    this.untoldOfList.set(sessionId, isKept ? { ...news, change: before } : news);
    this.tellNews();
  }

  /** Reads nothing from the client for a while. */
  slowDown(ms: number): void {
    if (this.isClosed) return;
    this.slowed?.cancel();
    this.slowed = this.clock.after(ms, () => {
      this.slowed = undefined;
      if (this.reading) this.socket.resume();
    });
    this.socket.pause();
  }

  /** Ends the connection, with a reason that its client can act on. */
  end(code: number, reason: string): void {
    this.ending = true;
    this.socket.close(code, reason);
  }

  /** The socket is gone, or counts no more. @returns its views, which are the caller's to detach or to hold. */
  release(): View[] {
    this.closed = true;
    this.gatherTimer?.cancel();
    this.inputTimer?.cancel();
    this.slowed?.cancel();
    this.ready.clear();
    this.gathering.clear();
    const views = [...this.views.values()];
    this.views.clear();
    this.channels.clear();
    return views;
  }

  private get isOpen(): boolean {
    return !this.closed && this.socket.readyState === OPEN;
  }

  private nextChannel(): number {
    return ++this.lastChannel;
  }

  /** Goes on with a session where a former connection of the client's left off, or wherever it wants to. */
  private resume(
    client: Client,
    { sessionId, session: wanted, from, readOnly = false }: Wish,
    arrived: View[],
  ): ResumedSession | UnresumedSession {
    const held = client.held.get(sessionId);
    client.held.delete(sessionId);
    // One that is gone is held still for whoever has not got its exit.
    const session = held?.session ?? wanted;
    if (!session) return client.gone(sessionId);
    try {
      const view = this.place(session, from, readOnly, held);
      arrived.push(view);
      return { requestId: client.requestFor(sessionId), ...identityOf(session), ...this.shown(view, from) };
    } catch (error) {
      held?.attachment.detach();
      if (session.isRemoved) client.forget(session);
      if (!(error instanceof SessionError)) throw error;
      return unresumed(sessionId, error.code, error.message);
    }
  }

  /** Begins to look at a session, instead of `replaced`. */
  private place(session: Session, from: number | undefined, readOnly: boolean, replaced?: View): View {
    const isText = this.protocol === JSON_PROTOCOL;
    const attachment = session.attach(this, isText ? wholeFrom(session, from) : from, {
      readOnly: readOnly || this.isReadOnly,
      isResumable: !isText,
      replaced: replaced?.attachment,
    });
    return new View(session, attachment, this.nextChannel());
  }

  /** What a client is told of a view that it asked for from `from` on. */
  private shown({ session, attachment, channel }: View, from: number | undefined): Shown {
    const { offset, restoring } = attachment.look;
    const { id: sessionId, size } = session;
    if (from !== undefined && from < offset) this.countGap(offset - from);
    return {
      sessionId,
      offset,
      end: session.log.end,
      inControl: session.isControlledBy(attachment),
      cols: size.columns,
      rows: size.rows,
      sizes: session.sizesFrom(offset).map((one) => {
        return { offset: one.offset, cols: one.size.columns, rows: one.size.rows };
      }),
      // Text may also begin a little earlier than was asked for.
      gap: from !== undefined && from < offset ? { offset: from, end: offset } : undefined,
      ...(this.protocol === FRAMES_PROTOCOL && {
        channel,
        inputOffset: this.client?.typedInto(sessionId).acceptedOffset,
        modes: restoring,
      }),
    };
  }

  private show(view: View): void {
    const { session, attachment } = view;
    this.views.set(session.id, view);
    this.channels.set(view.channel, view);
    const { offset, restoring } = attachment.look;
    if (restoring !== undefined) this.restoreText(session.id, offset, restoring);
    // What the terminal took while nobody could be told.
    if (this.client?.typedInto(session.id).takenOffset) this.inputTaken(session.id);
    this.wake(attachment);
  }

  /** Text that is output as any other, to clients that know of no modes. */
  private restoreText(sessionId: string, offset: number, data: string): void {
    if (this.protocol === JSON_PROTOCOL)
      this.transmit({ type: 'output', sessionId, data, offset, end: offset });
  }

  /** Whether there is something that should not wait for more. */
  private isDue({ attachment, lastSentAt }: View): boolean {
    const { backlog, hasEnded } = attachment;
    if (backlog >= LARGE_BYTES || hasEnded) return true;
    const gatherMs = backlog < SMALL_BYTES ? SMALL_GATHER_MS : GATHER_MS;
    return this.clock.elapsed() - lastSentAt >= gatherMs;
  }

  private gather(view: View): void {
    this.gathering.add(view);
    this.gatherTimer ??= this.clock.after(GATHER_MS, () => {
      this.gatherTimer = undefined;
      for (const gathered of this.gathering) this.ready.add(gathered);
      this.gathering.clear();
      this.pump();
    });
  }

  /** Gives each ready viewer its turn, one frame at a time, while the socket takes more. */
  private pump(): void {
    // What a frame sets free may make a session print or end, and wake us, in the middle of it.
    if (this.pumping) return;
    this.pumping = true;
    try {
      this.giveTurns();
    } finally {
      // Whatever throws in one session's turn is a bug; it must not silence the others for ever.
      this.pumping = false;
    }
  }

  private giveTurns(): void {
    do {
      this.hasMoreRoom = false;
      for (const view of this.ready) {
        if (!this.isOpen) return;
        const room = this.roomFor(view);
        // An exit with no output before it goes even into a full socket: nobody waits for a viewer that does not read.
        if (view.attachment.hasOutput && room === 0) continue;
        this.ready.delete(view);
        if (this.sendNext(view, room)) this.ready.add(view);
      }
    } while (this.hasMoreRoom);
  }

  private roomFor(view: View): number {
    if (this.socket.bufferedAmount >= this.bounds.socketBufferBytes) return 0;
    if (!this.window) return MAX_FRAME_PAYLOAD_BYTES;
    // Not a frame's size, nor a session's turn: only what does not fit waits for the window.
    if (this.window.bytes - this.window.inFlight < view.attachment.backlog) this.window.limited();
    return view.roomIn(this.window, MAX_FRAME_PAYLOAD_BYTES);
  }

  /** @returns whether there may be more. */
  private sendNext(view: View, room: number): boolean {
    const { attachment } = view;
    if (attachment.hasOutput && this.sendOutput(view, room)) return true;
    this.sendExit(view);
    this.forgetIfOver(view);
    return false;
  }

  /** @returns whether anything was sent: of an unfinished character nothing is. */
  private sendOutput(view: View, room: number): boolean {
    const { attachment } = view;
    const gap = attachment.takeGap();
    if (gap) {
      this.tellGap(view, gap);
      return true;
    }
    const { offset } = attachment;
    const length =
      this.protocol === FRAMES_PROTOCOL ? this.sendFrame(view, room) : this.sendText(attachment, room);
    if (length === 0) return false;
    const end = offset + length;
    const now = this.clock.elapsed();
    view.sent(length, end, this.window, now);
    view.session.sent(end, now);
    this.statistics.outputSentBytes += length;
    attachment.advance(end);
    return true;
  }

  /** @returns how many bytes it has taken; so does {@link sendText}. */
  private sendFrame({ attachment, channel }: View, room: number): number {
    const length = Math.min(room, attachment.backlog);
    const buffer = frameBuffers.take(FRAME_HEADER_BYTES + length);
    const frame = buffer.subarray(0, FRAME_HEADER_BYTES + length);
    writeFrameHeader(frame, 'output', channel, attachment.offset);
    attachment.copyTo(frame.subarray(FRAME_HEADER_BYTES));
    this.handOver(frame, () => frameBuffers.give(buffer));
    return length;
  }

  private sendText(attachment: Attachment, room: number): number {
    const { sessionId, offset } = attachment;
    const bytes = textBytes.subarray(0, attachment.copyTo(textBytes.subarray(0, room)));
    const length = attachment.endsAt(offset + bytes.length) ? bytes.length : wholeCharacters(bytes);
    if (length === 0) return 0;
    const data = textBytes.toString('utf8', 0, length);
    this.transmit({ type: 'output', sessionId, data, offset, end: offset + length });
    return length;
  }

  private tellGap(view: View, { offset, end, restoring }: MissedOutput): void {
    const { id: sessionId } = view.session;
    this.countGap(end - offset);
    const modes = this.protocol === FRAMES_PROTOCOL ? restoring : undefined;
    this.transmit({ type: 'gap', sessionId, offset, end, modes });
    this.restoreText(sessionId, end, restoring);
    view.skippedTo(end);
  }

  private countGap(bytes: number): void {
    this.statistics.gaps += 1;
    this.statistics.gapBytes += bytes;
  }

  private sendExit(view: View): void {
    const { attachment } = view;
    const exit = attachment.takeExit();
    if (!exit) return;
    // Many clients show nothing more of it, and acknowledge nothing: that must not hold up the others.
    this.leaveWindow(view);
    const { sessionId } = attachment;
    const { code, signal, cause, failure } = exit;
    if (failure) this.transmit({ type: 'error', sessionId, reason: failure.code, error: failure.message });
    this.transmit({ type: 'exit', sessionId, code, signal, cause });
  }

  private forgetIfOver(view: View): void {
    if (!view.attachment.isOver) return;
    this.forget(view);
    this.client?.sentExit(view.session);
  }

  private forget(view: View): void {
    this.hide(view);
    view.attachment.detach();
    // Until now it could have come back to one that is gone.
    if (view.session.isRemoved) this.client?.forget(view.session);
  }

  private hide(view: View): void {
    this.ready.delete(view);
    this.gathering.delete(view);
    this.views.delete(view.attachment.sessionId);
    this.channels.delete(view.channel);
    for (const type of ['control', 'resized', 'moved'])
      this.untold.delete(`${view.attachment.sessionId} ${type}`);
    this.leaveWindow(view);
  }

  /** What it leaves there may be what others wait for. */
  private leaveWindow(view: View): void {
    view.leave(this.window);
    this.hasMoreRoom = true;
  }

  private acknowledgeInput(): void {
    for (const sessionId of this.inputTaking) {
      if (this.socket.bufferedAmount > ANSWERS_HIGH_WATER_BYTES) return;
      this.inputTaking.delete(sessionId);
      if (!this.client || !this.views.has(sessionId)) continue;
      const { takenOffset: offset } = this.client.typedInto(sessionId);
      this.transmit({ type: 'input_acknowledged', sessionId, offset });
    }
  }

  private tellNews(): void {
    for (const [key, { sessionId, news }] of this.untold) {
      if (this.socket.bufferedAmount > ANSWERS_HIGH_WATER_BYTES) return;
      this.untold.delete(key);
      this.transmit(messageOf(sessionId, news));
    }
    for (const [sessionId, news] of this.untoldOfList) {
      if (this.socket.bufferedAmount > ANSWERS_HIGH_WATER_BYTES) return;
      this.untoldOfList.delete(sessionId);
      this.transmit(news);
    }
  }

  private transmit(message: ServerMessage): void {
    this.handOver(JSON.stringify(message));
  }

  /** `sent` is called when the socket needs `data` no more. */
  private handOver(data: string | Uint8Array, sent?: () => void): void {
    if (!this.isOpen) return;
    try {
      this.socket.send(data, () => {
        sent?.();
        this.taken();
      });
    } catch {
      // A socket that cannot send has lost a message: what its client knows is wrong from here on.
      this.socket.terminate();
    }
  }

  private taken(): void {
    if (this.closed) return;
    if (!this.reading && this.socket.bufferedAmount <= ANSWERS_HIGH_WATER_BYTES) {
      this.reading = true;
      if (!this.slowed) this.socket.resume();
    }
    this.tellNews();
    if (!this.inputTimer) this.acknowledgeInput();
    this.pump();
  }
}

function messageOf(sessionId: string, news: ViewerNews): ServerMessage {
  switch (news.type) {
    case 'control':
      return { type: 'control', sessionId, inControl: news.inControl };
    case 'moved':
      return { type: 'cwd_update', sessionId, cwd: news.cwd };
    case 'resized': {
      const { columns: cols, rows } = news.size;
      return { type: 'resized', sessionId, offset: news.offset, cols, rows };
    }
  }
}

function identityOf({ id, shellType, name, cwd }: Session): Omit<SessionCreated, 'type'> {
  return { sessionId: id, shellType, data: name, cwd };
}

/** Where the character begins that `from` may lie inside of: text cannot start in the middle of one. */
function wholeFrom({ log }: Session, from: number | undefined): number | undefined {
  const { start, end } = log;
  // What has fallen off is the session's to find a place behind.
  if (from === undefined || from < start || from > end) return from;
  const first = start > 0 ? start + brokenCharacter(log.read(start, LONGEST_UNFINISHED).bytes) : start;
  if (from <= first) return first;
  const before = Math.max(first, from - LONGEST_UNFINISHED);
  return before + wholeCharacters(log.read(before, from - before).bytes);
}
