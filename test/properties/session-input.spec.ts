import fc from 'fast-check';
import assert from 'node:assert/strict';
import { ByteBudget } from '../../src/core/byte-budget.js';
import { SessionError } from '../../src/core/session-error.js';
import { SessionEvents } from '../../src/core/session-events.js';
import { Session } from '../../src/core/session.js';
import { Statistics } from '../../src/core/statistics.js';
import { DEFAULT_SIZE } from '../../src/core/terminal-size.js';
import { nativeSearch } from '../../src/sessions/native-search.js';
import { nativeText } from '../../src/sessions/native-text.js';
import { FakeClock } from '../fakes/fake-clock.js';
import { FakePtyFactory } from '../fakes/fake-pty.js';
import { settled } from '../support/running-session.js';
import { runs } from '../support/runs.js';

const BUDGET_BYTES = 500;

type Step =
  | { readonly type: 'type'; readonly text: string }
  /** The program reads what it has been given and up to so many bytes more. */
  | { readonly type: 'read'; readonly bytes: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('type' as const),
      text: fc.string({ maxLength: 100, size: 'max' }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('read' as const), bytes: fc.nat(150) }) },
);
const steps = fc.array(step, { maxLength: 40, size: 'max' });
const end = fc.constantFrom('reads all', 'ends', 'is closed', 'cannot start', 'never starts');

describe('properties of a session’s input', () => {
  it('reaches the process whole, in order and once, and gives its budget back whatever becomes of it', async () => {
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(steps, steps, end, async (early, late, fate) => {
        const ptys = new FakePtyFactory();
        const budget = new ByteBudget(BUDGET_BYTES);
        const session = new Session(
          {
            id: 's1',
            name: 'bash-1',
            shellType: 'bash',
            shell: '/bin/bash',
            cwd: '/',
            persistent: false,
            size: DEFAULT_SIZE,
          },
          {
            ptys,
            clock: new FakeClock(),
            events: new SessionEvents(),
            statistics: new Statistics(),
            logBytes: 1000,
            inputQueueBytes: 4 * 1024 * 1024,
            inputBudget: budget,
            maxViewers: 8,
            search: nativeSearch,
            decode: nativeText,
            hostname: 'here',
          },
        );
        let accepted = '';
        const type = (text: string): void => {
          try {
            session.write(Buffer.from(text));
            accepted += text;
          } catch (error) {
            assert(error instanceof SessionError && error.code === 'INPUT_QUEUE_FULL');
            refused += 1;
          }
        };

        ptys.hold();
        session.start();
        await settled();
        for (const next of early) if (next.type === 'type') type(next.text);
        assert.equal(accepted.length > 0, !isWhole(budget));
        if (fate === 'never starts') session.close();
        if (fate === 'cannot start') ptys.failure = new SessionError('SPAWN_FAILED', 'no');
        ptys.release();
        await settled();
        if (fate === 'cannot start') {
          assert(session.hasEnded && isWhole(budget));
          return;
        }
        const pty = ptys.last;
        if (fate === 'never starts') {
          await settled();
          assert(session.hasEnded && isWhole(budget));
          assert.equal(pty.input, '');
          return;
        }
        assert.equal(pty.input, accepted);
        pty.room = 0;
        for (const next of late) {
          if (next.type === 'type') type(next.text);
          else pty.read(next.bytes);
          assert(accepted.startsWith(pty.input));
          assert(pty.room === 0 || pty.input === accepted);
        }
        if (fate === 'reads all') pty.read(BUDGET_BYTES);
        if (fate === 'reads all') assert.equal(pty.input, accepted);
        if (fate === 'ends') pty.end();
        if (fate === 'is closed') session.close();
        assert(isWhole(budget));
      }),
      { numRuns: runs(500) },
    );
    expect(refused).toBeGreaterThan(200);
  });
});

function isWhole(budget: ByteBudget): boolean {
  if (!budget.take(BUDGET_BYTES)) return false;
  budget.give(BUDGET_BYTES);
  return !budget.take(BUDGET_BYTES + 1);
}
