import { peakBytes } from '../../bench/harness/process-usage.js';
import { quantile } from '../../bench/harness/statistics.js';
import { GARBAGE_BYTES } from '../../bench/memory-bound.js';
import { until } from '../support/until.js';
import { type Run } from './run.js';
import { type Answer, type ServerUnderTest } from './server-under-test.js';

const KIB = 1024;
const MIB = 1024 * KIB;

/** What a server holds that has done everything once; taken before a load, to be held no more after it. */
export interface Baseline {
  readonly descriptors: number;
  readonly answer: Answer;
}

/** What is allowed: the greater of a figure and three times what a bare server beside it shows at the same time. */
export interface Gates {
  readonly echoP50Ms: number;
  readonly echoP99Ms: number;
}

const PROBE_TIMES = 3;
const FEW = 1000;
const LOOP_P99_MS = 50;
const LOOP_MAX_MS = 250;
/** The process itself, after its start. What V8 has not collected comes on top: see docs/memory.md. */
const PROCESS_BYTES = 120 * MIB;
const SESSION_BYTES = MIB + 512 * KIB;
/** Window and socket buffer. */
const CLIENT_BYTES = MIB + MIB;
const BACK_TO = 1.15;
/** Code that has been compiled meanwhile, which is not given back. */
const COMPILED_BYTES = 6 * MIB;

export async function baselineOf(server: ServerUnderTest): Promise<Baseline> {
  await untilIdle(server);
  const answer = await server.ask({ collects: true, resets: true });
  return { descriptors: server.descriptors().all, answer };
}

/**
 * The one place in which all invariants are checked, I1 to I9, once a load has ended and everybody has left.
 * @returns what is violated, in words
 */
export async function expectClean(run: Run, baseline: Baseline, gates: Gates): Promise<string[]> {
  const problems = [...run.problems, ...clientsProblems(run)];
  const expect = (holds: boolean, invariant: string, what: string): void => {
    if (!holds) problems.push(`${invariant}: ${what}`);
  };
  const { server, figures, echoMs, probeMs } = run;

  expect(server.stderr === '', 'I7', `the server complains: ${server.stderr.slice(0, 1000)}`);
  const loud = server.log.split('\n').filter((line) => /"level":"(warn|error|fatal)"/.test(line));
  expect(loud.length === 0, 'I7', `the log has ${loud.length} warnings and errors, first: ${loud[0]}`);

  const slowest = Math.max(0, ...probeMs);
  figures.echoes = echoMs.length;
  if (echoMs.length > 0) {
    for (const [name, share, gate] of [
      ['P50', 0.5, gates.echoP50Ms],
      ['P99', 0.99, gates.echoP99Ms],
    ] as const) {
      const found = (figures[`echo${name}Ms`] = quantile(echoMs, share));
      const bare = quantile(probeMs, share);
      if (probeMs.length > 0) figures[`probe${name}Ms`] = bare;
      // Of few, the slowest hundredth is chance: then the slowest stands for it.
      const known = share > 0.5 && probeMs.length < FEW ? slowest : bare;
      const allowed = Math.max(gate, PROBE_TIMES * (known || 0));
      expect(
        found <= allowed,
        'I9',
        `echo ${name} took ${found.toFixed(1)} ms, more than ${allowed.toFixed(1)}`,
      );
    }
  }
  if (run.isServerGone) return [...problems, ...(await orphans(server))];

  const { loopP99Ms, loopMaxMs } = await server.ask({});
  Object.assign(figures, { loopP99Ms, loopMaxMs });
  const p99 = Math.max(LOOP_P99_MS, PROBE_TIMES * slowest);
  const most = Math.max(LOOP_MAX_MS, PROBE_TIMES * slowest) + (figures.stalledMs ?? 0);
  expect(loopP99Ms <= p99 || (figures.stalledMs ?? 0) > 0, 'I9', `event loop p99 ${loopP99Ms} ms`);
  expect(loopMaxMs <= most, 'I9', `event loop max ${loopMaxMs} ms`);

  const peak = (figures.peakRssBytes = peakBytes(server.pid));
  const clients = run.clients.length + run.watchers.length;
  const allowed =
    PROCESS_BYTES + GARBAGE_BYTES + figures.sessionsAtOnce! * SESSION_BYTES + clients * CLIENT_BYTES;
  expect(peak <= allowed, 'I6', `peak of RSS ${mb(peak)}, more than ${mb(allowed)}`);

  await untilIdle(server).catch((error: Error) => problems.push(`I3: ${error.message}`));
  problems.push(...(await orphans(server)));
  expect(server.descriptors().masters === 0, 'I4', 'terminals are open');
  await until(() => server.descriptors().all <= baseline.descriptors, 'descriptors').catch(() =>
    problems.push(`I5: ${server.descriptors().all} descriptors, not ${baseline.descriptors}`),
  );
  const { heapAndBuffers, resources } = await server.ask({ collects: true });
  for (const [kind, count] of Object.entries(resources))
    expect(count <= (baseline.answer.resources[kind] ?? 0), 'I5', `${count} of ${kind} are active`);
  figures.heapGrowthBytes = heapAndBuffers - baseline.answer.heapAndBuffers;
  const after = baseline.answer.heapAndBuffers * BACK_TO + COMPILED_BYTES;
  expect(heapAndBuffers <= after, 'I6', `${mb(heapAndBuffers)} held after all, not ${mb(after)}`);
  return problems;
}

/** I1, I2 and I8, which clients see. */
function clientsProblems({ talks, watchers, endedByFault }: Run): string[] {
  const problems: string[] = [];
  for (const talk of talks) {
    const name = talk.sessionId;
    if (talk.checker.wrongLines > 0) problems.push(`I1: ${name} had ${talk.checker.wrongLines} wrong lines`);
    if (talk.bytesAfterExit > 0) problems.push(`I8: ${name} had output after its exit`);
    if (talk.exits > 1) problems.push(`I8: ${name} had ${talk.exits} exits`);
    if (talk.lost > 0 && !endedByFault.has(talk)) problems.push(`I2: ${name} is gone, or input to it lost`);
    if (talk.exits === 0 && !endedByFault.has(talk)) problems.push(`I8: ${name} had no exit`);
  }
  for (const watcher of watchers) {
    problems.push(...watcher.problems.slice(0, 3).map((problem) => `I1, I8: a watcher had ${problem}`));
    if (watcher.checker.wrongLines > 0)
      problems.push(`I1: a watcher had ${watcher.checker.wrongLines} wrong lines`);
    if (watcher.exits > 1) problems.push(`I8: a watcher had ${watcher.exits} exits`);
  }
  return problems;
}

/** Nothing is listed, connected, viewed, queued or paused, as REST and the metrics tell. */
async function untilIdle(server: ServerUnderTest): Promise<void> {
  let left: string[] = [];
  await until(async () => {
    left = (await server.sessions()).map(({ id }) => `session ${id}`);
    for (const [name, value] of await server.metrics())
      if (GAUGES.test(name) && value !== 0) left.push(`${name} ${value}`);
    return left.length === 0;
  }, 'nothing is left').catch((error: Error) => {
    throw new Error(`${error.message}: ${left.join(', ')}`);
  });
}

const GAUGES = /^trex_(sessions|connections|viewers|session_paused|input_queue_size_bytes)(\{|$)/;

async function orphans(server: ServerUnderTest): Promise<string[]> {
  return until(() => server.processes().length === 0, 'processes end', 5000).then(
    () => [],
    () => [`I4: ${server.processes().length} processes are left`],
  );
}

function mb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
