/**
 * What moves the cursor, turns the direction of what stands beside it, or cannot be seen: controls, line separators,
 * and the marks of bidirectional text.
 */
// eslint-disable-next-line no-control-regex -- Names, titles and directories are text of anybody's.
const DISTURBING = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** A line of anybody's text as it may stand among the page's own: nothing hidden, of a bounded length. */
export function displayText(text: string, most = 256): string {
  const characters = Array.from(text.slice(0, 2 * most + 2).replace(DISTURBING, ''));
  return characters.length > most ? `${characters.slice(0, most - 1).join('')}…` : characters.join('');
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `1.5 MiB`. */
export function byteText(bytes: number): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), UNITS.length - 1);
  const amount = bytes / 1024 ** power;
  return `${amount < 10 && power > 0 ? amount.toFixed(1) : Math.round(amount)} ${UNITS[power]}`;
}
