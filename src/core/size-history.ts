import { type TerminalSize } from './terminal-size.js';

/** Longer histories forget their oldest sizes first: a replay from there wraps as it may. */
const MAX_SIZES = 64;

/** A size, and the offset of output from which on it was in force. */
export interface SizeAt {
  readonly offset: number;
  readonly size: TerminalSize;
}

/** The sizes a terminal has had, by the output that was printed for them. */
export class SizeHistory {
  private readonly sizes: SizeAt[] = [];

  /** The newest; there must be one. */
  get current(): TerminalSize {
    return this.sizes.at(-1)!.size;
  }

  /** `offset` is never before the one added last; a size that nothing was printed for gives way. */
  add(offset: number, size: TerminalSize): void {
    if (this.sizes.at(-1)?.offset === offset) this.sizes.pop();
    this.sizes.push({ offset, size });
    if (this.sizes.length > MAX_SIZES) this.sizes.shift();
  }

  /** Those in force from `offset` on, oldest first. */
  from(offset: number): readonly SizeAt[] {
    return this.sizes.filter((_, index) => (this.sizes[index + 1]?.offset ?? Infinity) > offset);
  }
}
