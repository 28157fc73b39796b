import { type InputTaken } from '../core/input-queue.js';
import { SessionError, type SessionErrorCode } from '../core/session-error.js';
import { INPUT_CREDIT_BYTES } from '../protocol/limits.js';

/** Input was refused: nothing of it has been accepted, and the client goes on at `inputOffset`. */
export class InputRefusal extends SessionError {
  constructor(
    code: SessionErrorCode,
    message: string,
    readonly inputOffset: number,
    options?: { cause?: unknown },
  ) {
    super(code, message, options);
  }
}

/**
 * All that one client of `trex.v2` types into one session, in bytes from the first: whatever it sends again, over
 * whichever connection, is typed once.
 */
export class TypedInput {
  private acceptedTo = 0;
  private takenTo = 0;
  /** To be told for each part of it that the terminal takes. */
  readonly taken: InputTaken;

  /** `news` is called when the terminal has taken more. */
  constructor(news: () => void) {
    this.taken = (bytes) => {
      this.takenTo += bytes;
      news();
    };
  }

  /** How much is the server's: to be typed in its turn, or typed. */
  get acceptedOffset(): number {
    return this.acceptedTo;
  }

  /** How much the terminal has taken. */
  get takenOffset(): number {
    return this.takenTo;
  }

  /**
   * Hands on what is new of `bytes`, which begin at `offset`; what `write` refuses is not accepted.
   * @throws {InputRefusal} `BAD_INPUT_OFFSET` for a hole, `INPUT_QUEUE_FULL` beyond the credit, or what `write` throws
   */
  accept(offset: number, bytes: Uint8Array, write: (fresh: Uint8Array) => void): void {
    const accepted = this.acceptedTo;
    if (offset > accepted) {
      const hole = `input at ${offset} leaves a hole: ${accepted} bytes have been accepted`;
      throw new InputRefusal('BAD_INPUT_OFFSET', hole, accepted);
    }
    // A copy: the frame lies in a buffer that is larger, and what is typed may wait for long.
    const fresh = new Uint8Array(bytes.subarray(accepted - offset));
    if (fresh.length === 0) return;
    if (accepted + fresh.length - this.takenTo > INPUT_CREDIT_BYTES) {
      const full = `input refused: at most ${INPUT_CREDIT_BYTES} bytes may wait to be acknowledged`;
      throw new InputRefusal('INPUT_QUEUE_FULL', full, accepted);
    }
    try {
      // Before: what the terminal takes at once is told while it is written.
      this.acceptedTo += fresh.length;
      write(fresh);
    } catch (error) {
      this.acceptedTo = accepted;
      if (!(error instanceof SessionError)) throw error;
      throw new InputRefusal(error.code, error.message, accepted, { cause: error });
    }
  }
}
