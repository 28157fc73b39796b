import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo } from 'node:net';

interface AnyValue {
  readonly stringValue?: string;
  readonly intValue?: number | string;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
}

interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}

interface Point {
  readonly attributes?: readonly KeyValue[];
  readonly asInt?: number | string;
  readonly asDouble?: number;
  readonly count?: number | string;
}

interface Metric {
  readonly name: string;
  readonly unit?: string;
  readonly sum?: { readonly dataPoints: readonly Point[]; readonly isMonotonic?: boolean };
  readonly gauge?: { readonly dataPoints: readonly Point[] };
  readonly histogram?: { readonly dataPoints: readonly Point[] };
}

export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface ReceivedRecord {
  readonly scope: string;
  readonly severityText: string;
  readonly body: unknown;
  readonly traceId?: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** Takes what is sent over OTLP as JSON, and keeps it. */
export class Collector {
  /** The newest of each metric, all its points added up; a histogram's are their number. */
  readonly metrics = new Map<string, { readonly value: number; readonly unit: string }>();
  /** The newest of each point, by the name of its metric and its attributes: `trex.sessions{trex.session.state="Closed"}`. */
  readonly points = new Map<string, number>();
  readonly spans: ReceivedSpan[] = [];
  readonly records: ReceivedRecord[] = [];
  /** Of what sent it, by the last that has come. */
  resource: Readonly<Record<string, unknown>> = {};
  headers: IncomingHttpHeaders = {};
  /** All that has come, as text. */
  text = '';
  /** Answers with this from now on. */
  status = 200;
  /** Takes no more answers than a wall. */
  isSilent = false;
  requests = 0;

  private constructor(private readonly server: Server) {
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.take(request, response).catch(() => response.destroy());
    });
  }

  static async start(): Promise<Collector> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Collector(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests += 1;
    let body = '';
    for await (const piece of request.setEncoding('utf8')) body += piece as string;
    if (this.isSilent) return;
    response.writeHead(this.status, { 'Content-Type': 'application/json' }).end('{}');
    if (this.status !== 200) return;
    this.headers = request.headers;
    this.text += body;
    this.keep(JSON.parse(body) as Batch);
  }

  private keep({ resourceMetrics = [], resourceSpans = [], resourceLogs = [] }: Batch): void {
    for (const { resource, scopeMetrics } of resourceMetrics) {
      this.resource = attributesOf(resource.attributes);
      for (const metric of scopeMetrics.flatMap(({ metrics }) => metrics)) {
        const points = (metric.sum ?? metric.gauge ?? metric.histogram)?.dataPoints ?? [];
        const value = points.reduce((sum, one) => sum + valueOfPoint(one), 0);
        this.metrics.set(metric.name, { value, unit: metric.unit ?? '' });
        for (const one of points) this.points.set(metric.name + labels(one), valueOfPoint(one));
      }
    }
    for (const span of resourceSpans.flatMap(({ scopeSpans }) => scopeSpans).flatMap(({ spans }) => spans)) {
      this.spans.push({ ...span, attributes: attributesOf(span.attributes) });
    }
    for (const { scope, logRecords } of resourceLogs.flatMap(({ scopeLogs }) => scopeLogs)) {
      for (const record of logRecords) {
        const { severityText, traceId, body, attributes } = record;
        const all = attributesOf(attributes);
        this.records.push({ scope: scope.name, severityText, traceId, body: valueOf(body), attributes: all });
      }
    }
  }
}

interface Batch {
  readonly resourceMetrics?: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeMetrics: readonly { readonly metrics: readonly Metric[] }[];
  }[];
  readonly resourceSpans?: readonly {
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<ReceivedSpan, 'attributes'> & {
        readonly attributes: readonly KeyValue[];
      })[];
    }[];
  }[];
  readonly resourceLogs?: readonly {
    readonly scopeLogs: readonly {
      readonly scope: { readonly name: string };
      readonly logRecords: readonly {
        readonly severityText: string;
        readonly traceId?: string;
        readonly body: AnyValue;
        readonly attributes: readonly KeyValue[];
      }[];
    }[];
  }[];
}

function valueOfPoint({ asInt, asDouble, count }: Point): number {
  return Number(asInt ?? asDouble ?? count ?? 0);
}

function labels({ attributes = [] }: Point): string {
  const all = attributes.map(({ key, value }) => `${key}="${String(valueOf(value))}"`);
  return all.length > 0 ? `{${all.sort().join(',')}}` : '';
}

function attributesOf(pairs: readonly KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, valueOf(value)]));
}

function valueOf({ stringValue, intValue, doubleValue, boolValue }: AnyValue): unknown {
  return stringValue ?? intValue ?? doubleValue ?? boolValue;
}
