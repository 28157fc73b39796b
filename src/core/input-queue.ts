import { type ByteBudget } from './byte-budget.js';
import { SessionError } from './session-error.js';

/** Up to here waiting pieces are joined: a million keys typed to a stuck program must not become a million objects. */
const JOINED_BYTES = 4 * 1024;

/** Pieces that are several clients' are not joined, and each takes some 200 bytes beside its own. */
const MOST_PIECES = 4096;
/** However much may wait, one client's pieces have more on the average, and may be as many. */
const LEAST_PIECE_BYTES = 1024;

/** Told how many bytes more of its input the terminal has taken, whoever's are between. */
export type InputTaken = (bytes: number) => void;

interface Chunk {
  readonly bytes: Uint8Array;
  readonly taken?: InputTaken;
}

/** Input a session has accepted and its terminal has not taken yet, in the order it came. */
export class InputQueue {
  private readonly chunks: Chunk[] = [];
  private readonly mostChunks: number;
  private waiting = 0;

  /** Holds up to `limitBytes`, and takes all it holds from `budget`, which every session of the server shares. */
  constructor(
    private readonly limitBytes: number,
    private readonly budget: ByteBudget,
  ) {
    this.mostChunks = Math.max(MOST_PIECES, limitBytes / LEAST_PIECE_BYTES);
  }

  /** How many bytes wait. */
  get bytes(): number {
    return this.waiting;
  }

  /** Accepts all of `bytes` or nothing. @throws {SessionError} `INPUT_QUEUE_FULL` */
  add(bytes: Uint8Array, taken?: InputTaken): void {
    const last = this.chunks.at(-1);
    const joins = last && last.taken === taken && last.bytes.length + bytes.length <= JOINED_BYTES;
    const hasRoom = joins === true || this.chunks.length < this.mostChunks;
    if (!hasRoom || this.waiting + bytes.length > this.limitBytes || !this.budget.take(bytes.length)) {
      throw new SessionError(
        'INPUT_QUEUE_FULL',
        'input refused: the program is not reading what was typed before; try again once it does',
      );
    }
    this.waiting += bytes.length;
    if (joins) {
      this.chunks[this.chunks.length - 1] = { bytes: joined(last.bytes, bytes), taken };
    } else if (bytes.length > 0) {
      this.chunks.push({ bytes, taken });
    }
  }

  /** Offers what waits to `write`, oldest first, until it takes less than it was offered. */
  drainTo(write: (bytes: Uint8Array) => number): void {
    for (let chunk = this.chunks[0]; chunk; chunk = this.chunks[0]) {
      const count = write(chunk.bytes);
      this.waiting -= count;
      this.budget.give(count);
      const isWhole = count === chunk.bytes.length;
      if (isWhole) this.chunks.shift();
      else this.chunks[0] = { ...chunk, bytes: chunk.bytes.subarray(count) };
      if (count > 0) chunk.taken?.(count);
      if (!isWhole) return;
    }
  }

  /** Forgets what waits. */
  clear(): void {
    this.budget.give(this.waiting);
    this.waiting = 0;
    this.chunks.length = 0;
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
