import fc from 'fast-check';
import assert from 'node:assert/strict';
import { settled } from '../support/running-session.js';
import { runs } from '../support/runs.js';
import { commands, connectAll, programsOf, type Weights, weights } from './support/commands.js';
import { Coverage, rarely, WAYS } from './support/coverage.js';
import { MAX_SESSIONS, Model } from './support/model.js';
import { ScheduledSystem } from './support/scheduled-system.js';

const RUNS = runs(500);

/** What the scheduler decides is no command; what pauses processes is predicted only while nothing is on its way. */
const scheduledWeights: Weights = {
  ...weights,
  spawned: 0,
  spawnFailed: 0,
  processDies: 0,
  flood: 0,
  create: 14,
  print: 10,
  close: 4,
  closeOverRest: 3,
  tick: 6,
  takeOver: 3,
};

/** What comes up in so many lives, whatever the order. */
const NAMES = Object.keys(commands).filter((name) => scheduledWeights[name as keyof typeof commands] > 0);
const NOTES = ['was resumed', 'was taken over', 'client expired', 'control was taken', 'outlived its client'];

/** As things come to a program: each in a turn of its own, and what follows from it at once. */
const scheduler = fc.scheduler({
  act: async (happen) => {
    await happen();
    await settled();
  },
});

/** Takes seconds, and many of them where other work shares the processors. */
const BUSY_MACHINE_MS = runs(300_000);

describe('T014 · race gate: the model among interleavings', () => {
  it(
    `finds the smallest model right once everything has happened, in ${RUNS} orders of it`,
    async () => {
      const seen = new Coverage();
      const fates: fc.Arbitrary<fc.Stream<boolean>> = fc.infiniteStream(fc.constantFrom(false, false, true));
      await fc.assert(
        fc.asyncProperty(
          scheduler,
          fates,
          programsOf(scheduledWeights, 60),
          async (order, fails, program) => {
            const model = new Model();
            const system = new ScheduledSystem(order, model, () => fails.next().value === true);
            connectAll(model, system);
            await fc.scheduledModelRun(order, () => ({ model, real: system }), program);
            await system.rest();
            system.assertRight();
            assert(system.server.mostRunning <= MAX_SESSIONS);
            seen.add(model);
          },
        ),
        { numRuns: RUNS },
      );
      expect(rarely(seen.commands, NAMES, 1)).toEqual([]);
      expect(rarely(seen.ways, WAYS, 1)).toEqual([]);
      expect(rarely(seen.notes, NOTES, 1)).toEqual([]);
    },
    BUSY_MACHINE_MS,
  );
});
