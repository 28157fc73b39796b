import fc from 'fast-check';
import assert from 'node:assert/strict';
import { ByteBudget } from '../../src/core/byte-budget.js';
import { InputQueue } from '../../src/core/input-queue.js';
import { SessionError } from '../../src/core/session-error.js';
import { runs } from '../support/runs.js';

const LIMIT_BYTES = 10_000;
const BUDGET_BYTES = 15_000;

type Step =
  | { readonly type: 'add'; readonly queue: 0 | 1; readonly length: number }
  /** The terminal takes up to `room` bytes. */
  | { readonly type: 'drain'; readonly queue: 0 | 1; readonly room: number }
  | { readonly type: 'clear'; readonly queue: 0 | 1 };

const queue = fc.constantFrom(0 as const, 1 as const);
// Keys, and pastes around the length up to which waiting pieces are joined and around what a queue holds.
const length = fc.oneof(fc.nat(5), fc.integer({ min: 1000, max: 5000 }), fc.nat(LIMIT_BYTES + 10));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('add' as const), queue, length }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('drain' as const), queue, room: length }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('clear' as const), queue }) },
);
const steps = fc.array(step, { maxLength: 60, size: 'max' });

describe('properties of the input queue', () => {
  it('equals two byte strings that share a budget, and refuses whole', () => {
    let refused = 0;
    fc.assert(
      fc.property(steps, (program) => {
        const budget = new ByteBudget(BUDGET_BYTES);
        const queues = [new InputQueue(LIMIT_BYTES, budget), new InputQueue(LIMIT_BYTES, budget)] as const;
        const naive: [Buffer, Buffer] = [Buffer.alloc(0), Buffer.alloc(0)];
        program.forEach((next, index) => {
          const real = queues[next.queue];
          const waiting = naive[next.queue];
          switch (next.type) {
            case 'add': {
              const bytes = Buffer.alloc(next.length, `${index}: the quick brown fox; `);
              const fits =
                waiting.length + bytes.length <= LIMIT_BYTES &&
                naive[0].length + naive[1].length + bytes.length <= BUDGET_BYTES;
              assert.equal(isAccepted(real, bytes), fits);
              if (fits) naive[next.queue] = Buffer.concat([waiting, bytes]);
              else refused += 1;
              break;
            }
            case 'drain': {
              const taken = drained(real, next.room);
              assert(taken.equals(waiting.subarray(0, next.room)));
              naive[next.queue] = waiting.subarray(taken.length);
              break;
            }
            case 'clear':
              real.clear();
              naive[next.queue] = Buffer.alloc(0);
              break;
          }
          assert.deepEqual(
            queues.map(({ bytes }) => bytes),
            naive.map((bytes) => bytes.length),
          );
        });
        for (const [index, real] of queues.entries()) {
          assert(drained(real, Infinity).equals(naive[index]!));
          expect(real.bytes).toBe(0);
        }
        assert(isWholly(budget, BUDGET_BYTES));
      }),
      { numRuns: runs(1000) },
    );
    expect(refused).toBeGreaterThan(500);
  });

  it('gives its bytes back to the budget when it is cleared', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3000), { maxLength: 10 }), fc.nat(5000), (lengths, room) => {
        const budget = new ByteBudget(BUDGET_BYTES);
        const real = new InputQueue(LIMIT_BYTES, budget);
        for (const bytes of lengths) isAccepted(real, Buffer.alloc(bytes));
        drained(real, room);
        real.clear();
        real.clear();
        expect(real.bytes).toBe(0);
        expect(drained(real, Infinity)).toHaveLength(0);
        assert(isWholly(budget, BUDGET_BYTES));
      }),
      { numRuns: runs(100) },
    );
  });
});

/** @returns whether it was; anything but the one refusal is thrown on. */
function isAccepted(queue: InputQueue, bytes: Uint8Array): boolean {
  try {
    queue.add(bytes);
    return true;
  } catch (error) {
    if (error instanceof SessionError && error.code === 'INPUT_QUEUE_FULL') return false;
    throw error;
  }
}

/** What a terminal with room for `room` bytes takes; once it took less than it was offered it is not asked again. */
function drained(queue: InputQueue, room: number): Buffer {
  const taken: Buffer[] = [];
  let left = room;
  let isFull = false;
  queue.drainTo((bytes) => {
    assert(!isFull);
    const count = Math.min(bytes.length, left);
    left -= count;
    isFull = count < bytes.length;
    taken.push(Buffer.from(bytes.subarray(0, count)));
    return count;
  });
  return Buffer.concat(taken);
}

/** Whether exactly `bytes` are left in `budget`. */
function isWholly(budget: ByteBudget, bytes: number): boolean {
  if (!budget.take(bytes) || budget.take(1)) return false;
  budget.give(bytes);
  return true;
}
