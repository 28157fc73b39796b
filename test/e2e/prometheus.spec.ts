import { installed } from '../support/installed.js';
import { isMissing } from '../support/missing.js';
import { useProgram } from '../support/program.js';
import { usePrometheus } from '../support/prometheus.js';
import {
  alertQueries,
  dashboardQueries,
  proposedQueries,
  ruleFile,
  scrapeSettings,
} from '../support/queries.js';
import { LOG_BYTES, makeLoad } from '../support/telemetry-load.js';
import { useTestBed } from '../support/test-bed.js';
import { until } from '../support/until.js';

const TOKEN = 'ttttttttttttttttttttttttt';
const READ_ONLY_TOKEN = 'rrrrrrrrrrrrrrrrrrrrrrr';

/** Everything that is not as documented, so that nobody has to wait. */
const GLOBAL = 'global: { scrape_interval: 1s, evaluation_interval: 1s }\n';

describe('the real Prometheus', () => {
  if (installed('prometheus') === undefined) {
    isMissing('prometheus', 'TREX_REQUIRE_PROMETHEUS');
    return;
  }
  const begin = usePrometheus();
  const start = useProgram();
  const bed = useTestBed();

  it('scrapes with a token that only reads, as the documentation says', async () => {
    const program = await start([], {
      TREX_METRICS: 'on',
      TREX_TOKEN: TOKEN,
      TREX_READ_ONLY_TOKEN: READ_ONLY_TOKEN,
    }).listening();
    const settings = scrapeSettings
      .replace('/etc/prometheus/trex-token', 'trex-token')
      .replace('127.0.0.1:3000', `127.0.0.1:${program.port}`);
    expect(settings).not.toBe(scrapeSettings);
    const prometheus = await begin({ 'prometheus.yml': GLOBAL + settings, 'trex-token': READ_ONLY_TOKEN });
    const isUp = async (): Promise<boolean> =>
      (await prometheus.query('up{job="trex"}')).some(({ value }) => value === 1);
    await until(isUp, 'the server is up for Prometheus');
    expect(await prometheus.query('trex_session_limit')).toMatchObject([{ metric: { job: 'trex' } }]);
  });

  it('has an answer to all that the dashboard asks, and understands each alert', async () => {
    const program = await start([], { TREX_METRICS: 'on', TREX_LOG_BYTES: String(LOG_BYTES) }).listening();
    const settings = `${GLOBAL}rule_files: [rules.yml]\nscrape_configs: [{ job_name: trex, static_configs: [{ targets: ['127.0.0.1:${program.port}'] }] }]\n`;
    const prometheus = await begin({ 'prometheus.yml': settings, 'rules.yml': ruleFile });
    // A histogram is there from its first value on, and a rate is one of what comes after a scrape.
    await makeLoad(bed, program);
    const isScraped = async (): Promise<boolean> =>
      (await prometheus.query('trex_resumes_total{trex_resume_outcome="unknown"} > 0')).length > 0;
    await until(isScraped, 'what the load does last is scraped');
    await makeLoad(bed, program);

    const asked = dashboardQueries.map((query) =>
      query
        .replaceAll('$__rate_interval', '5m')
        .replaceAll('$job', 'trex')
        .replaceAll('$instance', '127.0.0.1:.*'),
    );
    expect(asked.filter((query) => query.includes('$'))).toEqual([]);
    let unanswered = asked;
    const isAnswered = async (query: string): Promise<boolean> =>
      (await prometheus.query(query)).some(({ value }) => Number.isFinite(value));
    const lookAgain = async (): Promise<boolean> => {
      const answers = await Promise.all(unanswered.map(isAnswered));
      unanswered = unanswered.filter((_, number) => !answers[number]);
      return unanswered.length === 0;
    };
    await until(lookAgain, 'everything has an answer').catch(() => undefined);
    expect(unanswered).toEqual([]);

    expect(proposedQueries.length).toBeGreaterThan(2);
    for (const query of proposedQueries) expect([query, await isAnswered(query)]).toEqual([query, true]);
    // That nothing is alerted on is the usual answer; a query that cannot be evaluated is refused.
    for (const query of alertQueries) await prometheus.query(query);
    const alerts = async (): Promise<string[]> => [...(await prometheus.rules()).values()];
    await until(async () => !(await alerts()).includes('unknown'), 'all rules are looked at');
    expect(await alerts()).toEqual(Array.from(ruleFile.matchAll(/- alert:/g), () => 'ok'));
  });
});
