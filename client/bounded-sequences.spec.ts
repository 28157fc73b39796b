import { Terminal } from '@xterm/headless';
import { XtermAdapter } from './xterm-adapter.js';

/** What comes of it has come long before. */
const LONG_MS = 5000;

/** A terminal of 80 × 24 whose output is bounded, with what is written before and after. */
function terminal(): {
  write: (data: string) => Promise<void>;
  row: (at: number) => string;
  terminal: Terminal;
} {
  const terminal = new Terminal({ cols: 80, rows: 24, scrollback: 10_000, allowProposedApi: true });
  const adapter = new XtermAdapter(terminal);
  return {
    terminal,
    write: (data) => new Promise((resolve) => adapter.write(data, resolve)),
    row: (at) => terminal.buffer.active.getLine(terminal.buffer.active.baseY + at)!.translateToString(true),
  };
}

describe('output that would hang a terminal of xterm.js', () => {
  const counts = ['S', 'T', 'L', 'M', 'I', 'Z', 'b'].flatMap((final) =>
    [2_147_483_647, 1_000_000].map((count) => `${count}${final}`),
  );
  it.each([...counts, '50000000b', '25S', '81I', '1921b'])('leaves it out: CSI %s', async (sequence) => {
    const { write, row } = terminal();
    const before = performance.now();
    await write(`x\x1b[${sequence}y`);
    expect(row(0)).toBe('xy');
    expect(performance.now() - before).toBeLessThan(LONG_MS);
  });

  it.each(['1J', '?1J'])('goes on behind CSI %s at the end of a fresh screen', async (sequence) => {
    const { write, row } = terminal();
    await write(`\x1b[24;80H\x1b[${sequence}\x1b[Hgoes on`);
    expect(row(0)).toBe('goes on');
  });

  it('leaves out what repeats a cell of many characters', async () => {
    const { write, row } = terminal();
    await write(`e${'\u0301'.repeat(2000)}\x1b[2b\x1b[2;1Hon`);
    expect(row(1)).toBe('on');
    expect(row(0)).toHaveLength(2001);
  });
});

describe('output that means it', () => {
  it.each([
    ['scrolls', '1\r\n2\r\n3\x1b[2S', ['3', '']],
    ['scrolls all away', '1\r\n2\r\n3\x1b[24S', ['', '']],
    ['scrolls down', '1\x1b[1T', ['', '1']],
    ['inserts a line', '1\x1b[L', ['', '1']],
    ['deletes lines', '1\r\n2\r\n3\x1b[1;1H\x1b[2M', ['3', '']],
    ['goes to a tab stop and back', '\x1b[2Ix\x1b[Zy', [`${' '.repeat(16)}y`, '']],
    ['repeats what was printed', 'a\x1b[4b', ['aaaaa', '']],
    ['repeats over the ends of lines', 'a\x1b[99b', ['a'.repeat(80), 'a'.repeat(20)]],
    ['repeats what is wide', '漢\x1b[2b', ['漢漢漢', '']],
    ['erases up to the cursor', 'abc\r\ndef\x1b[2;2H\x1b[1J', ['', '  f']],
    ['erases all that is protected by nothing', 'abc\r\ndef\x1b[2;2H\x1b[?1J', ['', '  f']],
    ['erases a screen with lines above it', `${'x\r\n'.repeat(30)}\x1b[24;80H\x1b[1J`, ['', '']],
  ])('%s', async (_, output, rows) => {
    const { write, row } = terminal();
    await write(output);
    expect([row(0), row(1)]).toEqual(rows);
  });

  it('is bounded no more once the adapter is disposed of', async () => {
    const terminal = new Terminal({ cols: 80, rows: 24, allowProposedApi: true });
    new XtermAdapter(terminal).dispose();
    await new Promise<void>((resolve) => terminal.write('1\x1b[25L', resolve));
    expect(terminal.buffer.active.getLine(0)!.translateToString(true)).toBe('');
  });
});
