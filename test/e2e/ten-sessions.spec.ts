import { PtyModule } from '../../src/pty/pty.module.js';
import { childrenOf, lives } from '../support/leaks.js';
import { type TestClient } from '../support/test-client.js';
import { listed, type TestServer } from '../support/test-server.js';
import { useTestBed } from '../support/test-bed.js';
import { useTemporaryHome } from '../support/temporary-home.js';
import { until } from '../support/until.js';

const bed = useTestBed();
const home = useTemporaryHome();

const serve = (): Promise<TestServer> => bed.serve({ cwd: home() }, PtyModule);

/** Runs a command, and waits for the line its output is to have. What is typed is echoed: say it in another way. */
async function run(client: TestClient, sessionId: string, command: string, line: string): Promise<void> {
  client.send({ type: 'input', sessionId, data: `${command}\r` });
  await client.untilOutput(sessionId, `${line}\r\n`);
}

/** The pid of a session's shell. */
async function pidOf(client: TestClient, sessionId: string): Promise<number> {
  client.send({ type: 'input', sessionId, data: 'echo "pid=<$$>"\r' });
  await client.untilOutput(sessionId, /pid=<(\d+)>/);
  return Number(/pid=<(\d+)>/.exec(client.output(sessionId))![1]);
}

describe('T013: ten sessions over real shells', () => {
  it('are created, switched between, used and closed, and nothing is left', async () => {
    const server = await serve();
    const client = await bed.connect(server);
    const ids: string[] = [];
    for (let i = 0; i < 10; i++) ids.push(await client.create({ cols: 80 + i, rows: 24 + i }));
    expect(await listed(server)).toHaveLength(10);

    // Each remembers something of its own; later it is asked for, in another order, while others are typed to.
    for (const [i, id] of ids.entries())
      client.send({ type: 'input', sessionId: id, data: `mine=${i * i}\r` });
    for (const i of [3, 7, 0, 9, 5, 1, 8, 2, 6, 4]) {
      await run(client, ids[i]!, 'echo "mine: <$mine> $(stty size)"', `mine: <${i * i}> ${24 + i} ${80 + i}`);
    }
    for (const [i, id] of ids.entries()) {
      const answers = [...client.output(id).matchAll(/mine: <(\d+)>/g)].map(([, number]) => Number(number));
      expect(answers).toEqual([i * i]);
    }
    const pids: number[] = [];
    for (const id of ids) pids.push(await pidOf(client, id));
    expect(new Set(pids).size).toBe(10);

    for (const id of ids.slice(0, 5)) {
      expect((await server.request('DELETE', `/api/sessions/${id}`)).status).toBe(204);
    }
    expect(pids.filter(lives)).toEqual(pids.slice(5));
    expect((await listed(server)).map(({ id }) => id)).toEqual(ids.slice(5));
    for (const sessionId of ids.slice(5)) client.send({ type: 'close', sessionId });
    for (const sessionId of ids) await client.next({ type: 'exit', sessionId, cause: 'closed' });

    expect(await listed(server)).toEqual([]);
    expect(pids.filter(lives)).toEqual([]);
    expect(childrenOf('self')).toEqual([]);
    for (const id of ids) expect(client.of(id, 'exit')).toHaveLength(1);
  });

  it('of several clients at once see only their own output', async () => {
    const server = await serve();
    const clients = await Promise.all(Array.from({ length: 5 }, () => bed.connect(server)));
    const work = clients.map(async (client, number) => {
      const ids = [await client.create(), await client.create()];
      for (const id of ids) {
        await run(
          client,
          id,
          `seq -f 'line %g of ${number}' 300 | tail -n 300; echo $((${number} + 1000))`,
          `${number + 1000}`,
        );
      }
      return ids;
    });

    const ids = await Promise.all(work);

    for (const [number, client] of clients.entries()) {
      const seen = new Set(client.messages.map(({ sessionId }) => sessionId));
      expect([...seen].sort()).toEqual([...ids[number]!].sort());
      for (const id of ids[number]!) {
        const lines = client.output(id).match(/line \d+ of \d+(?=\r\n)/g);
        expect(lines).toEqual(Array.from({ length: 300 }, (_, i) => `line ${i + 1} of ${number}`));
      }
    }
    await Promise.all(clients.map((client) => client.terminate()));
    await until(async () => (await listed(server)).length === 0, 'all sessions are gone');
    expect(childrenOf('self')).toEqual([]);
  });
});

