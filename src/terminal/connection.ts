import { type Attachment, type Viewer } from '../core/attachment.js';
import { type Session } from '../core/session.js';
import { MAX_OUTPUT_FRAME_BYTES } from '../protocol/limits.js';
import { type ServerMessage } from '../protocol/messages.js';
import { wholeCharacters } from '../protocol/utf8.js';

/** What a connection needs of a WebSocket; `ws` has it. */
export interface ConnectionSocket {
  /** Bytes handed to `send` that the operating system has not taken yet. */
  readonly bufferedAmount: number;
  readonly readyState: number;
  /** `taken` is called once the operating system has taken the message, or cannot any more. */
  send(data: string, taken: (error?: Error | null) => void): void;
  pause(): void;
  resume(): void;
  terminate(): void;
}

const OPEN = 1;

/** No more output is put into a socket that holds this much: the rest waits in the logs, where it is bounded. */
export const OUTPUT_HIGH_WATER_BYTES = 256 * 1024;

/** Answers are sent regardless; a client that asks on without taking them is not read from beyond this. */
export const ANSWERS_HIGH_WATER_BYTES = 1024 * 1024;

/** One socket: its viewers, its frames. The only caller of `socket.send`. */
export class Connection implements Viewer {
  private readonly attachments = new Map<string, Attachment>();
  /** Attachments that may have something to send, in the order of their turns. */
  private readonly ready = new Set<Attachment>();
  private readonly owned = new Map<string, Session>();
  private pumping = false;
  private reading = true;
  private closed = false;

  constructor(private readonly socket: ConnectionSocket) {}

  get isClosed(): boolean {
    return this.closed;
  }

  /** Sends an answer, whatever waits. */
  send(message: ServerMessage): void {
    this.transmit(message);
    if (this.isOpen && this.reading && this.socket.bufferedAmount > ANSWERS_HIGH_WATER_BYTES) {
      this.reading = false;
      this.socket.pause();
    }
  }

  /** Makes a new session this connection's own: announced, shown, and ended with it. */
  own(session: Session, requestId?: string): void {
    this.owned.set(session.id, session);
    const { id: sessionId, shellType, name: data, cwd } = session;
    this.send({ type: 'session_created', requestId, sessionId, shellType, data, cwd });
    this.attachments.set(session.id, session.attach(this));
  }

  /** Lets go of a session of its own that is no more. */
  disown(sessionId: string): void {
    this.owned.delete(sessionId);
  }

  /** The session meant by a message that names none; one that is closing has not ended yet. */
  oldestNotEnded(): Session | undefined {
    return [...this.owned.values()].find((session) => !session.hasEnded);
  }

  /** Stops viewing a session; one it does not view is no matter. */
  detach(sessionId: string): void {
    const attachment = this.attachments.get(sessionId);
    if (attachment) this.forget(attachment);
  }

  wake(attachment: Attachment): void {
    if (this.closed) return;
    this.ready.add(attachment);
    this.pump();
  }

  /** The socket is gone. Repeats change nothing. @returns the sessions it owned, which nobody else will end. */
  release(): Session[] {
    this.closed = true;
    this.ready.clear();
    const attachments = [...this.attachments.values()];
    this.attachments.clear();
    for (const attachment of attachments) attachment.detach();
    const owned = [...this.owned.values()];
    this.owned.clear();
    return owned;
  }

  private get isOpen(): boolean {
    return !this.closed && this.socket.readyState === OPEN;
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
    for (const attachment of this.ready) {
      if (!this.isOpen) return;
      // An exit with no output before it goes even into a full socket: nobody waits for a viewer that does not read.
      if (attachment.hasOutput && this.socket.bufferedAmount >= OUTPUT_HIGH_WATER_BYTES) continue;
      this.ready.delete(attachment);
      if (this.sendNext(attachment)) this.ready.add(attachment);
    }
  }

  /** @returns whether there may be more. */
  private sendNext(attachment: Attachment): boolean {
    const { sessionId } = attachment;
    const { offset, bytes } = attachment.peek(MAX_OUTPUT_FRAME_BYTES);
    const length = attachment.endsAt(offset + bytes.length) ? bytes.length : wholeCharacters(bytes);
    if (length > 0) {
      const end = offset + length;
      const data = Buffer.from(bytes.buffer, bytes.byteOffset, length).toString();
      this.transmit({ type: 'output', sessionId, data, offset, end });
      attachment.advance(end);
      return true;
    }
    this.sendExit(attachment);
    if (attachment.isOver) this.forget(attachment);
    return false;
  }

  private sendExit(attachment: Attachment): void {
    const exit = attachment.takeExit();
    if (!exit) return;
    const { sessionId } = attachment;
    const { code, signal, cause, failure } = exit;
    if (failure) this.transmit({ type: 'error', sessionId, reason: failure.code, error: failure.message });
    this.transmit({ type: 'exit', sessionId, code, signal, cause });
  }

  private forget(attachment: Attachment): void {
    this.ready.delete(attachment);
    this.attachments.delete(attachment.sessionId);
    attachment.detach();
  }

  private transmit(message: ServerMessage): void {
    if (!this.isOpen) return;
    try {
      this.socket.send(JSON.stringify(message), () => this.taken());
    } catch {
      // A socket that cannot send has lost a message: what its client knows is wrong from here on.
      this.socket.terminate();
    }
  }

  private taken(): void {
    if (this.closed) return;
    if (!this.reading && this.socket.bufferedAmount <= ANSWERS_HIGH_WATER_BYTES) {
      this.reading = true;
      this.socket.resume();
    }
    this.pump();
  }
}
