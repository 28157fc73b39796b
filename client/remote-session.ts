import { type Frame } from '../src/protocol/frames.js';
import {
  type ErrorMessage,
  type Exit,
  type Control,
  type Gap,
  type GapBytes,
  type InputAcknowledged,
  type Resized,
  type Resumption,
  type Shown,
  type SizeAt,
} from '../src/protocol/messages.js';
import { type FailureReason, ServerViolation } from './client-error.js';
import { type Connection, type Outgoing } from './connection.js';
import { InputBuffer } from './input-buffer.js';
import { tell } from './tell.js';
import { type Timers } from './timers.js';

// Browsers and Node have it, each with types of its own.
declare const TextEncoder: new () => { encode(text: string): Uint8Array };

/**
 * What an application does with a session's news. All but `control` and the two about input come in the order of the
 * output, which comes exactly once, however often the connection is lost; the first may come before whoever awaits
 * `create` or `attach` goes on. What a handler throws becomes an unhandled rejection and disturbs nothing else.
 */
export interface SessionHandlers {
  /**
   * Output that begins at `offset`, for the handler to keep. It calls `consumed` once the bytes have been shown, as
   * xterm.js does with the callback of its `write`: without it the server soon sends no more. When and in which order is
   * free; repeats do nothing.
   */
  output(bytes: Uint8Array, offset: number, consumed: () => void): void;
  /** The output from `offset` up to `end` is lost; what follows begins at `end`. */
  gap?(gap: GapBytes): void;
  /**
   * What follows does not go on where it was left off or asked for: a terminal is to be reset, unless it has just been
   * made, and given `modes`, which may be empty. They make no emulator answer anything. Told also when attaching without
   * `from`, and when an `attach` moves a session that is shown.
   */
  restore?(modes: string): void;
  /**
   * Output before `end` is old: a terminal's answers to the queries in it must not be typed. Told when attaching, and
   * after each loss of the connection.
   */
  replay?(end: number): void;
  /** What follows was printed for this size: told when attaching, and when somebody else resizes. */
  resized?(size: SizeAt): void;
  /**
   * Whether this client is in control, the viewer that typed or resized last: told when creating or attaching, and on
   * change. Only whoever is lets a terminal's answers to queries (DA, DSR, DECRQSS) through, or each would be given by all.
   */
  control?(inControl: boolean): void;
  /** The session has ended; nothing more comes. */
  exit?(exit: Pick<Exit, 'code' | 'signal' | 'cause'>): void;
  /** It can be shown no longer, and how it ended is not known: it ended while the connection was lost. Nothing more comes. */
  gone?(reason: FailureReason): void;
  /**
   * So many bytes may or may not have been typed: the server had forgotten this client when it came back. Of an
   * `XtermAdapter` that is not connected yet: so many have not.
   */
  inputLost?(bytes: number): void;
  /** The terminal has taken some of what was typed, and so many bytes wait still: whoever has a lot can type more of it. */
  inputTaken?(waitingBytes: number): void;
  /** Something was refused, or the session could not start. `INPUT_QUEUE_FULL`: what was typed waits, and is sent later. */
  error?(error: ErrorMessage): void;
}

/** A session that this client shows, from `create` or `attach` until `exit`, `gone` or `detach`. */
export interface RemoteSession {
  readonly id: string;
  /** Where the output begins that has not been delivered yet, in bytes. */
  readonly offset: number;
  /** Whether it has exited, is gone or was detached: its methods do nothing then, but for `close` after an exit. */
  readonly isOver: boolean;
  /** Bytes written that the terminal has not taken yet, as far as is known. */
  readonly bufferedInput: number;
  /**
   * Types, each byte once and in order, now or when there is a connection again; text goes as UTF-8.
   * @returns whether it will be: not when the session is over, it or its client read-only, or that closed
   */
  write(data: Uint8Array | string): boolean;
  /**
   * Takes control, too; without a connection, once there is one again.
   * @returns whether it does: not when the session is over, or it or its client read-only
   */
  resize(size: { readonly cols: number; readonly rows: number }): boolean;
  /** Ends the session for everybody; `exit` follows. One that has exited is not kept any longer. */
  close(): void;
  /** Stops showing it, at once; the session goes on. */
  detach(): void;
}

