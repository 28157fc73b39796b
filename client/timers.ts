import { isPageHidden } from './page-visibility.js';

/** Port: timers. */
export interface Timers {
  /** Runs `task` once, `ms` milliseconds from now, unless it is cancelled before. */
  after(ms: number, task: () => void): { cancel(): void };
  /** Whether they may be far too late just now: what cannot wait is to be done without them. */
  readonly areLate?: boolean;
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
  get areLate() {
    return isPageHidden();
  },
};
