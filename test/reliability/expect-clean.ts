import { peakBytes } from '../../bench/harness/process-usage.js';
import { quantile } from '../../bench/harness/statistics.js';
import { GARBAGE_BYTES, SHARED_BYTES } from '../../bench/memory-bound.js';
import { until } from '../support/until.js';
import { type Run } from './run.js';
import { slopeOf } from './slope.js';
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
  /** Whether all that was to be printed has to come. */
  readonly isHeld?: boolean;
  /** Somebody is meant to be told of a gap. */
  readonly mayMiss?: boolean;
  /** Connections are meant to be lost. */
  readonly mayReturn?: boolean;
}

/** So many times what the probe beside it takes, anything may take. */
export const PROBE_TIMES = 3;
const FEW = 1000;
const LOOP_P99_MS = 50;
const LOOP_MAX_MS = 250;
/** The process itself, after its start. What V8 has not collected comes on top: see docs/memory.md. */
const PROCESS_BYTES = 120 * MIB;
const SESSION_BYTES = MIB + 512 * KIB;
/** Window and socket buffer. */
const CLIENT_BYTES = MIB + MIB;
const HELD_SHARE = 0.95;
/** With less of its time left a machine does all it can. */
export const IDLE_SHARE = 0.1;
/** Of the samples, those at the beginning that say nothing. */
const WARM_SHARE = 0.1;
const FEW_SAMPLES = 10;
/** With 95 % certainty, where so many come and go: in an hour, or a thousand sessions. */
const MOST_DESCRIPTORS_GROWTH = 5;
const BACK_TO = 1.15;
/** Code that has been compiled meanwhile, and buffers that are used again; none of it grows on: see the slopes. */
const COMPILED_BYTES = 4 * MIB + SHARED_BYTES;

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
  const problems = [...run.problems.splice(0), ...clientsProblems(run, gates)];
  const expect = (holds: boolean, invariant: string, what: string): void => {
    if (!holds) problems.push(`${invariant}: ${what}`);
  };
  const { server, figures, echoMs, lateEchoMs, probeMs } = run;

  expect(server.stderr === '', 'I7', `the server complains: ${server.stderr.slice(0, 1000)}`);
  const loud = server.log.split('\n').filter((line) => /"level":"(warn|error|fatal)"/.test(line));
  expect(loud.length === 0, 'I7', `the log has ${loud.length} warnings and errors, first: ${loud[0]}`);

  const { probeMaxMs: slowest = 0 } = figures;
  const slow = probeMs.length < FEW ? slowest : quantile(probeMs, 0.99);
  figures.echoes = echoMs.length + lateEchoMs.length;
  const isTimed = Math.min(gates.echoP50Ms, gates.echoP99Ms) < Infinity;
  expect(!isTimed || figures.echoes > 0, 'I9', 'no key was echoed');
  if (lateEchoMs.length > 0) {
    const slowest = largest(lateEchoMs).toFixed(1);
    figures.echoesNotJudged = lateEchoMs.length;
    run.notes.push(
      `not judged, for the load was late and this machine could do no more: ${lateEchoMs.length} of ${figures.echoes} echoes, at most ${slowest} ms`,
    );
  }
  if (echoMs.length > 0) {
    for (const [name, share, gate] of [
      ['P50', 0.5, gates.echoP50Ms],
      ['P99', 0.99, gates.echoP99Ms],
    ] as const) {
      const found = (figures[`echo${name}Ms`] = quantile(echoMs, share));
      const bare = quantile(probeMs, share);
      if (probeMs.length > 0) figures[`probe${name}Ms`] = bare;
      // Of few, the slowest hundredth is chance: then the slowest stands for it.
      const known = share > 0.5 && probeMs.length < FEW ? largest(probeMs) : bare;
      const allowed = Math.max(gate, PROBE_TIMES * (known || 0));
      const verdict = `echo ${name} took ${found.toFixed(1)} ms, more than ${allowed.toFixed(1)}`;
      if (found <= allowed) continue;
      if (isTooMuchHere(run)) run.notes.push(`not judged, for this machine could do no more: ${verdict}`);
      else problems.push(`I9: ${verdict}`);
    }
  }
  const { heldShare = 1, idleShare = 1 } = figures;
  if (gates.isHeld && heldShare < HELD_SHARE && !isTooMuchHere(run))
    problems.push(
      `only ${heldShare.toFixed(2)} of the load was held, with ${idleShare.toFixed(2)} of the time to spare`,
    );
  judgeSlopes(run);
  problems.push(...run.problems.splice(0));
  if (run.isServerGone) return [...problems, ...(await orphans(server))];

  const { loopP99Ms, loopMaxMs } = await server.ask({});
  Object.assign(figures, { loopP99Ms, loopMaxMs });
  const p99 = Math.max(LOOP_P99_MS, PROBE_TIMES * slow);
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

