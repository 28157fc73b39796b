import { type Frame } from '../src/protocol/frames.js';
import { MAX_FRAME_PAYLOAD_BYTES } from '../src/protocol/limits.js';
import {
  type Attached,
  type Control,
  type ErrorMessage,
  type Exit,
  type Gap,
  type GapBytes,
  type Resized,
  type SizeAt,
} from '../src/protocol/messages.js';
import { ServerViolation } from './client-error.js';
import { type Connection, type Outgoing } from './connection.js';
import { tell } from './tell.js';

// Browsers and Node have it, each with types of its own.
declare const TextEncoder: new () => { encode(text: string): Uint8Array };

/**
 * What an application does with a session's news. All but `control` and `error` come in the order of the output, which
 * comes exactly once; the first may come before whoever awaits `create` or `attach` goes on. What a handler throws
 * becomes an unhandled rejection and disturbs nothing else.
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
  /** What follows was printed for this size: told when attaching, and when somebody else resizes. */
  resized?(size: SizeAt): void;
  /**
   * Whether this client is in control, the viewer that typed or resized last: told when creating or attaching, and on
   * change. Only whoever is lets a terminal's answers to queries (DA, DSR, DECRQSS) through, or each would be given by all.
   */
  control?(inControl: boolean): void;
  /** The session has ended; nothing more comes. */
  exit?(exit: Exit): void;
  /** Something was refused, or the session could not start. */
  error?(error: ErrorMessage): void;
}

/** A session that this client shows, from `create` or `attach` until `exit` or `detach`. */
export interface RemoteSession {
  readonly id: string;
  /** Where the output begins that has not been delivered yet, in bytes. */
  readonly offset: number;
  /** Whether it has exited or was detached: its methods do nothing then, but for `close` after an exit. */
  readonly isOver: boolean;
  /**
   * Types; text goes as UTF-8. What the server cannot take (`INPUT_QUEUE_FULL`) it tells by `error`; how much it had
   * taken is known again after attaching again, and nothing is sent until then.
   * @returns whether it was sent: not when the session is over or read-only, the client not connected, or after a refusal
   */
  write(data: Uint8Array | string): boolean;
  /** Takes control, too. */
  resize(size: { readonly cols: number; readonly rows: number }): void;
  /** Ends the session for everybody; `exit` follows. One that has exited is not kept any longer. */
  close(): void;
  /** Stops showing it, at once; the session goes on. */
  detach(): void;
}

/** What a session needs of its client. */
export interface SessionLink {
  /** The connection, if it is open. */
  connection(): Connection | undefined;
  /** Whether an `attach` of that session is on its way: its offsets and channel mean nothing until the answer. */
  isAttaching(sessionId: string): boolean;
  consumed(session: ShownSession, offset: number, bytes: number): void;
  ended(session: ShownSession): void;
  detached(session: ShownSession): void;
}

/** How a session is looked at: new with each answer to `create` and `attach`. */
export interface Placement {
  readonly channel: number;
  /** Where output begins. */
  readonly offset: number;
  readonly inputOffset: number;
  readonly readOnly: boolean;
  readonly handlers: SessionHandlers;
}

interface Chunk {
  readonly end: number;
  readonly bytes: number;
  consumed: boolean;
}

/** Reasons after which the server has accepted less input than was sent. */
const INPUT_LOST: readonly string[] = ['INPUT_QUEUE_FULL', 'READ_ONLY', 'BAD_INPUT_OFFSET'];

/** A session as its client keeps it. Attaching again moves it, and makes what was delivered before nobody's concern. */
export class ShownSession implements RemoteSession {
  offset = 0;
  isOver = false;
  private hasExited = false;
  private inputOffset = 0;
  private inputLost = false;
  /** Written while an `attach` was on its way. */
  private readonly heldInput: Uint8Array[] = [];
  /** Delivered and not acknowledged, oldest first. */
  private unacknowledged: Chunk[] = [];
  /** Sizes of output that has not been delivered yet, in its order. */
  private sizes: SizeAt[] = [];

