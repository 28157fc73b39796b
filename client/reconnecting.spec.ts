import { FakeApplication } from '../test/fakes/fake-application.js';
import { FakeWebSocket } from '../test/fakes/fake-web-socket.js';
import {
  attach,
  attached,
  connectingClient,
  showingClient,
  welcome,
} from '../test/support/connected-client.js';

const AGAIN = { reconnect: { firstMs: 100, mostMs: 1000 } };
const exit = { type: 'exit', sessionId: 's1', code: 0, cause: 'ended' };

/** How a welcome says that `s1` goes on. */
const resumed = { ...attached, type: undefined, shellType: 'bash', data: 'bash-1', cwd: '/' };

type Showing = Awaited<ReturnType<typeof showingClient>>;

/** A client that shows `s1`, and is told of everything. */
async function showing(consuming = true): Promise<Showing & { readonly newest: () => FakeWebSocket }> {
  const shown = await showingClient(consuming, AGAIN);
  shown.log.length = 0;
  return { ...shown, newest: () => shown.sockets.at(-1)! };
}

/** Its next socket opens, and the server welcomes it so. */
function comeBack(
  { clock, newest }: { clock: Showing['clock']; newest: () => FakeWebSocket },
  fields: object,
): void {
  clock.advance(1000);
  newest().open();
  newest().answer('hello', { ...welcome, ...fields });
}

