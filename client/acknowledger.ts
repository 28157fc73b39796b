import { MAX_ACKNOWLEDGED } from '../src/protocol/limits.js';
import { type Consumed, type Limits } from '../src/protocol/messages.js';
import { type Timers } from './timers.js';

/** Gathers what was consumed in all sessions of a connection, and tells the server before it would slow down. */
export class Acknowledger {
  private readonly consumed = new Map<string, number>();
  private bytes = 0;
  private timer?: { cancel(): void };

  constructor(
    private readonly timers: Timers,
    private readonly limits: Pick<Limits, 'acknowledgeBytes' | 'acknowledgeMs'>,
    private readonly send: (sessions: readonly Consumed[]) => void,
  ) {}

  /** Everything of a session before `offset` has been consumed, `bytes` of it since the last time. */
  add(sessionId: string, offset: number, bytes: number): void {
    this.consumed.set(sessionId, offset);
    this.bytes += bytes;
    const { acknowledgeBytes, acknowledgeMs } = this.limits;
    const isEnough = this.bytes >= acknowledgeBytes || this.consumed.size >= MAX_ACKNOWLEDGED;
    // The server may be waiting for what would come with a late timer.
    if (isEnough || this.timers.areLate) this.flush();
    else this.timer ??= this.timers.after(acknowledgeMs, () => this.flush());
  }

  /** Tells now what there is to tell. */
  flush(): void {
    const sessions = [...this.consumed].map(([sessionId, offset]) => ({ sessionId, offset }));
    this.stop();
    if (sessions.length > 0) this.send(sessions);
  }

  /** Forgets what has not been told. */
  stop(): void {
    this.timer?.cancel();
    this.timer = undefined;
    this.consumed.clear();
    this.bytes = 0;
  }
}
