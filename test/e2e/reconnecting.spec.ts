import { WebSocket } from 'ws';
import { type RemoteSession, type SessionHandlers } from '../../client/remote-session.js';
import { type Arrival, TerminalClient } from '../../client/terminal-client.js';
import { answerTo, type AnsweringPtyFactory, AnsweringPtyModule } from '../fakes/answering-pty.js';
import { Claims } from '../support/claims.js';
import { type CutPoint, CuttingProxy, type Plan } from '../support/cutting-proxy.js';
import { useTestBed } from '../support/test-bed.js';
import { type TestServer } from '../support/test-server.js';
import { PATIENCE_MS, until } from '../support/until.js';

const bed = useTestBed();
const LINES = 13;
const lineOf = (n: number): string => `line ${n} ${'abcdefghij'.repeat(12)}`;
const TYPED = Array.from({ length: LINES }, (_, n) => `${lineOf(n)}\r`).join('');
const PRINTED = Array.from({ length: LINES }, (_, n) => answerTo(lineOf(n))).join('');

/** Somebody at a terminal whose connection goes through a proxy of its own. */
class Person {
  shown = '';
  gaps = 0;
  exits = 0;
  gone = 0;
  lost = 0;
  readonly arrivals: Arrival[] = [];
  readonly client: TerminalClient;
  private readonly claims = new Claims();

  constructor(readonly proxy: CuttingProxy) {
    this.client = new TerminalClient({
      open: () => new WebSocket(`ws://127.0.0.1:${proxy.port}/ws`, 'trex.v2'),
      reconnect: { firstMs: 1, mostMs: 5 },
      handlers: {
        arrived: (arrival) => {
          this.arrivals.push(arrival);
          this.claims.look();
        },
      },
    });
  }

  readonly handlers: SessionHandlers = {
    output: (bytes, _offset, consumed) => {
      this.shown += Buffer.from(bytes).toString('latin1');
      consumed();
      this.claims.look();
    },
    gap: () => this.gaps++,
    gone: () => {
      this.gone++;
      this.claims.look();
    },
    inputLost: () => this.lost++,
    exit: () => {
      this.exits++;
      this.claims.look();
    },
  };

  until(claim: () => boolean, what: string): Promise<void> {
    return this.claims.until(claim, () => `${what}: ${this.story()}`, PATIENCE_MS);
  }

  /** Types line after line, each when the one before is answered, and ends the session. */
  async converse(cwd: string): Promise<void> {
    await this.arrive();
    const session = await this.client.create(this.handlers, { cols: 80, rows: 24, cwd });
    let expected = 0;
    for (let n = 0; n < LINES; n++) {
      session.write(`${lineOf(n)}\r`);
      expected += answerTo(lineOf(n)).length;
      await this.until(() => this.shown.length >= expected, `the answer to line ${n}`);
    }
    session.close();
    await this.until(() => this.exits + this.gone > 0, 'the end');
  }

  /** The first connection may be cut before it has begun, and is nobody's to make again. */
  async arrive(): Promise<void> {
    for (;;) {
      try {
        await this.client.connect();
        return;
      } catch {
        if (this.proxy.connections.length > 5) throw new Error(`never welcomed: ${this.story()}`);
      }
    }
  }

  async leave(): Promise<void> {
    this.client.close();
    await this.proxy.close();
  }

  private story(): string {
    const { client, shown, exits, gone, gaps, lost, proxy } = this;
    const connections = proxy.connections.map((connection) => connection.story()).join('; ');
    return `${client.state}, ${shown.length} bytes shown, ${exits} exits, ${gone} gone, ${gaps} gaps, ${lost} lost, ${connections}`;
  }
}

async function serve(): Promise<{ server: TestServer; ptys: AnsweringPtyFactory }> {
  // Nobody asks who connects: thousands of connections later that is a long list to look through, each time.
  const server = await bed.serve({ maxSessions: 10_000, auth: 'none' }, AnsweringPtyModule);
  return { server, ptys: server.processes as AnsweringPtyFactory };
}

