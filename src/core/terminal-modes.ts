import { type ByteSearch } from './byte-search.js';

/** Longer changes, a keypad's two bytes counted, are overlooked: so far back one can begin that ends now. */
export const LONGEST_CHANGE_BYTES = 64;

const ESC = 0x1b;
const C1_LEAD = 0xc2;
const PRIVATE = 0x3f; // ?
const SOFT = 0x21; // !
const SEPARATOR = 0x3b; // ;
const SET = 0x68; // h
const RESET = 0x6c; // l
const KEYPAD_BYTES = 2;

/** Both introducers have two bytes. Each needle ends in something rare in text, as a search hops on its last byte. */
const ESC_PRIVATE = Uint8Array.of(ESC, 0x5b, PRIVATE);
const ESC_SOFT = Uint8Array.of(ESC, 0x5b, SOFT);
const C1_CSI = Uint8Array.of(C1_LEAD, 0x9b);
/** But for this one: a `c` is everywhere, so it is looked for only where it would change something. */
const FULL_RESET = Uint8Array.of(ESC, 0x63);

const LARGEST_MODE = 0xffff;
const MAX_CHANGES = 64;
/** Such a sequence is well within {@link LONGEST_CHANGE_BYTES}; terminals read 16 parameters or more. */
const MODES_PER_SEQUENCE = 8;

const ORIGIN = 6;
const KEYPAD = 66;
const ALTERNATE_SCREENS = [47, 1047, 1049];
/** ?1049l also moves the cursor. */
const LEAVING = 1047;
const ON_BY_DEFAULT = new Set([7, 8, 25]);
/**
 * Not modes, or not to be set again: VT52 (2, ends the language all of this is written in), 132 columns (3, clears
 * the screen), Tektronix (38), save cursor (1048), report sizes (2048, reports one at once).
 */
const LEFT_ALONE = new Set([2, 3, 38, 1048, 2048]);
/** Stands among the modes for `CSI ! p`: no terminal has a mode 0. */
const SOFT_RESET = 0;

/**
 * The private modes (`CSI ? Pm h`, `l`) in force in a terminal, as the last change to each in the order of the changes:
 * in groups such as mouse reports a later one undoes an earlier. The three alternate screens are one mode. Soft resets
 * (`CSI ! p`) stand among them, as what they undo differs between terminals; a full reset (`ESC c`) sets every mode
 * mentioned so far to its default. The application keypad (`ESC =`, `ESC >`) counts as mode 66 where it directly
 * follows a private mode, as terminfo writes it (`smkx`, `rmkx`).
 *
 * Not noticed: changes longer than {@link LONGEST_CHANGE_BYTES} or with control characters inside, the keypad anywhere
 * else, modes saved and restored (`CSI ? Pm s`, `r`), and what is no private mode: colours, margins, character sets,
 * insert mode, the cursor's shape, keyboard protocols. The newest 64 changes are kept, of modes up to 65535.
 */
export class TerminalModes {
  /** Whether a mode is on; the oldest change first. */
  private readonly changes: Map<number, boolean>;
  /** The mode changed last. */
  private newest?: number;

  /** With all that `like` has noticed, if there is one. */
  constructor(
    private readonly search: ByteSearch,
    like?: TerminalModes,
  ) {
    this.changes = new Map(like?.changes);
  }

  /** Whether the alternate screen is in force: a program fills the whole screen. */
  get isFullScreen(): boolean {
    return ALTERNATE_SCREENS.some((mode) => this.changes.get(mode));
  }

  /** Takes in the changes whose last byte is at or behind `from`; they may begin before. */
  follow(bytes: Uint8Array, from = 0): void {
    for (const at of this.changesIn(bytes)) {
      if (bytes[at + 1] === FULL_RESET[1]) {
        if (at + 1 >= from) this.resetFully();
      } else if (bytes[at + 2] === PRIVATE) this.followPrivate(bytes, at, from);
      else if (bytes[at + 2] === SOFT && bytes[at + 3] === 0x70 && at + 3 >= from) this.put(SOFT_RESET, true);
    }
  }