  constructor(
    readonly id: string,
    private readonly link: SessionLink,
    private placement: Placement,
  ) {
    this.place(placement);
  }

  get channel(): number {
    return this.placement.channel;
  }

  write(data: Uint8Array | string): boolean {
    const connection = this.link.connection();
    if (!connection || this.isOver || this.inputLost || this.placement.readOnly) return false;
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
    if (this.link.isAttaching(this.id)) this.heldInput.push(Uint8Array.from(bytes));
    else this.type(connection, bytes);
    return true;
  }

  resize({ cols, rows }: { readonly cols: number; readonly rows: number }): void {
    this.send({ type: 'resize', sessionId: this.id, cols, rows });
  }

  close(): void {
    if (!this.isOver || this.hasExited) this.link.connection()?.send({ type: 'close', sessionId: this.id });
  }

  detach(): void {
    if (this.isOver) return;
    this.send({ type: 'detach', sessionId: this.id });
    this.end();
    this.link.detached(this);
  }

  /** Goes on from another place. */
  place(placement: Placement): void {
    this.placement = placement;
    this.offset = placement.offset;
    this.inputOffset = placement.inputOffset;
    this.inputLost = false;
    this.unacknowledged = [];
    this.sizes = [];
  }

  /** Tells what the answer to `attach` says. */
  attached({ gap, inControl, sizes }: Attached): void {
    const { handlers } = this.placement;
    this.sizes = [...sizes];
    if (gap) void tell(() => handlers.gap?.(gap));
    void tell(() => handlers.control?.(inControl));
    this.advance();
  }

  /** No `attach` is on its way any more: sends what has waited for that. */
  settle(): void {
    const connection = this.link.connection();
    for (const bytes of this.heldInput.splice(0)) if (connection) this.type(connection, bytes);
    this.acknowledge();
  }

  /** @throws {ServerViolation} when it is not what comes next */
  output({ offset, bytes }: Frame): void {
    if (offset !== this.offset) throw new ServerViolation(`output at ${offset} where ${this.offset} is next`);
    this.advance(bytes);
  }

  /** @throws {ServerViolation} for a gap that is not what comes next */
  hear(news: Gap | Resized | Control | Exit): void {
    const { handlers } = this.placement;
    switch (news.type) {
      case 'gap':
        this.skip(news);
        return this.advance();
      case 'resized':
        // A size that nothing was printed for gives way.
        if (this.sizes.at(-1)?.offset === news.offset) this.sizes.pop();
        // Output that was printed for an older size may still be on its way.
        this.sizes.push(news);
        return this.advance();
      case 'control':
        return void tell(() => handlers.control?.(news.inControl));
      case 'exit':
        // It is a viewer still, and would be for as long as the connection lives.
        this.send({ type: 'detach', sessionId: this.id });
        this.end();
        this.hasExited = true;
        this.link.ended(this);
        return void tell(() => handlers.exit?.(news));
    }
  }

  error(error: ErrorMessage): void {
    this.inputLost ||= INPUT_LOST.includes(error.reason);
    void tell(() => this.placement.handlers.error?.(error));
  }

  private type(connection: Connection, bytes: Uint8Array): void {
    for (let rest = bytes; rest.length > 0; rest = rest.subarray(MAX_FRAME_PAYLOAD_BYTES)) {
      const piece = rest.subarray(0, MAX_FRAME_PAYLOAD_BYTES);
      connection.sendInput(this.channel, this.inputOffset, piece);
      this.inputOffset += piece.length;
    }
  }

  private skip(gap: GapBytes): void {
    if (gap.offset !== this.offset || gap.end < gap.offset) {
      throw new ServerViolation(`a gap from ${gap.offset} to ${gap.end} where ${this.offset} is next`);
    }
    this.offset = gap.end;
    void tell(() => this.placement.handlers.gap?.(gap));
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
    if (this.link.isAttaching(this.id)) return;
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
    this.heldInput.length = 0;
    // What is consumed from now on concerns nobody.
    this.unacknowledged = [];
  }
}