const people = new Set<Person>();

async function personAt(server: TestServer, plan: (number: number) => Plan = () => ({})): Promise<Person> {
  const person = new Person(await CuttingProxy.start(server.port, plan));
  people.add(person);
  return person;
}

async function leaves(person: Person): Promise<void> {
  people.delete(person);
  await person.leave();
}

/** A whole exchange whose connections follow `plan`; exactly everything comes and goes. */
async function exchange(server: TestServer, plan: (number: number) => Plan, cwd: string): Promise<Person> {
  const person = await personAt(server, plan);
  try {
    await person.converse(cwd);
    const typed = (server.processes as AnsweringPtyFactory).startedIn(cwd)?.input;
    const problems = [
      person.shown === PRINTED ? '' : 'what was shown is not what was printed',
      typed === TYPED ? '' : `what was typed is not what was written: ${JSON.stringify(typed)}`,
      person.exits === 1 && person.gone === 0 ? '' : `${person.exits} exits, ${person.gone} gone`,
      person.gaps + person.lost === 0 ? '' : 'something was lost',
    ].filter(Boolean);
    if (problems.length > 0) throw new Error(`${problems.join('; ')} at ${JSON.stringify(plan(1))}`);
    return person;
  } finally {
    await leaves(person);
  }
}

/** Runs `task` for each number below `count`, some at a time. */
async function each(count: number, task: (n: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) await task(next++);
  };
  await Promise.all(Array.from({ length: 8 }, work));
}

const LONG_MS = 300_000;

