/**
 * Loaded into a server before its own code (`--require`): on SIGUSR2 it does what the question in its folder asks, and
 * writes the answer beside it. See ServerUnderTest, which asks.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type Answer, type Question } from '../server-under-test.js';

const folder = process.env.RELIABILITY_FOLDER ?? '.';
const RESOLUTION_MS = 5;

const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delay.enable();

/** Of all stretches between two questions. */
const worst = { loopP99Ms: 0, loopMaxMs: 0 };

const now = Date.now.bind(Date);
let jumpMs = 0;
Date.now = () => now() + jumpMs;
globalThis.Date = new Proxy(Date, {
  construct: (date, given: [], target): Date =>
    Reflect.construct(date, given.length === 0 ? [now() + jumpMs] : given, target) as Date,
});

process.on('SIGUSR2', () => {
  const question = JSON.parse(readFileSync(join(folder, 'question.json'), 'utf8')) as Question;
  const answer = join(folder, `answer-${question.number}.json`);
  writeFileSync(`${answer}.new`, JSON.stringify(answerTo(question)));
  renameSync(`${answer}.new`, answer);
  if (question.resets) Object.assign(worst, { loopP99Ms: 0, loopMaxMs: 0 });
  // What collecting takes does not count: its own delay is recorded in the next turns.
  if (question.resets || question.collects) setTimeout(() => delay.reset(), 10 * RESOLUTION_MS);
});

function answerTo({ stallMs = 0, jumpMs: jump, collects }: Question): Answer {
  const until = performance.now() + stallMs;
  while (performance.now() < until);
  jumpMs += jump ?? 0;
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  worst.loopP99Ms = Math.max(worst.loopP99Ms, late(delay.percentile(99)));
  worst.loopMaxMs = Math.max(worst.loopMaxMs, late(delay.max));
  if (collects) {
    // The first finds objects with finalizers, the second what those held.
    globalThis.gc?.();
    globalThis.gc?.();
  }
  const { heapUsed, external } = process.memoryUsage();
  return { ...worst, heapAndBuffers: heapUsed + external, resources: counted() };
}

function counted(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
