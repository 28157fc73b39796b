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

/**
 * OpenTelemetry's own names for what has one (semantic conventions 1.37: session, error, process, exception, http); for
 * what has none the same as in metrics and traces, or one of ours.
 */
const sentNames: Readonly<Record<string, string>> = {
  sessionId: 'session.id',
  reason: 'error.type',
  code: 'process.exit.code',
  stack: 'exception.stacktrace',
  host: 'http.request.header.host',
  origin: 'http.request.header.origin',
  name: 'trex.session.name',
  cause: 'trex.session.end.cause',
  signal: 'trex.session.end.signal',
  outputBytes: 'trex.session.output.size',
  causes: 'trex.error.causes',
  requestId: 'trex.request.id',
  more: 'trex.log.unsaid',
  details: 'trex.log.details',
};

/** Hands what is logged to OpenTelemetry, whoever says it being the scope. */
export function recordSink(loggers: LoggerProvider, active: ActiveSpan): RecordSink {
  return (level, { context, msg, ...fields }) => {
    if (context === TELEMETRY_CONTEXT) return;
    loggers.getLogger(typeof context === 'string' ? context : 'trex').emit({
      severityNumber: severities[level],
      severityText: level,
      ...(msg !== undefined && { body: textOf(msg) }),
      attributes: attributesOf(fields, msg),
      context: active.context,
    });
  };
}

function attributesOf({ err, ...fields }: Readonly<Record<string, unknown>>, msg: unknown): LogAttributes {
  const attributes: LogAttributes = err instanceof Error ? exceptionOf(err) : {};
  // Of an exception whose stack alone is logged, that is what it says.
  if (fields.stack !== undefined) attributes['exception.message'] = textOf(msg);
  for (const [field, value] of Object.entries(fields)) {
    // Such as a header that was not there.
    if (value === undefined || value === '') continue;
    const name = sentNames[field] ?? field;
    // The convention for headers: an array, of one string if its values are joined.
    attributes[name] = name.startsWith('http.request.header.') ? [textOf(value)] : attributeOf(value);
  }
  return attributes;
}

function attributeOf(value: unknown): string | number | boolean | string[] {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return Array.isArray(value) ? value.map(textOf) : textOf(value);
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
