import { Global, Module } from '@nestjs/common';
import { Clock } from '../core/clock.js';
import { SessionEvents } from '../core/session-events.js';
import { Statistics } from '../core/statistics.js';
import { SessionCloser } from './session-closer.js';
import { SessionDirectories } from './session-directories.js';
import { SessionOpener } from './session-opener.js';
import { SessionRegistry } from './session-registry.js';
import { SessionsController } from './sessions.controller.js';
import { SystemClock } from './system-clock.js';

/** Managing many sessions, for everybody. Needs the composition root to bind `AppConfig` and `PtyFactory`. */
@Global()
@Module({
  controllers: [SessionsController],
  providers: [
    SessionRegistry,
    SessionOpener,
    SessionCloser,
    SessionDirectories,
    { provide: Clock, useClass: SystemClock },
    { provide: SessionEvents, useFactory: () => new SessionEvents() },
    { provide: Statistics, useFactory: () => new Statistics() },
  ],
  exports: [
    SessionRegistry,
    SessionOpener,
    SessionCloser,
    SessionDirectories,
    SessionEvents,
    Statistics,
    Clock,
  ],
})
export class SessionsModule {}
