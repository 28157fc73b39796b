import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Figures, labelled, ratios } from '../harness/figures.js';
import { type Measure } from '../harness/measure.js';
import { telemetryShare } from '../harness/process-usage.js';
import { Scraper } from '../harness/scraper.js';
import { type Target } from '../harness/server-process.js';
import { rotated } from '../harness/statistics.js';
import { FILE_KINDS, type WorkloadFile } from '../harness/workload.js';
import { client as flood } from './throughput.js';

const HOOK = join(__dirname, '../harness/telemetry-hook.js');

/** How often the file is printed: what telemetry does now and then is to happen, and not once only. */
const TIMES = 5;

/** How often the server is asked for its metrics, and sends them: seven times as often as is usual for the one. */
const EVERY_MS = 2000;

/** Else nothing of it was measured; a flood of 500 MB takes long enough for some. */
const LEAST_TIMES = 1;

/** `off again` is a server without as `off` is: what is between them is chance. */
const VARIANTS = ['off', 'off again', 'scraped', 'sent'] as const;
type Variant = (typeof VARIANTS)[number];

interface Given {
  readonly file: WorkloadFile;
  readonly isScraped: boolean;
  readonly isProfiled: boolean;
}

/** The same flood as of `throughput`, and longer, while the metrics are asked for. */
export async function client(target: Target, { file, isScraped, isProfiled }: Given): Promise<Figures> {
  // From here on: what its start costs is told elsewhere (docs/observability.md).
  if (isProfiled) await telemetryShare(target);
  const scraper = isScraped ? new Scraper({ port: target.port, everyMs: EVERY_MS }) : undefined;
  const found = await flood(target, file, TIMES);
  const times = await scraper?.stop();
  if (times !== undefined && times < LEAST_TIMES) throw new Error(`it was scraped ${times} times only`);
  return isProfiled ? { 'share of server CPU': await telemetryShare(target) } : found;
}

export const telemetry: Measure = {
  name: 'telemetry',
  about:
    'What telemetry costs during `throughput` of v2, five times as long: metrics that are scraped every 2 s; metrics, logs and traces that are sent, metrics every 2 s; each to the mean of two servers without. What is between those two is chance. The share is that of a profile, from when the client comes on.',
  repetitions: 7,
  rows: FILE_KINDS.flatMap((file) => [
    { figure: `${file}, off again : off, server CPU` },
    ...(['scraped', 'sent'] as const).flatMap((variant) => [
      { figure: `${file}, ${variant} : off, server CPU`, goal: { atMost: 1.05 } },
      { figure: `${file}, ${variant} : off, MB/s` },
      { figure: `${file}, ${variant}, share of server CPU`, goal: { atMost: 0.05 } },
    ]),
    ...VARIANTS.map((variant) => ({ figure: `${file}, ${variant}, server CPU` })),
  ]),

  async repeat(bench, repetition) {
    let received = 0;
    const collector = await startCollector(() => received++);
    const { port } = collector.address() as AddressInfo;
    const settings: Record<Variant, Record<string, string>> = {
      off: {},
      'off again': {},
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
        const before = received;
        found[variant] = await bench.run('telemetry', 'v2', given, [], settings[variant]);
        if (variant === 'sent' && received - before < LEAST_TIMES)
          throw new Error(`it has sent ${received - before} times only`);
        if (variant.startsWith('off')) continue;
        const profiled = { ...given, isProfiled: true };
        const shares = await bench.run('telemetry', 'v2', profiled, [HOOK], settings[variant]);
        figures.push(labelled(`${kind}, ${variant}`, shares));
      }
      const all = VARIANTS.map((variant) => labelled(variant, found[variant] ?? {}));
      const without = mean(found.off, found['off again']);
      const pairs = [
        labelled('off again : off', ratios(found['off again'], found.off)),
        labelled('scraped : off', ratios(found.scraped, without)),
        labelled('sent : off', ratios(found.sent, without)),
      ];
      figures.push(labelled(kind, Object.assign({}, ...all, ...pairs) as Figures));
    }
    collector.closeAllConnections();
    collector.close();
    return Object.assign({}, ...figures) as Figures;
  },
};

/** Of what both have. */
function mean(one: Figures = {}, other: Figures = {}): Figures {
  const shared = Object.keys(one).filter((name) => name in other);
  return Object.fromEntries(shared.map((name) => [name, (one[name]! + other[name]!) / 2]));
}

/** Takes whatever it is sent, and tells of metrics. */
async function startCollector(taken: () => void): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume().once('end', () => {
      if (request.url === '/v1/metrics') taken();
      response.end('{}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
