import { cpus } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { residentBytes } from '../../bench/harness/process-usage.js';
import { seededRandom } from '../../bench/harness/statistics.js';
import { CuttingProxy } from '../support/cutting-proxy.js';
import { type Baseline, baselineOf, expectClean, IDLE_SHARE, largest } from './expect-clean.js';
import { endTalks, talkers } from './loads.js';
import { Probe } from './probe.js';
import { type Figures, type Growth, type Run, type Sample } from './run.js';
import { type LoadScenario, type Scenario, type Tier } from './scenarios.js';
import { ServerUnderTest } from './server-under-test.js';

export interface Outcome {
  readonly name: string;
  readonly about: string;
  readonly seed: number;
  /** Why it was not run. */
  readonly skipped?: string;
  readonly problems: readonly string[];
  /** What could not be judged. */
  readonly notes?: readonly string[];
  readonly figures?: Figures;
  /** What was held meanwhile, where that is not to grow. */
  readonly samples?: readonly Sample[];
}

const NO_FIGURES: Figures = {
  seconds: 0,
  sessions: 0,
  bytesChecked: 0,
  resumes: 0,
  gaps: 0,
  gapBytes: 0,
  inputBytes: 0,
  echoes: 0,
  faults: 0,
};
/** How long a load may take to end, beyond the time it was given. */
const END_MS = 240_000;
const SAMPLES = 150;
const LATENESS_EVERY_MS = 500;
/** Programs print in ticks, and what they print is on its way for a moment. */
const LATE_MS = 250;

/** Runs one scenario against a server of its own: what was wrong in the end, and what was measured. */
export async function runScenario(scenario: Scenario, tier: Tier, seed: number): Promise<Outcome> {
  const { name, about } = scenario;
  const skipped = scenario.skip?.();
  if (skipped !== undefined) return { name, about, seed, skipped, problems: [] };
  if ('check' in scenario) {
    const figures = { ...NO_FIGURES };
    const began = performance.now();
    const problems = await scenario.check(figures, tier).catch(said);
    figures.seconds = (performance.now() - began) / 1000;
    return { name, about, seed, problems, figures };
  }
  const server = await ServerUnderTest.start({ settings: scenario.settings, logTo: scenario.logTo });
  const proxy = await CuttingProxy.start(server.port);
  const run = newRun(server, proxy, scenario.seconds[tier] ?? 0, seed, scenario.growth);
  let problems: string[] = [];
  try {
    const baseline = await prepare(run, seed);
    const began = performance.now();
    problems = await within(END_MS + run.seconds * 1000, go(run, scenario, tier)).then(
      async () => [...(await expectClean(run, baseline, scenario.gates)), ...whetherFaulty(run, scenario)],
      async (error: unknown) => [...run.problems, ...(await said(error)), server.stderr.slice(0, 500)],
    );
    run.figures.seconds = (performance.now() - began) / 1000;
  } catch (error) {
    problems = await said(error);
  } finally {
    run.isOver = true;
    for (const { client } of run.clients) client.close();
    for (const watcher of run.watchers) watcher.close();
    await proxy.close();
    const code = await server.stop();
    if (!run.isServerGone && code !== 0) problems.push(`the server ended with ${code}`);
  }
  return {
    name,
    about,
    seed,
    problems: problems.filter(Boolean),
    notes: run.notes,
    samples: run.samples,
    figures: run.figures,
  };
}

/** Has the server done everything once, so that what it then holds is what it always holds. */
async function prepare({ server, proxy }: Run, seed: number): Promise<Baseline> {
  const warmUp = newRun(server, proxy, 0, seed);
  const load = talkers({
    clients: 2,
    sessionsEach: 1,
    bytesPerSecond: 262_144,
    keysPerSecond: 50,
    watchers: 1,
  });
  await load.begin(warmUp);
  for (const client of warmUp.clients) {
    client.leave();
    await client.comeBack();
  }
  warmUp.isOver = true;
  await load.end(warmUp);
  if (warmUp.problems.length > 0) throw new Error(`while it warms up: ${warmUp.problems.join('; ')}`);
  return baselineOf(server);
}

export function newRun(
  server: ServerUnderTest,
  proxy: CuttingProxy,
  seconds: number,
  seed: number,
  growth?: Growth,
): Run {
  return {
    server,
    proxy,
    watchersPort: server.port,
    seconds,
    random: seededRandom(seed),
    figures: { ...NO_FIGURES },
    clients: [],
    talks: [],
    watchers: [],
    echoMs: [],
    probeMs: [],
    lateEchoMs: [],
    isLate: false,
    samples: [],
    growth,
    notes: [],
    problems: [],
    endedByFault: new Set(),
    isServerGone: false,
    isOver: false,
  };
}