describe('a client whose connection is lost', () => {
  it('waits, each time up to twice as long, and connects again with its token and all it shows', async () => {
    const scene = await showing();
    const { socket, clock, log, sockets, newest } = scene;
    socket.receiveFrame(1, 0, 'one');
    socket.drop(1006);
    expect(log).toEqual(['waiting 1006 ']);
    const waits = [50, 100, 200, 400, 500, 500].map((ms) => {
      clock.advance(ms - 1);
      const early = sockets.length;
      clock.advance(1);
      newest().drop(1006);
      return sockets.length - early;
    });
    expect(waits).toEqual([1, 1, 1, 1, 1, 1]);
    comeBack(scene, { sessions: [{ ...resumed, channel: 5, offset: 3, end: 3 }] });
    expect(newest().sent('hello')).toMatchObject([
      { resumeToken: 't1', sessions: [{ sessionId: 's1', from: 3, readOnly: false }] },
    ]);
    expect(log.slice(-2)).toEqual(['open', 'arrived at the same server, known, without nothing']);
    newest().drop(1006);
    clock.advance(49);
    const before = sockets.length;
    clock.advance(1);
    expect(sockets).toHaveLength(before + 1);
  });

  it('shows what comes as if nothing had been, and types what was not accepted', async () => {
    const scene = await showing();
    const { socket, session, application, newest } = scene;
    socket.receiveFrame(1, 0, 'one');
    session.write('abcdef');
    socket.receive({ type: 'input_acknowledged', sessionId: 's1', offset: 1 });
    socket.drop();
    expect(session.write('gh')).toBe(true);
    session.resize({ cols: 1, rows: 1 });
    session.resize({ cols: 90, rows: 20 });
    comeBack(scene, { sessions: [{ ...resumed, channel: 5, offset: 3, end: 6, inputOffset: 4 }] });
    newest().receiveFrame(5, 3, 'two');
    expect(application.log).toEqual(['0: one', 'replay to 6', 'not in control', '3: two', '90 × 20']);
    expect(newest().sent('resize')).toEqual([{ type: 'resize', sessionId: 's1', cols: 90, rows: 20 }]);
    const typed = newest().frames.map(({ channel, offset, bytes }) => [
      channel,
      offset,
      Buffer.from(bytes).toString(),
    ]);
    expect(typed).toEqual([
      [5, 4, 'ef'],
      [5, 6, 'gh'],
    ]);
  });

  it('is told exactly what it missed, and how to restore its terminal', async () => {
    const scene = await showing();
    scene.socket.receiveFrame(1, 0, 'one');
    scene.socket.drop();
    const gap = { offset: 3, end: 100 };
    comeBack(scene, { sessions: [{ ...resumed, offset: 100, end: 100, gap, modes: '\x1b[?1h' }] });
    expect(scene.application.log).toEqual(['0: one', 'gap 3–100', 'restore "\\u001b[?1h"', 'not in control']);
  });

  it('acknowledges over the new connection what was consumed meanwhile', async () => {
    const scene = await showing(false);
    const { socket, clock, application, newest } = scene;
    socket.receiveFrame(1, 0, 'one');
    socket.drop();
    application.chunks[0]!.consumed();
    comeBack(scene, { sessions: [{ ...resumed, offset: 3, end: 3 }] });
    clock.advance(5);
    expect(newest().sent('acknowledge')).toMatchObject([{ sessions: [{ sessionId: 's1', offset: 3 }] }]);
  });

  it('learns what became of sessions that are gone', async () => {
    const scene = await showing();
    const { socket, log, session } = scene;
    const other = new FakeApplication();
    await attach(scene, other, { sessionId: 's2', channel: 2 });
    socket.drop();
    const gone = { error: 'no' };
    comeBack(scene, {
      sessions: [
        { ...gone, sessionId: 's1', reason: 'SESSION_ENDED', code: 3, cause: 'closed' },
        { ...gone, sessionId: 's2', reason: 'SESSION_NOT_FOUND' },
        { ...gone, sessionId: 's9', reason: 'SESSION_NOT_FOUND' },
      ],
    });
    expect(scene.application.log).toEqual(['exit 3']);
    expect(other.log.slice(-1)).toEqual(['gone SESSION_NOT_FOUND']);
    expect([session.isOver, session.write('x')]).toEqual([true, false]);
    expect(log.at(-1)).toBe('arrived at the same server, known, without s1,s2');
  });

  it('lets go of what it had let go of before', async () => {
    const scene = await showing();
    scene.socket.receive(exit);
    scene.socket.drop();
    comeBack(scene, { sessions: [resumed] });
    expect(scene.newest().sent('detach')).toEqual([{ type: 'detach', sessionId: 's1' }]);
  });

  it('tells all sessions gone when the server was started anew, whatever they are called there', async () => {
    const scene = await showing();
    const asked = scene.client.attach('s2', new FakeApplication());
    scene.session.write('x');
    scene.socket.drop();
    comeBack(scene, { epoch: 'e2', resumeToken: 't2' });
    await expect(asked).rejects.toMatchObject({ reason: 'DISCONNECTED' });
    expect(scene.application.log).toEqual(['gone SESSION_NOT_FOUND']);
    expect(scene.log.at(-1)).toBe('arrived at another server, unknown, without s1');
    expect(scene.newest().sent('attach')).toEqual([]);
    expect(scene.client.resumeToken).toBe('t2');
  });

  it('attaches anew where the server has forgotten it, and says how much input is uncertain', async () => {
    const scene = await showing();
    const { socket, session, application, newest, client } = scene;
    socket.receiveFrame(1, 0, 'one');
    session.write('abc');
    const created = client.create(new FakeApplication());
    socket.drop();
    comeBack(scene, { resumeToken: 't2' });
    await expect(created).rejects.toMatchObject({ reason: 'DISCONNECTED' });
    session.write('later');
    newest().answer('attach', { ...attached, channel: 7, offset: 3, end: 3 });
    newest().receiveFrame(7, 3, 'two');
    expect(newest().sent('attach')).toMatchObject([{ sessionId: 's1', from: 3, readOnly: false }]);
    expect(application.log).toEqual(['0: one', 'input lost 3', 'not in control', '3: two']);
    expect(newest().frames).toMatchObject([{ channel: 7, offset: 0 }]);
  });

  it('tells a session gone that it cannot attach to anew', async () => {
    const scene = await showing();
    scene.socket.drop();
    comeBack(scene, { resumeToken: 't2' });
    scene.newest().answer('attach', { type: 'error', reason: 'SESSION_NOT_FOUND', error: 'no' });
    await Promise.resolve();
    expect(scene.application.log).toEqual(['gone SESSION_NOT_FOUND']);
  });

  it('does not tell gone what was detached, or is asked for again, meanwhile', async () => {
    const scene = await showing();
    const { client, session, application } = scene;
    const other = new FakeApplication();
    await attach(scene, other, { sessionId: 's2', channel: 2 });
    const again = client.attach('s2', other);
    scene.socket.drop();
    comeBack(scene, { resumeToken: 't2' });
    session.detach();
    await Promise.resolve();
    expect(application.log).toEqual([]);
    const asked = scene.newest().sent('attach');
    expect(asked.map(({ sessionId }) => sessionId)).toEqual(['s1', 's2', 's2']);
    scene
      .newest()
      .receive({ ...attached, sessionId: 's2', channel: 9, requestId: asked[2]!.requestId as string });
    await expect(again).resolves.toMatchObject({ id: 's2' });
  });

  it('asks again what has no answer: a session that is there already is not created twice', async () => {
    const scene = await showing();
    const { client, socket, newest } = scene;
    const [made, lost] = [new FakeApplication(), new FakeApplication()];
    const created = [client.create(made), client.create(lost, { cols: 1, rows: 1 })];
    const [first, second] = socket.sent('create').map(({ requestId }) => requestId as string);
    socket.drop();
    const ghost = { ...resumed, sessionId: 's7', channel: 3, requestId: first, inControl: true };
    comeBack(scene, { sessions: [{ ...resumed, channel: 2 }, ghost] });
    newest().receiveFrame(3, 0, '$ ');
    expect((await created[0]!).id).toBe('s7');
    expect(made.text).toBe('$ ');
    expect(newest().sent('create')).toEqual([{ type: 'create', cols: 1, rows: 1, requestId: second }]);
    newest().receive({ type: 'session_created', requestId: second, sessionId: 's8', channel: 4 });
    expect((await created[1]!).id).toBe('s8');
  });

  it('sends once what its application asks as soon as it is told that it is open', async () => {
    const asked: Promise<unknown>[] = [];
    const { client, socket, clock, sockets } = connectingClient({
      ...AGAIN,
      handlers: {
        state: (state) => {
          if (state !== 'open') return;
          asked.push(client.create(new FakeApplication()), client.attach('s9', new FakeApplication()));
        },
      },
    });
    const scene = { clock, newest: () => sockets.at(-1)! };
    socket.open();
    socket.answer('hello', welcome);
    const sent = (at: FakeWebSocket): unknown[] =>
      [...at.sent('create'), ...at.sent('attach')].map(({ requestId }) => requestId);
    expect(sent(socket)).toEqual(['2', '3']);
    socket.answer('create', { type: 'session_created', sessionId: 's1', channel: 1 });
    socket.answer('attach', { ...attached, sessionId: 's9', channel: 2 });
    await Promise.all(asked.splice(0));
    socket.drop();
    comeBack(scene, { sessions: [resumed, { ...resumed, sessionId: 's9', channel: 2 }] });
    expect(sent(scene.newest())).toEqual(['5', '6']);
    client.close();
    await Promise.allSettled(asked);
  });

  it('sends what was asked before behind nothing that is asked when it is back, and once', async () => {
    const scene = await showing();
    const { client, socket, newest, application } = scene;
    const later: Promise<unknown>[] = [];
    const before = client.attach('s2', new FakeApplication());
    // Told in the middle of coming back.
    application.control = () => void later.push(client.attach('s3', new FakeApplication()));
    socket.drop();
    comeBack(scene, { sessions: [resumed] });
    expect(
      newest()
        .sent('attach')
        .map(({ sessionId }) => sessionId)
        .sort(),
    ).toEqual(['s2', 's3']);
    client.close();
    await Promise.allSettled([before, ...later]);
  });

  it('goes on where the newest answer says when an attach got there twice', async () => {
    const scene = await showing();
    const { socket, application, clock } = scene;
    socket.receiveFrame(1, 0, 'one');
    const { requestId } = socket.sent('attach')[0]!;
    socket.receive({ ...attached, requestId: requestId as string, channel: 4, end: 3 });
    socket.receiveFrame(4, 0, 'one');
    clock.advance(10);
    expect(application.log).toEqual(['0: one', 'restore ""', 'replay to 3', 'not in control', '0: one']);
    expect(socket.sent('acknowledge').at(-1)).toMatchObject({ sessions: [{ sessionId: 's1', offset: 3 }] });
    expect(scene.client.state).toBe('open');
  });

  it('hears no frame of the channel before, where an attach got there twice', async () => {
    const { socket, application } = await showing();
    socket.receive({ ...attached, requestId: '2', channel: 4 });
    socket.receiveFrame(1, 0, 'late');
    socket.receiveFrame(4, 0, 'now');
    expect(application.log.slice(-1)).toEqual(['0: now']);
  });

  it.each([1000, 1008, 4001, 4002])('does not come back after %d', async (code) => {
    const { socket, client, clock, log, sockets } = await showing();
    socket.drop(code, 'why');
    clock.advance(100_000);
    expect([client.state, log, sockets.length]).toEqual(['closed', [`closed ${code} why`], 1]);
    expect(clock.timers).toBe(0);
  });

  it('gives up a connection on which it is not welcomed', async () => {
    const { socket, clock, log, newest, sockets } = await showing();
    socket.drop();
    clock.advance(50);
    newest().open();
    clock.advance(10_000);
    expect(newest().closed).toMatchObject({ code: 4000 });
    clock.advance(100);
    expect(sockets).toHaveLength(3);
    expect(log.filter((line) => line.startsWith('waiting'))).toHaveLength(2);
  });

  it('tries again when no socket can be made', () => {
    const sockets: FakeWebSocket[] = [];
    let canBeMade = true;
    const { clock, client } = connectingClient({
      ...AGAIN,
      open: () => {
        if (!canBeMade) throw new SyntaxError('no such address');
        const socket = new FakeWebSocket();
        sockets.push(socket);
        return socket;
      },
    });
    sockets[0]!.open();
    sockets[0]!.answer('hello', welcome);
    sockets[0]!.drop();
    canBeMade = false;
    clock.advance(50);
    expect([client.state, sockets.length]).toEqual(['waiting', 1]);
    canBeMade = true;
    clock.advance(100);
    expect([client.state, sockets.length]).toEqual(['connecting', 2]);
    client.close();
  });

  it('can be closed while it waits', async () => {
    const { client, socket, clock, log } = await showing();
    const created = client.create(new FakeApplication());
    socket.drop();
    client.close();
    await expect(created).rejects.toMatchObject({ reason: 'DISCONNECTED' });
    expect([clock.timers, log]).toEqual([0, ['waiting 1006 ', 'closed 1000 closed by the client']]);
  });

  it('may connect anew once it is closed', async () => {
    const { client, socket, newest } = await showing();
    socket.drop(4001);
    const welcomed = client.connect();
    newest().open();
    newest().answer('hello', { ...welcome, sessions: [resumed] });
    await expect(welcomed).resolves.toMatchObject({ epoch: 'e1' });
  });

  it('comes back at once when it is told that its connection is dead', async () => {
    const { client, socket, sockets, newest, session } = await showing();
    session.write('x');
    client.reconnect();
    expect([socket.closed?.code, sockets.length]).toEqual([4000, 2]);
    client.reconnect();
    newest().drop();
    client.reconnect();
    expect(sockets).toHaveLength(3);
    client.close();
    client.reconnect();
    expect(sockets).toHaveLength(3);
  });
});

it('a client becomes the one that was before it, by its token', () => {
  const { client, socket } = connectingClient({ ...AGAIN, resumeToken: 'old' });
  socket.open();
  expect(socket.sent('hello')).toEqual([{ type: 'hello', requestId: 'i-1', resumeToken: 'old' }]);
  socket.answer('hello', { ...welcome, resumeToken: 'old', sessions: [resumed] });
  expect(client.state).toBe('open');
  expect(socket.sent('detach')).toEqual([{ type: 'detach', sessionId: 's1' }]);
});
