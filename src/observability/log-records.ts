import { type LogAttributes, type LoggerProvider, SeverityNumber } from '@opentelemetry/api-logs';
import { type Level } from 'pino';
import { type ActiveSpan } from './active-span.js';
import { TELEMETRY_CONTEXT } from './telemetry-failures.js';

/** Takes a record that is being logged. */
export type RecordSink = (level: Level, record: Readonly<Record<string, unknown>>) => void;

const severities: Readonly<Record<Level, SeverityNumber>> = {
  trace: SeverityNumber.TRACE,
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
  fatal: SeverityNumber.FATAL,
};

/** OpenTelemetry's own names for what has one. */
const standardNames: Readonly<Record<string, string>> = { sessionId: 'session.id', reason: 'error.type' };

/** Hands what is logged to OpenTelemetry, whoever says it being the scope. */
export function recordSink(loggers: LoggerProvider, active: ActiveSpan): RecordSink {
  return (level, { context, msg, ...fields }) => {
    if (context === TELEMETRY_CONTEXT) return;
    loggers.getLogger(typeof context === 'string' ? context : 'trex').emit({
      severityNumber: severities[level],
      severityText: level,
      ...(msg !== undefined && { body: textOf(msg) }),
      attributes: attributesOf(fields),
      context: active.context,
    });
  };
}

function attributesOf({ err, ...fields }: Readonly<Record<string, unknown>>): LogAttributes {
  const attributes: LogAttributes = err instanceof Error ? exceptionOf(err) : {};
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const isPlain = ['string', 'number', 'boolean'].includes(typeof value);
    attributes[standardNames[name] ?? name] = isPlain ? (value as string | number | boolean) : textOf(value);
  }
  return attributes;
}

function exceptionOf({ name, message, stack }: Error): LogAttributes {
  return { 'exception.type': name, 'exception.message': message, 'exception.stacktrace': stack };
}

/** What it takes to be seen: what cannot be written as JSON is not worth a log line's failure. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}