/** What a session needs of its client. */
export interface SessionLink {
  /** The connection, if it is open. */
  connection(): Connection | undefined;
  /** Whether there will be none any more. */
  isClosed(): boolean;
  /** Whether whatever it types is refused. */
  mayOnlyRead(): boolean;
  /** Whether an `attach` of that session is on its way: its offsets and channel mean nothing until the answer. */
  isAttaching(sessionId: string): boolean;
  readonly timers: Timers;
  /** How much input may be on its way. */
  inputCreditBytes(): number;
  consumed(session: ShownSession, offset: number, bytes: number): void;
  ended(session: ShownSession): void;
  detached(session: ShownSession): void;
}

/** How it is asked for: new with each `create` and `attach`. */
export interface Placement {
  readonly readOnly: boolean;
  readonly handlers: SessionHandlers;
}

interface Chunk {
  readonly end: number;
  readonly bytes: number;
  consumed: boolean;
}

/** What the answer says to a session that begins at its first byte. */
export const FROM_THE_START = { offset: 0, end: 0, inputOffset: 0, inControl: true, sizes: [] } as const;

/** How long input waits that the server had no room for: longer each time, until it takes some. */
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 1000;

/** Reasons for which input is refused that is to be sent again. */
const NOT_NOW: readonly string[] = ['INPUT_QUEUE_FULL', 'BAD_INPUT_OFFSET'];
/** Reasons for which it never will be typed. */
const NEVER: readonly string[] = ['READ_ONLY', 'SESSION_ENDED'];

/** A session as its client keeps it. Attaching again moves it, and makes what was delivered before nobody's concern. */
export class ShownSession implements RemoteSession {
  offset = 0;
  isOver = false;
  /** Names it in frames on the connection there is; 0: not there yet. */
  channel = 0;
  /** Whether it is to end: until it has, that is asked for over each new connection. */
  isUnwanted = false;
  private hasBegun = false;
  private hasExited = false;
  private readonly input = new InputBuffer();
  private retryMs = FIRST_RETRY_MS;
  private retry?: { cancel(): void };
  /** What it was resized to last, unless somebody else has resized it since. */
  private ownSize?: { readonly cols: number; readonly rows: number };
  /** Whether that was asked for while there was no connection. */
  private isOwnSizeNew = false;
  /** Delivered and not acknowledged, oldest first. */
  private unacknowledged: Chunk[] = [];
  /** Sizes of output that has not been delivered yet, in its order. */
  private sizes: SizeAt[] = [];

  constructor(
    readonly id: string,
    private readonly link: SessionLink,
    private placement: Placement,
  ) {}

  get bufferedInput(): number {
    return this.input.bytes;
  }

  /** How it is gone on with when the connection was lost. */
  get resumption(): Resumption {
    return { sessionId: this.id, from: this.offset, readOnly: this.placement.readOnly };
  }

  write(data: Uint8Array | string): boolean {
    if (this.isOver || this.mayOnlyRead || this.link.isClosed()) return false;
    this.input.add(typeof data === 'string' ? new TextEncoder().encode(data) : Uint8Array.from(data));
    this.type();
    return true;
  }

  resize({ cols, rows }: { readonly cols: number; readonly rows: number }): boolean {
    if (this.isOver || this.mayOnlyRead) return false;
    this.ownSize = { cols, rows };
    this.isOwnSizeNew = !this.link.connection();
    this.send({ type: 'resize', sessionId: this.id, cols, rows });
    return true;
  }

  close(): void {
    this.isUnwanted = true;
    if (!this.isOver || this.hasExited) this.link.connection()?.send({ type: 'close', sessionId: this.id });
  }

  detach(): void {
    if (this.isOver) return;
    this.send({ type: 'detach', sessionId: this.id });
    this.link.detached(this);
    this.end();
  }

  /** Is asked for anew. */
  place(placement: Placement): void {
    this.placement = placement;
    this.move();
  }

  /** Goes on elsewhere: what was delivered before concerns nobody any more. */
  move(): void {
    this.unacknowledged = [];
  }

