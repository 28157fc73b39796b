import { Logger, type LoggerService } from '@nestjs/common';

/** What was logged: its level, who said it, and its fields. */
export type LogRecord = Readonly<Record<string, unknown>>;

/** Keeps what is logged. */
export class FakeLogger implements LoggerService {
  readonly records: LogRecord[] = [];

  log(...said: unknown[]): void {
    this.keep('info', said);
  }

  error(...said: unknown[]): void {
    this.keep('error', said);
  }

  warn(...said: unknown[]): void {
    this.keep('warn', said);
  }

  debug(...said: unknown[]): void {
    this.keep('debug', said);
  }

  private keep(level: string, [message, ...rest]: unknown[]): void {
    const fields = typeof message === 'object' ? message : { msg: message };
    const context = rest.at(-1);
    this.records.push({ level, ...(context === undefined ? {} : { context }), ...fields });
  }
}

/** Hears, in place of the console, what each test of the surrounding `describe` makes Nest's loggers say. */
export function useFakeLogger(): () => FakeLogger {
  let logger: FakeLogger;
  beforeEach(() => {
    logger = new FakeLogger();
    Logger.overrideLogger(logger);
  });
  afterEach(() => void Logger.overrideLogger(false));
  return () => logger;
}
