import { ByteBudget } from './byte-budget.js';
import { InputQueue } from './input-queue.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('T35 · the input queue', () => {
  it('is drained in order, as far as is taken', () => {
    const queue = new InputQueue(100, new ByteBudget(100));
    queue.add(bytes('hello '));
    queue.add(bytes('world'));
    const taken: string[] = [];
    const takeThree = (offered: Uint8Array): number => {
      taken.push(Buffer.from(offered.subarray(0, 3)).toString());
      return Math.min(3, offered.length);
    };
    queue.drainTo(takeThree);
    queue.drainTo(takeThree);
    expect(taken).toEqual(['hel', 'lo ']);
    expect(queue.bytes).toBe(5);
  });

  it('holds a million single keys in a few pieces', () => {
    const queue = new InputQueue(1_000_000, new ByteBudget(1_000_000));
    for (let n = 0; n < 100_000; n++) queue.add(bytes('x'));
    let pieces = 0;
    queue.drainTo((offered) => {
      pieces += 1;
      return offered.length;
    });
    expect(pieces).toBeLessThanOrEqual(Math.ceil(100_000 / 2048));
    expect(queue.bytes).toBe(0);
  });

  it('holds no more pieces than it has memory for, whoever types them by turns', () => {
    const queue = new InputQueue(1_000_000, new ByteBudget(1_000_000));
    const typists = [(): void => undefined, (): void => undefined];
    const typeByTurns = (): number => {
      for (let n = 0; n < 1_000_000; n++) {
        try {
          queue.add(bytes('x'), typists[n % 2]);
        } catch (error) {
          expect(error).toMatchObject({ code: 'INPUT_QUEUE_FULL' });
          return n;
        }
      }
      return Infinity;
    };
    const count = typeByTurns();
    expect(count).toBeLessThan(10_000);
    queue.add(bytes('joined'), typists[1 - (count % 2)]);
    queue.drainTo((offered) => offered.length);
    expect(typeByTurns()).toBe(count);
  });

  it('has room for all that one client may type, in the smallest pieces that are not joined', () => {
    const limit = 16 * 1024 * 1024;
    const queue = new InputQueue(limit, new ByteBudget(limit));
    const piece = new Uint8Array(2049);
    while (queue.bytes + piece.length <= limit) queue.add(piece);
  });

  it('gives its share of the budget back when it is drained and when it is cleared', () => {
    const budget = new ByteBudget(10);
    const [one, two] = [new InputQueue(10, budget), new InputQueue(10, budget)];
    one.add(bytes('12345'));
    two.add(bytes('12345'));
    expect(() => one.add(bytes('6'))).toThrow(expect.objectContaining({ code: 'INPUT_QUEUE_FULL' }) as Error);
    two.clear();
    one.add(bytes('67890'));
    one.drainTo((offered) => offered.length);
    expect(budget.take(10)).toBe(true);
  });

  it('takes nothing from the budget for what it refuses itself', () => {
    const budget = new ByteBudget(10);
    const queue = new InputQueue(4, budget);
    expect(() => queue.add(bytes('12345'))).toThrow();
    expect(budget.take(10)).toBe(true);
  });

  it('tells whoever wants to know how much of theirs is taken, in parts, whoever’s is between', () => {
    const queue = new InputQueue(100, new ByteBudget(100));
    const told: string[] = [];
    const [one, two] = ['one', 'two'].map((whose) => (count: number) => void told.push(`${whose} ${count}`));
    queue.add(bytes('abc'), one);
    queue.add(bytes('de'), one);
    queue.add(bytes('xyz'), two);
    queue.add(bytes('nobody’s'));
    queue.add(bytes('f'), one);
    let room = 4;
    const take = (offered: Uint8Array): number => {
      const count = Math.min(room, offered.length);
      room -= count;
      return count;
    };
    queue.drainTo(take);
    expect(told).toEqual(['one 4']);
    queue.drainTo(take);
    expect(told).toEqual(['one 4']);
    room = 100;
    queue.drainTo(take);
    expect(told).toEqual(['one 4', 'one 1', 'two 3', 'one 1']);
  });

  it('tells nobody of what it forgets', () => {
    const queue = new InputQueue(100, new ByteBudget(100));
    const told: number[] = [];
    queue.add(bytes('abc'), (count) => told.push(count));
    queue.clear();
    queue.drainTo((offered) => offered.length);
    expect([told, queue.bytes]).toEqual([[], 0]);
  });

  it('takes an empty message as nothing', () => {
    const queue = new InputQueue(4, new ByteBudget(4));
    queue.add(bytes(''));
    queue.drainTo(() => {
      throw new Error('nothing was to be offered');
    });
    expect(queue.bytes).toBe(0);
  });
});
