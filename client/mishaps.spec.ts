import { Terminal } from '@xterm/headless';
import { FakeApplication } from '../test/fakes/fake-application.js';
import { FakeClock } from '../test/fakes/fake-clock.js';
import { FakeWebSocket } from '../test/fakes/fake-web-socket.js';
import {
  attach,
  attached,
  connectedClient,
  type ConnectedClient,
  connectingClient,
  showingClient,
  welcome,
} from '../test/support/connected-client.js';
import { type RemoteSession } from './remote-session.js';
import { type ConnectionState, TerminalClient } from './terminal-client.js';
import { XtermAdapter } from './xterm-adapter.js';

const AGAIN = { reconnect: { firstMs: 100, mostMs: 1000 } };
const resumed = { ...attached, type: undefined, shellType: 'bash', data: 'bash-1', cwd: '/' };

const newest = ({ sockets }: Pick<ConnectedClient, 'sockets'>): FakeWebSocket => sockets.at(-1)!;

/** Its next socket opens, and the server welcomes it so. */
function comeBack(connected: Pick<ConnectedClient, 'clock' | 'sockets'>, fields: object): void {
  connected.clock.advance(1000);
  newest(connected).open();
  newest(connected).answer('hello', { ...welcome, ...fields });
}

function framesOf(socket: FakeWebSocket): unknown[] {
  return socket.frames.map(({ channel, offset, bytes }) => [channel, offset, Buffer.from(bytes).toString()]);
}

const showing = (): ReturnType<typeof showingClient> => showingClient(true, AGAIN);

/** A client whose application does something whenever its state changes, once it is open. */
function reacting(react: (client: TerminalClient, state: ConnectionState) => void): ConnectedClient {
  const open: ConnectedClient[] = [];
  const handlers = { state: (state: ConnectionState) => open.forEach(({ client }) => react(client, state)) };
  const connected = connectedClient({ ...AGAIN, handlers });
  open.push(connected);
  return connected;
}

