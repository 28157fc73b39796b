import { type ByteSearch } from './byte-search.js';
import { type EscapeState, firstSafe, reopening, stateAfter } from './escape-state.js';
import { LONGEST_CHANGE_BYTES, TerminalModes } from './terminal-modes.js';

/** Where a viewer can begin that has missed the output before. */
export interface SafeCut {
  /** In bytes behind the fallen output. */
  readonly position: number;
  /** What its terminal is to be given first: a few hundred bytes at most. */
  readonly restoring: string;
}

/**
 * What must be known of the output that has left a log: the terminal modes in force behind it, and what a terminal is
 * in the middle of there. Of each slab, its last bytes and what searches find in it are looked at, nothing else.
 */
export class FallenOutput {
  private state: EscapeState;
  private readonly modes: TerminalModes;
  /** The last bytes: a change that began in them may end in the next slab. */
  private tail: Uint8Array;

  /** Before any output; or with all that `like` knows. */
  constructor(
    private readonly search: ByteSearch,
    like?: FallenOutput,
  ) {
    this.state = like?.state ?? 'ground';
    this.modes = new TerminalModes(search, like?.modes);
    this.tail = like?.tail ?? new Uint8Array();
  }

  /** Takes in the output that follows, of any length. Keeps a copy of no more than its last 64 bytes. */
  add(slab: Uint8Array): void {
    this.state = stateAfter(this.state, slab, this.last, this.search);
    const border = joined(this.tail, slab.subarray(0, LONGEST_CHANGE_BYTES));
    this.modes.follow(border, this.tail.length);
    this.modes.follow(slab, LONGEST_CHANGE_BYTES);
    const last = slab.length < LONGEST_CHANGE_BYTES ? border : slab;
    this.tail = Uint8Array.from(last.subarray(-LONGEST_CHANGE_BYTES));
  }

  /**
   * The first position at or behind `position` that is neither inside an escape sequence nor inside a character, and
   * the text for the modes in force there. `retained` is all the output that follows, in pieces of any length. Where
   * nothing ends in it that began before, the position is its end, and the text ends in what the terminal is to be in
   * the middle of: a sequence as far as it has come, or one that swallows the rest of a string. A character that is cut
   * there shows as U+FFFD.
   */
  cutAt(retained: readonly Uint8Array[], position: number): SafeCut {
    const before = this.copy();
    let skipped = 0;
    for (const piece of retained) {
      const wanted = Math.min(Math.max(position - skipped, 0), piece.length);
      if (wanted > 0) before.add(piece.subarray(0, wanted));
      const rest = piece.subarray(wanted);
      const safe = firstSafe(before.state, rest, before.last, this.search);
      const unsafe = safe < 0 ? rest.length : safe;
      if (unsafe > 0) before.add(rest.subarray(0, unsafe));
      skipped += wanted + unsafe;
      if (safe >= 0) break;
    }
    const begun = reopening(before.state, before.tail, this.search);
    return { position: skipped, restoring: before.modes.restoring() + begun };
  }

  /** Whether a program that fills the whole screen runs behind it. */
  get isFullScreen(): boolean {
    return this.modes.isFullScreen;
  }

  /** All that is known, to go on with apart from this. */
  copy(): FallenOutput {
    return new FallenOutput(this.search, this);
  }

  private get last(): number {
    return this.tail.at(-1) ?? 0;
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