describe('a real shell', () => {
  it('is reported with the status it exits with', async () => {
    const server = await serve();
    const client = await bed.connect(server);
    const sessionId = await client.create();

    client.send({ type: 'input', sessionId, data: 'exit 3\r' });

    expect(await client.next({ type: 'exit' })).toEqual({ type: 'exit', sessionId, code: 3, cause: 'ended' });
    expect((await listed(server))[0]).toMatchObject({ status: 'exited', exitCode: 3 });
  });

  it.each([
    ['KILL', 137],
    ['TERM', 143],
    ['SEGV', 139],
  ])('is reported with the signal that ended it: SIG%s', async (signal, code) => {
    const server = await serve();
    const client = await bed.connect(server);
    const sessionId = await client.create();

    // An interactive shell may ignore it; what the shell becomes does not.
    client.send({ type: 'input', sessionId, data: `exec sh -c 'kill -${signal} $$'\r` });
    expect(await client.next({ type: 'exit' })).toEqual({
      type: 'exit',
      sessionId,
      code,
      signal: `SIG${signal}`,
      cause: 'ended',
    });
  });

  it('has all its output delivered before its exit', async () => {
    const server = await serve();
    const client = await bed.connect(server);
    const sessionId = await client.create();

    client.send({ type: 'input', sessionId, data: 'seq 20000; echo the $((1 + 0))st and last; exit\r' });
    await client.next({ type: 'exit', sessionId });

    expect(client.output(sessionId)).toContain('19999\r\n20000\r\nthe 1st and last\r\n');
    expect(client.of(sessionId).at(-1)).toMatchObject({ type: 'exit' });
  });

  it('T18, T19: starts at home, with an environment of its own', async () => {
    process.env.TREX_TEST_CANARY = 'canary';
    const server = await serve();
    delete process.env.TREX_TEST_CANARY;
    const client = await bed.connect(server);
    const sessionId = await client.create();

    await run(
      client,
      sessionId,
      'echo "home <$HOME> pwd <$PWD> term <$TERM>"',
      `home <${home()}> pwd <${home()}> term <xterm-256color>`,
    );
    await run(client, sessionId, 'env | grep -c -i canary', '0');
  });

  it('T17: that cannot start where it should is told of, and gone', async () => {
    const server = await serve();
    const client = await bed.connect(server);

    const sessionId = await client.create({ cwd: '/no/such/place' });
    await client.next({ type: 'exit', sessionId });

    expect(client.messages.slice(1)).toEqual([
      { type: 'error', sessionId, reason: 'INVALID_CWD', error: expect.any(String) as unknown },
      { type: 'exit', sessionId, code: 127, cause: 'failed' },
    ]);
    expect(await listed(server)).toEqual([]);
  });

  it('T42: that ignores its hang-up is gone when DELETE answers, with everything it started', async () => {
    const server = await serve();
    const client = await bed.connect(server);
    const sessionId = await client.create();
    client.send({
      type: 'input',
      sessionId,
      data: `sh -c 'trap "" HUP TERM; echo "pid=<$$>"; while :; do sleep 60; done'\r`,
    });
    await client.untilOutput(sessionId, /pid=<(\d+)>\r\n/);
    const pid = Number(/pid=<(\d+)>\r\n/.exec(client.output(sessionId))![1]);
    expect(lives(pid)).toBe(true);

    expect((await server.request('DELETE', `/api/sessions/${sessionId}`)).status).toBe(204);

    expect(lives(pid)).toBe(false);
    expect(childrenOf('self')).toEqual([]);
  });

  it('that floods a client which does not read stops, and can still be closed', async () => {
    const server = await serve();
    const client = await bed.connect(server);
    const sessionId = await client.create();
    client.send({ type: 'input', sessionId, data: 'yes\r' });
    await client.untilOutput(sessionId, 'y\r\ny\r\n');
    client.socket.pause();

    expect((await server.request('DELETE', `/api/sessions/${sessionId}`)).status).toBe(204);

    client.socket.resume();
    await client.next({ type: 'exit', sessionId, cause: 'closed' });
    expect(client.of(sessionId).at(-1)).toMatchObject({ type: 'exit' });
  });
});
