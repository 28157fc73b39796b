import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Collector } from '../support/collector.js';
import { type Program, useProgram } from '../support/program.js';
import { alertQueries, dashboardQueries } from '../support/queries.js';
import {
  ask,
  CANARY,
  greeted,
  LOG_BYTES,
  makeLoad,
  SAMPLE,
  scrape,
  untilScraped,
} from '../support/telemetry-load.js';
import { useTestBed } from '../support/test-bed.js';
import { until } from '../support/until.js';

/** Before the bed: it is looked for leaks only when the programs have ended. */
const start = useProgram();
const bed = useTestBed();

const root = join(__dirname, '../..');
const TOKEN = 'ttttttttttttttttttttttttt';
const READ_ONLY_TOKEN = 'rrrrrrrrrrrrrrrrrrrrrrr';
/** How often, and for how long, a server is stopped to be late. */
const STALLS = 12;
const STALL_MS = 300;
const TRACE = '0af7651916cd43dd8448eb211c80319c';

/** Sends often, so that nobody has to wait. */
function sending(collector: Collector): Record<string, string> {
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_METRIC_EXPORT_INTERVAL: '200',
    OTEL_BLRP_SCHEDULE_DELAY: '50',
    OTEL_BSP_SCHEDULE_DELAY: '50',
  };
}

/** What each reason, state and outcome is counted under, where it has happened. */
const told = [
  'trex.sessions{trex.session.state="Running"}',
  'trex.sessions{trex.session.state="Closed"}',
  'trex.session.ended{trex.session.end.cause="ended"}',
  'trex.session.ended{trex.session.end.cause="closed"}',
  'trex.session.ended{error.type="INVALID_CWD",trex.session.end.cause="failed"}',
  'trex.connections{trex.protocol="trex.v1"}',
  'trex.connections{trex.protocol="trex.v2"}',
  'trex.resumes{trex.resume.outcome="resumed"}',
  'trex.resumes{trex.resume.outcome="unknown"}',
  'trex.refusals{error.type="ORIGIN_NOT_ALLOWED",trex.refusal.door="gate"}',
  'trex.refusals{error.type="SESSION_NOT_FOUND",trex.refusal.door="rest"}',
  'trex.refusals{error.type="UNKNOWN_TYPE",trex.refusal.door="websocket"}',
];

/** Of these an increase is alerted on, which Prometheus does not see of what was not there before. */
const alertedOn = [
  'trex_refusals_total{error_type="INTERNAL",trex_refusal_door="rest"}',
  'trex_refusals_total{error_type="INTERNAL",trex_refusal_door="websocket"}',
  'trex_refusals_total{error_type="WRONG_TOKEN",trex_refusal_door="gate"}',
  'trex_refusals_total{error_type="TOO_MANY_WRONG_TOKENS",trex_refusal_door="gate"}',
  'trex_session_ended_total{error_type="SPAWN_FAILED",trex_session_end_cause="failed"}',
];

