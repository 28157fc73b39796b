import fc from 'fast-check';
import { decodeFrame, encodeFrame, FRAME_HEADER_BYTES, FramingError } from '../../src/protocol/frames.js';
import { MAX_FRAME_PAYLOAD_BYTES } from '../../src/protocol/limits.js';
import { runs } from '../support/runs.js';

const frame = fc.record({
  kind: fc.constantFrom('output' as const, 'input' as const),
  channel: fc.nat(2 ** 32 - 1),
  offset: fc.maxSafeNat(),
  bytes: fc.uint8Array({ maxLength: 300 }),
});

describe('properties of frames', () => {
  it('are read as they were written, wherever they lie in memory', () => {
    fc.assert(
      fc.property(frame, fc.nat(20), (written, before) => {
        const encoded = encodeFrame(written);
        const inside = new Uint8Array(before + encoded.length + 3);
        inside.set(encoded, before);
        const read = decodeFrame(inside.subarray(before, before + encoded.length));
        expect({ ...read, bytes: Uint8Array.from(read.bytes) }).toEqual(written);
      }),
      { numRuns: runs(100) },
    );
  });

  it('are laid out as documented', () => {
    const encoded = encodeFrame({
      kind: 'input',
      channel: 0x01020304,
      offset: 0x1f_ffff_ffff_fffe,
      bytes: Uint8Array.of(0xab),
    });
    expect(Buffer.from(encoded).toString('hex')).toBe('0200000001020304001ffffffffffffeab');
  });

  it('of any bytes are read or refused, and nothing else; what is read has this one form', () => {
    const edge = fc.constantFrom(0, 1, 2, 255);
    const header = fc.array(fc.oneof(edge, fc.nat(255)), { minLength: 0, maxLength: FRAME_HEADER_BYTES + 4 });
    fc.assert(
      fc.property(header, (bytes) => {
        const data = Uint8Array.from(bytes);
        try {
          expect(encodeFrame(decodeFrame(data))).toEqual(data);
        } catch (error) {
          expect(error).toBeInstanceOf(FramingError);
        }
      }),
      { numRuns: runs(5000) },
    );
  });

  it('hold 64 KiB and no more', () => {
    const largest = encodeFrame({
      kind: 'output',
      channel: 1,
      offset: 0,
      bytes: new Uint8Array(MAX_FRAME_PAYLOAD_BYTES),
    });
    expect(decodeFrame(largest).bytes.length).toBe(65_536);
    expect(() => decodeFrame(new Uint8Array([...largest, 0]))).toThrow(FramingError);
  });
});
