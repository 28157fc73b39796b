import { FRAME_HEADER_BYTES } from '../protocol/frames.js';
import { MAX_FRAME_PAYLOAD_BYTES } from '../protocol/limits.js';

const FULL_BYTES = FRAME_HEADER_BYTES + MAX_FRAME_PAYLOAD_BYTES;

/** Smaller frames are not worth it: many of them may wait in a socket, each in a buffer for a full one. */
const WORTH_KEEPING_BYTES = FULL_BYTES / 2;

/** A megabyte: more than one fast client ever has on its way. */
const MOST_KEPT = 16;

/**
 * Memory for frames. Under a flood one large buffer after the other would be zeroed, filled once and left to the
 * garbage collector: a twentieth of the server's time.
 */
export class FrameBuffers {
  private readonly kept: Uint8Array[] = [];

  /** A buffer of at least `bytes`, whatever is in it. */
  take(bytes: number): Uint8Array {
    if (bytes < WORTH_KEEPING_BYTES) return new Uint8Array(bytes);
    return this.kept.pop() ?? new Uint8Array(FULL_BYTES);
  }

  /** Nobody reads `buffer` any more, which came from {@link take}. */
  give(buffer: Uint8Array): void {
    if (buffer.length === FULL_BYTES && this.kept.length < MOST_KEPT) this.kept.push(buffer);
  }
}
