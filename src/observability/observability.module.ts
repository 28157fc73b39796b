import { Logger, Module } from '@nestjs/common';
import { EventLoopDelay } from './event-loop-delay.js';
import { HealthController } from './health.controller.js';
import { Readiness } from './readiness.js';
import { SessionFigures } from './session-figures.js';
import { SessionLog } from './session-log.js';

/** Watches; steers nothing. Needs the composition root to bind `SessionEvents`. */
@Module({
  controllers: [HealthController],
  providers: [
    EventLoopDelay,
    Readiness,
    SessionFigures,
    SessionLog,
    { provide: Logger, useFactory: () => new Logger('Sessions') },
  ],
})
export class ObservabilityModule {}
