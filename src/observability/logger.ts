import { type LoggerService } from '@nestjs/common';
import { type DestinationStream, type Level, type Logger, pino } from 'pino';
import { type LogLevel } from '../config/app-config.js';
import { jsonLines, prettyLines } from './log-format.js';
import { type RecordSink } from './log-records.js';
import { LogOutput } from './log-output.js';

/** Which parts of Nest tell how it builds the application: of interest to whoever changes it, not to who starts it. */
const START_UP_CONTEXTS: ReadonlySet<unknown> = new Set([
  'NestFactory',
  'NestApplication',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'WebSocketsController',
]);

/** It throws whatever it logs as an error, such as a port that is in use: whoever called it tells that once. */
const THROWS_WHAT_IT_LOGS = 'NestApplication';

/** What telemetry has to do with a log. */
export interface LogTelemetry {
  /** Fields of the span that a line belongs to. */
  traceFields(): Record<string, string>;
  /** Where records go besides, if they do; it must not throw. */
  readonly record?: RecordSink | undefined;
}

/**
 * Nest's logger on pino. Beside Nest's `(message, …, context)` every method takes a structured record, such as
 * `{ sessionId, msg: 'session ended' }`, and writes its fields as they are.
 */
export class PinoLogger implements LoggerService {
  constructor(
    private readonly pino: Logger,
    private readonly record?: RecordSink,
    private readonly fields: Record<string, unknown> = {},
  ) {}

  static writingTo(output: DestinationStream, level: LogLevel, telemetry?: LogTelemetry): PinoLogger {
    const options = {
      level,
      // Whoever collects the lines knows the machine and the process they come from.
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label: string) => ({ level: label }) },
      ...(telemetry && { mixin: () => telemetry.traceFields() }),
    };
    return new PinoLogger(pino(options, output), telemetry?.record);
  }

  /** A logger that adds `fields` to each of its lines. */
  with(fields: Record<string, unknown>): PinoLogger {
    return new PinoLogger(this.pino.child(fields), this.record, { ...this.fields, ...fields });
  }

  log(message: unknown, ...rest: unknown[]): void {
    this.write(START_UP_CONTEXTS.has(rest.at(-1)) ? 'debug' : 'info', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write(rest.at(-1) === THROWS_WHAT_IT_LOGS ? 'debug' : 'error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  private write(level: Level, message: unknown, rest: readonly unknown[]): void {
    if (!this.pino.isLevelEnabled(level)) return;
    const record = recordOf(message, rest);
    this.pino[level](record);
    this.record?.(level, { ...this.fields, ...record });
  }
}

/** The logger of a running server: on standard output, as JSON, or as text when that is a terminal. */
export function standardLogger(level: LogLevel, telemetry?: LogTelemetry): PinoLogger {
  const output = new LogOutput();
  process.once('exit', () => output.flushSync());
  const { stdout } = process;
  const lines = stdout.isTTY ? prettyLines(output, { colors: stdout.hasColors() }) : jsonLines(output);
  return PinoLogger.writingTo(lines, level, telemetry);
}

/**
 * What Nest's loose arguments mean: a message, an error or a record, then a stack, more of the same, and at the end the
 * name of who says it. What has no meaning is kept under `details`.
 */
function recordOf(message: unknown, rest: readonly unknown[]): Record<string, unknown> {
  const last = rest.at(-1);
  const context = typeof last === 'string' && !isStack(last) ? last : undefined;
  const record: Record<string, unknown> = context === undefined ? {} : { context };
  const details: unknown[] = [];
  for (const part of context === undefined ? rest : rest.slice(0, -1)) {
    if (isStack(part)) record.err = Object.assign(new Error(String(message)), { stack: part });
    else if (!mergeInto(record, part) && part !== undefined) details.push(part);
  }
  if (!mergeInto(record, message)) record.msg = String(message);
  if (details.length > 0) record.details = details;
  return record;
}

/** Adds an error or a record to the line; false for anything else. */
function mergeInto(record: Record<string, unknown>, part: unknown): boolean {
  if (part instanceof Error) Object.assign(record, { msg: part.message, err: part });
  else if (typeof part === 'object' && part !== null && !Array.isArray(part)) Object.assign(record, part);
  else return false;
  return true;
}

/** Nest passes an error's stack as a string of its own. */
function isStack(part: unknown): part is string {
  return typeof part === 'string' && /\n\s+at .+:\d+:\d+/.test(part);
}
