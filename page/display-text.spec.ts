import { byteText, displayText } from './display-text.js';

describe('text of anybody’s', () => {
  it('loses what moves the cursor, hides, or turns what stands beside it', () => {
    expect(displayText('a\u001b[2Jb\nc\u0007')).toBe('a[2Jbc');
    expect(displayText('invoice\u202Efdp.exe')).toBe('invoicefdp.exe');
    expect(displayText('\u2066x\u2069\u200b\ufeff')).toBe('x');
  });

  it('keeps letters of all scripts, and pictures', () => {
    expect(displayText('שלום 日本 😀')).toBe('שלום 日本 😀');
  });

  it('is cut between characters', () => {
    expect(displayText('😀'.repeat(300), 3)).toBe('😀😀…');
    expect(displayText('abc', 3)).toBe('abc');
  });
});

describe('a number of bytes', () => {
  it.each([
    [0, '0 bytes'],
    [951, '951 bytes'],
    [1536, '1.5 KiB'],
    [668_197, '653 KiB'],
    [5_000_000, '4.8 MiB'],
    [2 ** 53, '8192 TiB'],
  ])('%i reads %s', (bytes, text) => {
    expect(byteText(bytes)).toBe(text);
  });
});
