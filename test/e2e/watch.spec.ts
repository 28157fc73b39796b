import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { newToken } from '../../src/admission/access-token.js';
import { TELL_CHANGE_MS } from '../../src/core/caption.js';
import { PtyModule } from '../../src/pty/pty.module.js';
import { ASK_EVERY_MS, QUIET_MS } from '../../src/sessions/session-directories.js';
import { FRAMES_PROTOCOL, JSON_PROTOCOL } from '../../src/terminal/subprotocol.js';
import { GATHER_MS } from '../../src/terminal/connection.js';
import { useTemporaryHome } from '../support/temporary-home.js';
import { useTestBed } from '../support/test-bed.js';
import { type Received, type TestClient } from '../support/test-client.js';
import { listed, rename, type TestServer } from '../support/test-server.js';
import { until } from '../support/until.js';

const MIB = 1024 * 1024;
const protocols = [JSON_PROTOCOL, FRAMES_PROTOCOL] as const;

const bed = useTestBed();

/** A client that has not greeted has nothing to ask for. */
function connected(server: TestServer, protocol: (typeof protocols)[number]): Promise<TestClient> {
  return protocol === FRAMES_PROTOCOL ? bed.greet(server) : bed.connect(server);
}

/** What the list holds, as it was told. */
async function watched(client: TestClient): Promise<Received['sessions']> {
  const requestId = `watch-${client.messages.length}`;
  client.send({ type: 'watch', requestId });
  const { type, sessions } = await client.next({ requestId });
  expect(type).toBe('sessions');
  return sessions;
}

/** The list as a client has it that was told all this: the sessions by id. */
function listAfter({ messages }: TestClient): Record<string, unknown>[] {
  const list = new Map<string, Record<string, unknown>>();
  const mistaken: unknown[] = [];
  for (const message of messages as readonly Changed[]) {
    if (message.type === 'sessions') {
      list.clear();
      for (const session of message.sessions ?? []) list.set(String(session.id), session);
    } else if (message.type === 'session_changed') {
      // One is added once, and nothing is told of who is not there.
      if (list.has(message.sessionId!) === (message.change === 'added')) mistaken.push(message);
      if (message.session) list.set(message.sessionId!, message.session);
      else list.delete(message.sessionId!);
    }
  }
  expect(mistaken).toEqual([]);
  return [...list.values()];
}

interface Changed extends Omit<Received, 'sessions'> {
  readonly sessions?: readonly Record<string, unknown>[];
  readonly change?: string;
  readonly session?: Record<string, unknown>;
}

/** Resolves once it is told that a session has changed like this. */
function change(client: TestClient, session: Record<string, unknown>, kind = 'changed'): Promise<Received> {
  return client.next((message) => {
    const { type, change: told, session: of } = message as Changed;
    if (type !== 'session_changed' || told !== kind) return false;
    return Object.entries(session).every(([name, value]) => of?.[name] === value);
  });
}

