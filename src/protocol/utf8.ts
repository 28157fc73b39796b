/** A UTF-8 sequence has at most four bytes (RFC 3629). */
export const LONGEST_UNFINISHED = 3;

/**
 * How many leading bytes of `bytes` can be shown now: all but a character whose end has not come yet (at most 3
 * bytes). Bytes that can never become a character are not held back: a decoder shows them as U+FFFD.
 */
export function wholeCharacters(bytes: Uint8Array): number {
  let start = bytes.length;
  for (const byte of bytes.subarray(-LONGEST_UNFINISHED).toReversed()) {
    start -= 1;
    if (isContinuation(byte)) continue;
    const isUnfinished = start + sequenceLength(byte) > bytes.length && canGoOn(byte, bytes[start + 1]);
    return isUnfinished ? start : bytes.length;
  }
  return bytes.length;
}

/** How many leading bytes of `bytes` are the end of a character whose beginning is not there (at most 3). */
export function brokenCharacter(bytes: Uint8Array): number {
  const whole = bytes.subarray(0, LONGEST_UNFINISHED).findIndex((byte) => !isContinuation(byte));
  return whole < 0 ? Math.min(bytes.length, LONGEST_UNFINISHED) : whole;
}

function isContinuation(byte: number): boolean {
  return (byte & 0b1100_0000) === 0b1000_0000;
}

/** How long the sequence is that `lead` begins; 1 when it begins none. C0, C1 and F5–FF never occur in UTF-8. */
function sequenceLength(lead: number): number {
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 1;
}

/** Whether `second` may follow `lead`: no overlong forms, no surrogates, nothing beyond U+10FFFF (RFC 3629, 4). */
function canGoOn(lead: number, second: number | undefined): boolean {
  if (second === undefined) return true;
  if (lead === 0xe0) return second >= 0xa0;
  if (lead === 0xed) return second <= 0x9f;
  if (lead === 0xf0) return second >= 0x90;
  if (lead === 0xf4) return second <= 0x8f;
  return true;
}
