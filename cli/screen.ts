/* eslint-disable no-control-regex -- Escape sequences begin with a control character. */
const INTRODUCER = /[\x05\x1b\xc2]/g;
/** OSC, DCS, APC, PM, SOS, up to where such a string may end. */
const STRING = '(?:\\x1b[P\\]^_X]|\\xc2[\\x90\\x98\\x9d-\\x9f])(?:(?!\\xc2\\x9c)[^\\x07\\x18\\x1a\\x1b])*';
const UNENDED = new RegExp(STRING, 'y');
/** CSI; a string; any other; ENQ. Of C1 controls, their form in UTF-8. */
const SEQUENCE = new RegExp(
  `(?:\\x1b\\[|\\xc2\\x9b)[0-?]*[ -/]*[@-~]|${STRING}(?:\\x07|\\x1b\\\\|\\xc2\\x9c)|\\x1b[ -/]*[0-OQ-WYZ\\\\\`-~]|\\x05`,
  'y',
);
const BEGINNING = new RegExp(
  `(?:\\xc2|\\x1b[ -/]*|(?:\\x1b\\[|\\xc2\\x9b)[0-?]*[ -/]*|${STRING}[\\x1b\\xc2]?)$`,
  'y',
);
/**
 * What terminals answer as if it were typed: ENQ, DA1 to DA3, DSR, DECRQM, DECRQCRA, DECRQPSR, DECREQTPARM, XTVERSION,
 * XTSMGRAPHICS, window reports, kitty's keyboard; DECRQSS and XTGETTCAP; colours; pictures, whose arrival kitty reports.
 * And OSC 52, which writes to the clipboard: what was copied long ago is not to be there again.
 */
