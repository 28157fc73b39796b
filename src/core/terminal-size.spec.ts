import { terminalSize } from './terminal-size.js';

describe('a terminal’s size', () => {
  it.each([
    [1, 1],
    [80, 24],
    [1000, 500],
  ])('may be %p × %p', (columns, rows) => {
    expect(terminalSize(columns, rows)).toEqual({ columns, rows });
  });

  it.each([0, -1, 80.5, 1001, 65_536, 70_000, 2 ** 32 + 5, NaN, Infinity, null, undefined, '80', {}, [80]])(
    'T22 · is never %p',
    (cells) => {
      const invalid = expect.objectContaining({ code: 'INVALID_SIZE' }) as Error;
      expect(() => terminalSize(cells, 24)).toThrow(invalid);
      expect(() => terminalSize(80, cells)).toThrow(invalid);
    },
  );

  it('has at most 500 rows', () => {
    expect(() => terminalSize(80, 501)).toThrow();
  });
});