/** How fast what the server holds has grown while the load went on, and whether its descriptors stayed as many. */
function judgeSlopes({ samples, figures, growth, problems, seconds }: Run): void {
  // What is warming up still is no growth.
  const settled = samples.slice(Math.ceil(samples.length * WARM_SHARE));
  const span = growth ? (settled.at(-1)?.[growth.per] ?? 0) - (settled[0]?.[growth.per] ?? 0) : 0;
  if (!growth) return;
  if (settled.length < FEW_SAMPLES || span < growth.least) {
    const all = growth.per === 'hours' ? seconds / 3600 : figures.sessions;
    if (all >= 2 * growth.least)
      problems.push(`I6: of ${settled.length} samples over ${span} no growth is seen`);
    return;
  }
  const slope = slopeOf(settled.map((one) => ({ x: one[growth.per], y: one.heapAndBuffers })));
  figures.growthBytes = slope.perUnit * growth.units;
  figures.growthAtMostBytes = slope.atMost * growth.units;
  const resident = slopeOf(settled.map((one) => ({ x: one[growth.per], y: one.rss })));
  figures.residentGrowthAtMostBytes = resident.atMost * growth.units;
  const { residentAtMostBytes = Infinity } = growth;
  if (figures.residentGrowthAtMostBytes > residentAtMostBytes)
    problems.push(
      `I6: what is resident grows by up to ${mb(figures.residentGrowthAtMostBytes)}, more than ${mb(residentAtMostBytes)}`,
    );
  const descriptors = slopeOf(settled.map((one) => ({ x: one[growth.per], y: one.descriptors })));
  figures.descriptorsGrowthAtMost = descriptors.atMost * growth.units;
  if (figures.descriptorsGrowthAtMost > MOST_DESCRIPTORS_GROWTH)
    problems.push(`I5: descriptors grow by up to ${figures.descriptorsGrowthAtMost.toFixed(1)}`);
  figures.descriptorsLeast = Math.min(...settled.map(({ descriptors }) => descriptors));
  figures.descriptorsMost = Math.max(...settled.map(({ descriptors }) => descriptors));
  if (figures.growthAtMostBytes > growth.atMostBytes)
    problems.push(
      `I6: it grows by up to ${mb(figures.growthAtMostBytes)}, more than ${mb(growth.atMostBytes)}`,
    );
}

/** Less was printed than should have been, because no processor had time: keys then wait behind what is late. */
function isTooMuchHere({ figures: { heldShare = 1, idleShare = 1 } }: Run): boolean {
  return heldShare < HELD_SHARE && idleShare < IDLE_SHARE;
}

/** I1, I2 and I8, which clients see. */
function clientsProblems(
  { talks, watchers, clients, endedByFault, isServerGone }: Run,
  { mayMiss = false, mayReturn = false }: Gates,
): string[] {
  const problems: string[] = [];
  const returns = clients.flatMap(({ arrivals }) => arrivals.slice(1));
  if (returns.length > 0 && !mayReturn)
    problems.push(`I1: ${returns.length} connections were lost for nothing`);
  if (returns.some(({ isKnown, isServerNew }) => !isKnown && !isServerNew))
    problems.push('I1: a client that came back was not known');
  const gaps = [...talks, ...watchers].reduce((sum, one) => sum + one.gaps, 0);
  if (gaps > 0 && !mayMiss) problems.push(`I1: ${gaps} gaps, where nobody was away for too long`);
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
    if (watcher.exits > 1 || (watcher.exits === 0 && !isServerGone))
      problems.push(`I8: a watcher had ${watcher.exits} exits`);
    // The last that a talker says before it ends.
    const isToEnd = !isServerGone && !endedByFault.has(watcher.talk);
    if (isToEnd && watcher.checker.typed !== watcher.talk.checker.typed)
      problems.push('I1: a watcher had an exit before all was shown');
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
  const left = (): number => server.processes().length + server.children().length;
  return until(() => left() === 0, 'processes end', 5000).then(
    () => [],
    () => [`I4: ${server.processes().length} processes and ${server.children().length} children are left`],
  );
}

/** 0 of none. */
export function largest(numbers: readonly number[]): number {
  return numbers.reduce((most, one) => Math.max(most, one), 0);
}

function mb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
