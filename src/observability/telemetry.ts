import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  type Resource,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import {
  type IMetricReader,
  MeterProvider,
  MetricReader,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { randomUUID } from 'node:crypto';
import { VERSION } from '../config/version.js';
import { ActiveSpan } from './active-span.js';
import { recordSink, type RecordSink } from './log-records.js';
import { measure, type Watched } from './metrics.js';
import { prometheusText } from './prometheus-text.js';
import { Requests } from './requests.js';
import { traceSessions } from './session-spans.js';
import { type OtelEnvironment, type Signal, SIGNALS, type TelemetryWishes } from './signals.js';

const SCOPE = 'trex';

/** A collector that does not answer holds up the end of the server for so long. */
const LAST_EXPORT_MS = 1000;

/** The specification's; the reader does not read it from the environment itself. */
const EXPORT_EVERY_MS = 60_000;

/** More of a text than this is of no use to whoever looks for a session or an error. */
const limits = { attributeValueLengthLimit: 4096, attributeCountLimit: 64 };

/** What goes wrong in sending. */
export type Failed = (signal: Signal, error: Error | undefined) => void;

/** Metrics, logs and traces of one server, by OpenTelemetry's SDK: nothing of it is global, and nothing is hooked. */
export class Telemetry {
  /** To be told of each batch that could not be sent. */
  failed: Failed = () => undefined;
  /** Where log records go besides the log, if they do. */
  readonly record?: RecordSink;
  private readonly failures = new Map<Signal, number>(SIGNALS.map((signal) => [signal, 0]));
  private readonly active = new ActiveSpan();
  private readonly page?: MetricReader;
  private readonly meters?: MeterProvider;
  private readonly loggers?: LoggerProvider;
  private readonly tracers?: BasicTracerProvider;

  constructor({ page, sent }: TelemetryWishes, env: OtelEnvironment) {
    const resource = resourceOfServer();
    const readers: IMetricReader[] = [];
    if (page) readers.push((this.page = new AskedReader()));
    if (sent.has('metrics')) {
      readers.push(
        new PeriodicExportingMetricReader({
          exporter: this.watched('metrics', new OTLPMetricExporter()),
          exportIntervalMillis: positive(env.OTEL_METRIC_EXPORT_INTERVAL) ?? EXPORT_EVERY_MS,
        }),
      );
    }
    if (readers.length > 0) this.meters = new MeterProvider({ resource, readers });
    if (sent.has('logs')) {
      const exporter = this.watched('logs', new OTLPLogExporter());
      const scheduledDelayMillis = positive(env.OTEL_BLRP_SCHEDULE_DELAY);
      const processor = new BatchLogRecordProcessor({
        exporter,
        ...(scheduledDelayMillis !== undefined && { scheduledDelayMillis }),
      });
      this.loggers = new LoggerProvider({ resource, processors: [processor], logRecordLimits: limits });
      this.record = recordSink(this.loggers, this.active);
    }
    if (sent.has('traces')) {
      const processor = new BatchSpanProcessor(this.watched('traces', new OTLPTraceExporter()));
      this.tracers = new BasicTracerProvider({ resource, spanProcessors: [processor], spanLimits: limits });
    }
  }

  /** Whether metrics can be asked for. */
  get hasPage(): boolean {
    return this.page !== undefined;
  }

  /** Observes a server from now on. @returns what its requests are to go through */
  watch(watched: Watched): Requests {
    const meter = this.meters?.getMeter(SCOPE, VERSION);
    const tracer = this.tracers?.getTracer(SCOPE, VERSION);
    if (meter) {
      measure(meter, watched);
      const about = {
        unit: '{batch}',
        description: 'Batches of telemetry that could not be sent, by signal.',
      };
      meter.createObservableCounter('trex.telemetry.export.failures', about).addCallback((result) => {
        for (const [signal, count] of this.failures)
          result.observe(count, { 'trex.telemetry.signal': signal });
      });
    }
    if (tracer) traceSessions(tracer, watched.events, this.active);
    return new Requests(this.active, tracer, meter);
  }

  /** The metrics as they are now, as Prometheus reads them. */
  async metricsText(): Promise<string> {
    if (!this.page) throw new Error('metrics are off');
    const { resourceMetrics } = await this.page.collect();
    return prometheusText(resourceMetrics);
  }

  /** What a log line says of the span that it belongs to. */
  traceFields(): Record<string, string> {
    return this.active.fields();
  }

  /** Sends what is left, for a moment at most. */
  async stop(): Promise<void> {
    const providers = [this.meters, this.loggers, this.tracers];
    const stopped = Promise.allSettled(providers.flatMap((provider) => provider?.shutdown() ?? []));
    await Promise.race([stopped, new Promise((resolve) => setTimeout(resolve, LAST_EXPORT_MS).unref())]);
  }

  /** Exporters tell of failures nobody but their caller: the SDK's, which would keep them to itself. */
  private watched<Batch, E extends Exporter<Batch>>(signal: Signal, exporter: E & Exporter<Batch>): E {
    const send = exporter.export.bind(exporter);
    exporter.export = (batch, done) =>
      send(batch, (result) => {
        if (result.code !== ExportResultCode.SUCCESS) {
          this.failures.set(signal, (this.failures.get(signal) ?? 0) + 1);
          this.failed(signal, result.error);
        }
        done(result);
      });
    return exporter;
  }
}

interface Exporter<Batch> {
  export(batch: Batch, done: (result: ExportResult) => void): void;
}

/** Collects when it is asked to. */
class AskedReader extends MetricReader {
  protected onForceFlush(): Promise<void> {
    return Promise.resolve();
  }

  protected onShutdown(): Promise<void> {
    return Promise.resolve();
  }
}

/** What `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` say comes last. */
function resourceOfServer(): Resource {
  const own = resourceFromAttributes({
    'service.name': 'trex',
    'service.version': VERSION,
    'service.instance.id': randomUUID(),
  });
  return defaultResource()
    .merge(own)
    .merge(detectResources({ detectors: [envDetector] }));
}

function positive(text: string | undefined): number | undefined {
  const number = Number(text ?? '');
  return Number.isFinite(number) && number > 0 ? number : undefined;
}
