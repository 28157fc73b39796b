import { Inject, Injectable, Logger, type LoggerService } from '@nestjs/common';
import { type SessionEvent, SessionEvents, type SessionEventType } from '../core/session-events.js';

/** What a session's life reads like in the log; what is missing is not told. */
const told: Partial<Record<SessionEventType, string>> = {
  created: 'session created',
  started: 'session started',
  closing: 'session closing',
  ended: 'session ended',
  removed: 'session removed',
};

/** Logs what happens to sessions: ids, names and figures, never what is typed or printed. */
@Injectable()
export class SessionLog {
  constructor(
    events: SessionEvents,
    @Inject(Logger) private readonly logger: LoggerService,
  ) {
    events.subscribe((event) => this.tell(event));
  }

  private tell({ type, session }: SessionEvent): void {
    const msg = told[type];
    if (msg === undefined) return;
    const { id: sessionId, name, exit } = session;
    if (type !== 'ended' || !exit) {
      this.logger.log({ sessionId, name, msg });
      return;
    }
    const { code, signal, cause, failure } = exit;
    this.logger.log({
      sessionId,
      name,
      code,
      signal,
      cause,
      reason: failure?.code,
      outputBytes: session.log.end,
      msg,
    });
  }
}
