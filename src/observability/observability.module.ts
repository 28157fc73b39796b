import { Logger, Module } from '@nestjs/common';
import { HealthController } from './health.controller.js';
import { SessionLog } from './session-log.js';

/** Watches; steers nothing. Needs the composition root to bind `SessionEvents`. */
@Module({
  controllers: [HealthController],
  providers: [SessionLog, { provide: Logger, useFactory: () => new Logger('Sessions') }],
})
export class ObservabilityModule {}
