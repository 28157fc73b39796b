import { write } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

export const STDOUT = 1;
export const STDERR = 2;

/** How soon a descriptor is tried again that somebody else has made one that does not wait. */
const RETRY_MS = 5;

interface Piece {
  readonly fd: number;
  readonly bytes: Uint8Array;
  readonly written?: (() => void) | undefined;
}

/**
 * Writes to the standard output and the standard error, all in one order. Node's own streams stop the whole program while a
 * terminal or a pipe takes nothing, and then no signal and no key can end it. Here only what is to be written waits.
 */
export class Output {
  private readonly pieces: Piece[] = [];
  private isWriting = false;
  private hasFailed = false;
  private idle: (() => void)[] = [];

  /** `failed`: told once when nobody reads any more, as of a pipe that was closed. What comes after that goes nowhere. */
  constructor(private readonly failed: (error: NodeJS.ErrnoException) => void = () => undefined) {}

  write(bytes: Uint8Array | string, written?: () => void, fd = STDOUT): void {
    this.pieces.push({ fd, bytes: typeof bytes === 'string' ? Buffer.from(bytes) : bytes, written });
    if (!this.isWriting) this.next();
  }

  /** Resolves when everything has been written, or after so long. */
  async flushed(withinMs?: number): Promise<void> {
    if (!this.isWriting) return;
    const idle = new Promise<void>((resolve) => this.idle.push(resolve));
    if (withinMs === undefined) return idle;
    const late = new AbortController();
    await Promise.race([idle, wait(withinMs, undefined, { signal: late.signal }).catch(() => undefined)]);
    late.abort();
  }

  private next(): void {
    const piece = this.pieces.shift();
    this.isWriting = piece !== undefined;
    if (piece) this.put(piece, 0);
    else this.idle.splice(0).forEach((resolve) => resolve());
  }

  private put(piece: Piece, from: number): void {
    const { fd, bytes, written } = piece;
    if (this.hasFailed || from === bytes.length) {
      written?.();
      return this.next();
    }
    write(fd, bytes, from, bytes.length - from, null, (error, count) => {
      if (error?.code === 'EAGAIN') setTimeout(() => this.put(piece, from), RETRY_MS);
      else {
        if (error) this.fail(error);
        this.put(piece, from + (error ? 0 : count));
      }
    });
  }

  private fail(error: NodeJS.ErrnoException): void {
    if (this.hasFailed) return;
    this.hasFailed = true;
    this.failed(error);
  }
}
