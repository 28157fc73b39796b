import fc from 'fast-check';
import assert from 'node:assert/strict';
import { terminalSize } from '../../src/core/terminal-size.js';
import { settled } from '../support/running-session.js';
import { type Action, CLIENTS, type Fate, type Naming, Scene } from './support/scene.js';
import { runs } from '../support/runs.js';

const RUNS = runs(2000);
/** What has to come up in so many runs, or they prove little. */
const LEAST_SEEN = 4;
const WORTH_SEEING = [
  'never started',
  'closed before its start',
  'closed while it starts: lives',
  'closed while it starts: cannotStart',
  'closed while it starts: unkillable',
  'a process ended by itself while it was being ended',
  'ended by itself and stays listed',
  'several waited for one to close',
  'a caller waits for the impossible',
  'a caller was told that closing takes too long',
  'shut down with processes',
  'a process was paused',
  'attached to another’s',
  'attached again',
  'attached after the end',
  'too many wanted to look',
  'several were told of the end',
  'another than the owner is in control',
  'typed on',
  'typed on over another connection',
  'came back',
  'was taken over',
  'came back too late',
  'resumed one that is not started',
  'resumed one that starts',
  'resumed one that runs',
  'resumed one that is closing',
  'resumed one that has ended',
  'resumed one that is gone',
  'was told of a gap after resume',
  'a hold ended',
  'a client expired',
  'a process was paused for one who is away',
  'outlived its client',
  'outlived everybody',
  'shut down with clients away',
];

/** Which of the sessions there have been. */
const pick = fc.nat(11);
const create = fc.record({
  type: fc.constant('create' as const),
  fate: fc.constantFrom<Fate>('lives', 'lives', 'lives', 'cannotStart', 'unkillable'),
  size: fc.constantFrom(undefined, terminalSize(100, 30)),
  persistent: fc.constantFrom(false, false, false, true),
});
const toSession = fc.record({
  type: fc.constantFrom('input' as const, 'resize' as const, 'close' as const, 'detach' as const),
  pick,
});
const typeOn = fc.record({ type: fc.constant('typeOn' as const) });
const attach = fc.record({
  type: fc.constant('attach' as const),
  pick,
  share: fc.constantFrom(0, 0.5, 1),
  readOnly: fc.constantFrom(false, false, true),
});
const read = fc.record({
  type: fc.constantFrom('stopReading' as const, 'startReading' as const, 'acknowledge' as const),
});
const leave = fc.record({ type: fc.constant('leave' as const) });
const drop = fc.record({ type: fc.constant('drop' as const) });
const resume = fc.record({
  type: fc.constant('resume' as const),
  naming: fc.array(fc.constantFrom<Naming>('heard', 'oldest', 'unnamed'), { minLength: 1, maxLength: 2 }),
  pick,
});
const client = fc.array<Action>(
  fc.oneof(
    { weight: 5, arbitrary: create },
    { weight: 5, arbitrary: toSession },
    { weight: 4, arbitrary: typeOn },
    { weight: 4, arbitrary: attach },
    { weight: 2, arbitrary: read },
    { weight: 1, arbitrary: leave },
    { weight: 3, arbitrary: drop },
    { weight: 5, arbitrary: resume },
  ),
  { maxLength: 12, size: 'max' },
);
const restCaller = fc.array<Action>(fc.record({ type: fc.constant('restClose' as const), pick }), {
  maxLength: 3,
});
const processes = fc.array<Action>(
  fc.record({
    type: fc.constantFrom('print' as const, 'flood' as const, 'flood' as const, 'end' as const),
    pick,
  }),
  { maxLength: 12, size: 'max' },
);
const time = fc.array<Action>(
  fc.record({
    type: fc.constant('wait' as const),
    ms: fc.constantFrom(1, 500, 5000, 10_000, 30_000, 30_000, 60_000),
  }),
  { maxLength: 5, size: 'max' },
);
const operator = fc.array<Action>(fc.record({ type: fc.constant('shutDown' as const) }), {
  minLength: 1,
  maxLength: 1,
});

/** Each does its things in its order; what the others do, and what happens to processes, comes in between. */
const actors = fc.record({
  clients: fc.array(client, { minLength: CLIENTS, maxLength: CLIENTS }),
  others: fc.tuple(
    restCaller,
    restCaller,
    processes,
    time,
    fc.oneof({ weight: 2, arbitrary: fc.constant<Action[]>([]) }, { weight: 1, arbitrary: operator }),
  ),
});

/** Takes seconds, and many of them where other work shares the processors. */
const BUSY_MACHINE_MS = runs(300_000);

describe('T014 · race gate: interleavings', () => {
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
  beforeAll(() => void process.on('unhandledRejection', onUnhandled));
  afterAll(() => void process.off('unhandledRejection', onUnhandled));

  it(
    `leaves nothing behind and answers everybody, in ${RUNS} orders of things`,
    async () => {
      const seen = new Map<string, number>();
      await fc.assert(
        fc.asyncProperty(fc.scheduler(), actors, async (scheduler, { clients, others }) => {
          const scene = new Scene((label) => scheduler.schedule(Promise.resolve(), label));
          const problems: unknown[] = [];
          const act = (action: Action, actor: number): Promise<void> => {
            try {
              scene.act(action, actor);
            } catch (error) {
              problems.push(error);
            }
            return Promise.resolve();
          };
          for (const [actor, actions] of [...clients, ...others].entries()) {
            scheduler.scheduleSequence(
              actions.map((action) => ({ builder: () => act(action, actor), label: JSON.stringify(action) })),
            );
          }
          await scheduler.waitIdle();
          await settled();
          assert.deepEqual(problems, []);
          scene.readAll();
          await scheduler.waitIdle();
          await settled();
          // What is wrong has to be seen now: ending everything would hide it.
          scene.assertNothingLost();
          scene.leave();
          await scheduler.waitIdle();
          scene.letTimeouts();
          await settled();
          scene.assertEverybodyAnswered();
          scene.kill();
          await scheduler.waitIdle();
          await settled();
          scene.assertNothingLeft();
          assert.deepEqual(unhandled, []);
          for (const what of scene.seen) seen.set(what, (seen.get(what) ?? 0) + 1);
        }),
        { numRuns: RUNS },
      );
      expect(WORTH_SEEING.filter((what) => (seen.get(what) ?? 0) < LEAST_SEEN)).toEqual([]);
    },
    BUSY_MACHINE_MS,
  );
});
