import { nativeSearch } from '../sessions/native-search.js';
import { FallenOutput, type SafeCut } from './fallen-output.js';

const START = '\x18\x1b[!p';
const fallen = (...slabs: string[]): FallenOutput => {
  const output = new FallenOutput(nativeSearch);
  for (const slab of slabs) output.add(Buffer.from(slab));
  return output;
};
const cutAt = (output: FallenOutput, retained: string[], position: number): SafeCut =>
  output.cutAt(
    retained.map((piece) => Buffer.from(piece)),
    position,
  );

describe('output that has left the log', () => {
  it('is followed by a cut at the position itself where that is safe', () => {
    expect(cutAt(fallen(), ['text'], 0)).toEqual({ position: 0, restoring: START });
    expect(cutAt(fallen('text'), ['more', 'text'], 5)).toEqual({ position: 5, restoring: START });
    expect(cutAt(fallen('text'), ['more', 'text'], 4)).toEqual({ position: 4, restoring: START });
  });

  it('is followed by a cut behind the sequence or character that crosses the position', () => {
    expect(cutAt(fallen('text\x1b[3'), ['1mred'], 0).position).toBe(2);
    expect(cutAt(fallen('\x1b]0;ti'), ['tle', '\x1b', '\\text'], 1).position).toBe(5);
    expect(cutAt(fallen(), ['漢字'], 1).position).toBe(3);
    expect(cutAt(fallen(), ['a\x1b[', '1', 'mb'], 2).position).toBe(5);
  });

  it('tells the modes at the cut, from before and behind the end of the log', () => {
    const output = fallen('\x1b[?2004h', 'text');
    expect(cutAt(output, ['\x1b[?1h', '\x1b[?25l'], 2)).toEqual({
      position: 5,
      restoring: `${START}\x1b[?2004;1h`,
    });
    expect(cutAt(output, ['\x1b[?1h', '\x1b[?25l'], 0).restoring).toBe(`${START}\x1b[?2004h`);
  });

  it('knows a change that lies across slabs', () => {
    expect(cutAt(fallen('\x1b[?', '20', '04h'), ['text'], 0).restoring).toBe(`${START}\x1b[?2004h`);
    const long = 'x'.repeat(200);
    expect(cutAt(fallen(`${long}\x1b[?1h\x1b`, `=${long}`), ['text'], 0).restoring).toBe(
      `${START}\x1b[?1;66h`,
    );
  });

  it('begins a string of the same kind again that does not end in the log', () => {
    expect(cutAt(fallen('\x1bPq'), ['#0', '#1'], 1)).toEqual({ position: 4, restoring: `${START}\x1bP0?` });
    expect(cutAt(fallen('\x1b]52;c;'), ['AAAA'], 0)).toEqual({
      position: 4,
      restoring: `${START}\x1b]9999;`,
    });
  });

  it('repeats the beginning of a sequence at the end of the log, for its rest to have its effect', () => {
    const cut = cutAt(fallen('text'), ['\x1b[?20', '0'], 1);
    expect(cut).toEqual({ position: 6, restoring: `${START}\x1b[?200` });
    const long = `\x1b[${'1;'.repeat(40)}`;
    expect(cutAt(fallen(long), ['1'], 0)).toEqual({ position: 1, restoring: `${START}\x1b[0?` });
  });

  it('ends where the log ends when there is nothing behind the position', () => {
    expect(cutAt(fallen('text'), [], 0)).toEqual({ position: 0, restoring: START });
    expect(cutAt(fallen('text'), ['more'], 9)).toEqual({ position: 4, restoring: START });
  });

  it('tells whether a full-screen program is on at the end', () => {
    expect(fallen('\x1b[?1049h').isFullScreen).toBe(true);
    expect(fallen('\x1b[?1049h', 'text', '\x1b[?1049l').isFullScreen).toBe(false);
    expect(fallen('\x1b[?1049h', 'text').isFullScreen).toBe(true);
  });

  it('can be followed apart from itself', () => {
    const output = fallen('\x1b[?1049h');
    const copy = output.copy();
    copy.add(Buffer.from('\x1b[?1049l'));
    expect([output.isFullScreen, copy.isFullScreen]).toEqual([true, false]);
  });

  it('keeps nothing of a slab that is used again', () => {
    const slab = Buffer.from(`${'text'.repeat(50)}\x1b[?2004`);
    const output = fallen();
    output.add(slab);
    slab.fill(0);
    expect(cutAt(output, ['h'], 0).restoring).toBe(`${START}\x1b[?2004h`);
  });
});
