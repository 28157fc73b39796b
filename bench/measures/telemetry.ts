import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { type AddressInfo } from 'node:net';
import { type Figures, labelled, ratios } from '../harness/figures.js';
import { type Measure } from '../harness/measure.js';
import { type Target } from '../harness/server-process.js';
import { rotated } from '../harness/statistics.js';
import { FILE_KINDS, type WorkloadFile } from '../harness/workload.js';
import { client as flood } from './throughput.js';

/** How often the server is asked for its metrics, and sends them: three times as often as is usual. */
const EVERY_MS = 5000;

const VARIANTS = ['off', 'scraped', 'sent'] as const;
type Variant = (typeof VARIANTS)[number];

/** The same flood as of `throughput`, while the metrics are asked for. */
export async function client(
  target: Target,
  { file, isScraped }: { readonly file: WorkloadFile; readonly isScraped: boolean },
): Promise<Figures> {
  const scraping = isScraped && setInterval(() => void scrape(target), EVERY_MS);
  const found = await flood(target, file);
  if (scraping) clearInterval(scraping);
  return found;
}

async function scrape({ port }: Target): Promise<void> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  if (!text.includes('trex_output_sent_bytes_total')) throw new Error('these are no metrics');
}

export const telemetry: Measure = {
  name: 'telemetry',
  about:
    'What telemetry costs during `throughput` of v2: metrics that are scraped every 5 s; metrics, logs and traces that are sent, metrics every 5 s; each to a server without. The client that scrapes is the one that reads.',
  repetitions: 15,
  rows: FILE_KINDS.flatMap((file) => [
    ...(['scraped', 'sent'] as const).flatMap((variant) => [
      { figure: `${file}, ${variant} : off, server CPU`, goal: { atMost: 1.05 } },
      { figure: `${file}, ${variant} : off, MB/s` },
    ]),
    ...VARIANTS.map((variant) => ({ figure: `${file}, ${variant}, server CPU` })),
  ]),

  async repeat(bench, repetition) {
    const collector = await startCollector();
    const { port } = collector.address() as AddressInfo;
    const settings: Record<Variant, Record<string, string>> = {
      off: {},
      scraped: { TREX_METRICS: 'on' },
      sent: {
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
        OTEL_METRIC_EXPORT_INTERVAL: String(EVERY_MS),
      },
    };
    const figures: Figures[] = [];
    for (const kind of FILE_KINDS) {
      const found: Partial<Record<Variant, Figures>> = {};
      for (const variant of rotated(VARIANTS, repetition)) {
        const given = { file: bench.workload[kind], isScraped: variant === 'scraped' };
        found[variant] = await bench.run('telemetry', 'v2', given, [], settings[variant]);
      }
      const all = VARIANTS.map((variant) => labelled(variant, found[variant] ?? {}));
      const pairs = (['scraped', 'sent'] as const).map((variant) =>
        labelled(`${variant} : off`, ratios(found[variant], found.off)),
      );
      figures.push(labelled(kind, Object.assign({}, ...all, ...pairs) as Figures));
    }
    collector.closeAllConnections();
    collector.close();
    return Object.assign({}, ...figures) as Figures;
  },
};

/** Takes whatever it is sent. */
async function startCollector(): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume().once('end', () => response.end('{}'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
