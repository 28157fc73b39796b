import fc from 'fast-check';
import assert from 'node:assert/strict';
import { brokenCharacter, wholeCharacters } from '../../src/protocol/utf8.js';
import { runs } from '../support/runs.js';

/** Bytes at which UTF-8 changes its mind, mixed so that sequences almost come out right. */
const edges = [
  0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbb, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xee,
  0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff,
];
const byte = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...edges) }, fc.nat(255));
const anyBytes = fc.array(byte, { maxLength: 60, size: 'max' }).map((list) => Uint8Array.from(list));
const text = fc.string({ unit: 'binary', maxLength: 40, size: 'max' });
const mixture = fc
  .array(fc.oneof(anyBytes, text.map(encoded)), { maxLength: 6 })
  .map((parts) => Uint8Array.from(Buffer.concat(parts)));
const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 80, size: 'max' });

describe('properties of whole characters', () => {
  it('makes text of pieces that reads as the text of the whole, whatever the bytes and wherever they are cut', () => {
    fc.assert(
      fc.property(fc.oneof(anyBytes, mixture), cuts, (bytes, lengths) => {
        assert.equal(textOfPieces(pieces(bytes, lengths)), decoded(bytes));
      }),
      { numRuns: runs(2000) },
    );
  });

  it('never cuts a character of valid text, wherever that is cut', () => {
    fc.assert(
      fc.property(text, (whole) => {
        const bytes = encoded(whole);
        for (let cut = 0; cut <= bytes.length; cut++) {
          const shown = wholeCharacters(bytes.subarray(0, cut));
          assert(whole.startsWith(decoded(bytes.subarray(0, shown))));
          assert.equal(textOfPieces([bytes.subarray(0, cut), bytes.subarray(cut)]), whole);
        }
      }),
      { numRuns: runs(500) },
    );
  });

  it('holds back at most three bytes, and only the beginning of a character', () => {
    fc.assert(
      fc.property(fc.oneof(anyBytes, mixture), (bytes) => {
        const shown = wholeCharacters(bytes);
        const held = bytes.subarray(shown);
        assert(shown <= bytes.length);
        assert(held.length <= 3);
        assert(held.length === 0 || canBecomeACharacter(held));
      }),
      { numRuns: runs(2000) },
    );
  });

  it('shows at once whatever ends with a whole character', () => {
    fc.assert(
      fc.property(anyBytes, fc.string({ unit: 'binary', minLength: 1, maxLength: 3 }), (before, end) => {
        const bytes = Buffer.concat([before, encoded(end)]);
        assert.equal(wholeCharacters(bytes), bytes.length);
      }),
      { numRuns: runs(1000) },
    );
  });
});

function encoded(whole: string): Uint8Array {
  return new TextEncoder().encode(whole);
}

/** What a client's decoder makes of all of it; a byte order mark is output like any other. */
function decoded(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

function pieces(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const all: Uint8Array[] = [];
  for (let position = 0, turn = 0; position < bytes.length; turn++) {
    const length = lengths[turn % lengths.length]!;
    all.push(bytes.subarray(position, position + length));
    position += length;
  }
  return all;
}

/** Each piece with what was held back before it, decoded on its own; what is left at the end is shown as it is. */
function textOfPieces(parts: readonly Uint8Array[]): string {
  let held: Uint8Array = new Uint8Array();
  let shown = '';
  for (const part of parts) {
    const bytes = Buffer.concat([held, part]);
    const length = wholeCharacters(bytes);
    shown += decoded(bytes.subarray(0, length));
    held = bytes.subarray(length);
  }
  return shown + decoded(held);
}

/** Tried out: whether some continuation makes one character of it. */
function canBecomeACharacter(start: Uint8Array): boolean {
  const ends = [[], [0x80], [0x90], [0xa0]].flatMap((first) =>
    [[], [0x80], [0x80, 0x80]].map((rest) => [...first, ...rest]),
  );
  return ends.some((end) => {
    const characters = [...decoded(Uint8Array.from([...start, ...end]))];
    return characters.length === 1 && characters[0] !== '\ufffd';
  });
}

describe('the rest of a broken character', () => {
  it.each([
    ['nothing', '', 0],
    ['a whole character', 'e282ac', 0],
    ['the end of one', '82ac41', 2],
    ['its last byte', 'ac41', 1],
    ['more garbage than a character has', '808080808041', 3],
    ['nothing else', '80', 1],
  ])('is, of %s, counted right', (_what, hex, bytes) => {
    expect(brokenCharacter(Buffer.from(hex, 'hex'))).toBe(bytes);
  });
});
