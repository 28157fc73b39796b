import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { AppConfig } from '../config/app-config.js';
import { Statistics } from '../core/statistics.js';
import { EventLoopDelay } from './event-loop-delay.js';
import { SessionFigures } from './session-figures.js';

/** Why a server had better be asked for nothing new. */
export type Hindrance = 'draining' | 'sessions' | 'connections' | 'eventLoop';

/** So much of what it may have a server has when it is nearly full. */
const NEARLY_FULL = 0.9;

/** Whether the server is ready for more, and what keeps it from that. */
@Injectable()
export class Readiness implements OnModuleDestroy {
  private isDraining = false;

  constructor(
    private readonly config: AppConfig,
    private readonly sessions: SessionFigures,
    private readonly eventLoop: EventLoopDelay,
    private readonly statistics: Statistics,
  ) {}

  /** Nothing when it is ready. Lateness is measured from when this was asked first. */
  hindrances(): Hindrance[] {
    this.eventLoop.watch();
    const { connectionsOpened, connectionsClosed } = this.statistics;
    const connections = connectionsOpened.all - connectionsClosed.all;
    const hindrances: Record<Hindrance, boolean> = {
      draining: this.isDraining,
      sessions: this.sessions.notEnded >= this.config.maxSessions * NEARLY_FULL,
      connections: connections >= this.config.maxConnections * NEARLY_FULL,
      eventLoop: this.eventLoop.isLate,
    };
    return (Object.keys(hindrances) as Hindrance[]).filter((name) => hindrances[name]);
  }

  /** The first that an application does when it is told to stop. */
  onModuleDestroy(): void {
    this.isDraining = true;
  }
}
