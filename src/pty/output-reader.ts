import { Linger } from './linger.js';
import { type Master } from './master.js';

/** What one look reads at most: all that the kernel can hold of a terminal, with room to spare. */
const READS_PER_LOOK = 64;
const FASTEST_LOOK_MS = 1;
/** How often a process that has closed its terminal, yet lives, is checked for having opened it again. */
const SLOWEST_LOOK_MS = 100;

type Found = 'more' | 'empty' | 'hungUp' | 'stopped';

/**
 * Reads a terminal to its true end. While its stream lives, output flows through the event loop; after that, and
 * once the shell has ended, it is looked for by hand until the kernel says that there is no more.
 */
export class OutputReader {
  private paused = false;
  private streaming = true;
  private stopped = false;
  private linger?: Linger;
  private lookMs = FASTEST_LOOK_MS;
  private timer?: NodeJS.Timeout;
  /** Reads since the time was up: that last look goes on after a pause where it stopped. */
  private lastReads = 0;

  constructor(
    private readonly master: Master,
    private readonly output: (bytes: Uint8Array) => void,
    /** Told once, after the shell's end, when its last byte has been told. */
    private readonly drained: () => void,
  ) {}

  start(): void {
    if (!this.stopped && !this.paused && this.streaming) this.master.flow();
  }

  /** Output that came through the stream. */
  streamed(bytes: Uint8Array): void {
    if (this.stopped) return;
    this.linger?.heard(performance.now());
    this.output(bytes);
  }

  streamEnded(): void {
    this.streaming = false;
    this.lookIn(0);
  }

  /** The shell has been reaped: from now on the end of output is looked for. */
  shellEnded(): void {
    if (this.stopped) return;
    this.linger = new Linger();
    if (this.paused) return;
    this.linger.listen(performance.now());
    this.lookIn(this.streaming ? this.lingerMs() : 0);
  }

  pause(): void {
    if (this.paused || this.stopped) return;
    this.paused = true;
    this.master.halt();
    this.linger?.rest(performance.now());
    clearTimeout(this.timer);
  }

  /** Never reads before it returns: the caller may be in the middle of the bytes it was told last. */
  resume(): void {
    if (!this.paused || this.stopped) return;
    this.paused = false;
    this.linger?.listen(performance.now());
    this.lookMs = FASTEST_LOOK_MS;
    if (this.streaming && !this.isTimeUp) this.master.flow();
    if (!this.streaming) this.lookIn(0);
    else if (this.linger) this.lookIn(this.lingerMs());
  }

  /** Says nothing more. */
  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private lookIn(ms: number): void {
    if (this.paused || this.stopped) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), ms);
  }

  private look(): void {
    // Asked before reading: a survivor that has talked for long enough is cut off although there is more.
    const over = this.lingerMs() === 0;
    // Its stream is reading while it lives; there is nothing to look for until the time is up.
    const found = this.streaming && !over ? 'empty' : this.readAll();
    if (found === 'stopped') return;
    // Asked again after reading: when the loop was late, what is found now says that it was not quiet at all.
    if (this.linger && (found === 'hungUp' || this.lingerMs() === 0)) {
      this.stop();
      this.drained();
      return;
    }
    this.lookIn(this.nextLookMs(found));
  }

  private readAll(): Found {
    for (let reads = 0; Math.max(reads, this.lastReads) < READS_PER_LOOK; reads++) {
      if (this.isTimeUp) this.lastReads++;
      const found = this.master.read();
      if (found === 'empty' || found === 'hungUp') return found;
      this.lookMs = FASTEST_LOOK_MS;
      this.linger?.heard(performance.now());
      this.output(found);
      if (this.paused || this.stopped) return 'stopped';
    }
    return 'more';
  }

  private nextLookMs(found: Found): number {
    if (this.streaming) return this.lingerMs();
    if (found === 'more') return 0;
    this.lookMs = Math.min(this.lookMs * 2, SLOWEST_LOOK_MS);
    return Math.min(this.lookMs, this.lingerMs());
  }

  /** Survivors have been listened to for long enough: one look at what the kernel holds, and that is all. */
  private get isTimeUp(): boolean {
    return this.linger?.isExhausted(performance.now()) ?? false;
  }

  /** Infinity while the shell lives. */
  private lingerMs(): number {
    return this.linger?.remainingMs(performance.now()) ?? Infinity;
  }
}
