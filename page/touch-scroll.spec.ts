import { type Touch, TouchScroll } from './touch-scroll.js';

const at = (...ys: number[]): Touch[] => ys.map((clientY) => ({ clientX: 10, clientY }));

/** What a finger moves; as many pixels as `room` are panned. */
function scene(room = 0): { touch: TouchScroll; rows: number[]; panned: () => number } {
  const rows: number[] = [];
  let top = 0;
  const touch = new TouchScroll({
    rowHeight: 16,
    pan: (pixels) => {
      const before = top;
      top = Math.min(room, Math.max(0, top + pixels));
      return top - before;
    },
    scroll: (by) => rows.push(by),
  });
  return { touch, rows, panned: () => top };
}

describe('a finger on a terminal', () => {
  it('takes its rows along, whole ones, and keeps what it has moved besides', () => {
    const { touch, rows } = scene();
    touch.begin(at(100));
    for (const y of [110, 120, 133, 100, 99]) expect(touch.move(at(y))).toBe(true);
    expect(rows).toEqual([-1, -1, 2]);
  });

  it('begins anew each time', () => {
    const { touch, rows } = scene();
    for (const from of [100, 300]) {
      touch.begin(at(from));
      touch.move(at(from + 15));
    }
    expect(rows).toEqual([]);
  });

  it('scrolls nothing with another one beside it, nor before it has begun', () => {
    const { touch, rows } = scene();
    expect(touch.move(at(500))).toBe(false);
    touch.begin(at(100, 200));
    expect(touch.move(at(0, 300))).toBe(false);
    expect(rows).toEqual([]);
  });

  it('moves a terminal that does not fit first', () => {
    const { touch, rows, panned } = scene(20);
    touch.begin(at(100));
    touch.move(at(70));
    expect([rows, panned()]).toEqual([[], 20]);
    touch.move(at(60));
    expect([rows, panned()]).toEqual([[1], 20]);
  });
});
