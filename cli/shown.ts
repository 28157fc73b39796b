/** Control characters, those without a look of their own, and those that turn the direction of what is around them. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/gu;
/** What JSON leaves as it is, and a terminal acts on or shows as something else. */
const UNSEEN_IN_JSON = /[\x7f-\x9f]|(?!\n)[\p{C}\p{Zl}\p{Zp}]/gu;

/** Text of anybody's, so that nothing in it acts on the terminal it is shown on. */
export function shown(text: string): string {
  return text.replace(UNSEEN, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}

/** As JSON, indented; what it means is what `value` is, and nothing in it acts on a terminal. */
export function shownJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(UNSEEN_IN_JSON, (character) =>
    // As JSON writes it: a character of two halves is two.
    Array.from(
      { length: character.length },
      (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}
