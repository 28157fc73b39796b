import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { type Meter } from '@opentelemetry/api';
import { prometheusText } from './prometheus-text.js';

class Reader extends MetricReader {
  protected onForceFlush(): Promise<void> {
    return Promise.resolve();
  }

  protected onShutdown(): Promise<void> {
    return Promise.resolve();
  }
}

/** What Prometheus is shown of what `count` counts, without what is said of the server. */
async function shown(count: (meter: Meter) => void, attributes = {}): Promise<string[]> {
  const reader = new Reader();
  const provider = new MeterProvider({ resource: resourceFromAttributes(attributes), readers: [reader] });
  count(provider.getMeter('test'));
  const { resourceMetrics } = await reader.collect();
  return prometheusText(resourceMetrics).split('\n').slice(2);
}

describe('the text that Prometheus reads', () => {
  it('names a counter by its unit, and as a total', async () => {
    const lines = await shown((meter) => meter.createCounter('trex.output.read', { unit: 'By' }).add(3));
    expect(lines.slice(1)).toEqual([
      '# HELP trex_output_read_bytes_total ',
      '# TYPE trex_output_read_bytes_total counter',
      'trex_output_read_bytes_total 3',
      '',
    ]);
  });

  it('leaves out of a name what is only counted', async () => {
    const about = { unit: '{session}', description: 'Those\nthat \\ are' };
    const lines = await shown((meter) =>
      meter.createUpDownCounter('trex.sessions', about).add(2, { 'trex.session.state': 'Running' }),
    );
    expect(lines.slice(1)).toEqual([
      '# HELP trex_sessions Those\\nthat \\\\ are',
      '# TYPE trex_sessions gauge',
      'trex_sessions{trex_session_state="Running"} 2',
      '',
    ]);
  });

  it('adds up the buckets of a histogram', async () => {
    const about = { unit: 's', advice: { explicitBucketBoundaries: [0.1, 1] } };
    const lines = await shown((meter) => {
      const histogram = meter.createHistogram('trex.echo.duration', about);
      for (const seconds of [0.05, 0.5, 0.5, 5]) histogram.record(seconds, { kind: 'key' });
    });
    expect(lines.slice(2)).toEqual([
      '# TYPE trex_echo_duration_seconds histogram',
      'trex_echo_duration_seconds_bucket{kind="key",le="0.1"} 1',
      'trex_echo_duration_seconds_bucket{kind="key",le="1"} 3',
      'trex_echo_duration_seconds_bucket{kind="key",le="+Inf"} 4',
      'trex_echo_duration_seconds_sum{kind="key"} 6.05',
      'trex_echo_duration_seconds_count{kind="key"} 4',
      '',
    ]);
  });

  it('lets no text out of its quotes', async () => {
    const lines = await shown((meter) => meter.createGauge('g').record(1, { a: 'x"} 9\n\\' }), {
      'a-b': '"',
    });
    expect(lines[0]).toBe('target_info{a_b="\\""} 1');
    expect(lines.at(-2)).toBe('g{a="x\\"} 9\\n\\\\"} 1');
  });

  it('has only names that Prometheus takes, each once', async () => {
    const lines = await shown(() => undefined, { '1st': 'x', 'a.b': 1, a_b: 2 });
    expect(lines[0]).toBe('target_info{_1st="x",a_b="1;2"} 1');
  });
});
