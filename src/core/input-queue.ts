import { type ByteBudget } from './byte-budget.js';
import { SessionError } from './session-error.js';

/** Up to here waiting pieces are joined: a million keys typed to a stuck program must not become a million objects. */
const JOINED_BYTES = 4 * 1024;

/** Input a session has accepted and its terminal has not taken yet, in the order it came. */
export class InputQueue {
  private readonly chunks: Uint8Array[] = [];
  private waiting = 0;

  /** Holds up to `limitBytes`, and takes all it holds from `budget`, which every session of the server shares. */
  constructor(
    private readonly limitBytes: number,
    private readonly budget: ByteBudget,
  ) {}

  /** How many bytes wait. */
  get bytes(): number {
    return this.waiting;
  }

  /** Accepts all of `bytes` or nothing. @throws {SessionError} `INPUT_QUEUE_FULL` */
  add(bytes: Uint8Array): void {
    if (this.waiting + bytes.length > this.limitBytes || !this.budget.take(bytes.length)) {
      throw new SessionError(
        'INPUT_QUEUE_FULL',
        'input refused: the program is not reading what was typed before; try again once it does',
      );
    }
    this.waiting += bytes.length;
    const last = this.chunks.at(-1);
    if (last && last.length + bytes.length <= JOINED_BYTES) {
      this.chunks[this.chunks.length - 1] = joined(last, bytes);
    } else if (bytes.length > 0) {
      this.chunks.push(bytes);
    }
  }

  /** Offers what waits to `write`, oldest first, until it takes less than it was offered. */
  drainTo(write: (bytes: Uint8Array) => number): void {
    for (let chunk = this.chunks[0]; chunk; chunk = this.chunks[0]) {
      const taken = write(chunk);
      this.waiting -= taken;
      this.budget.give(taken);
      if (taken < chunk.length) {
        this.chunks[0] = chunk.subarray(taken);
        return;
      }
      this.chunks.shift();
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
