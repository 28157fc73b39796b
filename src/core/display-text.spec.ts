import { displayable, isDisplayable } from './display-text.js';

/** What acts on a terminal, or makes text read like another. */
const HIDDEN: readonly [string, string][] = [
  ['a bell', '\x07'],
  ['an escape', '\x1b'],
  ['a line break', '\n'],
  ['a tab', '\t'],
  ['NUL', '\0'],
  ['DEL', '\x7f'],
  ['a control character of C1', '\u009b'],
  ['a line separator', '\u2028'],
  ['a paragraph separator', '\u2029'],
  ['the Arabic letter mark', '\u061c'],
  ['a mark from left to right', '\u200e'],
  ['a mark from right to left', '\u200f'],
  ['an embedding', '\u202a'],
  ['an override from right to left', '\u202e'],
  ['an isolate', '\u2066'],
  ['the end of an isolate', '\u2069'],
  ['half a surrogate pair', '\ud83d'],
];

/** Of which nothing is to be seen. */
const UNSEEN: readonly [string, string][] = [
  ['nothing', ''],
  ['blanks', ' \u00a0\u3000'],
  ['what has no width', '\u200b\u2060\ufeff'],
  ['variation selectors', '\ufe0f'],
  ['fillers', '\u3164\u115f'],
];

/** Of no offence. */
const SHOWN: readonly [string, string][] = [
  ['a word', 'tests'],
  ['blanks around a word', ' a b '],
  ['markup', '<img src=x onerror=alert(1)>'],
  ['another script', 'שלום – مرحبا – 日本'],
  ['a combined character, whatever its normal form', 'e\u0301é'],
  ['an emoji of several', '👩‍👩‍👧'],
];

describe('what can be shown in a list', () => {
  it.each(SHOWN)('is %s', (_what, text) => {
    expect(isDisplayable(text, 128)).toBe(true);
  });

  it.each(UNSEEN)('is not %s', (_what, text) => {
    expect(isDisplayable(text, 128)).toBe(false);
  });

  it.each(HIDDEN)('is nothing with %s in it', (_what, character) => {
    expect(isDisplayable(`a${character}b`, 128)).toBe(false);
    expect(isDisplayable(character, 128)).toBe(false);
  });

  it('is as many characters as may be, however long each is, and not one more', () => {
    for (const character of ['a', 'é', '日', '🚀']) {
      expect(isDisplayable(character.repeat(128), 128)).toBe(true);
      expect(isDisplayable(character.repeat(129), 128)).toBe(false);
    }
  });
});

describe('what can be shown of a text', () => {
  it.each(SHOWN)(
    'is all of it where it is %s, without the blanks around it, and in normal form C',
    (_what, text) => {
      expect(displayable(text, 128)).toBe(text.trim().normalize('NFC'));
    },
  );

  it.each(HIDDEN)('is the rest where it has %s', (_what, character) => {
    expect(displayable(`a${character}b${character}`, 128)).toBe('ab');
  });

  it.each(UNSEEN)('is nothing where it is %s', (_what, text) => {
    expect(displayable(text, 128)).toBe('');
  });

  it('is its beginning where it is too long', () => {
    expect(displayable(`\x1b🚀日${'x'.repeat(100_000)}`, 4)).toBe('🚀日xx');
  });
});
