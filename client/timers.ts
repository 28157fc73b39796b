/** Port: timers. */
export interface Timers {
  /** Runs `task` once, `ms` milliseconds from now, unless it is cancelled before. */
  after(ms: number, task: () => void): { cancel(): void };
}

// Browsers and Node have them, each with types of its own.
declare function setTimeout(task: () => void, ms: number): unknown;
declare function clearTimeout(timeout: unknown): void;

/** The platform's own timers. */
export const platformTimers: Timers = {
  after(ms, task) {
    const timeout = setTimeout(task, ms);
    return { cancel: () => clearTimeout(timeout) };
  },
};
