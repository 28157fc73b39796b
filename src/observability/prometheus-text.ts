import { type Attributes } from '@opentelemetry/api';
import {
  type DataPoint,
  DataPointType,
  type Histogram,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';

/** What a unit is called in a name. Those in braces say what is counted, which the name says, too. */
const unitNames: Readonly<Record<string, string>> = { By: 'bytes', s: 'seconds' };

/**
 * Metrics as Prometheus reads them, under the names that it gives them itself when it is sent them over OTLP: with the
 * unit, and `_total` where a number only grows (OpenTelemetry's "Prometheus and OpenMetrics Compatibility").
 */
export function prometheusText({ resource, scopeMetrics }: ResourceMetrics): string {
  const target = [
    '# HELP target_info What the server says of itself.',
    '# TYPE target_info gauge',
    `target_info${labels(resource.attributes)} 1`,
  ];
  const metrics = scopeMetrics.flatMap(({ metrics: some }) => some);
  return [...target, ...metrics.flatMap(linesOf), ''].join('\n');
}

function linesOf(metric: MetricData): string[] {
  const { name: original, unit, description } = metric.descriptor;
  const isTotal = metric.dataPointType === DataPointType.SUM && metric.isMonotonic;
  const unitName = unitNames[unit];
  const name = [
    original.replaceAll(/[^a-zA-Z0-9]/g, '_'),
    ...(unitName ? [unitName] : []),
    ...(isTotal ? ['total'] : []),
  ].join('_');
  const [type, lines] = pointsOf(metric, name, isTotal);
  return [
    `# HELP ${name} ${description.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
    `# TYPE ${name} ${type}`,
    ...lines,
  ];
}

function pointsOf(metric: MetricData, name: string, isTotal: boolean): [type: string, lines: string[]] {
  switch (metric.dataPointType) {
    case DataPointType.SUM:
    case DataPointType.GAUGE: {
      const lines = metric.dataPoints.map(
        ({ attributes, value }) => `${name}${labels(attributes)} ${String(value)}`,
      );
      return [isTotal ? 'counter' : 'gauge', lines];
    }
    case DataPointType.HISTOGRAM:
      return ['histogram', metric.dataPoints.flatMap((point) => histogramLines(name, point))];
    case DataPointType.EXPONENTIAL_HISTOGRAM:
      throw new Error(`${name}: there are no exponential histograms here`);
  }
}

function histogramLines(name: string, { attributes, value }: DataPoint<Histogram>): string[] {
  const { boundaries, counts } = value.buckets;
  let sum = 0;
  const buckets = counts.map((count, index) => {
    sum += count;
    return `${name}_bucket${labels({ ...attributes, le: String(boundaries[index] ?? '+Inf') })} ${sum}`;
  });
  return [
    ...buckets,
    `${name}_sum${labels(attributes)} ${value.sum ?? 0}`,
    `${name}_count${labels(attributes)} ${value.count}`,
  ];
}

/** Names that become one have their values joined, as OpenTelemetry's specification of Prometheus compatibility has it. */
function labels(attributes: Attributes): string {
  const values = new Map<string, string>();
  for (const [attribute, value] of Object.entries(attributes)) {
    const name = attribute.replaceAll(/[^a-zA-Z0-9]/g, '_').replace(/^(?=\d)/, '_');
    const before = values.get(name);
    values.set(name, before === undefined ? String(value) : `${before};${String(value)}`);
  }
  const all = Array.from(values, ([name, value]) => `${name}="${escaped(value)}"`);
  return all.length > 0 ? `{${all.join(',')}}` : '';
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
