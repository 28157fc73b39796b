const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const OPEN_BRACE = 0x7b;

/**
 * Eight times what a `hello` has that names as many sessions as it may. Of four megabytes of brackets JSON.parse makes a
 * hundred megabytes of objects, which takes it a second.
 */
export const MOST_PARTS = 32_768;

/** What is long is one string, to whose end native code is quick. One of nothing but quotes is not worth so many calls. */
const MOST_SEARCHES = 16_384;

/** Whether JSON text has more objects, lists and commas than any message. What is inside of strings does not count. */
export function hasTooManyParts(text: Buffer): boolean {
  if (text.length <= MOST_PARTS) return false;
  let parts = 0;
  let searches = 0;
  let isString = false;
  for (let at = 0; at < text.length; at++) {
    if (isString && searches < MOST_SEARCHES) {
      searches += 1;
      at = text.indexOf(QUOTE, at);
      if (at < 0) return false;
      if (isEscaped(text, at)) continue;
    }
    const byte = text[at];
    if (byte === QUOTE) isString = !isString;
    else if (byte === BACKSLASH) at += 1;
    else if (!isString && (byte === COMMA || byte === OPEN_BRACKET || byte === OPEN_BRACE)) {
      parts += 1;
      if (parts > MOST_PARTS) return true;
    }
  }
  return false;
}

function isEscaped(text: Buffer, at: number): boolean {
  let first = at;
  while (text[first - 1] === BACKSLASH) first -= 1;
  return (at - first) % 2 === 1;
}
