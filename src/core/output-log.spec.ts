import { nativeSearch } from '../sessions/native-search.js';
import { type ByteSearch } from './byte-search.js';
import { FallenOutput } from './fallen-output.js';
import { OutputLog } from './output-log.js';

function newLog(capacityBytes: number, slabBytes?: number): OutputLog {
  return new OutputLog(capacityBytes, new FallenOutput(nativeSearch), slabBytes);
}

const bytes = (text: string): Uint8Array => Buffer.from(text);
const read = (log: OutputLog, offset: number, max = 1000): string =>
  Buffer.from(log.read(offset, max).bytes).toString();

describe('the output log', () => {
  it('gives what was appended from any offset on, as much as is asked for', () => {
    const log = newLog(100);
    log.append(bytes('hello '));
    log.append(bytes('world'));
    expect([log.start, log.end]).toEqual([0, 11]);
    expect(read(log, 0)).toBe('hello world');
    expect(read(log, 6, 3)).toBe('wor');
  });

  it('has nothing at its end and beyond', () => {
    const log = newLog(100);
    log.append(bytes('abc'));
    expect(read(log, 3)).toBe('');
    expect(read(log, 50)).toBe('');
  });

  it('keeps exactly its capacity, and reads on from there', () => {
    const log = newLog(10, 4);
    for (let n = 0; n < 26; n++) log.append(bytes(String.fromCharCode(97 + n)));
    expect(log.start).toBe(16);
    expect(log.read(3, 100)).toEqual({ offset: 16, bytes: Uint8Array.from(bytes('qrstuvwxyz')) });
  });

  it('hands out copies: what is appended later does not change them', () => {
    const log = newLog(4, 4);
    log.append(bytes('abcd'));
    const { bytes: copy } = log.read(0, 4);
    log.append(bytes('efgh'));
    expect(Buffer.from(copy).toString()).toBe('abcd');
  });

  it('takes more at once than it can hold', () => {
    const log = newLog(10, 4);
    log.append(bytes('the quick brown fox'));
    expect(read(log, 0)).toBe('brown fox'.padStart(10));
  });

  it('grows its first slab as it fills', () => {
    const log = newLog(1024 * 1024);
    const chunk = new Uint8Array(3000).fill(7);
    for (let n = 0; n < 30; n++) log.append(chunk);
    expect(log.read(0, 90_000).bytes).toEqual(new Uint8Array(90_000).fill(7));
  });
});

describe('where the output log can be shown from', () => {
  const RESTORING = '\x18\x1b[!p';
  const cut = (...printed: string[]): { offset: number; restoring: string } => {
    const log = newLog(10, 4);
    for (const one of printed) log.append(bytes(one));
    return log.cut();
  };

  it('is its oldest byte, where that is safe', () => {
    expect(cut('0123456789abcdef')).toEqual({ offset: 6, restoring: RESTORING });
    expect(cut('0123456789')).toEqual({ offset: 0, restoring: RESTORING });
    expect(cut()).toEqual({ offset: 0, restoring: RESTORING });
  });

  it('is behind the sequence or the character that its oldest byte is inside of', () => {
    expect(cut('abc\x1b[1;31mdefgh')).toEqual({ offset: 10, restoring: RESTORING });
    expect(cut('0€23456789')).toEqual({ offset: 4, restoring: RESTORING });
  });

  it('is told with the modes that were set before, whichever slabs have fallen off', () => {
    expect(cut('\x1b[?2004h', '0123456789', 'abcdef')).toEqual({
      offset: 14,
      restoring: `${RESTORING}\x1b[?2004h`,
    });
  });

  it('knows of a program that fills the screen, whether its beginning has fallen off or not', () => {
    const log = newLog(10, 4);
    log.append(bytes('\x1b[?1049h'));
    expect(log.isFullScreen()).toBe(true);
    log.append(bytes('0123456789abcdef'));
    expect(log.isFullScreen()).toBe(true);
    log.append(bytes('\x1b[?1049l'));
    expect(log.isFullScreen()).toBe(false);
  });

  it('looks for one only in what has come since it was asked last', () => {
    let looked = 0;
    const search: ByteSearch = {
      lastIndexOf: (all, ...where) => {
        looked += all.length;
        return nativeSearch.lastIndexOf(all, ...where);
      },
    };
    const log = new OutputLog(100_000, new FallenOutput(search));
    log.append(new Uint8Array(100_000));
    log.isFullScreen();
    expect(looked).toBeGreaterThan(100_000);
    looked = 0;
    log.append(bytes('\x1b[?1049h'));
    expect(log.isFullScreen()).toBe(true);
    expect(looked).toBeLessThan(10_000);
  });
});
