import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Clock, type Timer } from '../core/clock.js';
import { type SessionEvent, SessionEvents } from '../core/session-events.js';
import { type Session } from '../core/session.js';

/** How long a session prints nothing before it is asked where it is: while it prints, it may be on its way. */
export const QUIET_MS = 1000;
/** How often it is asked at most. */
export const ASK_EVERY_MS = 5000;

interface Known {
  readonly session: Session;
  /** How much it had printed when it was last looked at. */
  printed: number;
  /** Whether it has printed since it was asked. */
  isDue: boolean;
  askedAt: number;
}

/**
 * Keeps up with where the shells are that somebody watches, for those whose programs do not say it themselves: each is
 * asked once it has been quiet for a second, and every 5 s at most.
 */
@Injectable()
export class SessionDirectories implements OnApplicationShutdown {
  private readonly running = new Map<string, Known>();
  private watchers = 0;
  private timer?: Timer;

  constructor(
    private readonly clock: Clock,
    events: SessionEvents,
  ) {
    events.subscribe((event) => this.observe(event));
  }

  /** Somebody watches all sessions from now on. @returns the way to stop */
  watch(): () => void {
    this.watchers += 1;
    this.look();
    return () => {
      this.watchers -= 1;
      this.look();
    };
  }

  onApplicationShutdown(): void {
    this.running.clear();
    this.look();
  }

  private observe({ type, session }: SessionEvent): void {
    if (type === 'started') {
      this.running.set(session.id, { session, printed: 0, isDue: true, askedAt: -Infinity });
    } else if (type === 'ended') this.running.delete(session.id);
    else if (type !== 'viewerJoined' && type !== 'viewerLeft') return;
    this.look();
  }

  /** Every second, while there is anything to look at. */
  private look(): void {
    if (![...this.running.values()].some((known) => this.isWatched(known))) {
      this.timer?.cancel();
      this.timer = undefined;
      return;
    }
    this.timer ??= this.clock.after(QUIET_MS, () => {
      this.timer = undefined;
      for (const known of this.running.values()) if (this.isWatched(known)) this.askIfQuiet(known);
      this.look();
    });
  }

  private isWatched({ session }: Known): boolean {
    return this.watchers > 0 || session.isWatched;
  }

  private askIfQuiet(known: Known): void {
    const { end } = known.session.log;
    const now = this.clock.elapsed();
    if (end !== known.printed) {
      known.printed = end;
      known.isDue = true;
    } else if (known.isDue && now - known.askedAt >= ASK_EVERY_MS) {
      known.isDue = false;
      known.askedAt = now;
      void known.session.findDirectory();
    }
  }
}
