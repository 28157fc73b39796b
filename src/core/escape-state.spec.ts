import { nativeSearch } from '../sessions/native-search.js';
import { type EscapeState, firstSafe, reopening, stateAfter } from './escape-state.js';

const after = (text: string, before: EscapeState = 'ground', previous = 0): EscapeState =>
  stateAfter(before, Buffer.from(text), previous, nativeSearch);
const safe = (text: string, before: EscapeState = 'ground', previous = 0): number =>
  firstSafe(before, Buffer.from(text), previous, nativeSearch);

describe('the state of an escape sequence', () => {
  it.each([
    ['', 'ground'],
    ['text \u00a0 漢', 'ground'],
    ['\x1b', 'escape'],
    ['\x1b\n\x7f', 'escape'],
    ['\x1b7', 'ground'],
    ['\x1bé', 'ground'],
    ['\x1b(', 'intermediate'],
    ['\x1b( \n\x7f', 'intermediate'],
    ['\x1b([', 'ground'],
    ['\x1b[', 'csi'],
    ['\x1b[3;\n1', 'csi'],
    ['\x1b[31m', 'ground'],
    ['\x1b[31\x7f', 'csi'],
    ['\x1b[31é', 'csi'],
    ['\u009b31', 'csi'],
    ['\x1b]0;title', 'osc'],
    ['\u009d0;title é', 'osc'],
    ['\x1b]0;title\x07', 'ground'],
    ['\x1bPq#0\x07', 'string'],
    ['\x1bXa', 'string'],
    ['\x1b^a', 'string'],
    ['\x1b_a é \u0085', 'string'],
    ['\u0090q', 'string'],
    ['\u0098a\u009ea\u009fa', 'string'],
    ['\x1b_a\x1b', 'escape'],
    ['\x1b_a\x1b\\', 'ground'],
    ['\x1b_a\u009c', 'ground'],
    ['\x1b_a\x18', 'ground'],
    ['\x1b]a\x1a', 'ground'],
    ['\x1b[3\x18', 'ground'],
    ['\x1b]a\x1b[3', 'csi'],
    ['\x1b[3\u009d0;', 'osc'],
  ] as const)('is behind %j: %s', (text, state) => {
    expect(after(text)).toBe(state);
  });

  it('goes on from the state before', () => {
    expect(after('0;title', 'osc')).toBe('osc');
    expect(after('0;title\x07 text', 'osc')).toBe('ground');
    expect(after('1', 'csi')).toBe('csi');
    expect(after('[1', 'escape')).toBe('csi');
    expect(after('m', 'csi')).toBe('ground');
    expect(after('', 'string')).toBe('string');
  });

  it('knows a C1 control by its second byte', () => {
    const second = Uint8Array.of(0x9b, 0x33);
    expect(stateAfter('ground', second, 0xc2, nativeSearch)).toBe('csi');
    expect(stateAfter('ground', second, 0xe3, nativeSearch)).toBe('ground');
    expect(stateAfter('osc', Uint8Array.of(0x9c), 0xc2, nativeSearch)).toBe('ground');
  });
});

describe('the first safe position', () => {
  it('is where a character begins outside of every sequence', () => {
    expect(safe('text')).toBe(0);
    expect(safe('1mtext', 'csi')).toBe(2);
    expect(safe('m\x1b[1mtext', 'csi')).toBe(1);
    expect(safe('title\x07text', 'osc')).toBe(6);
    expect(safe('tle\x1b\\text', 'osc')).toBe(5);
    expect(firstSafe('ground', Buffer.from('漢text').subarray(1), 0xe6, nativeSearch)).toBe(2);
    expect(firstSafe('ground', Uint8Array.of(0x9b, 0x6d, 0x2e), 0xc2, nativeSearch)).toBe(2);
  });

  it('is nowhere where nothing ends', () => {
    expect(safe('')).toBe(-1);
    expect(safe('31', 'csi')).toBe(-1);
    expect(safe('a megabyte', 'string')).toBe(-1);
    expect(safe('\x07', 'string')).toBe(-1);
    expect(safe('é', 'osc')).toBe(-1);
    expect(firstSafe('osc', Uint8Array.of(0x9c, 0x61), 0xc2, nativeSearch)).toBe(1);
  });
});

describe('reopening a sequence', () => {
  const reopened = (text: string, state = after(text)): string =>
    reopening(state, Buffer.from(text), nativeSearch);

  it('repeats what has come of one that ends soon', () => {
    expect(reopened('text')).toBe('');
    expect(reopened('text\x1b[1m')).toBe('');
    for (const begun of ['\x1b', '\x1b(', '\x1b[?200', '\u009b?200']) {
      expect(reopened(`text${begun}`)).toBe(begun);
    }
  });

  it('begins one of the same kind in which the rest of a string is swallowed', () => {
    expect(reopened('text\x1b]0;ti')).toBe('\x1b]9999;');
    expect(reopened('text\x1bPq#0')).toBe('\x1bP0?');
  });

  it('swallows the rest of one that began too long ago, or cannot have an effect', () => {
    expect(reopened('1;2;3', 'csi')).toBe('\x1b[0?');
    expect(reopened('\x1b[1é')).toBe('\x1b[0?');
    expect(reopened('', 'intermediate')).toBe('\x1b  ');
    expect(reopened('\n\n', 'escape')).toBe('\x1b');
  });

  it.each(['\x1b', '\x1b  ', '\x1b[0?', '\x1b]9999;', '\x1bP0?'])(
    'leads by %j into the state itself',
    (text) => {
      expect(reopening(after(text), new Uint8Array(), nativeSearch)).toBe(text);
    },
  );
});
