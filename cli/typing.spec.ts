import { Typing } from './typing.js';

/** What is passed on of chunks, and `!` where they detach. */
function typed(keys: readonly number[], chunks: readonly string[], mayAnswer = true): string[] {
  const typing = new Typing(keys);
  return chunks.map((chunk) => {
    const { bytes, isDetaching } = typing.read(Buffer.from(chunk, 'latin1'), mayAnswer);
    return Buffer.from(bytes).toString('latin1') + (isDetaching ? '!' : '');
  });
}

const ONE = [0x1c];
const TWO = [0x10, 0x11];
const PREFIXED = [0x01, 0x64];

describe('what is typed', () => {
  it.each<[string, readonly number[], readonly string[], readonly string[]]>([
    [
      'passes on every byte',
      ONE,
      ['ls\r', '\x1b', '\x1b[A\x1bOP', '\xc3\xa9\x00\xff'],
      ['ls\r', '\x1b', '\x1b[A\x1bOP', '\xc3\xa9\x00\xff'],
    ],
    ['ends with the key that detaches, and what is behind it is dropped', ONE, ['ab\x1ccd'], ['ab!']],
    ['detaches with nothing where there is no key', [], ['a\x1c\x10\x11'], ['a\x1c\x10\x11']],
    ['detaches with two keys, in one piece or in two', TWO, ['a\x10', '\x11b'], ['a', '!']],
    [
      'holds the first of two back only until the next',
      TWO,
      ['\x10', 'x', '\x10\x10', '\x11'],
      ['', '\x10x', '\x10', '!'],
    ],
    [
      'finds the keys behind what looks like their beginning',
      [1, 1, 2],
      ['\x01\x01\x01', '\x02'],
      ['\x01', '!'],
    ],
    ['takes a plain key behind a prefix, and nowhere else', PREFIXED, ['add\x01', 'd'], ['add', '!']],
    ['knows it in the protocol of kitty', ONE, ['a\x1b[92;5u'], ['a!']],
    ['with Num Lock and Caps Lock on', ONE, ['\x1b[92;197u'], ['!']],
    ['pressed, as an event', ONE, ['\x1b[92;5:1u'], ['!']],
    ['and not let go of', ONE, ['\x1b[92;5:3u'], ['\x1b[92;5:3u']],
    ['by what Shift makes of it', [0x1e], ['\x1b[54:94;6u'], ['!']],
    ['not with Alt', ONE, ['\x1b[92;7u'], ['\x1b[92;7u']],
    ['in modifyOtherKeys', ONE, ['\x1b[27;5;92~'], ['!']],
    [
      'over two keys, whatever is let go of and moved between',
      TWO,
      ['\x1b[57442;5u\x1b[112;5u\x1b[112;5:3u\x1b[<35;1;2M', '\x1b[113;5u'],
      ['\x1b[57442;5u', '!'],
    ],
    [
      'and passes all that on in its order when it was none',
      TWO,
      ['\x1b[112;5u\x1b[112;5:3u', 'x'],
      ['', '\x1b[112;5u\x1b[112;5:3ux'],
    ],
    [
      'does not look for it in a paste',
      ONE,
      ['\x1b[200~a\x1cb\x1b[201~c\x1cd'],
      ['\x1b[200~a\x1cb\x1b[201~c!'],
    ],
    [
      'in a paste that comes in parts',
      ONE,
      ['\x1b[20', '0~\x1c\x1b[2', '01~\x1c'],
      ['\x1b[20', '0~\x1c\x1b[2', '01~!'],
    ],
    [
      'takes the end of a paste for no key',
      [0x7e],
      ['\x1b[200~a\x1b[201~', '~'],
      ['\x1b[200~a\x1b[201~', '!'],
    ],
  ])('%s', (_, keys, chunks, passed) => {
    expect(typed(keys, chunks)).toEqual(passed);
  });

  it('leaves out what the terminal answers while others are asked, and nothing that was typed', () => {
    const answers =
      '\x1b[?62;4c\x1b[12;40R\x1b]11;rgb:0000/0000/0000\x07\x1bP>|term\x1b\\\x1b_Gi=1;OK\x1b\\\x1b[?1u';
    expect(typed(ONE, [`a${answers}b\x1b[A`], false)).toEqual(['ab\x1b[A']);
    expect(typed(ONE, [`a${answers}b`], true)).toEqual([`a${answers}b`]);
    const pasted = `\x1b[200~${answers}\x1b[201~`;
    expect(typed(ONE, [pasted], false)).toEqual([pasted]);
  });
});