describe('a client that is unlucky', () => {
  it('shows nothing twice that it attached to anew when it is lost again before the answer', async () => {
    const scene = await showing();
    scene.socket.receiveFrame(1, 0, 'one');
    scene.socket.drop();
    comeBack(scene, { resumeToken: 't2' });
    newest(scene).drop();
    comeBack(scene, { resumeToken: 't2', sessions: [{ ...resumed, channel: 1, offset: 3, end: 3 }] });
    newest(scene).receiveFrame(1, 3, 'two');
    expect([scene.application.text, newest(scene).sent('attach')]).toEqual(['onetwo', []]);
  });

  it('types nothing on a channel of the lost connection, whatever a handler writes', async () => {
    const typists: RemoteSession[] = [];
    const scene = reacting((_client, state) => {
      if (state === 'open') for (const typist of typists) typist.write('ls\r');
    });
    const first = await attach(scene, new FakeApplication(), { sessionId: 's1', channel: 1 });
    const second = await attach(scene, new FakeApplication(), { sessionId: 's2', channel: 2 });
    await attach(scene, new FakeApplication(), { sessionId: 's3', channel: 3 });
    first.detach();
    typists.push(second);
    scene.socket.drop();
    const channels = { s2: 1, s3: 2 };
    const sessions = Object.entries(channels).map(([sessionId, channel]) => ({
      ...resumed,
      sessionId,
      channel,
    }));
    comeBack(scene, { sessions });
    expect(framesOf(newest(scene))).toEqual([[1, 0, 'ls\r']]);
  });

  it('can be closed, and told to come back at once, while it is told that it waits', () => {
    const closing = reacting((client, state) => state === 'waiting' && client.close());
    closing.socket.drop();
    closing.clock.advance(5000);
    expect([closing.client.state, closing.sockets.length, closing.clock.timers]).toEqual(['closed', 1, 0]);

    let told = 0;
    const eager = reacting((client, state) => state === 'waiting' && told++ === 0 && client.reconnect());
    eager.socket.drop();
    eager.clock.advance(5000);
    expect(eager.sockets).toHaveLength(2);
    eager.client.close();
  });

  it('is told gone what it can neither attach to anew nor move to', async () => {
    const scene = await showing();
    const moving = scene.client.attach('s1', scene.application, { from: 0 });
    scene.socket.drop();
    comeBack(scene, { resumeToken: 't2' });
    const refusal = { type: 'error', reason: 'SESSION_NOT_FOUND', error: 'no', sessionId: 's1' };
    for (const { requestId } of newest(scene).sent('attach'))
      newest(scene).receive({ ...refusal, requestId: String(requestId) });
    await expect(moving).rejects.toMatchObject({ reason: 'SESSION_NOT_FOUND' });
    expect([scene.session.write('x'), scene.application.log]).toEqual([false, ['gone SESSION_NOT_FOUND']]);
    expect(newest(scene).frames).toEqual([]);
  });

  it('types nothing old when it takes its place back from another with its token', async () => {
    const scene = await showing();
    scene.session.write('abc');
    scene.socket.receive({ type: 'input_acknowledged', sessionId: 's1', offset: 2 });
    scene.socket.drop(4001);
    expect([scene.session.write('# rm -rf /\r'), scene.application.log]).toEqual([false, ['input lost 1']]);
    void scene.client.connect();
    newest(scene).open();
    newest(scene).answer('hello', { ...welcome, sessions: [{ ...resumed, inputOffset: 8 }] });
    scene.session.write('x');
    expect([scene.client.state, framesOf(newest(scene))]).toEqual(['open', [[1, 8, 'x']]]);
  });

  it('comes back when a hello of its own that arrives late has ended it, once for each there may be', async () => {
    const scene = await showing();
    scene.socket.drop();
    scene.clock.advance(1000);
    newest(scene).open();
    newest(scene).drop();
    scene.clock.advance(1000);
    newest(scene).open();
    scene.clock.advance(10_000);
    comeBack(scene, { sessions: [resumed] });
    for (const late of ['the first', 'the second']) {
      newest(scene).drop(4001);
      expect([late, scene.client.state]).toEqual([late, 'waiting']);
      comeBack(scene, { sessions: [resumed] });
    }
    newest(scene).drop(4001);
    expect(scene.client.state).toBe('closed');
  });

  it('has no late hello where it was welcomed: whoever ends it then has taken its place', async () => {
    const scene = await showing();
    scene.client.reconnect();
    newest(scene).open();
    newest(scene).answer('hello', { ...welcome, sessions: [resumed] });
    newest(scene).drop(4001);
    expect(scene.client.state).toBe('closed');
  });

  it('takes no answer for its own that the page before it had asked for', () => {
    const scene = connectingClient({ ...AGAIN, resumeToken: 't1' });
    scene.socket.open();
    const ghost = { ...resumed, sessionId: 's7', requestId: '2', offset: 50, end: 60 };
    scene.socket.answer('hello', { ...welcome, sessions: [ghost] });
    scene.client.create(new FakeApplication()).catch(() => undefined);
    scene.socket.drop();
    comeBack(scene, { sessions: [ghost] });
    expect([scene.client.state, newest(scene).sent('create').length]).toEqual(['open', 1]);
    scene.client.close();
  });

  it('closes what it had closed and detached before it was lost, until the server has heard of it', async () => {
    const scene = await showing();
    scene.session.close();
    scene.session.detach();
    scene.socket.drop();
    const said = (): unknown[] => newest(scene).messages.slice(1);
    for (const time of ['the first', 'the second']) {
      comeBack(scene, { sessions: [resumed] });
      const messages = ['close', 'detach'].map((type) => ({ type, sessionId: 's1' }));
      expect([time, said()]).toEqual([time, messages]);
      newest(scene).drop();
    }
    comeBack(scene, { sessions: [] });
    newest(scene).drop();
    comeBack(scene, { sessions: [resumed] });
    expect(said()).toEqual([{ type: 'detach', sessionId: 's1' }]);
  });

  it('closes what it had closed and detached where the server has forgotten it, but not what another server calls so', async () => {
    for (const [epoch, closes] of [
      ['e1', 1],
      ['e2', 0],
    ] as const) {
      const scene = await showing();
      scene.session.close();
      scene.session.detach();
      scene.socket.drop();
      comeBack(scene, { epoch, resumeToken: 't2' });
      expect([epoch, newest(scene).sent('close').length]).toEqual([epoch, closes]);
      newest(scene).drop();
      comeBack(scene, { epoch, resumeToken: 't2', sessions: [resumed] });
      expect(newest(scene).messages.slice(1)).toEqual([{ type: 'detach', sessionId: 's1' }]);
    }
  });

  it('leaves the size to whoever resized while it was away', async () => {
    const scene = await showing();
    scene.session.resize({ cols: 100, rows: 30 });
    scene.socket.drop();
    comeBack(scene, { sessions: [{ ...resumed, inControl: false, cols: 120, rows: 40 }] });
    expect(newest(scene).sent('resize')).toEqual([]);
  });

  it('asks when nothing comes, and takes a connection for dead on which nothing comes then', async () => {
    const { client, socket, clock, sockets } = await showing();
    const asked = [15_000, 15_000].map((ms) => {
      clock.advance(ms);
      return socket.sent('list_tmux_sessions').length;
    });
    // Its session was shown in the first of them.
    expect(asked).toEqual([0, 1]);
    socket.receive({ type: 'tmux_sessions' });
    clock.advance(30_000);
    expect([client.state, socket.sent('list_tmux_sessions').length]).toEqual(['open', 2]);
    clock.advance(15_000);
    expect([client.state, socket.closed?.code]).toEqual(['waiting', 4000]);
    clock.advance(50);
    expect(sockets).toHaveLength(2);
    client.close();
    expect(clock.timers).toBe(0);
  });

  it('waits from when something comes: a timer set by a timer is far too late in a hidden page', async () => {
    const { client, socket, clock } = await showing();
    clock.advance(16_000);
    socket.receive({ type: 'tmux_sessions' });
    clock.advance(29_999);
    expect(socket.sent('list_tmux_sessions')).toEqual([]);
    clock.advance(1);
    expect(socket.sent('list_tmux_sessions')).toHaveLength(1);
    client.close();
  });

  it('does not say goodbye to a server that refuses its hello when it comes back', async () => {
    const scene = await showing();
    scene.socket.drop();
    scene.clock.advance(1000);
    newest(scene).open();
    newest(scene).answer('hello', { type: 'error', reason: 'INTERNAL', error: 'no' });
    await new Promise(setImmediate);
    expect([scene.client.state, newest(scene).closed?.code]).toEqual(['waiting', 4000]);
  });

  it('may connect after no socket could be made', async () => {
    let canBeMade = false;
    const client = new TerminalClient({
      timers: new FakeClock(),
      open: () => {
        if (!canBeMade) throw new Error('no');
        return new FakeWebSocket();
      },
    });
    await expect(client.connect()).rejects.toThrow('no');
    canBeMade = true;
    void client.connect();
    expect(client.state).toBe('connecting');
  });
});

it('a terminal answers no old query when its session is attached to again from before it', async () => {
  const terminal = new Terminal({ allowProposedApi: true });
  const { client, socket } = connectedClient();
  const adapter = new XtermAdapter(terminal);
  const shown = (): Promise<void> => new Promise((resolve) => terminal.write('', resolve));
  const show = async (answer: object): Promise<void> => {
    const asked = client.attach('s1', adapter.handlers);
    socket.answer('attach', { ...attached, inControl: true, ...answer });
    adapter.connect(await asked);
  };
  await show({});
  socket.receiveFrame(1, 0, '\x1b[5n');
  await shown();
  await show({ channel: 2, end: 4, inputOffset: 4 });
  socket.receiveFrame(2, 0, '\x1b[5n');
  await shown();
  expect(framesOf(socket)).toEqual([[1, 0, '\x1b[0n']]);
  client.close();
});
