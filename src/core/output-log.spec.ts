import { OutputLog } from './output-log.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const read = (log: OutputLog, offset: number, max = 1000): string =>
  Buffer.from(log.read(offset, max).bytes).toString();

describe('the output log', () => {
  it('gives what was appended from any offset on, as much as is asked for', () => {
    const log = new OutputLog(100);
    log.append(bytes('hello '));
    log.append(bytes('world'));
    expect([log.start, log.end]).toEqual([0, 11]);
    expect(read(log, 0)).toBe('hello world');
    expect(read(log, 6, 3)).toBe('wor');
  });

  it('has nothing at its end and beyond', () => {
    const log = new OutputLog(100);
    log.append(bytes('abc'));
    expect(read(log, 3)).toBe('');
    expect(read(log, 50)).toBe('');
  });

  it('keeps exactly its capacity, and reads on from there', () => {
    const log = new OutputLog(10, 4);
    for (let n = 0; n < 26; n++) log.append(bytes(String.fromCharCode(97 + n)));
    expect(log.start).toBe(16);
    expect(log.read(3, 100)).toEqual({ offset: 16, bytes: Uint8Array.from(bytes('qrstuvwxyz')) });
  });

  it('hands out copies: what is appended later does not change them', () => {
    const log = new OutputLog(4, 4);
    log.append(bytes('abcd'));
    const { bytes: copy } = log.read(0, 4);
    log.append(bytes('efgh'));
    expect(Buffer.from(copy).toString()).toBe('abcd');
  });

  it('takes more at once than it can hold', () => {
    const log = new OutputLog(10, 4);
    log.append(bytes('the quick brown fox'));
    expect(read(log, 0)).toBe('brown fox'.padStart(10));
  });

  it('grows its first slab as it fills', () => {
    const log = new OutputLog(1024 * 1024);
    const chunk = new Uint8Array(3000).fill(7);
    for (let n = 0; n < 30; n++) log.append(chunk);
    expect(log.read(0, 90_000).bytes).toEqual(new Uint8Array(90_000).fill(7));
  });
});
