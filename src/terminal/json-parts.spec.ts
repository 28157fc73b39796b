import fc from 'fast-check';
import { MAX_RESUMED } from '../protocol/limits.js';
import { hasTooManyParts, MOST_PARTS } from './json-parts.js';

const verdict = (text: string): boolean => hasTooManyParts(Buffer.from(text));

describe('T33 · the parts of a message', () => {
  const many = MOST_PARTS + 1;

  it.each([
    ['open lists', '['.repeat(many)],
    ['open objects', '{"a":'.repeat(many)],
    ['numbers', `[${'1,'.repeat(many)}1]`],
    ['fields', `{"type":"input","data":"x"${',"a":0'.repeat(many)}}`],
    ['lists behind a quote that is escaped', `["\\"",${'[],'.repeat(many)}0]`],
    ['lists behind a string that ends in a backslash', `["\\\\",${'[],'.repeat(many)}0]`],
  ])('are too many: %s', (_what, text) => {
    expect(verdict(text)).toBe(true);
  });

  it.each([
    ['as many lists as there may be', '['.repeat(MOST_PARTS)],
    ['a long text that has them inside', JSON.stringify({ type: 'input', data: '[{,'.repeat(many) })],
    ['a text with quotes and backslashes', JSON.stringify({ type: 'input', data: '\\",["'.repeat(many) })],
    ['bytes that are no JSON', '\\"'.repeat(many)],
    [
      'the longest hello',
      JSON.stringify({
        type: 'hello',
        sessions: Array.from({ length: MAX_RESUMED }, (_, n) => {
          return { sessionId: `s${n}`, from: n, readOnly: false, more: [1, 2, 3] };
        }),
      }),
    ],
  ])('are not too many: %s', (_what, text) => {
    expect(verdict(text)).toBe(false);
  });

  it('are those outside of strings, whatever the strings', () => {
    const strings = fc.array(fc.oneof(fc.string(), fc.constantFrom('"', '\\', '\\"', ',[{')), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(strings, fc.nat(3), fc.boolean(), (texts, missing, isLong) => {
        const quoted = texts.map((text) => JSON.stringify(text));
        // It has more quotes than are searched for.
        if (isLong) quoted.push(JSON.stringify('"\\'.repeat(20_000)));
        const parts = 1 + quoted.length;
        const text = `[${quoted.map((one) => `${one},`).join('')}${'0,'.repeat(many - parts - missing)}0]`;
        expect(verdict(text)).toBe(missing === 0);
      }),
      { numRuns: 50 },
    );
  });
});
