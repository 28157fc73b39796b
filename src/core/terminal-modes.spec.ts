import { nativeSearch } from '../sessions/native-search.js';
import { TerminalModes } from './terminal-modes.js';

const modesOf = (text: string): TerminalModes => {
  const modes = new TerminalModes(nativeSearch);
  modes.follow(Buffer.from(text));
  return modes;
};
const START = '\x18\x1b[!p';
const restored = (text: string): string => {
  const restoring = modesOf(text).restoring();
  expect(restoring.startsWith(START)).toBe(true);
  return restoring.slice(START.length);
};

describe('the modes of a terminal', () => {
  it('begin with nothing but a terminal at rest', () => {
    expect(restored('text? \x1b[31mred\x1b[0m')).toBe('');
  });

  it('are restored by the last change to each, in order, joined', () => {
    expect(restored('\x1b[?1h\x1b[?2004h text \x1b[?25l')).toBe('\x1b[?1;2004h\x1b[?25l');
    expect(restored('\x1b[?1;2004h\x1b[?1l')).toBe('\x1b[?2004h\x1b[?1l');
    expect(restored('\u009b?1003h\x1b[?1000h\x1b[?1003h')).toBe('\x1b[?1000;1003h');
    expect(restored('\x1b[?25l\x1b[?25h\x1b[?25l')).toBe('\x1b[?25l');
  });

  it('count the three alternate screens as one, and leave them without moving the cursor', () => {
    expect(restored('\x1b[?1049h')).toBe('\x1b[?1049h');
    expect(restored('\x1b[?1049h\x1b[?47l')).toBe('\x1b[?1047l');
    expect(restored('\x1b[?47h\x1b[?1047h')).toBe('\x1b[?1047h');
    expect(modesOf('\x1b[?47h').isFullScreen).toBe(true);
    expect(modesOf('\x1b[?1049h\x1b[?1047l').isFullScreen).toBe(false);
    expect(modesOf('').isFullScreen).toBe(false);
  });

  it('leave alone what is an action', () => {
    expect(restored('\x1b[?2l\x1b[?3;38h\x1b[?1048h\x1b[?2048h')).toBe('');
    expect(restored('\x1b[?1;3;7l')).toBe('\x1b[?1;7l');
  });

  it('set origin mode but do not end it, which the soft reset has done and which moves the cursor', () => {
    expect(restored('\x1b[?6h')).toBe('\x1b[?6h');
    expect(restored('\x1b[?1l\x1b[?6l\x1b[?7l')).toBe('\x1b[?1;7l');
  });

  it('keep a soft reset in its place', () => {
    expect(restored('\x1b[?1h\x1b[!p\x1b[?2004h')).toBe('\x1b[?1h\x1b[!p\x1b[?2004h');
    expect(restored('\x1b[!p\x1b[?1h\u009b!p')).toBe('\x1b[?1h\x1b[!p');
    expect(restored('\x1b[!q\x1b[!')).toBe('');
  });

  it('are all at their default behind a full reset', () => {
    const set = '\x1b[?7l\x1b[?25l\x1b[?1049h\x1b[?2004h';
    expect(restored(`${set}\x1bc`)).toBe('\x1b[?7;25h\x1b[?1047;2004l');
    expect(restored(`${set}\x1bc\x1b[?2004h`)).toBe('\x1b[?7;25h\x1b[?1047l\x1b[?2004h');
    expect(restored('\x1b[?2004h\x1b[!p\x1bc')).toBe('\x1b[!p\x1b[?2004l');
    expect(restored('\x1b[?2004l\x1b[!p\x1bc')).toBe('\x1b[?2004l\x1b[!p');
    expect(restored('\x1bc')).toBe('');
  });

  it('know the keypad next to a private mode', () => {
    expect(restored('\x1b[?1h\x1b=')).toBe('\x1b[?1;66h');
    expect(restored('\x1b[?1l\x1b>')).toBe('\x1b[?1;66l');
    expect(restored('\x1b[?1h\x1bM')).toBe('\x1b[?1h');
    expect(restored('\x1b[?1h \x1b=')).toBe('\x1b[?1h');
  });

  it('notice no sequence that is broken, foreign or too long', () => {
    expect(restored('\x1b[?25\x1b[?1;é2h\x1b[?25$p\x1b[?0h\x1b[?h\x1b[?65536h\x1b[?1;\n2h\u009b1h')).toBe('');
    expect(restored('\x1b[?65535h')).toBe('\x1b[?65535h');
    const long = (length: number): string => `\x1b[?${'1'.padStart(length - 4, '0')}h`;
    expect(restored(long(62))).toBe('\x1b[?1h');
    expect(restored(long(63))).toBe('');
  });

  it('take in only what ends at or behind a position', () => {
    const modes = new TerminalModes(nativeSearch);
    const text = Buffer.from('\x1b[?1h\x1b=\x1b[?25l');
    modes.follow(text, 5);
    expect(modes.restoring()).toBe(`${START}\x1b[?66h\x1b[?25l`);
    const later = new TerminalModes(nativeSearch, modes);
    later.follow(Buffer.from('\x1bc\x1b[?7l\x1b[!p\x1b[?1h\x1b='), 20);
    expect(later.restoring()).toBe(modes.restoring());
  });

  it('are copied, not shared', () => {
    const modes = modesOf('\x1b[?1h');
    const copy = new TerminalModes(nativeSearch, modes);
    copy.follow(Buffer.from('\x1b[?1l'));
    expect(modes.restoring()).toBe(`${START}\x1b[?1h`);
    expect(copy.restoring()).toBe(`${START}\x1b[?1l`);
  });

  it('are the newest 64, written in sequences that are noticed themselves', () => {
    const all = Array.from({ length: 100 }, (_, index) => 60_000 + index);
    const restoring = restored(all.map((mode) => `\x1b[?${mode}h`).join(''));
    expect(restoring.match(/\d+/g)?.map(Number)).toEqual(all.slice(36));
    expect(restored(restoring)).toBe(restoring);
  });
});
