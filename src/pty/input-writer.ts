import { type Master } from './master.js';

/** One write of more than this only copies what the kernel will not take: a terminal takes about 11 KiB. */
const SLICE_BYTES = 16 * 1024;
/** Bounds the work of one call when a fast process takes everything at once. */
const SLICES_PER_WRITE = 16;

/** A process that is reading empties its terminal within a few turns of the loop: at first that is waited for. */
const TURNS = 8;
/** After that a full terminal is asked again ever less often; one that is never read costs 20 small writes a second. */
const WAITS_MS = [1, 1, 1, 1, 5, 5, 5, 5];
const LONGEST_WAIT_MS = 50;

/** Offers input to a terminal without ever waiting for it, and says when to offer the rest. */
export class InputWriter {
  /** Waits since the terminal last took anything. */
  private waits = 0;
  private cancelWait?: () => void;

  constructor(
    private readonly master: Master,
    private readonly writable: () => void,
  ) {}

  /** @returns how many leading bytes were taken; when fewer than offered, `writable` follows. */
  write(bytes: Uint8Array): number {
    if (!this.master.isOpen) return 0;
    const taken = this.offer(bytes);
    if (taken > 0) this.waits = 0;
    if (taken < bytes.length && (taken > 0 || !this.cancelWait)) this.wait();
    return taken;
  }

  stop(): void {
    this.cancelWait?.();
    this.cancelWait = undefined;
  }

  private offer(bytes: Uint8Array): number {
    let taken = 0;
    for (let slice = 0; slice < SLICES_PER_WRITE && taken < bytes.length; slice++) {
      const count = this.master.write(bytes.subarray(taken, taken + SLICE_BYTES));
      if (count === 0) break;
      taken += count;
    }
    return taken;
  }

  /** There is no way to ask a terminal for room without writing: the event is a guess, and the next offer tells. */
  private wait(): void {
    this.stop();
    const over = (): void => {
      this.cancelWait = undefined;
      this.writable();
    };
    const wait = this.waits++;
    if (wait < TURNS) {
      const turn = setImmediate(over);
      this.cancelWait = () => clearImmediate(turn);
    } else {
      const timer = setTimeout(over, WAITS_MS[wait - TURNS] ?? LONGEST_WAIT_MS);
      this.cancelWait = () => clearTimeout(timer);
    }
  }
}
