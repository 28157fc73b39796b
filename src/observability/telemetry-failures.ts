import { type LoggerService } from '@nestjs/common';
import { type Signal } from './signals.js';

/** Whatever says that telemetry cannot be sent is not sent: it would fail, too, and be told of. */
export const TELEMETRY_CONTEXT = 'Telemetry';

const LOG_EVERY_MS = 60_000;

/** The answer of a collector may be of any length. */
const LOGGED_CHARACTERS = 200;

/** Logs that a signal could not be sent: a line a minute for each, whatever happens. */
export function failureLog(
  logger: LoggerService,
  elapsedMs: () => number = () => performance.now(),
): (signal: Signal, error: Error | undefined) => void {
  const loggedAt = new Map<Signal, number>();
  return (signal, error) => {
    const now = elapsedMs();
    if (now - (loggedAt.get(signal) ?? -Infinity) < LOG_EVERY_MS) return;
    loggedAt.set(signal, now);
    const failure = error?.message.slice(0, LOGGED_CHARACTERS);
    logger.warn({ telemetrySignal: signal, failure, msg: 'telemetry could not be sent' }, TELEMETRY_CONTEXT);
  };
}
