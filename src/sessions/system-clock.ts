import { Injectable } from '@nestjs/common';
import { Clock, type Timer } from '../core/clock.js';

/** The machine's clock. */
@Injectable()
export class SystemClock extends Clock {
  now(): number {
    return Date.now();
  }

  elapsed(): number {
    return performance.now();
  }

  after(ms: number, task: () => void): Timer {
    const timeout = setTimeout(task, ms);
    return { cancel: () => clearTimeout(timeout) };
  }
}
