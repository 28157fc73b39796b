import { Clock, type Timer } from '../../src/core/clock.js';

interface Alarm {
  readonly due: number;
  readonly task: () => void;
}

/** Time that passes only when a test says so. */
export class FakeClock extends Clock {
  private readonly alarms = new Set<Alarm>();
  private elapsedMs = 0;

  /** How many timers are set. */
  get timers(): number {
    return this.alarms.size;
  }

  /** Whether something is to happen in exactly so much time. */
  isDueIn(ms: number): boolean {
    return [...this.alarms].some(({ due }) => due === this.elapsedMs + ms);
  }

  now(): number {
    return Date.UTC(2026, 10, 23) + this.elapsedMs;
  }

  elapsed(): number {
    return this.elapsedMs;
  }

  after(ms: number, task: () => void): Timer {
    const alarm = { due: this.elapsedMs + ms, task };
    this.alarms.add(alarm);
    return { cancel: () => void this.alarms.delete(alarm) };
  }

  /** Lets `ms` milliseconds pass; what falls due runs in its order. */
  advance(ms: number): void {
    const until = this.elapsedMs + ms;
    for (let next = this.nextDue(until); next; next = this.nextDue(until)) {
      this.alarms.delete(next);
      this.elapsedMs = Math.max(this.elapsedMs, next.due);
      next.task();
    }
    this.elapsedMs = until;
  }

  private nextDue(until: number): Alarm | undefined {
    return [...this.alarms].filter(({ due }) => due <= until).sort((a, b) => a.due - b.due)[0];
  }
}
