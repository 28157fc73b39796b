import { type SessionInfo } from '../src/protocol/messages.js';
import { FakeApplication } from '../test/fakes/fake-application.js';
import { type FakeWebSocket } from '../test/fakes/fake-web-socket.js';
import {
  connectedClient,
  type ConnectedClient,
  connectingClient,
  welcome,
} from '../test/support/connected-client.js';
import { type WatchHandlers } from './terminal-client.js';

const AGAIN = { reconnect: { firstMs: 100, mostMs: 1000 } };

function session(id: string): SessionInfo {
  const fixed = { shellType: 'bash', status: 'active', createdAt: '', persistent: false, cwd: '/' } as const;
  return { ...fixed, id, name: `bash-${id}` };
}

/** Notes what it is told, in words. */
function noting(): { handlers: WatchHandlers; told: string[] } {
  const told: string[] = [];
  const handlers: WatchHandlers = {
    sessions: (list) => told.push(`sessions ${list.map(({ name }) => name).join()}`),
    changed: (change, sessionId, info) => told.push(`${change} ${sessionId} ${info?.name ?? 'none'}`),
  };
  return { handlers, told };
}

function list(socket: FakeWebSocket, ...ids: string[]): void {
  socket.receive({ type: 'sessions', sessions: ids.map(session) });
}

function change(socket: FakeWebSocket, what: string, sessionId: string): void {
  const info = what === 'removed' ? {} : { session: session(sessionId) };
  socket.receive({ type: 'session_changed', change: what, sessionId, ...info });
}

/** Its next socket opens, and the server welcomes it. */
function comeBack({ clock, sockets }: ConnectedClient): FakeWebSocket {
  clock.advance(1000);
  const newest = sockets.at(-1)!;
  newest.open();
  newest.answer('hello', welcome);
  return newest;
}

describe('a client that watches', () => {
  it('is told of all sessions, then of each change', () => {
    const { client, socket } = connectedClient();
    const { handlers, told } = noting();
    client.watch(handlers);
    expect(socket.sent('watch')).toEqual([{ type: 'watch' }]);
    list(socket, 's1', 's2');
    change(socket, 'added', 's3');
    change(socket, 'changed', 's1');
    change(socket, 'ended', 's1');
    change(socket, 'removed', 's2');
    expect(told).toEqual([
      'sessions bash-s1,bash-s2',
      'added s3 bash-s3',
      'changed s1 bash-s1',
      'ended s1 bash-s1',
      'removed s2 none',
    ]);
  });

  it('asks as soon as it is open, where it is told to before', () => {
    const { client, socket } = connectingClient();
    const { handlers, told } = noting();
    client.watch(handlers);
    socket.open();
    expect(socket.sent('watch')).toEqual([]);
    socket.answer('hello', welcome);
    expect(socket.sent('watch')).toHaveLength(1);
    list(socket, 's1');
    expect(told).toEqual(['sessions bash-s1']);
  });

  it('asks again over each new connection, and hears of no change before the list', () => {
    const connected = connectedClient(AGAIN);
    const { handlers, told } = noting();
    connected.client.watch(handlers);
    list(connected.socket, 's1');
    connected.socket.drop();
    const again = comeBack(connected);
    expect(again.sent('watch')).toHaveLength(1);
    change(again, 'changed', 's1');
    list(again, 's2');
    change(again, 'removed', 's2');
    expect(told).toEqual(['sessions bash-s1', 'sessions bash-s2', 'removed s2 none']);
  });

  it('asks once where its application begins to watch when it is told that it is open', () => {
    const { handlers, told } = noting();
    const { client, socket } = connectingClient({
      handlers: { state: (state) => state === 'open' && client.watch(handlers) },
    });
    socket.open();
    socket.answer('hello', welcome);
    expect(socket.sent('watch')).toHaveLength(1);
    list(socket);
    expect(told).toEqual(['sessions ']);
  });

  it('tells only the handlers it was given last, beginning with the list', () => {
    const { client, socket } = connectedClient();
    const [first, second] = [noting(), noting()];
    client.watch(first.handlers);
    list(socket, 's1');
    client.watch(second.handlers);
    change(socket, 'changed', 's1');
    list(socket, 's1');
    change(socket, 'ended', 's1');
    expect(first.told).toEqual(['sessions bash-s1']);
    expect(second.told).toEqual(['sessions bash-s1', 'ended s1 bash-s1']);
  });

  it('hears nothing more once it has had enough, and does not ask again', () => {
    const connected = connectedClient(AGAIN);
    const { handlers, told } = noting();
    const stop = connected.client.watch(handlers);
    list(connected.socket, 's1');
    stop();
    change(connected.socket, 'changed', 's1');
    connected.socket.drop();
    const again = comeBack(connected);
    expect([told, again.sent('watch')]).toEqual([['sessions bash-s1'], []]);
    const anew = noting();
    connected.client.watch(anew.handlers);
    stop();
    list(again, 's2');
    expect([told, anew.told]).toEqual([['sessions bash-s1'], ['sessions bash-s2']]);
    connected.client.close();
  });

  it('hears nothing once it is closed, until it is connected again', async () => {
    const connected = connectedClient();
    const { client, socket, clock, sockets } = connected;
    const { handlers, told } = noting();
    client.watch(handlers);
    list(socket, 's1');
    client.close();
    change(socket, 'removed', 's1');
    clock.advance(60_000);
    expect([told, sockets.length, clock.timers]).toEqual([['sessions bash-s1'], 1, 0]);
    const welcomed = client.connect();
    const again = comeBack(connected);
    await welcomed;
    expect(again.sent('watch')).toHaveLength(1);
    client.close();
  });

  it('passes over a list that it has not asked for', () => {
    const { client, socket } = connectedClient();
    list(socket, 's1');
    change(socket, 'removed', 's1');
    expect(client.state).toBe('open');
  });

  it('is told when its server knows of no watching', () => {
    const { client, socket, log } = connectedClient();
    client.watch(noting().handlers);
    socket.receive({ type: 'error', reason: 'UNKNOWN_TYPE', error: 'no' });
    expect(log.at(-1)).toBe('error UNKNOWN_TYPE');
  });
});

describe('a client whose token only reads', () => {
  it('knows that, and types nothing', async () => {
    const connected = connectingClient();
    const { client, socket } = connected;
    expect(client.readOnly).toBe(false);
    socket.open();
    socket.answer('hello', { ...welcome, readOnly: true });
    expect(client.readOnly).toBe(true);
    const asked = client.attach('s1', new FakeApplication());
    socket.answer('attach', { type: 'attached', sessionId: 's1', channel: 1, offset: 0, end: 0, sizes: [] });
    const shown = await asked;
    expect([shown.write('x'), shown.bufferedInput]).toEqual([false, 0]);
    shown.resize({ cols: 1, rows: 1 });
    expect([socket.frames, socket.sent('resize')]).toEqual([[], []]);
    client.close();
  });
});