describe.each(protocols)('watching the list in %s', (protocol) => {
  it('tells of every session that there is, and of each change from then on', async () => {
    const server = await bed.serve();
    const client = await bed.connect(server);
    const first = await client.create();
    const watcher = await connected(server, protocol);
    expect(await watched(watcher)).toEqual(await listed(server));

    const second = await client.create({ persistent: true });
    await change(watcher, { id: second, status: 'connecting', persistent: true }, 'added');
    await change(watcher, { id: second, status: 'active' });
    await rename(server, first, { name: 'tests' });
    await change(watcher, { id: first, name: 'tests' });
    server.ptys.last.print('\x1b]2;vim\x07');
    await change(watcher, { id: second, title: 'vim' });
    server.ptys.last.end({ code: 137, signal: 'SIGKILL' });
    await change(watcher, { id: second, status: 'exited', exitCode: 137, signal: 'SIGKILL' }, 'ended');
    expect(listAfter(watcher)).toEqual(await listed(server));

    await server.request('DELETE', `/api/sessions/${first}`);
    expect(await watcher.next({ type: 'session_changed', sessionId: first })).toMatchObject({
      change: 'ended',
    });
    expect(await watcher.next({ type: 'session_changed', sessionId: first })).toEqual({
      type: 'session_changed',
      sessionId: first,
      change: 'removed',
    });
    expect(listAfter(watcher)).toEqual(await listed(server));
    // Only who asks is told.
    expect(client.messages.filter(({ type }) => type.startsWith('session_c'))).toHaveLength(2);
  });

  it('tells every watcher, whoever else watches, leaves or does not read', async () => {
    const server = await bed.serve();
    const watchers = await Promise.all(Array.from({ length: 5 }, () => connected(server, protocol)));
    for (const watcher of watchers) expect(await watched(watcher)).toEqual([]);
    const [leaving, still, ...others] = watchers;
    still!.stopReading();
    await leaving!.terminate();
    const client = await bed.connect(server);
    const sessionId = await client.create();
    await rename(server, sessionId, { name: 'tests' });
    for (const watcher of others) {
      await change(watcher, { id: sessionId, name: 'tests' });
      expect(listAfter(watcher)).toEqual(await listed(server));
    }
  });

  it('tells a client that creates and closes of its own sessions too', async () => {
    const server = await bed.serve();
    const client = await connected(server, protocol);
    await watched(client);
    const sessionId = await client.create();
    await change(client, { id: sessionId, status: 'active' });
    client.send({ type: 'close', sessionId });
    await client.next({ type: 'exit', sessionId });
    await client.next((message) => (message as Changed).change === 'removed');
    expect(listAfter(client)).toEqual([]);
  });

  it('tells one that stops reading for 10,000 changes what is, once it reads again', async () => {
    const server = await bed.serve({ maxSessions: 101, createBurst: 101 });
    const clock = server.stopTheClock();
    const client = await bed.connect(server);
    for (let n = 0; n < 100; n++) await client.create();
    const [slow, other] = [await connected(server, protocol), await connected(server, protocol)];
    for (const watcher of [slow, other]) await watched(watcher);
    slow.socket.pause();
    const [before, told] = [slow.messages.length, other.messages.length];
    for (let n = 1; n <= 100; n++) {
      // Some 4 kB each: more than any buffer of the system's would hide.
      for (const pty of server.ptys.ptys) pty.print(`\x1b]7;file:///${'日'.repeat(1300)}/${n}\x07`);
      clock.advance(TELL_CHANGE_MS);
      await until(() => other.messages.length >= told + n * 100, 'the other watcher is told');
    }
    server.ptys.ptys[0]!.end();
    client.send({ type: 'close', sessionId: 's2' });
    await client.next({ type: 'exit', sessionId: 's2' });
    const added = await client.create();
    await other.sync();
    expect(other.messages.filter(({ type }) => type === 'session_changed').length).toBeGreaterThan(10_000);

    slow.socket.resume();
    await change(slow, { id: added, status: 'active' }, 'added');
    expect(listAfter(slow)).toEqual(await listed(server));
    expect(listAfter(other)).toEqual(await listed(server));
    const bytes = slow.messages.slice(before).reduce((sum, one) => sum + JSON.stringify(one).length, 0);
    // Of about 14 million characters.
    expect(bytes).toBeLessThan(10 * MIB);
  });

  it('answers no more lists than a client reads', async () => {
    const server = await bed.serve();
    const client = await bed.connect(server);
    // As many as may be: 64 of some 4 kB.
    for (let n = 0; n < 64; n++) await client.create({ cwd: `/${'x'.repeat(4000)}` });
    const watcher = await connected(server, protocol);
    const asked = Array.from({ length: 900 }, (_, n) => `w${n}`);
    let answered = 0;
    watcher.socket.pause();
    watcher.sendAtOnce(...asked.map((requestId) => ({ type: 'watch', requestId })));
    // Each has a turn of its own, and so has each of these.
    while (answered++ < asked.length) await client.sync();
    watcher.socket.resume();
    await watcher.next({ requestId: asked.at(-1)! });
    const answers = watcher.messages.filter(({ requestId }) => requestId !== undefined);
    expect(answers.map(({ requestId }) => requestId)).toEqual(asked);
    const whole = answers.filter(({ type }) => type === 'sessions').length;
    expect(whole).toBeLessThan(100);
    expect(answers.filter(({ reason }) => reason === 'RATE_LIMITED')).toHaveLength(900 - whole);
    expect(await watched(watcher)).toHaveLength(64);
  });
});

