import { WrongTokens } from './wrong-tokens.js';

describe('T13 · wrong tokens', () => {
  it('are looked at ten times at once and ten times a minute, of each peer', () => {
    const wrong = new WrongTokens();
    const tries = Array.from({ length: 12 }, () => wrong.count('203.0.113.9', 0));
    expect(tries).toEqual([...Array<undefined>(10).fill(undefined), 6, 6]);
    expect(wrong.count('203.0.113.10', 0)).toBeUndefined();
    expect(wrong.count('203.0.113.9', 5999)).toBe(1);
    expect(wrong.count('203.0.113.9', 6000)).toBeUndefined();
    expect(wrong.count('203.0.113.9', 6000)).toBe(6);
  });

  it('are remembered of the newest peers only', () => {
    const wrong = new WrongTokens();
    for (let times = 0; times < 10; times += 1) wrong.count('first', 0);
    for (let peer = 0; peer < 9999; peer += 1) wrong.count(`peer ${peer}`, 0);
    expect(wrong.count('first', 0)).toBe(6);
    for (let peer = 0; peer < 10_000; peer += 1) wrong.count(`other ${peer}`, 0);
    expect(wrong.count('first', 0)).toBeUndefined();
  });
});
