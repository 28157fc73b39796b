import { MOST_EXCESS_MS } from '../../src/terminal/message-rate.js';
import { listed } from '../support/test-server.js';
import { useTestBed } from '../support/test-bed.js';
import { until } from '../support/until.js';

describe('T37: sessions that are created in numbers', () => {
  const bed = useTestBed();

  it('are 64 at once and then 10 a second, of each connection', async () => {
    const server = await bed.serve({ maxSessions: 1000 });
    const clock = server.stopTheClock();
    const client = await bed.connect(server);
    const create = (): Promise<object> => {
      client.send({ type: 'create', requestId: 'asked' });
      return client.next({ requestId: 'asked' });
    };
    for (let n = 0; n < 64; n += 1) expect(await create()).toMatchObject({ type: 'session_created' });
    const refused = { type: 'error', reason: 'RATE_LIMITED' };
    expect(await create()).toMatchObject({ ...refused, error: expect.stringContaining('100 ms') as string });
    clock.advance(99);
    expect(await create()).toMatchObject(refused);
    clock.advance(1);
    expect(await create()).toMatchObject({ type: 'session_created' });
    const other = await bed.connect(server);
    await other.create();
    expect(await listed(server)).toHaveLength(66);
  });

  it('are exactly as many as are allowed, however many ask at once', async () => {
    const server = await bed.serve({ maxSessions: 64 });
    const clients = await Promise.all(Array.from({ length: 4 }, () => bed.connect(server)));
    for (const client of clients) {
      client.send(...Array.from({ length: 25 }, () => ({ type: 'create', cols: 80, rows: 24 })));
    }
    const told = (type: string): number =>
      clients.flatMap(({ messages }) => messages).filter((message) => message.type === type).length;
    await until(() => told('session_created') + told('error') === 100, 'all are answered');
    expect([told('session_created'), told('error')]).toEqual([64, 36]);
    expect(await listed(server)).toHaveLength(64);
  });

  it('may be fewer of each connection, where somebody says so', async () => {
    const server = await bed.serve({ maxSessionsPerConnection: 2 });
    const client = await bed.connect(server);
    await client.create();
    const second = await client.create();
    client.send({ type: 'create' });
    await client.next({ type: 'error', reason: 'SESSION_LIMIT' });
    await (await bed.connect(server)).create();
    client.send({ type: 'close', sessionId: second });
    await client.next({ type: 'exit', sessionId: second });
    await client.create();
  });
});

describe('T22: a client that resizes as fast as it may', () => {
  const bed = useTestBed();

  it('is followed through all 10,000 sizes, and in its order through what it types meanwhile', async () => {
    const server = await bed.serve();
    const clock = server.stopTheClock();
    const client = await bed.connect(server);
    const sessionId = await client.create();
    const pty = server.ptys.last;
    const expected = [...pty.received];
    const resize = (n: number): object => {
      const [cols, rows] = [1 + (n % 1000), 1 + (n % 500)];
      expected.push(`${cols}x${rows}`);
      return { type: 'resize', sessionId, cols, rows };
    };

    // The burst, less what has been sent and is to say that all is done.
    for (let n = 0, atOnce = 998; n < 10_000; atOnce = 199) {
      for (const end = Math.min(n + atOnce, 10_000); n < end; n++) {
        client.send(resize(n));
        if (n % 10 === 0) {
          client.send({ type: 'input', sessionId, data: `${n},` });
          expected.push(`${n},`);
        }
      }
      await client.sync();
      clock.advance(1000);
    }

    expect(pty.received).toEqual(expected);
    expect(pty.size).toEqual({ columns: 1000, rows: 500 });
    expect(client.messages.filter(({ type }) => type === 'error')).toEqual([]);
  });
});

describe('T34: a client that sends more messages than anybody needs', () => {
  const bed = useTestBed();
  const list = { type: 'list_tmux_sessions' };

  it('is read more slowly, loses none, and disturbs nobody', async () => {
    const server = await bed.serve({ messageBurst: 100, messageRate: 200 });
    const clock = server.stopTheClock();
    const [client, other] = [await bed.connect(server), await bed.connect(server)];
    const answers = (): number => client.messages.filter(({ type }) => type === 'tmux_sessions').length;
    client.send(...Array<object>(150).fill(list));
    await until(() => answers() >= 100, 'the burst is answered');
    client.send(...Array<object>(20).fill(list));
    other.send(list);
    await other.next({ type: 'tmux_sessions' });
    // Of what had been read already, all may have been.
    expect(answers()).toBeLessThanOrEqual(150);
    for (let ms = 0; answers() < 170; ms += 5) {
      expect(ms).toBeLessThan(2000);
      clock.advance(5);
      await new Promise(setImmediate);
    }
    expect(client.closing).toBeUndefined();
  });

  it('and goes on for ten seconds is ended with 1008', async () => {
    const server = await bed.serve({ messageBurst: 100, messageRate: 200 });
    const clock = server.stopTheClock();
    const client = await bed.connect(server);
    const ask = (): Promise<unknown> => {
      client.send(list);
      return client.next({ type: 'tmux_sessions' });
    };
    for (let n = 0; n <= 100; n++) await ask();
    // From here on as fast as it is read.
    for (let excessMs = 5; excessMs <= MOST_EXCESS_MS; excessMs += 5) {
      expect(client.closing).toBeUndefined();
      const answered = ask();
      clock.advance(5);
      await answered;
    }
    expect((await client.closed()).code).toBe(1008);
    expect(server.refusals('websocket')).toEqual({ TOO_MANY_MESSAGES: 1 });
  });
});