describe('who watches', () => {
  it('in trex.v2 greets first, and asks again on each new connection', async () => {
    const server = await bed.serve();
    const early = await bed.connect(server, { protocols: [FRAMES_PROTOCOL] });
    early.send({ type: 'watch' });
    expect(await early.next({ type: 'error' })).toMatchObject({ reason: 'HELLO_REQUIRED' });

    const client = await bed.greet(server);
    await watched(client);
    const sessionId = await client.create();
    const { resumeToken } = client.welcome;
    await client.terminate();
    await rename(server, sessionId, { name: 'meanwhile' });

    const again = await bed.greet(server, { resumeToken, sessions: [{ sessionId }] });
    expect(again.welcome.sessions).toMatchObject([{ sessionId, data: 'meanwhile' }]);
    await rename(server, sessionId, { name: 'unheard' });
    await again.sync();
    expect(again.messages.filter(({ type }) => type === 'session_changed')).toEqual([]);
    expect(await watched(again)).toEqual(await listed(server));
    await rename(server, sessionId, { name: 'heard' });
    await change(again, { id: sessionId, name: 'heard' });
  });

  it('of a connection that is taken over is told on the new one', async () => {
    const server = await bed.serve();
    const client = await bed.greet(server);
    await watched(client);
    const again = await bed.greet(server, { resumeToken: client.welcome.resumeToken });
    await watched(again);
    const sessionId = await again.create();
    await change(again, { id: sessionId, status: 'active' });
    expect((await client.closed()).code).toBe(4001);
    expect(client.messages.filter(({ type }) => type === 'session_changed')).toEqual([]);
  });

  it('may have a token that only reads, and knows it; with that nobody renames', async () => {
    const [token, readOnlyToken] = [newToken(), newToken()];
    const server = await bed.serve({ token, readOnlyToken });
    const greeted = async (shown: string): Promise<TestClient> => {
      const client = await bed.connect(server, { protocols: [FRAMES_PROTOCOL, `bearer.${shown}`] });
      client.send({ type: 'hello' });
      await client.next({ type: 'welcome' });
      return client;
    };
    const [writer, reader] = [await greeted(token), await greeted(readOnlyToken)];
    expect([writer.welcome, reader.welcome]).toMatchObject([{ readOnly: false }, { readOnly: true }]);
    expect(await watched(reader)).toEqual([]);
    const sessionId = await writer.create();
    await change(reader, { id: sessionId, status: 'active' });

    const bearer = (shown: string): Record<string, string> => ({ Authorization: `Bearer ${shown}` });
    const refused = await rename(server, sessionId, { name: 'a' }, bearer(readOnlyToken));
    expect([refused.status, JSON.parse(refused.body)]).toEqual([
      403,
      expect.objectContaining({ code: 'FORBIDDEN' }),
    ]);
    expect((await rename(server, sessionId, { name: 'b' })).status).toBe(401);
    expect((await rename(server, sessionId, { name: 'tests' }, bearer(token))).status).toBe(200);
    await change(reader, { id: sessionId, name: 'tests' });
    expect(
      reader.messages.filter((one) => ['a', 'b'].includes(String((one as Changed).session?.name))),
    ).toEqual([]);
  });
});

describe('where a session is', () => {
  it('is told to its viewers of trex.v1, and to nobody else of them', async () => {
    const { server, client, sessionId, pty } = await bed.open();
    const [viewer, stranger, frames] = [
      await bed.connect(server),
      await bed.connect(server),
      await bed.greet(server),
    ];
    for (const one of [viewer, frames]) {
      one.send({ type: 'attach', sessionId });
      await one.next({ type: 'attached' });
    }
    pty.print('\x1b]7;file:///srv\x1b\\');
    const update = { type: 'cwd_update', sessionId, cwd: '/srv' };
    for (const one of [client, viewer]) expect(await one.next({ type: 'cwd_update' })).toEqual(update);
    await Promise.all([stranger.sync(), frames.sync()]);
    expect([...stranger.of(sessionId, 'cwd_update'), ...frames.of(sessionId, 'cwd_update')]).toEqual([]);
    // The same place again is no news.
    pty.print('\x1b]7;file:///srv\x1b\\again');
    await viewer.untilOutput(sessionId, 'again');
    expect(viewer.of(sessionId, 'cwd_update')).toHaveLength(1);
  });
});

