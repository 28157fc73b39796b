import fc from 'fast-check';
import { echoAt, lineAt, LineChecker } from '../../bench/programs/lines.js';

/** So many lines, of which some answer a key. */
const printed = (count: number, keys: ReadonlySet<number>): string =>
  Array.from({ length: count }, (_, n) => (keys.has(n) ? echoAt(n, `${n}`) : lineAt(n))).join('');

/** Cuts a text wherever told, and checks the pieces. */
function check(text: string, cuts: readonly number[], checker = new LineChecker()): LineChecker {
  const bytes = Buffer.from(text);
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  for (let n = 1; n < at.length; n++) checker.add(bytes.subarray(at[n - 1], at[n]));
  return checker;
}

const LINES = 200;
const keys = fc.uniqueArray(fc.nat(LINES - 1), { maxLength: 20 }).map((numbers) => new Set(numbers));
const cuts = fc.array(fc.nat(LINES * 64), { maxLength: 30, size: 'max' });

describe('the checker of lines', () => {
  it('finds nothing wrong with lines in whatever pieces, and every key that is answered', () => {
    fc.assert(
      fc.property(keys, cuts, (answered, pieces) => {
        const heard: number[] = [];
        const text = printed(LINES, answered);
        const checker = check(text, pieces, new LineChecker((key) => heard.push(Number(key))));
        expect([checker.wrongLines, checker.offset]).toEqual([0, text.length]);
        expect(heard).toEqual([...answered].sort((a, b) => a - b));
      }),
    );
  });

  it('notices a byte that is lost, doubled or changed, wherever that is', () => {
    const change = fc.constantFrom(
      (text: string, at: number) => text.slice(0, at) + text.slice(at + 1),
      (text: string, at: number) => text.slice(0, at) + text.slice(at, at + 1) + text.slice(at),
      (text: string, at: number) =>
        text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1),
    );
    fc.assert(
      fc.property(keys, cuts, fc.nat((LINES - 1) * 64 - 1), change, (answered, pieces, at, spoil) => {
        const heard: number[] = [];
        const spoilt = spoil(printed(LINES, answered), at);
        const { wrongLines } = check(spoilt, pieces, new LineChecker((key) => heard.push(Number(key))));
        // What a key is called is known only to who has typed it.
        const isHeard = heard.join() === [...answered].sort((a, b) => a - b).join();
        expect(wrongLines > 0 || !isHeard).toBe(true);
      }),
    );
  });

  it('goes on behind a gap of the length that was told, and nowhere else', () => {
    fc.assert(
      fc.property(
        keys,
        cuts,
        fc.nat(LINES * 64),
        fc.nat(2000),
        fc.boolean(),
        (answered, pieces, from, length, lies) => {
          const text = printed(2 * LINES, answered);
          const checker = check(text.slice(0, from), pieces);
          checker.skip(length + (lies ? 1 : 0));
          check(text.slice(from + length), pieces, checker);
          expect(checker.wrongLines > 0).toBe(lies);
        },
      ),
    );
  });
});