/** The same as Prometheus has it. */
function scrapedAs(point: string): string {
  const [name = '', labels = ''] = point.split(/(?=\{)/);
  const { scraped } = documented.find((one) => one.name === name)!;
  return scraped + labels.replaceAll(/[\w.]+(?==")/g, (label) => label.replaceAll('.', '_'));
}

/** The metrics that the documentation has, by both of their names. */
const documented = Array.from(
  readFileSync(join(root, 'docs/observability.md'), 'utf8').matchAll(
    /^\| `([a-z0-9._]+)` +\| `([a-z0-9_]+)` +\| (counter|up-down counter|gauge|histogram) +\| `([^`]+)`/gm,
  ),
  ([, name, scraped, type, unit]) => ({ name: name!, scraped: scraped!, type: type!, unit: unit! }),
);

/** The labels that a query chooses or sums by. */
function labelsIn(query: string): string[] {
  const chosen = Array.from(query.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g), ([, label]) => label!);
  const summed = Array.from(query.matchAll(/\bby \(([^)]*)\)/g), ([, list]) => list!.split(/,\s*/)).flat();
  return [...chosen, ...summed];
}

/** The labels that each scraped metric has. */
async function scrapedLabels(program: Program): Promise<Map<string, Set<string>>> {
  const labels = new Map<string, Set<string>>();
  for (const [, name, text] of (await ask(program, '/metrics')).body.matchAll(SAMPLE)) {
    const known = labels.get(name!) ?? new Set();
    for (const [, label] of (text ?? '').matchAll(/(\w+)="/g)) known.add(label!);
    labels.set(name!, known);
  }
  return labels;
}

/** Labels in a query that none of its metrics has. */
function strangeLabels(query: string, known: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const metrics = metricsIn(query);
  // Prometheus adds where it has scraped them.
  const ours = new Set(['job', 'instance', ...metrics.flatMap((name) => [...(known.get(name) ?? [])])]);
  return labelsIn(query).filter((label) => !ours.has(label));
}

/** Everything in a query that has the form of one of our names and is neither a label nor a word of PromQL. */
function metricsIn(query: string): string[] {
  const withoutLabels = query.replaceAll(/\{[^}]*\}/g, '').replaceAll(/\bby \([^)]*\)/g, '');
  return withoutLabels.match(/\b(trex|nodejs|process|http)_[a-z0-9_]+/g) ?? [];
}

/** Every metric that a document names, whether in a table, in a query or in a rule. */
const inDocuments = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)]
  .filter((path) => path.endsWith('.md'))
  .flatMap((path) => metricsIn(readFileSync(join(root, path), 'utf8')))
  // A secret of Compose, and one of the labels.
  .filter((name) => !['trex_token', 'trex_session_end_cause'].includes(name));

describe('a server that is asked for telemetry', () => {
  let collector: Collector;
  beforeEach(async () => {
    collector = await Collector.start();
  });
  afterEach(() => collector.stop());

  it('shows and sends every metric that is documented or on the dashboard, and they move', async () => {
    const program = await start([], {
      TREX_METRICS: 'on',
      TREX_LOG_BYTES: String(LOG_BYTES),
      OTEL_SERVICE_NAME: 'terminals',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-key=value',
      ...sending(collector),
    }).listening();
    const before = await scrape(program);
    // What is alerted on when it rises for the first time.
    for (const point of alertedOn) expect([point, before.get(point)]).toEqual([point, 0]);
    await until(() => collector.metrics.size > 0, 'metrics are sent', 10_000);
    const sentBefore = new Map(collector.metrics);
    await makeLoad(bed, program);
    const after = await scrape(program);
    const isSent = (point: string): boolean => (collector.points.get(point) ?? 0) > 0;
    await until(() => told.every(isSent), 'what has happened is sent', 10_000).catch(() => undefined);
    expect(told.filter((point) => !isSent(point))).toEqual([]);
    expect(told.map(scrapedAs).filter((point) => !((after.get(point) ?? 0) > 0))).toEqual([]);

    expect(documented.length).toBeGreaterThan(30);
    const isScraped = (name: string): boolean => after.has(name) || after.has(`${name}_count`);
    expect(documented.filter(({ scraped }) => !isScraped(scraped))).toEqual([]);
    expect(documented.filter(({ name, unit }) => collector.metrics.get(name)?.unit !== unit)).toEqual([]);
    // And nothing that is not.
    expect(
      [...collector.metrics.keys()].filter((name) => !documented.some((one) => one.name === name)),
    ).toEqual([]);

    const shown = dashboardQueries.flatMap(metricsIn);
    expect(dashboardQueries.filter((query) => metricsIn(query).length === 0)).toEqual([]);
    expect(shown.filter((name) => !after.has(name))).toEqual([]);
    const labels = await scrapedLabels(program);
    expect(dashboardQueries.flatMap((query) => strangeLabels(query, labels))).toEqual([]);
    expect(alertQueries.flatMap((query) => strangeLabels(query, labels))).toEqual([]);
    expect(inDocuments.filter((name) => !after.has(name) && !isScraped(name))).toEqual([]);
    const isShown = (name: string): boolean =>
      shown.some((one) => one.replace(/_(bucket|count)$/, '') === name);
    expect(documented.filter(({ scraped }) => !isShown(scraped))).toEqual([]);

    // Of the others some stay as they are, and some fall.
    const risen = ['sessions', 'connections', 'viewers', 'input.queue.size'].map((name) => `trex.${name}`);
    const moving = documented.filter(
      ({ name, type }) => type === 'counter' || type === 'histogram' || risen.includes(name),
    );
    const stillScraped = moving.filter(({ scraped, type }) => {
      const name = type === 'histogram' ? `${scraped}_count` : scraped;
      return (after.get(name) ?? 0) <= (before.get(name) ?? 0);
    });
    const valueOf = (metrics: typeof sentBefore, name: string): number => metrics.get(name)?.value ?? 0;
    const stillSent = moving.filter(
      ({ name }) => valueOf(collector.metrics, name) <= valueOf(sentBefore, name),
    );
    // Whatever goes wrong here is not that.
    const calm = ['trex.eventloop.late', 'trex.telemetry.export.failures'];
    expect(stillScraped.map(({ name }) => name)).toEqual(calm);
    expect(stillSent.map(({ name }) => name)).toEqual(calm);
    for (const figure of ['mean', 'max']) {
      expect(after.get(`nodejs_eventloop_delay_${figure}_seconds`)).toBeGreaterThan(0);
      expect(valueOf(collector.metrics, `nodejs.eventloop.delay.${figure}`)).toBeGreaterThan(0);
    }
    expect(collector.resource).toMatchObject({
      'service.name': 'terminals',
      'service.version': '0.1.0',
      'deployment.environment.name': 'test',
    });
    expect(collector.headers['x-key']).toBe('value');
    expect(collector.text).not.toContain(CANARY);
  });

  it('tells of a session that is closing, of one that is paused and of a late event loop, in both ways', async () => {
    const program = await start([], { TREX_METRICS: 'on', ...sending(collector) }).listening();
    const isSent = (point: string): boolean => (collector.points.get(point) ?? 0) > 0;
    const { client } = await greeted(bed, program);
    const flooding = await client.create({ cols: 80, rows: 24 });
    client.type(1, 0, 'yes\r');
    await untilScraped(program, 'trex_session_paused');
    await until(() => (collector.metrics.get('trex.session.paused')?.value ?? 0) > 0, 'it is sent');

    const owner = await bed.connect(program);
    const stubborn = await owner.create({ cols: 80, rows: 24 });
    owner.send({ type: 'input', sessionId: stubborn, data: `trap '' HUP; echo stub""born; sleep 60\r` });
    await owner.untilOutput(stubborn, 'stubborn');
    const closing = ask(program, `/api/sessions/${stubborn}`, { method: 'DELETE' });
    await untilScraped(program, 'trex_sessions{trex_session_state="Closing"}');
    await until(() => isSent('trex.sessions{trex.session.state="Closing"}'), 'it is sent');
    expect((await closing).status).toBe(204);
    expect((await ask(program, `/api/sessions/${flooding}`, { method: 'DELETE' })).status).toBe(204);

    // Not once only: a hundredth of ten seconds is to be late.
    for (let n = 0; n < STALLS; n++) {
      program.signal('SIGSTOP');
      await delay(STALL_MS);
      program.signal('SIGCONT');
      await ask(program, '/api/health');
    }
    await untilScraped(program, 'trex_eventloop_late_total');
    const scraped = await scrape(program);
    for (const figure of ['mean', 'p50', 'p90', 'p99', 'max'])
      expect([figure, scraped.has(`nodejs_eventloop_delay_${figure}_seconds`)]).toEqual([figure, true]);
    expect(scraped.get('nodejs_eventloop_delay_p99_seconds')).toBeGreaterThan(0.2);
    const sent = (name: string): number => collector.metrics.get(name)?.value ?? 0;
    await until(
      () => sent('trex.eventloop.late') > 0 && sent('nodejs.eventloop.delay.p99') > 0.2,
      'it is sent',
    );
  });

  it('sends the log and spans of what is done, and ties them together', async () => {
    const program = await start([], sending(collector)).listening();
    const client = await bed.connect(program);
    const sessionId = await client.create({ cols: 80, rows: 24 });
    client.send({ type: 'input', sessionId, data: `: ${CANARY}\r` });
    await client.untilOutput(sessionId, CANARY);
    const headers = { traceparent: `00-${TRACE}-b7ad6b7169203331-01` };
    await ask(program, `/api/sessions/${sessionId}?${CANARY}`, { method: 'DELETE', headers });
    program.signal('SIGTERM');
    expect(await program.ended()).toBe(0);

    const spans = collector.spans.map(({ name, attributes }) => [name, attributes['session.id']]);
    expect(spans.sort()).toEqual([
      ['DELETE /api/sessions/:id', sessionId],
      ['session attach', sessionId],
      ['session close', sessionId],
      ['session create', sessionId],
    ]);
    const [request, closing] = ['DELETE /api/sessions/:id', 'session close'].map((name) =>
      collector.spans.find((span) => span.name === name)!,
    );
    expect(request).toMatchObject({ traceId: TRACE, parentSpanId: 'b7ad6b7169203331' });
    expect(closing).toMatchObject({ traceId: TRACE, parentSpanId: request!.spanId });

    const record = collector.records.find(({ body }) => body === 'session closing');
    expect(record).toMatchObject({ scope: 'Sessions', severityText: 'info', traceId: TRACE });
    expect(record?.attributes).toMatchObject({ 'session.id': sessionId });
    const lines = program.stdout.trimEnd().split('\n');
    const line = lines.find((one) => one.includes('session closing'));
    expect(JSON.parse(line!)).toMatchObject({ sessionId, trace_id: TRACE });
    expect(lines).toHaveLength(collector.records.length);
    expect(collector.text + program.stdout).not.toContain(CANARY);
  });

  it('ends with 0 when all has ended in time, though the collector takes as long again', async () => {
    collector.isSilent = true;
    const seconds = { TREX_KILL_SECONDS: '0', TREX_SHUTDOWN_SECONDS: '1' };
    const program = await start([], { ...seconds, ...sending(collector) }).listening();
    program.signal('SIGTERM');
    expect(await program.ended()).toBe(0);
  });

  it.each(['refuses', 'does not answer', 'is not there'])(
    'is as good as one without, when the collector %s, and says so once',
    async (what) => {
      if (what === 'refuses') collector.status = 400;
      if (what === 'does not answer') collector.isSilent = true;
      const nobody = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' };
      const env = { ...sending(collector), ...(what === 'is not there' && nobody) };
      const program = await start([], {
        TREX_METRICS: 'on',
        OTEL_EXPORTER_OTLP_TIMEOUT: '300',
        ...env,
      }).listening();
      const client = await bed.connect(program);
      const sessionId = await client.create({ cols: 80, rows: 24 });
      client.send({ type: 'input', sessionId, data: 'echo $((6*7))\r' });
      await client.untilOutput(sessionId, '42\r\n');
      const told = (signal: string): number =>
        program.stdout.split(`"telemetrySignal":"${signal}","failure"`).length - 1;
      await until(() => told('metrics') > 0 && told('logs') > 0 && told('traces') > 0, 'it says so', 20_000);
      for (const signal of ['metrics', 'logs', 'traces'])
        await untilScraped(
          program,
          `trex_telemetry_export_failures_total{trex_telemetry_signal="${signal}"}`,
        );
      program.signal('SIGTERM');
      expect(await program.ended()).toBe(0);
      expect(['metrics', 'logs', 'traces'].map(told)).toEqual([1, 1, 1]);
      expect(program.stderr).toBe('');
    },
  );
});

describe('the metrics', () => {
  it('are for whoever may read, as all else is', async () => {
    const tokens = { TREX_TOKEN: TOKEN, TREX_READ_ONLY_TOKEN: READ_ONLY_TOKEN };
    const program = await start([], { TREX_METRICS: 'on', ...tokens }).listening();
    const status = async (authorization = '', method = 'GET'): Promise<number> =>
      (await ask(program, '/metrics', { method, ...(authorization && { headers: { authorization } }) }))
        .status;

    expect(await status()).toBe(401);
    expect(await status('Bearer wrong')).toBe(401);
    expect(await status(`Bearer ${READ_ONLY_TOKEN}`)).toBe(200);
    expect(await status(`Bearer ${TOKEN}`)).toBe(200);
    expect(await status(`Bearer ${TOKEN}`, 'DELETE')).toBe(405);
  });

  it('are not there, and nothing that makes them is loaded, unless somebody asks', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'trex-test-'));
    const hook = join(folder, 'hook.cjs');
    writeFileSync(hook, `process.on('exit', () => console.error(Object.keys(require.cache).join('\\n')));`);
    const loaded = async (env: Record<string, string>): Promise<string> => {
      const program = await start([], { NODE_OPTIONS: `--require=${hook}`, ...env }).listening();
      program.signal('SIGTERM');
      expect(await program.ended()).toBe(0);
      return program.stderr;
    };
    expect(await loaded({ TREX_METRICS: 'on' })).toContain('@opentelemetry');
    expect(await loaded({})).not.toContain('@opentelemetry');
    rmSync(folder, { recursive: true });
  });

  it('cannot be sent to what is no address', async () => {
    const program = start([], { OTEL_EXPORTER_OTLP_ENDPOINT: 'nonsense' });
    expect(await program.ended()).toBe(78);
    expect(program.stderr).toContain('OTEL_EXPORTER_OTLP_ENDPOINT must be a URL');
  });
});
