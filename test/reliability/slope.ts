/** How fast something grows, by least squares. */
export interface Slope {
  readonly perUnit: number;
  /** It is no more than this, with 95 % certainty (one-sided); of fewer than three points nothing is certain. */
  readonly atMost: number;
}

export function slopeOf(points: readonly { readonly x: number; readonly y: number }[]): Slope {
  const count = points.length;
  if (count < 2) return { perUnit: NaN, atMost: Infinity };
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / count;
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / count;
  const spread = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  const perUnit = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / spread;
  const off = points.reduce((sum, { x, y }) => sum + (y - meanY - perUnit * (x - meanX)) ** 2, 0);
  const error = count > 2 ? Math.sqrt(off / (count - 2) / spread) : Infinity;
  return { perUnit, atMost: perUnit + oneSided95(count - 2) * error };
}

/** Quantile 0.95 of Student's t, to a thousandth from 3 degrees on (Abramowitz and Stegun, 26.7.5). */
function oneSided95(degrees: number): number {
  if (degrees < 1) return Infinity;
  if (degrees < 3) return degrees === 1 ? 6.314 : 2.92;
  const z = 1.644854;
  const [n, z3, z5, z7] = [degrees, z ** 3, z ** 5, z ** 7];
  return (
    z +
    (z3 + z) / (4 * n) +
    (5 * z5 + 16 * z3 + 3 * z) / (96 * n ** 2) +
    (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * n ** 3)
  );
}