describe('through lost connections,', () => {
  afterEach(async () => {
    await Promise.all([...people].map(leaves));
  });

  describe('an exchange of more than 2,000 bytes each way', () => {
    it.each(['toServer', 'toClient'] as const)(
      'is whole wherever its connection is cut: after every byte %s',
      async (direction) => {
        const { server } = await serve();
        const whole = await exchange(server, () => ({}), '/whole');
        const bytes = whole.proxy.newest[direction].passedAfterUpgradeBytes;
        expect(bytes).toBeGreaterThan(2000);
        await each(bytes, (afterBytes) => {
          const cut: CutPoint = { how: 'end', direction, afterBytes, afterUpgrade: true };
          return exchange(server, (number) => (number === 1 ? { cut } : {}), `/${direction}/${afterBytes}`);
        });
      },
      LONG_MS,
    );

    it.each([
      ['toServer', 300],
      ['toClient', 1000],
    ] as const)(
      'is whole wherever the way back is cut: after every byte %s, %d of them',
      async (direction, bytes) => {
        const { server } = await serve();
        await each(bytes, (afterBytes) => {
          const first: CutPoint = { how: 'end', direction: 'toClient', afterBytes: 1500, afterUpgrade: true };
          const second: CutPoint = { how: 'end', direction, afterBytes, afterUpgrade: true };
          const plan = (number: number): Plan => (number > 2 ? {} : { cut: number === 1 ? first : second });
          return exchange(server, plan, `/back/${direction}/${afterBytes}`);
        });
      },
      LONG_MS,
    );

    it(
      'is whole when its connections are reset again and again, in pieces of 1 to 7 bytes, with delays',
      async () => {
        const { server } = await serve();
        await each(60, (n) => {
          const plan = (number: number): Plan => ({
            sliceSeed: n * 100 + number,
            delayMs: n % 3,
            ...(number < 8 && {
              cut: {
                how: (n + number) % 2 === 0 ? 'reset' : 'end',
                direction: number % 2 === 0 ? 'toClient' : 'toServer',
                afterBytes: 150 + ((n * 37 + number * 101) % 900),
                afterUpgrade: number % 3 > 0,
              },
            }),
          });
          return exchange(server, plan, `/reset/${n}`);
        });
      },
      LONG_MS,
    );

    it('goes on over another connection while the old one is half open, which ends nothing', async () => {
      const { server, ptys } = await serve();
      const person = await personAt(server);
      await person.arrive();
      const session = await person.client.create(person.handlers, { cols: 80, rows: 24, cwd: '/half' });
      session.write('one\r');
      await person.until(() => person.shown === answerTo('one'), 'the first answer');
      const old = person.proxy.newest;
      old.cut('silence');
      session.write('two\r');
      person.client.reconnect();
      await person.until(() => person.shown === answerTo('one') + answerTo('two'), 'the second answer');
      old.cut('reset');
      session.write('three\r');
      await person.until(() => person.shown.endsWith(answerTo('three')), 'the third answer');
      expect(ptys.startedIn('/half')?.input).toBe('one\rtwo\rthree\r');
      expect([person.gaps, person.exits, person.arrivals.map(({ isKnown }) => isKnown)]).toEqual([
        0,
        0,
        [false, true],
      ]);
    });
  });

  describe('a client that comes back', () => {
    it('finds every session that it had, each where it was', async () => {
      const { server } = await serve();
      const person = await personAt(server);
      await person.arrive();
      const shown = new Map<string, string>();
      const sessions: RemoteSession[] = [];
      for (let n = 0; n < 16; n++) {
        const handlers: SessionHandlers = {
          output: (bytes, _offset, consumed) => {
            const id = `/${n}`;
            shown.set(id, (shown.get(id) ?? '') + Buffer.from(bytes).toString());
            consumed();
            person.handlers.output(new Uint8Array(), 0, () => undefined);
          },
        };
        sessions.push(await person.client.create(handlers, { cols: 80, rows: 24, cwd: `/${n}` }));
      }
      for (let round = 0; round < 10; round++) {
        for (const session of sessions) session.write(`round ${round}\r`);
        person.proxy.cut(round % 2 === 0 ? 'reset' : 'end');
        const expected = Array.from({ length: round + 1 }, (_, n) => answerTo(`round ${n}`)).join('');
        await person.until(
          () => shown.size === 16 && [...shown.values()].every((text) => text === expected),
          `round ${round}`,
        );
      }
    });

    it('learns from its first answer that the server was started anew, and which sessions are gone', async () => {
      const { server } = await serve();
      const person = await personAt(server);
      await person.arrive();
      const session = await person.client.create(person.handlers, { cols: 80, rows: 24 });
      session.write('x\r');
      await person.until(() => person.shown === answerTo('x'), 'the answer');
      // Another server, whose ids begin anew, takes the place of the first.
      const other = await bed.serve({}, AnsweringPtyModule);
      const stranger = await bed.greet(other);
      await stranger.create();
      person.proxy.serverPort = other.port;
      person.proxy.cut('reset');
      await person.until(() => person.gone > 0, 'the session is gone');
      expect(person.arrivals.at(-1)).toEqual({ isKnown: false, isServerNew: true, gone: [session.id] });
      expect([session.isOver, person.shown]).toEqual([true, answerTo('x')]);
    });

    it('attaches anew to what has stayed when it comes too late', async () => {
      const server = await bed.serve({ resumeSeconds: 0 }, AnsweringPtyModule);
      const person = await personAt(server);
      await person.arrive();
      const options = { cols: 80, rows: 24, cwd: '/stays' };
      const stays = await person.client.create(person.handlers, { ...options, persistent: true });
      const goes: string[] = [];
      await person.client.create({ output: () => undefined, gone: (reason) => goes.push(reason) }, options);
      stays.write('one\r');
      await person.until(() => person.shown === answerTo('one'), 'the first answer');
      await until(() => stays.bufferedInput === 0, 'it is known to be typed');
      person.proxy.cut('reset');
      await person.until(() => person.arrivals.length === 2, 'it is back');
      stays.write('two\r');
      await person.until(() => person.shown.endsWith(answerTo('two')), 'the second answer');
      expect([person.shown, goes, person.lost]).toEqual([
        answerTo('one') + answerTo('two'),
        ['SESSION_NOT_FOUND'],
        0,
      ]);
      expect(person.arrivals.at(-1)).toMatchObject({ isKnown: false, isServerNew: false });
    });
  });
});