describe('a real shell', () => {
  const home = useTemporaryHome();

  interface Stage {
    readonly server: TestServer;
    readonly client: TestClient;
    readonly watcher: TestClient;
    readonly sessionId: string;
    /** Runs a command, and waits until it is done. */
    readonly run: (command: string) => Promise<void>;
    /** Lets so much time pass that the shell is asked where it is. */
    readonly ask: () => void;
  }

  /** With `stopped`, time passes only while commands run, and not much. */
  async function watching(stopped = false): Promise<Stage> {
    const server = await bed.serve({ cwd: home() }, PtyModule);
    const clock = stopped ? server.stopTheClock() : undefined;
    const [client, watcher] = [await bed.connect(server), await bed.greet(server)];
    await watched(watcher);
    const sessionId = await client.create({ shell: '/bin/sh' });
    let commands = 0;
    const run = async (command: string): Promise<void> => {
      commands += 1;
      client.send({ type: 'input', sessionId, data: `${command}; echo "done <$((${commands}))>"\r` });
      const done = client.untilOutput(sessionId, `done <${commands}>`);
      let isDone = !clock;
      void done.then(() => (isDone = true));
      await until(() => {
        clock?.advance(isDone ? 0 : GATHER_MS);
        return isDone;
      }, command);
      await done;
    };
    await run(':');
    const ask = (): void => {
      for (let n = 0; n < 4; n++) clock!.advance(Math.max(QUIET_MS, ASK_EVERY_MS / 2));
    };
    return { server, client, watcher, sessionId, run, ask };
  }

  it('that says nothing of it is found within seconds where it goes', async () => {
    const { client, watcher, sessionId, run } = await watching();
    expect(listAfter(watcher)).toMatchObject([{ id: sessionId, cwd: home() }]);
    await run('cd /usr');
    await change(watcher, { id: sessionId, cwd: '/usr' });
    expect(await client.next({ type: 'cwd_update' })).toEqual({ type: 'cwd_update', sessionId, cwd: '/usr' });
    await run('cd /');
    await change(watcher, { id: sessionId, cwd: '/' });
  });

  it('that says where it is is believed at once, and asked no more', async () => {
    const { server, client, watcher, sessionId, run, ask } = await watching(true);
    await run(`printf '\\033]7;file://%s/some%%20where\\033\\\\' '${hostname()}'`);
    await change(watcher, { id: sessionId, cwd: '/some where' });
    expect(await client.next({ type: 'cwd_update' })).toMatchObject({ cwd: '/some where' });
    await run('cd /usr');
    ask();
    await run(`printf '\\033]2;later\\007'`);
    await change(watcher, { id: sessionId, title: 'later' });
    expect(await listed(server)).toMatchObject([{ id: sessionId, cwd: '/some where', title: 'later' }]);
  });

  it('has the title that its programs give it, as far as that can be shown', async () => {
    const { watcher, sessionId, run } = await watching();
    await run(`printf '\\033]0;vim\\007'`);
    await change(watcher, { id: sessionId, title: 'vim' });
    await run(`printf '\\033]2;a\\342\\200\\256b\\tc <img src=x>\\033\\\\'`);
    await change(watcher, { id: sessionId, title: 'abc <img src=x>' });
    await run(`printf '\\033]2;%s\\007' "$(printf '%10000s' | tr ' ' x)"`);
    await change(watcher, { id: sessionId, title: 'x'.repeat(256) });
    await run(`printf '\\033]2;\\007'`);
    await change(watcher, { id: sessionId, title: undefined });
  });

  it('is not shown where its name would do harm, whoever tells of it', async () => {
    const { server, watcher, sessionId, run, ask } = await watching(true);
    const hostile = { 'a\x1b]2;b\x07': `'a\\033]2;b\\007'`, 'c\u202ed': `'c\\342\\200\\256d'` };
    for (const [name, printed] of Object.entries(hostile)) {
      mkdirSync(join(home(), name));
      await run(`cd ~/"$(printf ${printed})"`);
      ask();
    }
    for (const said of [
      '//elsewhere.example/x',
      `//${hostname()}/%1b%5b31m`,
      `///%e2%80%ae`,
      `///$(printf '%5000s' | tr ' ' x)`,
    ]) {
      await run(`printf '\\033]7;file:%s\\007' "${said}"`);
    }
    expect(await listed(server)).toMatchObject([{ id: sessionId, cwd: home() }]);
    await run('cd /usr');
    ask();
    await change(watcher, { id: sessionId, cwd: '/usr' });
    const seen = new Set(
      (watcher.messages as readonly Changed[]).flatMap(({ session }) => (session ? [session.cwd] : [])),
    );
    expect([...seen]).toEqual([home(), '/usr']);
  });
});
