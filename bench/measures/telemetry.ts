import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Figures, labelled, ratios } from '../harness/figures.js';
import { type Measure } from '../harness/measure.js';
import { telemetryShare } from '../harness/process-usage.js';
import { type Target } from '../harness/server-process.js';
import { rotated } from '../harness/statistics.js';
import { FILE_KINDS, type WorkloadFile } from '../harness/workload.js';
import { client as flood } from './throughput.js';

const HOOK = join(__dirname, '../harness/telemetry-hook.js');

/** How often the file is printed: what telemetry does every few seconds is to happen, and not once only. */
const TIMES = 5;

/** How often the server is asked for its metrics, and sends them: three times as often as is usual. */
const EVERY_MS = 5000;

const VARIANTS = ['off', 'scraped', 'sent'] as const;
type Variant = (typeof VARIANTS)[number];

interface Given {
  readonly file: WorkloadFile;
  readonly isScraped: boolean;
  readonly isProfiled: boolean;
}

/** The same flood as of `throughput`, and longer, while the metrics are asked for. */
export async function client(target: Target, { file, isScraped, isProfiled }: Given): Promise<Figures> {
  const scraping = isScraped && setInterval(() => void scrape(target), EVERY_MS);
  const found = await flood(target, file, TIMES);
  if (scraping) clearInterval(scraping);
  return isProfiled ? { 'share of server CPU': await telemetryShare(target) } : found;
}

async function scrape({ port }: Target): Promise<void> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  if (!text.includes('trex_output_sent_bytes_total')) throw new Error('these are no metrics');
}

export const telemetry: Measure = {
  name: 'telemetry',
  about:
    'What telemetry costs during `throughput` of v2, five times as long: metrics that are scraped every 5 s; metrics, logs and traces that are sent, metrics every 5 s; each to a server without. The client that scrapes is the one that reads. The share is that of a profile, from the start of the server on.',
  repetitions: 7,
  rows: FILE_KINDS.flatMap((file) => [
    ...(['scraped', 'sent'] as const).flatMap((variant) => [
      { figure: `${file}, ${variant} : off, server CPU`, goal: { atMost: 1.05 } },
      { figure: `${file}, ${variant} : off, MB/s` },
      { figure: `${file}, ${variant}, share of server CPU`, goal: { atMost: 0.05 } },
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
        const given: Given = {
          file: bench.workload[kind],
          isScraped: variant === 'scraped',
          isProfiled: false,
        };
        found[variant] = await bench.run('telemetry', 'v2', given, [], settings[variant]);
        if (variant === 'off') continue;
        const profiled = { ...given, isProfiled: true };
        const shares = await bench.run('telemetry', 'v2', profiled, [HOOK], settings[variant]);
        figures.push(labelled(`${kind}, ${variant}`, shares));
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