  /**
   * Goes on where the answer to `create` or `attach`, or a `welcome`, says.
   * @throws {ServerViolation} when that is not where `from` is, with what is told to be missing
   */
  begin(begun: Begun, from?: number): void {
    const { channel, offset, end, inputOffset = 0, inControl, sizes, gap, modes } = begun;
    if (channel === undefined) throw new ServerViolation('a session is shown without a channel');
    if ((gap?.offset ?? offset) !== (from ?? offset) || (gap?.end ?? offset) !== offset) {
      throw new ServerViolation(`output begins at ${offset} where ${from} was asked for`);
    }
    const { handlers } = this.placement;
    const goesOn = from !== undefined && (!this.hasBegun || from === this.offset);
    this.channel = channel;
    this.offset = offset;
    this.sizes = [...sizes];
    this.keepOwnSize(begun);
    // What it typed before it was shown here is nothing that this would send again.
    const lost = this.hasBegun ? this.input.resendFrom(inputOffset) : this.input.reset(inputOffset);
    this.hasBegun = true;
    if (lost > 0) void tell(() => handlers.inputLost?.(lost));
    if (gap) void tell(() => handlers.gap?.(gap));
    if (modes !== undefined || !goesOn) void tell(() => handlers.restore?.(modes ?? ''));
    if (end > offset) void tell(() => handlers.replay?.(end));
    void tell(() => handlers.control?.(inControl));
    this.advance();
  }

  /** The server knows this client no more: what it had typed there is between them for ever. */
  forgetInput(): void {
    const { handlers } = this.placement;
    const bytes = this.input.reset(0);
    if (bytes > 0) void tell(() => handlers.inputLost?.(bytes));
  }

  /** No `attach` is on its way any more: sends what has waited for that, or for a connection. */
  settle(): void {
    this.type();
    this.acknowledge();
  }

  /** Asks again for what may have been lost on its way. */
  insist(): void {
    if (this.ownSize) this.resize(this.ownSize);
    if (this.isUnwanted) this.close();
  }

  /** The connection is lost: what waits for time to pass waits for a new one. */
  pause(): void {
    this.retry?.cancel();
    this.retry = undefined;
    this.retryMs = FIRST_RETRY_MS;
    this.channel = 0;
  }

  /** It could not be gone on with. */
  lost({ code, signal, cause, reason }: Lost): void {
    const { handlers } = this.placement;
    this.end();
    if (code !== undefined && cause) void tell(() => handlers.exit?.({ code, signal, cause }));
    else void tell(() => handlers.gone?.(reason));
  }

  /** @throws {ServerViolation} when it is not what comes next */
  output({ offset, bytes }: Frame): void {
    if (offset !== this.offset) throw new ServerViolation(`output at ${offset} where ${this.offset} is next`);
    this.advance(bytes);
  }

  /** @throws {ServerViolation} for a gap that is not what comes next, or input that was never sent */
  hear(news: Gap | Resized | Control | InputAcknowledged | Exit): void {
    const { handlers } = this.placement;
    switch (news.type) {
      case 'gap':
        this.skip(news);
        return this.advance();
      case 'resized':
        this.ownSize = undefined;
        // A size that nothing was printed for gives way.
        if (this.sizes.at(-1)?.offset === news.offset) this.sizes.pop();
        // Output that was printed for an older size may still be on its way.
        this.sizes.push(news);
        return this.advance();
      case 'control':
        return void tell(() => handlers.control?.(news.inControl));
      case 'input_acknowledged': {
        const before = this.input.bytes;
        this.input.taken(news.offset);
        this.retryMs = FIRST_RETRY_MS;
        this.type();
        const waiting = this.input.bytes;
        if (waiting < before) void tell(() => handlers.inputTaken?.(waiting));
        return;
      }
      case 'exit':
        this.link.ended(this);
        this.end();
        this.hasExited = true;
        return void tell(() => handlers.exit?.(news));
    }
  }

  error(error: ErrorMessage): void {
    const { handlers } = this.placement;
    const { reason, inputOffset } = error;
    if (NEVER.includes(reason) && inputOffset !== undefined) this.input.reset(inputOffset);
    if (NOT_NOW.includes(reason) && inputOffset !== undefined) {
      // What was sent behind it is refused too, and each refusal says the same.
      if (this.retry) return;
      this.input.resendFrom(inputOffset);
      this.typeLater();
      if (reason === 'BAD_INPUT_OFFSET') return;
    }
    void tell(() => handlers.error?.(error));
  }

