import fc from 'fast-check';
import assert from 'node:assert/strict';
import { FallenOutput } from '../../src/core/fallen-output.js';
import { OutputLog } from '../../src/core/output-log.js';
import { nativeSearch } from '../../src/sessions/native-search.js';
import { runs } from '../support/runs.js';

function newLog(capacityBytes: number, slabBytes?: number): OutputLog {
  return new OutputLog(capacityBytes, new FallenOutput(nativeSearch), slabBytes);
}

/** Small logs wrap often; large chunks go round several times in one append. */
const logs = fc.record({
  capacityBytes: fc.integer({ min: 1, max: 300 }),
  slabBytes: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 9, max: 400 })),
});
const chunk = fc.uint8Array({ maxLength: 200, size: 'max' });
const chunks = fc.array(chunk, { maxLength: 40, size: 'max' });
const reads = fc.array(fc.record({ offset: fc.integer({ min: -10, max: 5000 }), maxBytes: fc.nat(500) }), {
  minLength: 1,
  maxLength: 10,
});

/** The simplest thing that works: keeps everything. */
class NaiveLog {
  private all = Buffer.alloc(0);

  constructor(private readonly capacityBytes: number) {}

  get start(): number {
    return Math.max(0, this.all.length - this.capacityBytes);
  }

  get end(): number {
    return this.all.length;
  }

  append(bytes: Uint8Array): void {
    this.all = Buffer.concat([this.all, bytes]);
  }

  read(offset: number, maxBytes: number): { offset: number; bytes: Uint8Array } {
    const from = Math.max(offset, this.start);
    return { offset: from, bytes: Uint8Array.from(this.all.subarray(from, from + maxBytes)) };
  }
}

describe('properties of the output log', () => {
  it('equals a log that keeps everything, for any chunks, offsets, capacities and slab sizes', () => {
    let wrapped = 0;
    fc.assert(
      fc.property(logs, chunks, reads, ({ capacityBytes, slabBytes }, printed, wanted) => {
        const log = newLog(capacityBytes, slabBytes);
        const naive = new NaiveLog(capacityBytes);
        printed.forEach((bytes, index) => {
          log.append(bytes);
          naive.append(bytes);
          const { offset, maxBytes } = wanted[index % wanted.length]!;
          assert.deepEqual(log.read(offset, maxBytes), naive.read(offset, maxBytes));
        });
        expect({ start: log.start, end: log.end }).toEqual({ start: naive.start, end: naive.end });
        for (const offset of [0, naive.start, naive.end - 1, naive.end, naive.end + 1]) {
          assert.deepEqual(log.read(offset, Infinity), naive.read(offset, Infinity));
        }
        if (naive.start > 3 * capacityBytes) wrapped += 1;
      }),
      { numRuns: runs(1000) },
    );
    // Default sizes would hardly ever fill a log.
    expect(wrapped).toBeGreaterThan(200);
  });

  it('reads the same bytes in whatever pieces', () => {
    fc.assert(
      fc.property(
        logs,
        chunks,
        fc.integer({ min: 1, max: 50 }),
        ({ capacityBytes, slabBytes }, printed, piece) => {
          const log = newLog(capacityBytes, slabBytes);
          const naive = new NaiveLog(capacityBytes);
          for (const bytes of printed) {
            log.append(bytes);
            naive.append(bytes);
          }
          const pieces: Uint8Array[] = [];
          for (let next = log.read(0, piece); next.bytes.length > 0;) {
            pieces.push(next.bytes);
            next = log.read(next.offset + next.bytes.length, piece);
          }
          assert.deepEqual(Uint8Array.from(Buffer.concat(pieces)), naive.read(0, Infinity).bytes);
        },
      ),
      { numRuns: runs(300) },
    );
  });

  it('shares no memory with what it is given and what it gives', () => {
    fc.assert(
      fc.property(logs, chunks, ({ capacityBytes, slabBytes }, printed) => {
        const log = newLog(capacityBytes, slabBytes);
        const naive = new NaiveLog(capacityBytes);
        // A process's output arrives in memory that is used again.
        const reused = new Uint8Array(200);
        const given: { copy: Uint8Array; then: Uint8Array }[] = [];
        for (const bytes of printed) {
          reused.set(bytes);
          log.append(reused.subarray(0, bytes.length));
          naive.append(bytes);
          reused.fill(0);
          log.read(0, Infinity).bytes.fill(0);
          given.push({ copy: log.read(0, Infinity).bytes, then: naive.read(0, Infinity).bytes });
        }
        for (const { copy, then } of given) assert.deepEqual(copy, then);
      }),
      { numRuns: runs(300) },
    );
  });

  it('knows whether a program fills the screen, whenever it is asked', () => {
    const piece = fc.constantFrom(
      '\x1b[?1049h',
      '\x1b[?1049l',
      '\x1b[?10',
      '49',
      'h',
      'l',
      '\x1bc',
      '0123456789',
    );
    const printed = fc.array(fc.record({ piece, isAsked: fc.boolean() }), { maxLength: 60, size: 'max' });
    let full = 0;
    fc.assert(
      fc.property(logs, printed, ({ capacityBytes, slabBytes }, all) => {
        const log = newLog(capacityBytes, slabBytes);
        const whole = new FallenOutput(nativeSearch);
        for (const { piece: text, isAsked } of all) {
          log.append(Buffer.from(text));
          whole.add(Buffer.from(text));
          if (isAsked) assert.equal(log.isFullScreen(), whole.isFullScreen);
        }
        if (whole.isFullScreen) full += 1;
      }),
      { numRuns: runs(1000) },
    );
    expect(full).toBeGreaterThan(100);
  });

  it('equals a log that keeps everything at its real sizes', () => {
    // Of a few small pieces the first slab grows, more than once.
    const most = fc.constantFrom(5_000, 150_000);
    const lengths = most.chain((max) => fc.array(fc.nat(max), { minLength: 1, maxLength: 12 }));
    fc.assert(
      fc.property(
        lengths,
        fc.integer({ min: 1, max: 300_000 }),
        fc.nat(600_000),
        (sizes, capacityBytes, offset) => {
          const log = newLog(capacityBytes);
          const all = Buffer.concat(sizes.map((size, index) => counting(size, index)));
          let position = 0;
          for (const size of sizes) log.append(all.subarray(position, (position += size)));
          const from = Math.max(offset, all.length - capacityBytes, 0);
          const read = log.read(offset, 100_000);
          expect(read.offset).toBe(from);
          expect(all.subarray(from, from + 100_000).equals(read.bytes)).toBe(true);
          expect(all.subarray(log.start).equals(log.read(0, Infinity).bytes)).toBe(true);
        },
      ),
      { numRuns: runs(100) },
    );
  });
});

/** Bytes that tell where they stand. */
function counting(size: number, seed: number): Buffer {
  return Buffer.alloc(size).map((_byte, index) => (index * 31 + (index >> 8) + seed) & 0xff) as Buffer;
}
