import { shown, shownJson } from './shown.js';

describe('what is shown of a text', () => {
  it.each([
    ['vim README.md', 'vim README.md'],
    ['日本 é 🙂', '日本 é 🙂'],
    ['\x1b]0;owned\x07', '\\u{1b}]0;owned\\u{7}'],
    ['\u009b31m', '\\u{9b}31m'],
    ['a\r\nb\tc', 'a\\u{d}\\u{a}b\\u{9}c'],
    ['\u202egnp.exe', '\\u{202e}gnp.exe'],
    ['\ud800', '\\u{d800}'],
    ['\u2028', '\\u{2028}'],
  ])('of %j acts on no terminal', (text, result) => {
    expect(shown(text)).toBe(result);
  });

  it('as JSON means what it meant', () => {
    const value = [{ title: '\x1b[31m\u009b31m\x7f\u202e\u{e0001}\ud800 "é"\n' }];
    const json = shownJson(value);
    expect(JSON.parse(json)).toEqual(value);
    // eslint-disable-next-line no-control-regex -- None of them is to be there.
    expect(json).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u{e0001}]/u);
    expect(json).toContain('é');
  });
});
