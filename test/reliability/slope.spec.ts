import { slopeOf } from './slope.js';

describe('the slope of what was measured', () => {
  it('is exact where all lies on a line', () => {
    const points = [0, 1, 2, 3].map((x) => ({ x, y: 5 + 2 * x }));

    expect(slopeOf(points)).toEqual({ perUnit: 2, atMost: 2 });
  });

  it('is no more than a bound that allows for what lies beside the line', () => {
    // By R: summary(lm(c(1, 3, 2, 5, 4) ~ c(0:4))) gives 0.8 and a standard error of 0.3464; qt(0.95, 3) is 2.3534.
    const points = [1, 3, 2, 5, 4].map((y, x) => ({ x, y }));

    const { perUnit, atMost } = slopeOf(points);

    expect(perUnit).toBeCloseTo(0.8, 10);
    expect(atMost).toBeCloseTo(0.8 + 2.3534 * 0.3464, 2);
  });

  it('is not known of one point, and its bound not of two', () => {
    expect(slopeOf([{ x: 1, y: 1 }])).toEqual({ perUnit: NaN, atMost: Infinity });
    expect(slopeOf([1, 2].map((x) => ({ x, y: x }))).atMost).toBe(Infinity);
  });
});
