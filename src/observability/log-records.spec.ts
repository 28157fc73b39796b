import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import { ActiveSpan } from './active-span.js';
import { recordSink } from './log-records.js';
import { PinoLogger } from './logger.js';

describe('a log record that goes to a collector', () => {
  function started(): {
    logger: PinoLogger;
    lines: Record<string, unknown>[];
    exporter: InMemoryLogRecordExporter;
    active: ActiveSpan;
  } {
    const exporter = new InMemoryLogRecordExporter();
    const loggers = new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter })] });
    const active = new ActiveSpan();
    const lines: Record<string, unknown>[] = [];
    const output = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
    const telemetry = { traceFields: () => active.fields(), record: recordSink(loggers, active) };
    return { logger: PinoLogger.writingTo(output, 'info', telemetry), lines, exporter, active };
  }

  it('says what the line says, by the standard’s names, and whoever says it is its scope', () => {
    const { logger, lines, exporter } = started();
    logger.warn(
      { sessionId: 's1', reason: 'SPAWN_FAILED', code: 127, causes: ['a', 'b'], msg: 'no' },
      'Sessions',
    );
    const [record] = exporter.getFinishedLogRecords();
    expect(record).toMatchObject({ severityText: 'warn', severityNumber: 13, body: 'no' });
    expect(record?.instrumentationScope.name).toBe('Sessions');
    expect(record?.attributes).toEqual({
      'session.id': 's1',
      'error.type': 'SPAWN_FAILED',
      'process.exit.code': 127,
      'trex.error.causes': ['a', 'b'],
    });
    expect(lines).toMatchObject([
      { sessionId: 's1', reason: 'SPAWN_FAILED', context: 'Sessions', msg: 'no' },
    ]);
  });

  it('has headers as the convention has them, and of a session what metrics and traces call it', () => {
    const { logger, exporter } = started();
    logger.log({ host: 'a.example, b.example', name: 'one', cause: 'closed', outputBytes: 7, msg: 'so' });
    expect(exporter.getFinishedLogRecords()[0]?.attributes).toEqual({
      'http.request.header.host': ['a.example, b.example'],
      'trex.session.name': 'one',
      'trex.session.end.cause': 'closed',
      'trex.session.output.size': 7,
    });
  });

  it('holds an error as an exception, and the fields of its logger', () => {
    const { logger, exporter } = started();
    logger.with({ door: 'rest' }).error({ err: new TypeError('oops'), msg: 'a request met a bug' });
    expect(exporter.getFinishedLogRecords()[0]?.attributes).toMatchObject({
      door: 'rest',
      'exception.type': 'TypeError',
      'exception.message': 'oops',
    });
  });

  it('belongs to the span it was logged in, as the line does', () => {
    const { logger, lines, exporter, active } = started();
    const span = new BasicTracerProvider().getTracer('test').startSpan('GET');
    active.during(span, () => logger.log('inside'));
    logger.log('outside');
    const { traceId, spanId } = span.spanContext();
    const [inside, outside] = exporter.getFinishedLogRecords();
    expect(inside?.spanContext).toMatchObject({ traceId, spanId });
    expect(outside?.spanContext).toBeUndefined();
    expect(lines[0]).toMatchObject({ trace_id: traceId, span_id: spanId, msg: 'inside' });
    expect(lines[1]).not.toHaveProperty('trace_id');
  });

  it('is not made of what is not logged, or of news that records cannot be sent', () => {
    const { logger, lines, exporter } = started();
    logger.debug('not at this level');
    logger.warn({ msg: 'telemetry could not be sent' }, 'Telemetry');
    expect([lines.length, exporter.getFinishedLogRecords().length]).toEqual([1, 0]);
  });

  it('holds whatever can be said of what cannot be written', () => {
    const { logger, exporter } = started();
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    logger.log({ circle, gone: undefined, msg: 'odd' });
    expect(exporter.getFinishedLogRecords()[0]?.attributes).toEqual({ circle: '[object Object]' });
  });
});
