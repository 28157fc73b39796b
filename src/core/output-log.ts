import { type FallenOutput } from './fallen-output.js';

const SLAB_BYTES = 64 * 1024;
/** An idle shell prints a prompt and little more: its log begins this small and grows with its first slab. */
const FIRST_SLAB_BYTES = 4 * 1024;
const FIRST_SLAB_GROWTH = 4;

/** Where output can be shown from, whatever was before. */
export interface Cut {
  readonly offset: number;
  /** What a terminal is to be given first, so that it is in the modes in force there. */
  readonly restoring: string;
}

/**
 * The newest output of a session, addressed by absolute offset: the position of a byte in everything the session ever
 * printed. Memory is taken as the log fills, in slabs that are used again once their bytes have fallen off.
 */
export class OutputLog {
  private readonly slabs: Uint8Array[] = [];
  /** Number of the slab at `slabs[0]`: slab n holds the offsets from n × slabBytes. */
  private firstSlab = 0;
  private written = 0;
  /** All that was known of everything printed when somebody asked last. */
  private known?: { readonly output: FallenOutput; readonly end: number };

  /** `fallen` is told of what falls off. */
  constructor(
    readonly capacityBytes: number,
    private readonly fallen: FallenOutput,
    private readonly slabBytes: number = SLAB_BYTES,
  ) {}

  /** Offset of the oldest byte still held. */
  get start(): number {
    return Math.max(0, this.written - this.capacityBytes);
  }

  /** Offset behind the newest byte: how much was ever appended. */
  get end(): number {
    return this.written;
  }

  /** Where a viewer goes on that has missed what lies before {@link start}: there, or a little behind. */
  cut(): Cut {
    const fallenEnd = this.firstSlab * this.slabBytes;
    const { position, restoring } = this.fallen.cutAt(this.retained(fallenEnd), this.start - fallenEnd);
    return { offset: fallenEnd + position, restoring };
  }

  /** Whether a program fills the whole screen now. Looks at all that is kept and has come since it was asked last. */
  isFullScreen(): boolean {
    const fallenEnd = this.firstSlab * this.slabBytes;
    const known = this.known && this.known.end >= fallenEnd ? this.known : undefined;
    const output = known?.output ?? this.fallen.copy();
    for (const piece of this.retained(known?.end ?? fallenEnd)) output.add(piece);
    this.known = { output, end: this.written };
    return output.isFullScreen;
  }

  /** Adds a copy of `bytes`; the oldest bytes beyond the capacity fall off. */
  append(bytes: Uint8Array): void {
    let rest = bytes;
    while (rest.length > 0) {
      const position = this.written % this.slabBytes;
      const taken = rest.subarray(0, this.slabBytes - position);
      this.slabFor(position + taken.length).set(taken, position);
      this.written += taken.length;
      rest = rest.subarray(taken.length);
    }
  }

  /**
   * A copy of up to `maxBytes` bytes from `offset` on; from {@link start} when `offset` has fallen off. Empty when
   * there is nothing at or behind `offset` yet.
   */
  read(offset: number, maxBytes: number): { readonly offset: number; readonly bytes: Uint8Array } {
    const from = Math.max(offset, this.start);
    const bytes = new Uint8Array(Math.max(0, Math.min(maxBytes, this.end - from)));
    this.copyTo(bytes, from);
    return { offset: from, bytes };
  }

  /** Copies what there is from `offset` on, which has not fallen off, into `target`. @returns how many bytes it was */
  copyTo(target: Uint8Array, offset: number): number {
    const length = Math.max(0, Math.min(target.length, this.end - offset));
    let copied = 0;
    for (let slab = Math.floor(offset / this.slabBytes) - this.firstSlab; copied < length; slab += 1) {
      const position = (offset + copied) % this.slabBytes;
      const part = this.slabs[slab]!.subarray(position, position + length - copied);
      target.set(part, copied);
      copied += part.length;
    }
    return length;
  }

  /** All that is there from `offset` on, without copying it. */
  private retained(offset: number): Uint8Array[] {
    return this.slabs.map((slab, index) => {
      const begin = (this.firstSlab + index) * this.slabBytes;
      return slab.subarray(Math.max(0, offset - begin), Math.max(0, this.written - begin));
    });
  }

  /** The slab that takes the next bytes, big enough for its first `bytes`. */
  private slabFor(bytes: number): Uint8Array {
    const index = Math.floor(this.written / this.slabBytes) - this.firstSlab;
    const slab = this.slabs[index];
    if (!slab) return this.addSlab(bytes);
    if (slab.length >= bytes) return slab;
    const grown = new Uint8Array(firstSlabSize(slab.length, bytes, this.slabBytes));
    grown.set(slab);
    this.slabs[index] = grown;
    return grown;
  }

  private addSlab(bytes: number): Uint8Array {
    const isVeryFirst = this.firstSlab + this.slabs.length === 0;
    const size = isVeryFirst ? firstSlabSize(FIRST_SLAB_BYTES, bytes, this.slabBytes) : this.slabBytes;
    const slab = this.takeFallenSlab(size) ?? new Uint8Array(size);
    this.slabs.push(slab);
    return slab;
  }

  /** Lets go of the slabs that hold only fallen bytes, and hands one of them over. */
  private takeFallenSlab(size: number): Uint8Array | undefined {
    let fallen: Uint8Array | undefined;
    while (this.slabs.length > 0 && (this.firstSlab + 1) * this.slabBytes <= this.start) {
      fallen = this.slabs.shift()!;
      this.fallen.add(fallen);
      this.firstSlab += 1;
    }
    return fallen?.length === size ? fallen : undefined;
  }
}

function firstSlabSize(current: number, needed: number, max: number): number {
  let size = Math.min(current, max);
  while (size < needed) size = Math.min(size * FIRST_SLAB_GROWTH, max);
  return size;
}
