import { MAX_FRAME_PAYLOAD_BYTES } from './limits.js';

/**
 * Terminal bytes as `trex.v2` carries them, big-endian:
 *
 *     byte 0       kind: 1 output, 2 input
 *     bytes 1–3    zero
 *     bytes 4–7    channel, told in `session_created` and `attached`
 *     bytes 8–15   offset of the first byte in all the session's output, or in all the client's input to it
 *     bytes 16–    at most 64 KiB
 */
export const FRAME_HEADER_BYTES = 16;

const kinds = { output: 1, input: 2 } as const;
export type FrameKind = keyof typeof kinds;

/** By the first four bytes, three of which are zero. */
const kindOf: ReadonlyMap<number, FrameKind> = new Map([
  [kinds.output << 24, 'output'],
  [kinds.input << 24, 'input'],
]);

/** How much the upper half of an offset counts. */
const HIGH = 2 ** 32;

export interface Frame {
  readonly kind: FrameKind;
  readonly channel: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** A frame that is not laid out as it should be: what follows cannot be trusted either. */
export class FramingError extends Error {
  override readonly name = 'FramingError';
}

/** Writes a header in front of the bytes that `frame` holds, or will hold, from {@link FRAME_HEADER_BYTES} on. */
export function writeFrameHeader(frame: Uint8Array, kind: FrameKind, channel: number, offset: number): void {
  const header = new DataView(frame.buffer, frame.byteOffset, FRAME_HEADER_BYTES);
  header.setUint32(0, kinds[kind] << 24);
  header.setUint32(4, channel);
  // As two halves: a BigInt is an object each time.
  header.setUint32(8, Math.floor(offset / HIGH));
  header.setUint32(12, offset % HIGH);
}

export function encodeFrame({ kind, channel, offset, bytes }: Frame): Uint8Array {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + bytes.length);
  writeFrameHeader(frame, kind, channel, offset);
  frame.set(bytes, FRAME_HEADER_BYTES);
  return frame;
}

/** Reads a frame; `bytes` is a view of `data`. @throws {FramingError} */
export function decodeFrame(data: Uint8Array): Frame {
  const payload = data.length - FRAME_HEADER_BYTES;
  if (payload < 0 || payload > MAX_FRAME_PAYLOAD_BYTES) {
    throw new FramingError(
      `a frame of ${data.length} bytes: 16 to ${FRAME_HEADER_BYTES + MAX_FRAME_PAYLOAD_BYTES} are expected`,
    );
  }
  const header = new DataView(data.buffer, data.byteOffset, FRAME_HEADER_BYTES);
  const kind = kindOf.get(header.getUint32(0));
  if (kind === undefined)
    throw new FramingError('a frame of an unknown kind, or with reserved bytes that are not zero');
  const offset = header.getUint32(8) * HIGH + header.getUint32(12);
  if (!Number.isSafeInteger(offset)) throw new FramingError('a frame with an offset beyond 2^53 − 1');
  return {
    kind,
    channel: header.getUint32(4),
    offset,
    bytes: data.subarray(FRAME_HEADER_BYTES),
  };
}