async function go(run: Run, { load, fault, plan }: LoadScenario, tier: Tier): Promise<void> {
  if (plan) {
    run.proxy.planFor = (number) => plan(number, run.random, tier);
    run.watchersPort = run.proxy.port;
  }
  const probe = await Probe.start();
  try {
    probe.begin(seededRandom(1));
    const going = load();
    await going.begin(run);
    probe.loadMs = run.probeMs;
    const begun = reading(run);
    const end = performance.now() + run.seconds * 1000;
    const watching = watchLateness(run, begun);
    if (fault) {
      // Not before everything is in full swing.
      await delay(Math.min(500, run.seconds * 250));
      await fault(run);
    }
    const sampling = run.growth ? sample(run, begun.atMs) : undefined;
    const untilEnd = delay(Math.max(0, end - performance.now()));
    await Promise.race([untilEnd, ...(going.done ? [going.done()] : [])]);
    run.isOver = true;
    await Promise.all([sampling, watching]);
    noteHeld(run, begun, reading(run));
    if (run.isServerGone) await endTalks(run);
    else await going.end(run);
  } finally {
    await probe.end();
    run.figures.probeMaxMs = largest(probe.echoMs);
  }
}

/** Counts what is done to connections or the log all the time as one fault. */
function whetherFaulty(run: Run, { plan, logTo, hasHappened }: LoadScenario): string[] {
  if (plan || logTo !== undefined) run.figures.faults += 1;
  return hasHappened?.(run) === false ? ['what was to be survived has not happened'] : [];
}

/** A load that is over in an eighth of its time still has enough samples; they are no more than one a second. */
async function sample(run: Run, begunMs: number): Promise<void> {
  const everyMs = Math.max(1000, (run.seconds * 1000) / SAMPLES);
  while (!run.isOver) {
    await delay(Math.min(everyMs, 1000));
    if (run.isOver || performance.now() - begunMs < (run.samples.length + 1) * everyMs) continue;
    const { heapAndBuffers } = await run.server.ask({ collects: true });
    run.samples.push({
      hours: (performance.now() - begunMs) / 3_600_000,
      sessions: run.figures.sessions,
      heapAndBuffers,
      rss: residentBytes(run.server.pid),
      descriptors: run.server.descriptors().all,
    });
  }
}

/** How much has come, and how long each processor had nothing to do. */
interface Reading {
  readonly atMs: number;
  readonly bytes: number;
  readonly idleMs: number;
}

function reading({ talks }: Run): Reading {
  const bytes = talks.reduce((sum, { checker }) => sum + checker.offset, 0);
  const idleMs = cpus().reduce((sum, { times }) => sum + times.idle, 0);
  return { atMs: performance.now(), bytes, idleMs };
}

/** Keeps `run.isLate` up to date. */
async function watchLateness(run: Run, begun: Reading): Promise<void> {
  let before = begun;
  while (!run.isOver) {
    await delay(LATENESS_EVERY_MS);
    const now = reading(run);
    const dueBytes = ((run.bytesPerSecond ?? 0) * (now.atMs - begun.atMs - LATE_MS)) / 1000;
    run.isLate = now.bytes - begun.bytes < dueBytes && idleShare(before, now) < IDLE_SHARE;
    before = now;
  }
}

function idleShare(begun: Reading, over: Reading): number {
  return (over.idleMs - begun.idleMs) / ((over.atMs - begun.atMs) * cpus().length);
}

/** Which share of what was to be printed has come, and whether this machine had anything left. */
function noteHeld({ figures, bytesPerSecond }: Run, begun: Reading, over: Reading): void {
  const ms = over.atMs - begun.atMs;
  figures.idleShare = idleShare(begun, over);
  if (bytesPerSecond) figures.heldShare = (over.bytes - begun.bytes) / ((bytesPerSecond * ms) / 1000);
}

function within<T>(ms: number, task: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`not over within ${ms / 1000} s`)), ms);
    task.then(resolve, reject).finally(() => clearTimeout(late));
  });
}

function said(error: unknown): Promise<string[]> {
  return Promise.resolve([error instanceof Error ? (error.stack ?? error.message) : String(error)]);
}
