import { platformTimers, type Timers } from '../client/timers.js';

const RINGING_MS = 180;

/** Rings for a while, and nobody is told again meanwhile: output may be nothing but bells. */
export class Bell {
  private ringing?: { cancel(): void };

  constructor(
    private readonly rings: (isRinging: boolean) => void,
    private readonly timers: Timers = platformTimers,
  ) {}

  ring(): void {
    if (this.ringing) return;
    this.ringing = this.timers.after(RINGING_MS, () => {
      this.ringing = undefined;
      this.rings(false);
    });
    this.rings(true);
  }

  dispose(): void {
    this.ringing?.cancel();
  }
}
