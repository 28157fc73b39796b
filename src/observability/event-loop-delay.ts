import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** How late the event loop came to what was due, in milliseconds. */
export interface Delays {
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Beyond this at p99 whoever types feels it, whatever they type into. */
const LATE_MS = 200;
/** Beyond this once they do, too: however long it lasts, one standstill is one look, and hundreds make a percentile. */
const STANDSTILL_MS = 1000;

const RESOLUTION_MS = 20;
const WINDOW_MS = 10_000;

/** How late the event loop is, in windows of ten seconds. Measured from when somebody first wants to know. */
@Injectable()
export class EventLoopDelay implements OnApplicationShutdown {
  private lastWindow?: Delays;
  /** Windows in which it was late. */
  lateWindows = 0;
  private histogram?: IntervalHistogram;
  private timer?: NodeJS.Timeout;

  /** Of the last whole window, and before there was one of what there is of the first; none while nobody has asked. */
  get latest(): Delays | undefined {
    return this.lastWindow ?? (this.histogram && delaysOf(this.histogram));
  }

  /** Whether it was late in the last whole window. */
  get isLate(): boolean {
    const { p99Ms, maxMs } = this.lastWindow ?? { p99Ms: 0, maxMs: 0 };
    return p99Ms > LATE_MS || maxMs > STANDSTILL_MS;
  }

  /** Measures from now on; a repeat changes nothing. */
  watch(): void {
    if (this.histogram) return;
    this.histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.histogram.enable();
    this.timer = setInterval(() => this.endWindow(), WINDOW_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
    this.histogram?.disable();
  }

  private endWindow(): void {
    if (!this.histogram) return;
    this.note(delaysOf(this.histogram));
    this.histogram.reset();
  }

  /** What a window had. */
  note(delays: Delays): void {
    this.lastWindow = delays;
    if (this.isLate) this.lateWindows += 1;
  }
}

/** What is recorded is the time from one look to the next, the wait between them included, in nanoseconds. */
export function delaysOf(histogram: Pick<IntervalHistogram, 'mean' | 'max' | 'percentile'>): Delays {
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS) || 0;
  return {
    meanMs: late(histogram.mean),
    p50Ms: late(histogram.percentile(50)),
    p90Ms: late(histogram.percentile(90)),
    p99Ms: late(histogram.percentile(99)),
    maxMs: late(histogram.max),
  };
}
