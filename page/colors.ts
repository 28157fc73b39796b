/** `#rrggbb`, in lower case. */
export type Color = `#${string}`;

/** WCAG 2.2: the least contrast of text (AA), and of what is no text. */
export const READABLE = 4.5;
export const VISIBLE = 3;

const MOST = 255;

/** How much lighter one is than the other: 1 (the same) to 21 (black and white), as WCAG counts it. */
export function contrast(one: Color, other: Color): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

/** `share` of `other` in `one`: 0 is the one, 1 the other. */
export function mix(one: Color, other: Color, share: number): Color {
  const to = channels(other);
  return colorOf(channels(one).map((from, index) => from + ((to[index] ?? 0) - from) * share));
}

/** `color`, with as much of `extreme` as it takes to be read on all of `backgrounds`. */
export function readableOn(
  backgrounds: readonly Color[],
  color: Color,
  extreme: Color,
  least = READABLE,
): Color {
  for (let share = 0; share < 1; share += 0.05) {
    const candidate = mix(color, extreme, share);
    if (backgrounds.every((background) => contrast(candidate, background) >= least)) return candidate;
  }
  return extreme;
}

function luminance(color: Color): number {
  const [red = 0, green = 0, blue = 0] = channels(color).map((channel) => {
    const part = channel / MOST;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function channels(color: Color): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
}

function colorOf(values: readonly number[]): Color {
  return `#${values.map((value) => Math.round(value).toString(16).padStart(2, '0')).join('')}`;
}
