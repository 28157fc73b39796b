import { Inject, Injectable, Logger, type LoggerService } from '@nestjs/common';
import { inspect } from 'node:util';
import { type SessionError } from '../core/session-error.js';
import { type SessionEvent, SessionEvents, type SessionEventType } from '../core/session-events.js';

/** What a session's life reads like in the log; what is missing is not told. */
const told: Partial<Record<SessionEventType, string>> = {
  created: 'session created',
  started: 'session started',
  closing: 'session closing',
  ended: 'session ended',
  removed: 'session removed',
};

/** Some of it may come from a client, such as the path of a directory that is not there. */
const LOGGED_CHARACTERS = 200;

/** A dozen frames. */
const LOGGED_STACK = 1500;

/** Deeper than any chain of ours, and the end of one that goes in circles. */
const LOGGED_CAUSES = 5;

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
    if (failure) this.tellFailure({ sessionId, name }, failure);
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

  /** That no process can be started is the operator's affair; what a client asked for in vain is the client's. */
  private tellFailure(
    of: { readonly sessionId: string; readonly name: string },
    failure: SessionError,
  ): void {
    const record = { ...of, reason: failure.code, msg: short(failure.message) };
    if (failure.code !== 'SPAWN_FAILED') this.logger.debug?.(record);
    // Not as `err`: that would repeat the whole chain of causes, as long as they like to be.
    else
      this.logger.error({
        ...record,
        causes: causesOf(failure),
        stack: failure.stack?.slice(0, LOGGED_STACK),
      });
  }
}

/** What is behind an error, from the nearest to the last. */
function causesOf(error: Error): string[] {
  const causes: string[] = [];
  for (let { cause } = error; cause !== undefined && causes.length < LOGGED_CAUSES;) {
    causes.push(short(textOf(cause)));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return causes;
}

function textOf(cause: unknown): string {
  if (!(cause instanceof Error)) return inspect(cause);
  const { code } = cause as NodeJS.ErrnoException;
  return code === undefined ? cause.message : `${code}: ${cause.message}`;
}

function short(text: string): string {
  return text.slice(0, LOGGED_CHARACTERS);
}
