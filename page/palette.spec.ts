import { fuzzyScore } from './fuzzy.js';
import { matching } from './palette.js';

describe('what is found by a few letters', () => {
  it('has them in their order', () => {
    expect(fuzzyScore('nse', 'New session')).toBeDefined();
    expect(fuzzyScore('esn', 'new')).toBeUndefined();
    expect(fuzzyScore('', 'anything')).toBe(0);
    expect(fuzzyScore('new sess', 'New session')).toBeDefined();
  });

  const item = (label: string, detail?: string): { label: string; detail?: string; run: () => void } => ({
    label,
    ...(detail !== undefined && { detail }),
    run: () => undefined,
  });
  const items = [
    item('Next session'),
    item('New session'),
    item('Rename session'),
    item('Go to build', '/home/you/news'),
    item('Settings'),
  ];
  const found = (typed: string): string[] => matching(items, typed).map(({ label }) => label);

  it('comes best first: in one piece, at the beginning of words, by its label', () => {
    expect(found('new')).toEqual(['New session', 'Go to build']);
    expect(found('ses')[0]).toBe('New session');
    expect(found('set')[0]).toBe('Settings');
    expect(found('build')).toEqual(['Go to build']);
    expect(found('zzz')).toEqual([]);
  });

  it('is everything, in its order, before anything is typed', () => {
    expect(found('')).toEqual(items.map(({ label }) => label));
  });
});
