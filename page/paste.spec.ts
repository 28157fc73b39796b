import { examinePaste, mustAsk } from './paste.js';

describe('a paste', () => {
  it.each([
    ['', 0, false],
    ['one', 1, false],
    ['one\n', 1, true],
    ['one\r\n', 1, true],
    ['one\ntwo', 2, false],
    ['one\r\ntwo\rthree\n', 3, true],
    ['\n\n', 2, true],
  ])('%j has %i lines', (text, lines, endsLine) => {
    expect(examinePaste(text)).toMatchObject({ text, lines, endsLine });
  });

  it('cannot end what the program takes for a paste, nor press keys', () => {
    expect(examinePaste('a\u001b[201~rm\u0003\u007f\u009b\tb').text).toBe('a[201~rm\tb');
  });

  it('shows its first lines, cut', () => {
    const { preview, lines } = examinePaste(`${'x'.repeat(500)}\nb\r\n\nd\ne\nf\ng\nh`);
    expect(lines).toBe(8);
    expect(preview).toEqual([`${'x'.repeat(120)}…`, 'b', '', 'd', 'e', 'f']);
  });

  it('of a million lines is looked at once', () => {
    expect(examinePaste('x\n'.repeat(1_000_000)).lines).toBe(1_000_000);
  });

  it('is asked about when it has several lines, or would run at once', () => {
    expect(mustAsk(examinePaste('ls'), false)).toBe(false);
    expect(mustAsk(examinePaste('ls\n'), true)).toBe(false);
    expect(mustAsk(examinePaste('ls\n'), false)).toBe(true);
    expect(mustAsk(examinePaste('ls\nls'), true)).toBe(true);
  });
});
