import { fstatSync, write, writeSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { openAgain } from '../src/config/open-again.js';

export const STDOUT = 1;
export const STDERR = 2;

/** How soon a descriptor is tried again that takes nothing: later each time, until it takes something. */
const FIRST_RETRY_MS = 1;
const LONGEST_RETRY_MS = 50;

/** A function is called when its turn has come. */
export type Content = Uint8Array | string | (() => Uint8Array | string);

interface Piece {
  readonly fd: number;
  readonly content: Content;
  readonly written?: (() => void) | undefined;
}

/**
 * Writes to the standard output and the standard error, all in one order. Node's own streams stop the whole program while a
 * terminal or a pipe takes nothing, and then no signal and no key can end it. Here only what is to be written waits.
 */
export class Output {
  private readonly pieces: Piece[] = [];
  /** What is being written; `isCut`: no more of it than has been begun. */
  private current?: Piece;
  private isCut = false;
  private retryMs = FIRST_RETRY_MS;
  private readonly broken = new Set<number>();
  private readonly descriptors = new Map<number, number>();
  private idle: (() => void)[] = [];

  /** `failed`: told once when the standard output takes nothing any more. What comes after that goes nowhere. */
  constructor(private readonly failed: (error: NodeJS.ErrnoException) => void = () => undefined) {}

  /** `written`: called when it has been, or never will be. */
  write(content: Content, written?: () => void, fd = STDOUT): void {
    if (this.broken.has(fd)) return written?.();
    this.pieces.push({ fd, content, written });
    if (!this.current) this.next();
  }

  /** What is there to be written in an instant, and is not if that takes longer. */
  writeAtOnce(text: string): void {
    try {
      writeSync(this.descriptorOf(STDOUT), text);
    } catch {
      // It has gone, or takes nothing.
    }
  }

  /** Forgets what waits, and the rest of what is being written. @returns whether that may have been cut */
  drop(): boolean {
    this.pieces.length = 0;
    this.isCut = this.current !== undefined;
    return this.isCut;
  }

  /** Resolves when everything has been written, or after so long. */
  async flushed(withinMs?: number): Promise<void> {
    if (!this.current) return;
    const idle = new Promise<void>((resolve) => this.idle.push(resolve));
    if (withinMs === undefined) return idle;
    const late = new AbortController();
    await Promise.race([idle, wait(withinMs, undefined, { signal: late.signal }).catch(() => undefined)]);
    late.abort();
  }

  private next(): void {
    this.isCut = false;
    this.current = this.pieces.shift();
    if (!this.current) return this.idle.splice(0).forEach((resolve) => resolve());
    const { content } = this.current;
    const what = typeof content === 'function' ? content() : content;
    this.put(this.current, typeof what === 'string' ? Buffer.from(what) : what, 0);
  }

  private put(piece: Piece, bytes: Uint8Array, from: number): void {
    write(this.descriptorOf(piece.fd), bytes, from, bytes.length - from, null, (error, count) => {
      if (error?.code === 'EAGAIN' && !this.isCut) return this.putLater(piece, bytes, from);
      this.retryMs = FIRST_RETRY_MS;
      if (!error && from + count < bytes.length && !this.isCut) return this.put(piece, bytes, from + count);
      piece.written?.();
      if (error && error.code !== 'EAGAIN') this.fail(piece.fd, error);
      this.next();
    });
  }

  private putLater(piece: Piece, bytes: Uint8Array, from: number): void {
    setTimeout(() => (this.isCut ? this.next() : this.put(piece, bytes, from)), this.retryMs);
    this.retryMs = Math.min(this.retryMs * 2, LONGEST_RETRY_MS);
  }

  private fail(fd: number, error: NodeJS.ErrnoException): void {
    this.broken.add(fd);
    const others = this.pieces.filter((piece) => piece.fd !== fd);
    const lost = this.pieces.filter((piece) => piece.fd === fd);
    this.pieces.splice(0, this.pieces.length, ...others);
    for (const { written } of lost) written?.();
    if (fd === STDOUT) this.failed(error);
  }

  private descriptorOf(fd: number): number {
    const known = this.descriptors.get(fd);
    if (known !== undefined) return known;
    const descriptor = withoutWaiting(fd);
    this.descriptors.set(fd, descriptor);
    return descriptor;
  }
}

/**
 * The same terminal or pipe, opened once more so that writing to it does not wait. Whoever waits in a write holds a thread,
 * and of a terminal also its settings: nobody could restore them. What was opened by others stays as they have it.
 */
function withoutWaiting(fd: number): number {
  if (isatty(fd)) return openAgain(fd) ?? fd;
  const anew = fstatSync(fd).isFIFO() ? openAgain(fd) : undefined;
  // A socket cannot be opened. Node makes one of these that does not wait, for everybody who has it, for whoever looks at it.
  if (anew === undefined) void (fd === STDOUT ? process.stdout : process.stderr);
  return anew ?? fd;
}
