import { type WebSocket } from 'ws';
import { FakeApplication } from '../test/fakes/fake-application.js';
import { FakeWebSocket } from '../test/fakes/fake-web-socket.js';
import {
  attach,
  attached,
  connectedClient,
  connectingClient,
  showingClient,
  welcome,
} from '../test/support/connected-client.js';
import { RequestFailed } from './client-error.js';
import { type Socket } from './socket.js';
import { TerminalClient } from './terminal-client.js';

/** Compiles: a socket of `ws` will do. */
export const usable = (socket: WebSocket): Socket => socket;

const refused = { type: 'error', error: 'no' };

describe('a client that connects', () => {
  it('greets first, and is open when it is welcomed', async () => {
    const { client, socket, welcomed, log } = connectingClient();
    expect(socket.binaryType).toBe('arraybuffer');
    expect(socket.messages).toEqual([]);
    socket.open();
    expect(socket.messages).toEqual([{ type: 'hello', requestId: '1' }]);
    expect(client.state).toBe('connecting');
    socket.answer('hello', welcome);
    expect(client.state).toBe('open');
    await expect(welcomed).resolves.toMatchObject({ epoch: 'e1' });
    expect(log).toEqual(['connecting', 'open']);
  });

  it('connects once', () => {
    const { client, welcomed } = connectingClient();
    expect(client.connect()).toBe(welcomed);
  });

  it('asks for nothing before it is welcomed', async () => {
    const { client, socket } = connectingClient();
    socket.open();
    await expect(client.create(new FakeApplication())).rejects.toMatchObject({ reason: 'DISCONNECTED' });
    expect(socket.sent('create')).toEqual([]);
  });

  it('closes when it is not welcome, and says why', async () => {
    const { client, socket, welcomed } = connectingClient();
    socket.open();
    socket.answer('hello', { ...refused, reason: 'BAD_MESSAGE' });
    await expect(welcomed).rejects.toMatchObject({
      name: 'RequestFailed',
      reason: 'BAD_MESSAGE',
      message: 'no',
    });
    expect(client.state).toBe('closed');
    expect(socket.closed).toMatchObject({ code: 1000 });
  });

  it.each([
    ['an error', { error: new Error('connect ECONNREFUSED') }, new Error('connect ECONNREFUSED')],
    ['an event that says nothing', { type: 'error' }, { type: 'error' }],
  ])('says what kept it from connecting: %s', async (_, event, cause) => {
    const { socket, welcomed } = connectingClient();
    socket.drop(1006, '', event);
    await expect(welcomed).rejects.toMatchObject({ reason: 'DISCONNECTED', cause });
  });

  it('passes on that no socket can be made', async () => {
    const client = new TerminalClient({
      open: () => {
        throw new SyntaxError('no such address');
      },
    });
    await expect(client.connect()).rejects.toThrow('no such address');
    expect(client.state).toBe('closed');
  });

  it('can be closed before its socket opens', async () => {
    const { client, socket, welcomed } = connectingClient();
    client.close();
    socket.open();
    await expect(welcomed).rejects.toMatchObject({ reason: 'DISCONNECTED' });
    expect(socket.messages).toEqual([]);
  });

  it('uses the platform’s timers unless it is given others', async () => {
    const socket = new FakeWebSocket();
    const client = new TerminalClient({ open: () => socket });
    const welcomed = client.connect();
    socket.open();
    socket.answer('hello', welcome);
    await welcomed;
    const session = client.attach('s1', new FakeApplication());
    socket.answer('attach', attached);
    await session;
    socket.receiveFrame(1, 0, 'x');
    const deadline = Date.now() + 5000;
    while (socket.sent('acknowledge').length === 0 && Date.now() < deadline) await new Promise(setImmediate);
    expect(socket.sent('acknowledge')).toHaveLength(1);
    socket.receiveFrame(1, 1, 'y');
    client.close();
  });
});

describe('a client that asks', () => {
  it('creates a session and shows it from its first byte', async () => {
    const { client, socket } = connectedClient();
    const application = new FakeApplication();
    const created = client.create(application, { cols: 100, rows: 30, cwd: '/tmp', shell: 'bash' });
    expect(socket.sent('create')).toEqual([
      { type: 'create', cols: 100, rows: 30, cwd: '/tmp', shell: 'bash', requestId: '2' },
    ]);
    socket.answer('create', { type: 'session_created', sessionId: 's1', channel: 7 });
    socket.receiveFrame(7, 0, '$ ');
    await expect(created).resolves.toMatchObject({ id: 's1', offset: 2, isOver: false });
    expect(application.text).toBe('$ ');
  });

  it('finds the answer to each question, in whatever order they come', async () => {
    const { client, socket } = connectedClient();
    const application = new FakeApplication();
    const questions = [
      client.create(application),
      client.attach('s9', application),
      client.create(application),
    ];
    const [first, second] = socket.sent('create').map(({ requestId }) => requestId);
    socket.receive({ type: 'session_created', requestId: second, sessionId: 's2', channel: 2 });
    socket.answer('attach', { ...attached, sessionId: 's9', channel: 3 });
    socket.receive({ type: 'session_created', requestId: first, sessionId: 's1', channel: 1 });
    expect((await Promise.all(questions)).map(({ id }) => id)).toEqual(['s1', 's9', 's2']);
  });

  it('says for what reason it was refused', async () => {
    const { client, socket, log } = connectedClient();
    const created = client.create(new FakeApplication());
    socket.answer('create', { ...refused, reason: 'SESSION_LIMIT' });
    await expect(created).rejects.toThrow(RequestFailed);
    await expect(created).rejects.toMatchObject({ reason: 'SESSION_LIMIT', message: 'no' });
    expect(log).toEqual(['connecting', 'open']);
  });

  it('tells of refusals that answer nothing', () => {
    const { socket, log } = connectedClient();
    socket.receive({ ...refused, reason: 'INTERNAL' });
    socket.receive({ ...refused, reason: 'SESSION_NOT_FOUND', sessionId: 'unknown', requestId: 'unknown' });
    expect(log.slice(2)).toEqual(['error INTERNAL', 'error SESSION_NOT_FOUND']);
  });

  it('ignores what it does not know, what it did not ask for, and answers that come late', () => {
    const { client, socket, log } = connectedClient();
    socket.receive({ type: 'plugin_data', anything: 1 });
    socket.receive({ type: 'tmux_sessions' });
    socket.receive({ type: 'output', sessionId: 's1', data: 'x', offset: 0, end: 1 });
    socket.receive({ type: 'exit', sessionId: 's1', code: 0, cause: 'ended' });
    socket.receive({ ...attached, requestId: '99' });
    socket.receive(attached);
    socket.receiveFrame(1, 0, 'x');
    expect(client.state).toBe('open');
    expect(log).toEqual(['connecting', 'open']);
  });

  it('sends one acknowledgement for all its sessions', async () => {
    const connected = connectedClient();
    const { socket, clock } = connected;
    await attach(connected, new FakeApplication());
    await attach(connected, new FakeApplication(), { sessionId: 's2', channel: 2, offset: 100 });
    socket.receiveFrame(1, 0, 'one');
    socket.receiveFrame(2, 100, 'two');
    socket.receiveFrame(1, 3, 'three');
    clock.advance(5);
    expect(socket.sent('acknowledge')).toEqual([
      {
        type: 'acknowledge',
        sessions: [
          { sessionId: 's1', offset: 8 },
          { sessionId: 's2', offset: 103 },
        ],
      },
    ]);
  });
});

