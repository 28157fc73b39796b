import fc from 'fast-check';
import assert from 'node:assert/strict';
import { type Session } from '../../src/core/session.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { runs } from '../support/runs.js';
import { TestSessions, testConfig } from '../support/test-sessions.js';

const ACTORS = 10;
const OPERATIONS = 100;

/** Each actor does its things in order; in what order the actors get their turns is the scheduler's choice. */
async function interleaved(
  scheduler: fc.Scheduler,
  actors: readonly (readonly (() => void)[])[],
): Promise<void> {
  const sequences = actors.map((actions) =>
    scheduler.scheduleSequence(actions.map((act) => (): Promise<void> => Promise.resolve(act()))),
  );
  await scheduler.waitIdle();
  for (const { done, faulty } of sequences) assert.deepEqual({ done, faulty }, { done: true, faulty: false });
}

describe('T003 · ids under interleaving', () => {
  it('gives each of 100 concurrent callers an id of its own', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const registry = new SessionRegistry(testConfig());
        const ids: string[] = [];
        const names: string[] = [];
        const callers = Array.from({ length: 100 }, (_caller, number) => [
          () => void ids.push(registry.nextId()),
          () => void names.push(registry.nextName(number % 2 === 0 ? 'bash' : 'zsh')),
        ]);
        await interleaved(scheduler, callers);
        assert.equal(new Set(ids).size, 100);
        assert.equal(new Set(names).size, 100);
        assert(ids.every((id) => registry.hasKnown(id)));
        assert(!registry.hasKnown(`s${ids.length + 1}`));
      }),
      { numRuns: runs(50) },
    );
  });
});

type Operation = 'add' | 'get' | 'delete' | 'list' | 'count';

const operation = fc.constantFrom<Operation>('add', 'add', 'get', 'delete', 'list', 'count');
const program = fc.array(fc.tuple(operation, fc.nat()), { minLength: OPERATIONS, maxLength: OPERATIONS });

describe('T001 · concurrent operations on the registry', () => {
  it('equals a list, whatever 10 actors do to it 100 times each', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(program, { minLength: ACTORS, maxLength: ACTORS }),
        async (scheduler, programs) => {
          const { opener, registry } = new TestSessions({ maxSessions: ACTORS * OPERATIONS });
          const naive: Session[] = [];
          const ever: Session[] = [];
          const does: Record<Operation, (number: number) => void> = {
            add: () => {
              const session = opener.open({});
              naive.push(session);
              ever.push(session);
            },
            get: (number) => {
              const session = ever[number % ever.length];
              if (!session) return;
              const found = registry.find(session.id);
              assert.equal(found, naive.includes(session) ? session : undefined);
            },
            delete: (number) => {
              const session = ever[number % ever.length];
              if (!session) return;
              const position = naive.indexOf(session);
              if (position >= 0) naive.splice(position, 1);
              assert.equal(registry.delete(session.id), position >= 0);
            },
            list: () => assert.deepEqual(idsOf(registry.list()), idsOf(naive)),
            count: () => assert.equal(registry.count(), naive.length),
          };
          await interleaved(
            scheduler,
            programs.map((actions) =>
              actions.map(
                ([name, number]) =>
                  () =>
                    does[name](number),
              ),
            ),
          );
          assert.deepEqual(registry.list(), naive);
          assert.equal(new Set(idsOf(ever)).size, ever.length);
          assert.equal(new Set(ever.map(({ name }) => name)).size, ever.length);
        },
      ),
      { numRuns: runs(20) },
    );
  });
});

function idsOf(sessions: readonly Session[]): string[] {
  return sessions.map(({ id }) => id);
}
