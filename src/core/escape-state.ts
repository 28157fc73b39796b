import { type ByteSearch } from './byte-search.js';

/**
 * What a terminal is in the middle of: nothing (`ground`), a sequence of which only ESC has come (`escape`) or ESC and
 * bytes like `(` (`intermediate`), a control sequence, an operating system command, or another string (DCS, SOS, PM,
 * APC), which differs from a command in that BEL does not end it.
 *
 * Follows the parser of xterm.js (VT500), and takes longer for what terminals end at different bytes: here a
 * character beyond ASCII ends neither a control sequence nor a string, and of the C1 controls only ST and those that
 * begin a sequence do. So where it says `ground`, a terminal that ends them sooner is not inside anything either. A byte
 * that is no UTF-8 counts as a character.
 */
export type EscapeState = 'ground' | 'escape' | 'intermediate' | 'csi' | 'osc' | 'string';

const BEL = 0x07;
const CAN = 0x18;
const SUB = 0x1a;
const ESC = 0x1b;
const DEL = 0x7f;
/** First of the two bytes that U+0080 to U+00BF have in UTF-8; the second is the character's own number. */
const C1_LEAD = 0xc2;
const STRING_TERMINATOR = 0x9c;
/** `ESC [` is U+009B in seven bits, and so on. */
const SEVEN_BITS = 0x40;

/** What ESC and this byte begin. */
const BEGUN: ReadonlyMap<number, EscapeState> = new Map([
  [0x50, 'string'],
  [0x58, 'string'],
  [0x5b, 'csi'],
  [0x5d, 'osc'],
  [0x5e, 'string'],
  [0x5f, 'string'],
]);
const C1_INTRODUCERS = [...BEGUN.keys()].map((byte) => Uint8Array.of(C1_LEAD, byte + SEVEN_BITS));
const C1_STRING_TERMINATOR = Uint8Array.of(C1_LEAD, STRING_TERMINATOR);

/**
 * Brings a terminal from `ground` into a state in which it swallows the rest of a sequence and does nothing: a control
 * sequence and a DCS with a `?` where none may be, a command with a number that no terminal knows.
 */
const SWALLOWING: Readonly<Record<EscapeState, string>> = {
  ground: '',
  escape: '\x1b',
  intermediate: '\x1b  ',
  csi: '\x1b[0?',
  osc: '\x1b]9999;',
  string: '\x1bP0?',
};

/** The state behind `byte`, given the one before it and the byte that came `previous` to it. */
export function nextState(state: EscapeState, byte: number, previous: number): EscapeState {
  if (byte === ESC) return 'escape';
  if (byte === CAN || byte === SUB) return 'ground';
  if (previous === C1_LEAD && byte === STRING_TERMINATOR) return 'ground';
  const begun = previous === C1_LEAD ? BEGUN.get(byte - SEVEN_BITS) : undefined;
  return begun ?? stateWithin(state, byte);
}

/**
 * The state behind `bytes`, given the one before them and the byte that came `previous` to them (anything when none
 * did). ESC and its kin restart the parser from every state: only what comes behind the last of them is looked at.
 */
export function stateAfter(
  before: EscapeState,
  bytes: Uint8Array,
  previous: number,
  search: ByteSearch,
): EscapeState {
  let state = before;
  for (let at = lastIntroducer(bytes, search); at < bytes.length; at++) {
    state = nextState(state, bytes[at]!, bytes[at - 1] ?? previous);
    if (state === 'ground') return state;
    if (isString(state)) return endsIn(bytes.subarray(at), state, search) ? 'ground' : state;
  }
  return state;
}

/**
 * Position of the first of `bytes` before which the parser is in `ground` and at which a character begins; -1 when
 * there is none. Takes a look at every byte only up to there, and at none of a string that goes on through all of them.
 */
export function firstSafe(
  before: EscapeState,
  bytes: Uint8Array,
  previous: number,
  search: ByteSearch,
): number {
  if (isString(before) && previous !== C1_LEAD && !mayEndIn(bytes, search)) return -1;
  let state = before;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (state === 'ground' && !isContinuation(byte)) return at;
    state = nextState(state, byte, bytes[at - 1] ?? previous);
  }
  return -1;
}

/**
 * Text that brings a terminal from `ground` into `state`, given the last bytes before: what has come of a sequence that
 * ends soon, so that it has its effect; of a string, and of a sequence that began before these bytes, something of the
 * same kind, so that the rest is swallowed.
 */
export function reopening(state: EscapeState, bytes: Uint8Array, search: ByteSearch): string {
  const at = lastIntroducer(bytes, search);
  const isBegun = bytes[at] === ESC || bytes[at - 1] === C1_LEAD;
  // As text, the second byte of a C1 control is the control.
  const sequence = String.fromCharCode(...bytes.subarray(at));
  const isWhole = isBegun && !isString(state) && !/[^\0-\x7f]/.test(sequence.slice(1));
  return isWhole && state !== 'ground' ? sequence : SWALLOWING[state];
}

/** The state behind a byte that restarts nothing. */
function stateWithin(state: EscapeState, byte: number): EscapeState {
  switch (state) {
    case 'escape':
      if (isControl(byte)) return 'escape';
      return isIntermediate(byte) ? 'intermediate' : (BEGUN.get(byte) ?? 'ground');
    case 'intermediate':
      return isControl(byte) || isIntermediate(byte) ? 'intermediate' : 'ground';
    case 'csi':
      return byte >= 0x40 && byte < DEL ? 'ground' : 'csi';
    case 'osc':
      return byte === BEL ? 'ground' : 'osc';
    case 'ground':
    case 'string':
      return state;
  }
}

/** Position of the last byte that restarts the parser: ESC, or the second byte of a C1 control; 0 when there is none. */
function lastIntroducer(bytes: Uint8Array, search: ByteSearch): number {
  const escape = search.lastIndexOf(bytes, ESC);
  const behind = bytes.subarray(escape + 1);
  // Most text has no such byte, and one search says so.
  if (search.lastIndexOf(behind, C1_LEAD) < 0) return Math.max(escape, 0);
  const c1 = Math.max(...C1_INTRODUCERS.map((introducer) => search.lastIndexOf(behind, introducer)));
  return Math.max(c1 < 0 ? escape : escape + 1 + c1 + 1, 0);
}

/** Whether a string ends in `bytes`, in which nothing restarts the parser. */
function endsIn(bytes: Uint8Array, state: EscapeState, search: ByteSearch): boolean {
  const ends = [CAN, SUB, C1_STRING_TERMINATOR, ...(state === 'osc' ? [BEL] : [])];
  return ends.some((end) => search.lastIndexOf(bytes, end) >= 0);
}

function mayEndIn(bytes: Uint8Array, search: ByteSearch): boolean {
  return [ESC, BEL, CAN, SUB, C1_LEAD].some((end) => search.lastIndexOf(bytes, end) >= 0);
}

function isString(state: EscapeState): boolean {
  return state === 'osc' || state === 'string';
}

/** Takes effect inside a sequence, which goes on behind it; DEL does nothing. */
function isControl(byte: number): boolean {
  return byte < 0x20 || byte === DEL;
}

function isIntermediate(byte: number): boolean {
  return byte >= 0x20 && byte < 0x30;
}

function isContinuation(byte: number): boolean {
  return (byte & 0b1100_0000) === 0b1000_0000;
}
