/**
 * How long the registry's operations take with 1,000 sessions in it (the seed asks for under 1 ms). No processes: they
 * are never started. Prints the median of each batch's mean, and the slowest batch.
 */
import { readEnvironment } from '../src/config/environment.js';
import { readMachine } from '../src/config/machine.js';
import { Clock, type Timer } from '../src/core/clock.js';
import { type Pty, PtyFactory } from '../src/core/pty.js';
import { SessionEvents } from '../src/core/session-events.js';
import { SessionCloser } from '../src/sessions/session-closer.js';
import { SessionOpener } from '../src/sessions/session-opener.js';
import { SessionRegistry } from '../src/sessions/session-registry.js';
import { infoOf } from '../src/sessions/session-info.js';

const SESSIONS = 1000;
const BATCHES = 50;
const BATCH = 20;
const TARGET_US = 1000;

const config = readEnvironment(
  { TREX_SHELL: '/bin/sh', TREX_CWD: '/', TREX_MAX_SESSIONS: String(SESSIONS + BATCH) },
  readMachine(),
);

class NoPtys extends PtyFactory {
  spawn(): Promise<Pty> {
    return Promise.reject(new Error('nothing is started here'));
  }
}

class StandingClock extends Clock {
  now(): number {
    return 0;
  }

  elapsed(): number {
    return 0;
  }

  after(): Timer {
    return { cancel: () => undefined };
  }
}

const clock = new StandingClock();
const events = new SessionEvents();
const registry = new SessionRegistry(config);
const opener = new SessionOpener(config, registry, new NoPtys(), clock, events);
const closer = new SessionCloser(config, registry, clock, events);
for (let n = 0; n < SESSIONS; n++) opener.open({});

/** Mean microseconds of one call, per batch; `after` puts things back and is not counted. */
function measure(operation: (n: number) => void, after: () => void = () => undefined): number[] {
  const batches: number[] = [];
  for (let batch = 0; batch < BATCHES; batch++) {
    const begun = performance.now();
    for (let n = 0; n < BATCH; n++) operation(n);
    batches.push(((performance.now() - begun) * 1000) / BATCH);
    after();
  }
  return batches.sort((a, b) => a - b);
}

function closeNewest(): void {
  for (const { id } of registry.list().slice(SESSIONS)) closer.close(id);
}

const idOf = (n: number): string => `s${1 + ((n * 7919) % SESSIONS)}`;
const operations: [string, number[]][] = [
  ['nextId', measure(() => registry.nextId())],
  ['open (nextId, nextName, quota, add)', measure(() => opener.open({}), closeNewest)],
  ['get', measure((n) => registry.get(idOf(n)))],
  ['list', measure(() => registry.list())],
  ['list as REST tells it', measure(() => JSON.stringify(registry.list().map(infoOf)))],
  ['count', measure(() => registry.count())],
  [
    'close and delete',
    measure(
      (n) => closer.close(registry.list()[SESSIONS - 1 - n]?.id ?? ''),
      () => {
        while (registry.count() < SESSIONS) opener.open({});
      },
    ),
  ],
];

console.log(
  `${SESSIONS} sessions; µs per operation, ${BATCHES} batches of ${BATCH}; target < ${TARGET_US} µs`,
);
for (const [name, batches] of operations) {
  const median = batches[Math.floor(batches.length / 2)] ?? NaN;
  const slowest = batches.at(-1) ?? NaN;
  console.log(
    `${name.padEnd(38)} median ${median.toFixed(2).padStart(8)}   slowest batch ${slowest.toFixed(2).padStart(8)}`,
  );
}
