/** A timer that has been set. Cancelling one that has run or was cancelled does nothing. */
export interface Timer {
  cancel(): void;
}

/** Port: the time, and timers. Also its own injection token. */
export abstract class Clock {
  /** Wall-clock time in milliseconds since 1970: for showing, never for measuring. */
  abstract now(): number;
  /** Milliseconds since some moment, with fractions; never goes back: for measuring. */
  abstract elapsed(): number;
  /** Runs `task` once, `ms` milliseconds from now, unaffected by changes of the wall clock. */
  abstract after(ms: number, task: () => void): Timer;
}
