import { SizeHistory } from './size-history.js';

const sized = (columns: number): { columns: number; rows: number } => ({ columns, rows: 24 });

describe('the history of sizes', () => {
  it('tells the sizes in force from an offset on', () => {
    const history = new SizeHistory();
    history.add(0, sized(80));
    history.add(100, sized(90));
    history.add(200, sized(100));
    const from = (offset: number): number[] => history.from(offset).map(({ size }) => size.columns);
    expect(from(0)).toEqual([80, 90, 100]);
    expect(from(99)).toEqual([80, 90, 100]);
    expect(from(100)).toEqual([90, 100]);
    expect(from(250)).toEqual([100]);
    expect(history.current).toEqual(sized(100));
  });

  it('forgets a size that nothing was printed for', () => {
    const history = new SizeHistory();
    history.add(0, sized(80));
    history.add(0, sized(90));
    expect(history.from(0)).toEqual([{ offset: 0, size: sized(90) }]);
  });

  it('keeps the newest 64', () => {
    const history = new SizeHistory();
    for (let offset = 0; offset < 100; offset++) history.add(offset, sized(offset + 1));
    expect(history.from(0)).toHaveLength(64);
    expect(history.from(0)[0]).toEqual({ offset: 36, size: sized(37) });
  });
});