  private get mayOnlyRead(): boolean {
    return this.placement.readOnly || this.link.mayOnlyRead();
  }

  private type(): void {
    const connection = this.link.connection();
    if (!connection || this.isOver || this.retry || this.link.isAttaching(this.id)) return;
    if (this.channel === 0) return;
    this.input.flush(this.link.inputCreditBytes(), (offset, bytes) =>
      connection.sendInput(this.channel, offset, bytes),
    );
  }

  /** A size of its own that may have been lost on its way holds from the end of what there is on, unless others had theirs. */
  private keepOwnSize({ cols, rows, end, inControl }: Begun): void {
    const { ownSize } = this;
    const isThere = cols === ownSize?.cols && rows === ownSize?.rows;
    if (!ownSize || isThere || !(inControl || this.isOwnSizeNew)) this.ownSize = undefined;
    else this.sizes.push({ offset: end, ...ownSize });
    this.isOwnSizeNew = false;
  }

  private typeLater(): void {
    this.retry = this.link.timers.after(this.retryMs, () => {
      this.retry = undefined;
      this.type();
    });
    this.retryMs = Math.min(this.retryMs * 2, LONGEST_RETRY_MS);
  }

  private skip({ offset, end, modes }: Gap): void {
    if (offset !== this.offset || end < offset) {
      throw new ServerViolation(`a gap from ${offset} to ${end} where ${this.offset} is next`);
    }
    const { handlers } = this.placement;
    this.offset = end;
    void tell(() => handlers.gap?.({ offset, end }));
    if (modes !== undefined) void tell(() => handlers.restore?.(modes));
  }

  /** Delivers what has come, and the sizes it reaches in their places. Handlers may end it in the middle. */
  private advance(bytes: Uint8Array = new Uint8Array()): void {
    let rest = bytes;
    while (!this.isOver && this.link.connection()) {
      const [size] = this.sizes;
      if (size && size.offset <= this.offset) {
        this.sizes.shift();
        void tell(() => this.placement.handlers.resized?.(size));
      } else if (rest.length > 0) {
        const piece = rest.subarray(0, size && size.offset - this.offset);
        rest = rest.subarray(piece.length);
        this.deliver(piece);
      } else {
        return;
      }
    }
  }

  private deliver(bytes: Uint8Array): void {
    const { offset } = this;
    const chunk = { end: offset + bytes.length, bytes: bytes.length, consumed: false };
    this.offset = chunk.end;
    this.unacknowledged.push(chunk);
    const consumed = (): void => {
      chunk.consumed = true;
      this.acknowledge();
    };
    void tell(() => this.placement.handlers.output(bytes, offset, consumed));
  }

  /** Reports what has been consumed without a hole. */
  private acknowledge(): void {
    if (!this.link.connection() || this.link.isAttaching(this.id)) return;
    const waiting = this.unacknowledged.findIndex(({ consumed }) => !consumed);
    const done = this.unacknowledged.splice(0, waiting < 0 ? Infinity : waiting);
    const last = done.at(-1);
    if (!last) return;
    const bytes = done.reduce((sum, chunk) => sum + chunk.bytes, 0);
    this.link.consumed(this, last.end, bytes);
  }

  private send(message: Outgoing): void {
    if (!this.isOver) this.link.connection()?.send(message);
  }

  private end(): void {
    this.isOver = true;
    this.pause();
    this.input.reset(0);
    // What is consumed from now on concerns nobody.
    this.unacknowledged = [];
  }
}

/** What is told of a session where it begins. */
export type Begun = Pick<
  Shown,
  'channel' | 'offset' | 'end' | 'inputOffset' | 'inControl' | 'sizes' | 'gap' | 'modes'
> &
  Partial<Pick<Shown, 'cols' | 'rows'>>;

/** What is told of one that cannot be gone on with. */
export interface Lost extends Partial<Pick<Exit, 'code' | 'signal' | 'cause'>> {
  readonly reason: FailureReason;
}
