/**
 * Control characters, and those that turn the direction of what is around them (Unicode UAX #9): in a list they would
 * act on the terminal it is printed on, or make a name read like another. Halves of surrogate pairs are no characters.
 */
const HIDDEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** What there is to be seen, and is neither a blank nor what has no width. */
const SEEN = /[^\p{White_Space}\p{Default_Ignorable_Code_Point}]/u;

/** Longest path that is shown, in characters (Linux's PATH_MAX). */
export const MAX_PATH_LENGTH = 4096;

/** Whether `text` has 1 to `most` characters (code points) that can all be shown in a list, of which something is seen. */
export function isDisplayable(text: string, most: number): boolean {
  return text.search(HIDDEN) < 0 && SEEN.test(text) && [...text].length <= most;
}

/** Whether a path can be shown in a list, as it is: in another normal form it would be another's. */
export function isDisplayablePath(path: string): boolean {
  return isDisplayable(path, MAX_PATH_LENGTH);
}

/** A path as it is, or what can be shown of it. */
export function displayablePath(path: string): string {
  return isDisplayablePath(path) ? path : displayable(path, MAX_PATH_LENGTH);
}

/** What can be shown of `text` in a list, in normal form C: at most `most` characters, and nothing when none is seen. */
export function displayable(text: string, most: number): string {
  const shown = text.replaceAll(HIDDEN, '').normalize('NFC').trim();
  return SEEN.test(shown) ? [...shown].slice(0, most).join('') : '';
}