  /**
   * Text that brings a terminal into these modes, whatever it is doing: CAN ends the sequence it is in the middle of,
   * a soft reset its colours, margins and character sets; then come all changes in order, those to off as well. It
   * clears neither the main screen nor what has scrolled off it, moves the cursor only into an alternate screen or
   * where origin mode is on, and asks for nothing. A terminal told to report its focus (1004) may begin with it.
   */
  restoring(): string {
    const runs: { readonly final: string; readonly modes: number[] }[] = [];
    for (const [mode, on] of this.changes) {
      // Origin mode has ended with the soft reset, and to end it moves the cursor.
      if (mode === ORIGIN && !on) continue;
      const final = mode === SOFT_RESET ? '!p' : on ? 'h' : 'l';
      const run = runs.at(-1);
      if (run?.final === final && run.modes.length < MODES_PER_SEQUENCE) run.modes.push(mode);
      else runs.push({ final, modes: [mode] });
    }
    const sequences = runs.map(({ final, modes }) =>
      final === '!p' ? final : `?${modes.join(';')}${final}`,
    );
    return `\x18${['!p', ...sequences].map((sequence) => `\x1b[${sequence}`).join('')}`;
  }

  /** Where changes may begin, in order. */
  private changesIn(bytes: Uint8Array): number[] {
    const hasEscape = this.search.lastIndexOf(bytes, ESC) >= 0;
    const hasC1 = this.search.lastIndexOf(bytes, C1_LEAD) >= 0;
    const needles = [...(hasEscape ? [ESC_PRIVATE, ESC_SOFT] : []), ...(hasC1 ? [C1_CSI] : [])];
    const found: number[] = [];
    for (const needle of needles) this.find(bytes, needle, found);
    if (hasEscape && (found.length > 0 || this.differ)) this.find(bytes, FULL_RESET, found);
    return found.sort((a, b) => a - b);
  }

  private find(bytes: Uint8Array, needle: Uint8Array, found: number[]): void {
    for (let at = bytes.length; (at = this.search.lastIndexOf(bytes, needle, at - 1)) >= 0;) found.push(at);
  }

  private followPrivate(bytes: Uint8Array, at: number, from: number): void {
    const modes: number[] = [];
    let mode = 0;
    for (let end = at + 3; end < at + LONGEST_CHANGE_BYTES - KEYPAD_BYTES; end++) {
      const byte = bytes[end]!;
      if (byte >= 0x30 && byte <= 0x39) mode = mode * 10 + byte - 0x30;
      else {
        modes.push(mode);
        mode = 0;
        if (byte === SET || byte === RESET) {
          if (end >= from) for (const each of modes) this.putPrivate(each, byte === SET);
          return this.followKeypad(bytes, end + 1, from);
        }
        if (byte !== SEPARATOR) return;
      }
    }
  }

  private followKeypad(bytes: Uint8Array, at: number, from: number): void {
    if (bytes[at] !== ESC || at + 1 < from) return;
    if (bytes[at + 1] === 0x3d) this.put(KEYPAD, true);
    if (bytes[at + 1] === 0x3e) this.put(KEYPAD, false);
  }

  private putPrivate(mode: number, on: boolean): void {
    if (mode === SOFT_RESET || mode > LARGEST_MODE || LEFT_ALONE.has(mode)) return;
    if (!ALTERNATE_SCREENS.includes(mode)) return this.put(mode, on);
    for (const screen of ALTERNATE_SCREENS) this.changes.delete(screen);
    this.put(on ? mode : LEAVING, on);
  }

  private put(mode: number, on: boolean): void {
    // Behind all others, also where it stood among them; but programs show and hide the cursor all the time.
    if (mode !== this.newest) this.changes.delete(mode);
    this.newest = mode;
    this.changes.set(mode, on);
    if (this.changes.size > MAX_CHANGES) this.changes.delete(this.changes.keys().next().value!);
  }

  /** Does nothing where nothing would change: there it may not have been looked for. */
  private resetFully(): void {
    if (!this.differ) return;
    for (const mode of [...this.changes.keys()]) {
      if (mode !== SOFT_RESET) this.putPrivate(mode, ON_BY_DEFAULT.has(mode));
    }
  }

  /** Whether a full reset would change anything. */
  private get differ(): boolean {
    return [...this.changes].some(([mode, on]) => mode !== SOFT_RESET && on !== ON_BY_DEFAULT.has(mode));
  }
}