describe('a client whose connection ends', () => {
  it('fails what is still asked, and stops everything', async () => {
    const { client, socket, clock, log, session, application } = await showingClient();
    socket.receiveFrame(1, 0, 'one');
    const created = client.create(application);
    socket.drop(1001, 'shutting down');
    await expect(created).rejects.toMatchObject({ reason: 'DISCONNECTED' });
    expect(log.at(-1)).toBe('closed 1001 shutting down');
    expect(clock.timers).toBe(0);
    session.write('x');
    session.resize({ cols: 1, rows: 1 });
    application.chunks[0]!.consumed();
    await expect(client.attach('s1', application)).rejects.toMatchObject({ reason: 'DISCONNECTED' });
    expect(clock.timers).toBe(0);
  });

  it('closes once, with 1000, and hears nothing after it', async () => {
    const { client, socket, log, application } = await showingClient();
    client.close();
    client.close();
    socket.receiveFrame(1, 0, 'late');
    socket.drop();
    expect(socket.closed).toEqual({ code: 1000, reason: 'closed by the client' });
    expect(log.slice(2)).toEqual(['closed 1000 closed by the client']);
    expect(application.log).toEqual([]);
  });

  it('may be closed before it connects', () => {
    expect(() => new TerminalClient({ open: () => new FakeWebSocket() }).close()).not.toThrow();
  });

  it('consumes what comes late without a word', async () => {
    const { client, socket, clock, application } = await showingClient(false);
    socket.receiveFrame(1, 0, 'one');
    client.close();
    application.chunks[0]!.consumed();
    clock.advance(10);
    expect(socket.sent('acknowledge')).toEqual([]);
  });

  it.each<[string, (socket: FakeWebSocket) => void]>([
    ['text that is not JSON', (socket) => socket.receive('{')],
    ['JSON that is no message', (socket) => socket.receive('[1]')],
    ['JSON that is no object', (socket) => socket.receive('null')],
    ['a torn frame', (socket) => socket.receiveBytes(new Uint8Array(15))],
    ['a frame of an unknown kind', (socket) => socket.receiveBytes(new Uint8Array(16))],
    ['a frame of input', (socket) => socket.receiveFrame(1, 0, 'x', 'input')],
    [
      'input that was never typed',
      (socket) => socket.receive({ type: 'input_acknowledged', sessionId: 's1', offset: 1 }),
    ],
    ['output behind a hole', (socket) => socket.receiveFrame(1, 1, 'x')],
    [
      'output twice',
      (socket) => {
        socket.receiveFrame(1, 0, 'xy');
        socket.receiveFrame(1, 1, 'y');
      },
    ],
    ['a gap behind a hole', (socket) => socket.receive({ type: 'gap', sessionId: 's1', offset: 1, end: 2 })],
    [
      'a gap that goes back',
      (socket) => socket.receive({ type: 'gap', sessionId: 's1', offset: 0, end: -1 }),
    ],
    ['an answer to another question', (socket) => socket.answer('attach', welcome)],
    ['a place nobody asked for', (socket) => socket.answer('attach', { ...attached, offset: 51 })],
    [
      'a gap that says less than is missing',
      (socket) => socket.answer('attach', { ...attached, offset: 60, gap: { offset: 50, end: 59 } }),
    ],
    [
      'a session without a channel',
      (socket) => socket.answer('create', { type: 'session_created', sessionId: 's2' }),
    ],
  ])('closes it with 4002 at %s', async (_, misbehave) => {
    const { client, socket, log, application } = await showingClient();
    const waiting = [client.create(application), client.attach('s1', application, { from: 50 })].map(
      (asked) => expect(asked).rejects.toMatchObject({ reason: 'DISCONNECTED' }),
    );
    misbehave(socket);
    expect(socket.closed?.code).toBe(4002);
    expect(log.at(-1)).toMatch(/^closed 4002 /);
    await Promise.all(waiting);
  });
});
