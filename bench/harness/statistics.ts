/** The value that a share of all lie below; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const [below = NaN, above = NaN] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return below + (above - below) * (at - Math.floor(at));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/**
 * Another order for every repetition: whoever runs first, or behind a heavy neighbour, is not always the same. Each is
 * first equally often, and every pair runs both ways round.
 */
export function rotated<T>(items: readonly T[], repetition: number): T[] {
  const first = Math.floor(repetition / 2) % Math.max(items.length, 1);
  const order = [...items.slice(first), ...items.slice(0, first)];
  return repetition % 2 === 0 ? order : order.reverse();
}

/** Numbers that look random and are the same in every run (xorshift). @returns numbers from 0 to below 1 */
export function seededRandom(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