const QUERY = new RegExp(
  [
    '\\x05',
    '(?:\\x1b\\[|\\xc2\\x9b)(?:[=>]?[\\d;]*c|\\??[\\d;]*n|\\??[\\d;]*\\$p|[\\d;]*\\*y|\\d*\\$w|\\d*x|>\\d*q|\\?[\\d;]*S|\\?u|(?:1[1-689]|2[01])(?:;[\\d;]*)?t)',
    '(?:\\x1b\\]|\\xc2\\x9d)(?:52;[^]*|[^]*;\\?[^]*)',
    '(?:\\x1bP|\\xc2\\x90)[\\d;]*[$+]q[^]*',
    '(?:\\x1b_|\\xc2\\x9f)G[^]*',
  ]
    .map((query) => `^(?:${query})$`)
    .join('|'),
);
const PRIVATE_MODES = /^(?:\x1b\[|\xc2\x9b)\?([\d;]+)([hl])$/;
const KITTY_KEYBOARD = /^\x1b\[[>=][\d;]*u$/;
const OTHER_KEYS = /^\x1b\[>4(?:;\d*)?m$/;
const CURSOR_SHAPE = /^\x1b\[\d* q$/;
const FULL_RESET = '\x1bc';
const KEYPAD = '\x1b=';
/* eslint-enable no-control-regex */

/** What is longer may be a picture; it is passed on, and looked into no more. */
const LONGEST_SEQUENCE = 8192;

const ALTERNATE_SCREENS = [47, 1047, 1049];
/** By default in all terminals or in many: what a program leaves off is to be on again, and nothing to be turned off. */
const ON_BY_DEFAULT = [7, 8, 25, 1007, 1034, 1035, 1036];
/** To set them back would make a VT52 of the terminal, or clear it. */
const NEVER_UNDONE = [2, 3];
/** No terminal has more, or others. */
const MOST_MODES = 256;
const LARGEST_MODE = 65_535;

/**
 * What a session's output has made of the terminal it is shown on: so that it can be left as it was found, and so that
 * output of long ago does not make it answer now.
 */
export class Screen {
  /** Private modes that are not as they are by default, by whether they are on. */
  private readonly modes = new Map<number, boolean>();
  /** Sequences to leave with, for what is no mode. */
  private readonly undoing = new Set<string>();
  /** The beginning of a sequence whose end has not come, and how much of that has been shown. */
  private begun = '';
  private shownOfBegun = 0;

  /** Whether a program fills the whole screen. */
  get isFullScreen(): boolean {
    return ALTERNATE_SCREENS.some((mode) => this.modes.get(mode));
  }

  /** @returns what to show of output: all of what is new, and of what is old no query */
  show(output: Uint8Array, isOld: boolean): Uint8Array {
    const text = this.begun + Buffer.from(output.buffer, output.byteOffset, output.length).toString('latin1');
    const from = this.shownOfBegun;
    const queries: (readonly [begin: number, end: number])[] = [];
    const begun = this.scan(text, (begin, end) => {
      if (begin >= from && QUERY.test(text.slice(begin, end))) queries.push([begin, end]);
    });
    this.begun = text.slice(begun);
    const isHeld = isOld && begun >= from;
    this.shownOfBegun = isHeld ? 0 : this.begun.length;
    // As it is, in most cases.
    if (!isOld && from === text.length - output.length) return output;
    const until = isHeld ? begun : text.length;
    let kept = '';
    let at = from;
    for (const [begin, end] of isOld ? queries : []) {
      kept += text.slice(at, begin);
      at = end;
    }
    return Buffer.from(kept + text.slice(at, until), 'latin1');
  }

  /**
   * What leaves the terminal as it was found, whatever a program has made of it: nothing of it asks or clears anything.
   * `isCut`: the end of what was to be shown may be missing.
   */
  leave(isCut = false): string {
    const undone = [...this.undoing].join('');
    const ended = isCut || this.begun !== '' ? '\x18' : '';
    const off = [...this.modes].filter(([mode, on]) => on && !ALTERNATE_SCREENS.includes(mode));
    const on = [...this.modes].filter(([, on]) => !on);
    const alternate = ALTERNATE_SCREENS.filter((mode) => this.modes.get(mode));
    // Each screen has a keyboard of its own: what is undone before it is left, is undone after it as well.
    return [
      ended,
      undone,
      sequence(off, 'l'),
      ...alternate.map((mode) => `\x1b[?${mode}l`),
      ...(alternate.length > 0 ? [undone] : []),
      // A soft reset: colours, margins, character sets.
      '\x1b[!p\x1b[m',
      sequence([[25], ...on.filter(([mode]) => mode !== 25)], 'h'),
    ].join('');
  }

  /** Tells of each whole sequence. @returns where one begins whose end has not come, or the end */
  private scan(text: string, found: (begin: number, end: number) => void): number {
    for (let at = 0; ;) {
      INTRODUCER.lastIndex = at;
      const begin = INTRODUCER.exec(text)?.index;
      if (begin === undefined) return text.length;
      SEQUENCE.lastIndex = BEGINNING.lastIndex = UNENDED.lastIndex = begin;
      if (SEQUENCE.test(text)) {
        this.follow(text.slice(begin, SEQUENCE.lastIndex));
        found(begin, SEQUENCE.lastIndex);
        at = SEQUENCE.lastIndex;
      } else if (text.length - begin <= LONGEST_SEQUENCE && BEGINNING.test(text)) return begin;
      // Nothing begins within a string; and to look for that would take as long as the square of its length.
      else at = UNENDED.test(text) ? UNENDED.lastIndex : begin + 1;
    }
  }

  private follow(sequence: string): void {
    const [, modes, final] = PRIVATE_MODES.exec(sequence) ?? [];
    if (modes !== undefined) for (const mode of modes.split(';')) this.put(Number(mode), final === 'h');
    else if (sequence === FULL_RESET) {
      this.modes.clear();
      this.undoing.clear();
    } else if (sequence === KEYPAD) this.undoing.add('\x1b>');
    // As many as a terminal may have of them.
    else if (KITTY_KEYBOARD.test(sequence)) this.undoing.add('\x1b[<99u');
    else if (OTHER_KEYS.test(sequence)) this.undoing.add('\x1b[>4m');
    else if (CURSOR_SHAPE.test(sequence)) this.undoing.add('\x1b[ q');
  }

  private put(mode: number, on: boolean): void {
    if (mode > LARGEST_MODE || NEVER_UNDONE.includes(mode)) return;
    if (on === ON_BY_DEFAULT.includes(mode)) this.modes.delete(mode);
    else if (this.modes.size < MOST_MODES) this.modes.set(mode, on);
    // The three are one screen.
    if (!on && ALTERNATE_SCREENS.includes(mode)) ALTERNATE_SCREENS.forEach((one) => this.modes.delete(one));
  }
}

function sequence(modes: readonly (readonly [mode: number, ...more: unknown[]])[], final: string): string {
  return modes.map(([mode]) => `\x1b[?${mode}${final}`).join('');
}
