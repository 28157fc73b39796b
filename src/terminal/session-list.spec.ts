import { FakeSocket } from '../../test/fakes/fake-socket.js';
import { settled } from '../../test/support/running-session.js';
import { TestSessions } from '../../test/support/test-sessions.js';
import { type AppConfig } from '../config/app-config.js';
import { type Session } from '../core/session.js';
import { type SessionChanged, type Sessions } from '../protocol/messages.js';
import { ANSWERS_HIGH_WATER_BYTES, Connection } from './connection.js';
import { type Protocol } from './subprotocol.js';

const size = { columns: 80, rows: 24 };

/** A server's sessions, and somebody who watches them. */
class Stage {
  readonly sessions: TestSessions;

  constructor(config: Partial<AppConfig> = {}) {
    this.sessions = new TestSessions(config);
  }

  connection(socket: FakeSocket, protocol: Protocol = 'trex.v2'): Connection {
    return new Connection(socket, this.sessions.clock, protocol);
  }

  watcher(protocol?: Protocol): { readonly socket: FakeSocket; readonly connection: Connection } {
    const socket = new FakeSocket();
    const connection = this.connection(socket, protocol);
    this.sessions.list.watch(connection);
    return { socket, connection };
  }

  open(): Session {
    return this.sessions.opener.open({ size });
  }

  /** A session that runs. */
  async running(): Promise<Session> {
    const session = this.open();
    await settled();
    return session;
  }
}

/** What was told of the list, in short: the ids it has, then `added s2 bash-2`. */
function told({ sent }: FakeSocket): string[] {
  return sent.flatMap((message) => {
    if (message.type === 'sessions') return [`sessions ${message.sessions.map(({ id }) => id).join()}`];
    if (message.type !== 'session_changed') return [];
    const { change, sessionId, session } = message;
    return [session ? `${change} ${sessionId} ${session.name} ${session.status}` : `${change} ${sessionId}`];
  });
}

/** Nothing more goes into this socket until it takes what is there. */
function fill(socket: FakeSocket, connection: Connection): void {
  socket.stopTaking();
  connection.send({ type: 'tmux_sessions', requestId: 'r'.repeat(ANSWERS_HIGH_WATER_BYTES) });
}

describe('the list of sessions', () => {
  it('is told to whoever asks, each session as REST tells it, in the order of their creation', async () => {
    const stage = new Stage();
    const first = await stage.running();
    first.rename('tests');
    stage.sessions.ptys.last.print('\x1b]2;vim\x07\x1b]7;file:///srv\x07');
    const second = stage.open();
    const socket = new FakeSocket();

    stage.sessions.list.watch(stage.connection(socket), 'w1');

    const { createdAt } = first;
    expect(socket.sent).toEqual([
      {
        type: 'sessions',
        requestId: 'w1',
        sessions: [
          {
            id: 's1',
            name: 'tests',
            shellType: 'bash',
            status: 'active',
            createdAt,
            persistent: false,
            cwd: '/srv',
            title: 'vim',
          },
          {
            id: 's2',
            name: 'bash-2',
            shellType: 'bash',
            status: 'connecting',
            createdAt,
            persistent: false,
            cwd: second.cwd,
          },
        ],
      },
    ]);
  });

  it('is told as it changes: added, changed, ended and removed, in this order', async () => {
    const stage = new Stage();
    const { socket } = stage.watcher();
    const session = await stage.running();
    session.rename('tests');
    stage.sessions.ptys.last.end({ code: 3 });
    stage.sessions.closer.close('s1');
    expect(told(socket)).toEqual([
      'sessions ',
      'added s1 bash-1 connecting',
      'changed s1 bash-1 active',
      'changed s1 tests active',
      'ended s1 tests exited',
      'removed s1',
    ]);
    expect(socket.sent).toContainEqual(
      expect.objectContaining({
        change: 'ended',
        session: expect.objectContaining({ exitCode: 3 }) as object,
      }),
    );
    expect(socket.sent.at(-1)).toEqual({ type: 'session_changed', sessionId: 's1', change: 'removed' });
  });

  it('tells of a session that could not be started', async () => {
    const stage = new Stage();
    const { socket } = stage.watcher();
    stage.sessions.ptys.failure = new Error('no shell') as never;
    await stage.running();
    expect(told(socket).slice(1)).toEqual([
      'added s1 bash-1 connecting',
      'ended s1 bash-1 exited',
      'removed s1',
    ]);
  });

  it.each(['trex.v1', 'trex.v2'] as const)(
    'is told alike to everybody who watches in %s',
    async (protocol) => {
      const stage = new Stage();
      const [one, other] = [stage.watcher(protocol), stage.watcher(protocol)];
      await stage.running();
      expect(told(one.socket)).toEqual([
        'sessions ',
        'added s1 bash-1 connecting',
        'changed s1 bash-1 active',
      ]);
      expect(told(other.socket)).toEqual(told(one.socket));
    },
  );

  it('is not told to who does not ask, nor to who has left', async () => {
    const stage = new Stage();
    const stranger = new FakeSocket();
    const { gateway, list } = stage.sessions;
    gateway.handleConnection(stage.connection(stranger, 'trex.v1'));
    const { socket, connection } = stage.watcher('trex.v1');
    gateway.handleConnection(connection);
    gateway.handleDisconnect(connection);
    list.leave(connection);
    await stage.running();
    expect([told(stranger), told(socket)]).toEqual([[], ['sessions ']]);
  });

  it('is told whole again to who asks again, and each change once', async () => {
    const stage = new Stage();
    const { socket, connection } = stage.watcher();
    const session = await stage.running();
    stage.sessions.list.watch(connection, 'again');
    session.rename('tests');
    expect(told(socket).slice(-2)).toEqual(['sessions s1', 'changed s1 tests active']);
  });
});

describe('who watches and does not read', () => {
  it('is told the newest of each session, once it does', async () => {
    const stage = new Stage();
    const { socket, connection } = stage.watcher();
    const sessions = [await stage.running(), await stage.running()];
    fill(socket, connection);
    const before = told(socket).length;
    for (let n = 0; n < 1000; n++) for (const session of sessions) session.rename(`name ${n}`);
    expect(told(socket)).toHaveLength(before);
    socket.startTaking();
    expect(told(socket).slice(before)).toEqual(['changed s1 name 999 active', 'changed s2 name 999 active']);
  });

  it.each<[string, (stage: Stage, known: Session) => Promise<void> | void, string[]]>([
    [
      'of one that is new that it was added, as it is by then',
      async (stage) => {
        const [one, other] = [await stage.running(), await stage.running()];
        other.rename('other');
        one.rename('one');
      },
      ['added s2 one active', 'added s3 other active'],
    ],
    [
      'of one that is new and has ended that it was added',
      async (stage) => {
        await stage.running();
        stage.sessions.ptys.last.end();
      },
      ['added s2 bash-2 exited'],
    ],
    [
      'of one that came and went nothing',
      async (stage) => {
        await stage.running();
        await stage.sessions.closer.closeAndWait('s2');
      },
      [],
    ],
    [
      'of one that has ended and was named that it ended, with its name',
      (stage, known) => {
        stage.sessions.ptys.last.end();
        known.rename('tests');
      },
      ['ended s1 tests exited'],
    ],
    [
      'of one that has changed and ended that it ended',
      (stage, known) => {
        known.rename('tests');
        stage.sessions.ptys.last.end();
      },
      ['ended s1 tests exited'],
    ],
    [
      'of one that has ended and is gone that it is gone',
      async (stage, known) => {
        known.rename('tests');
        await stage.sessions.closer.closeAndWait('s1');
      },
      ['removed s1'],
    ],
  ])('is told %s', async (_what, happens, news) => {
    const stage = new Stage();
    const { socket, connection } = stage.watcher();
    const known = await stage.running();
    fill(socket, connection);
    const before = told(socket).length;
    await happens(stage, known);
    expect(told(socket)).toHaveLength(before);
    socket.startTaking();
    expect(told(socket).slice(before)).toEqual(news);
  });

  it('is told no news from before a list that it has asked for', async () => {
    const stage = new Stage();
    const socket = new FakeSocket();
    const connection = stage.connection(socket);
    const session = await stage.running();
    stage.sessions.list.watch(connection);
    fill(socket, connection);
    session.rename('tests');
    connection.list([]);
    socket.startTaking();
    expect(told(socket)).toEqual(['sessions s1', 'sessions ']);
  });

  it('costs no more however much happens, and is told all that counts in the end', async () => {
    const stage = new Stage({ maxSessions: 65 });
    const { socket, connection } = stage.watcher();
    const sessions = await Promise.all(Array.from({ length: 64 }, () => stage.running()));
    // Not only where there is no room from the beginning on.
    socket.stopTaking();
    let most = 0;
    for (let n = 0; n < 20_000; n++) {
      sessions[n % 64]!.rename(`${'name '.repeat(25)}${n % 128}`);
      if (n % 100 === 0) {
        const { id } = await stage.running();
        await stage.sessions.closer.closeAndWait(id);
      }
      most = Math.max(most, socket.bufferedAmount);
    }
    expect(most).toBeLessThan(ANSWERS_HIGH_WATER_BYTES + 1024);
    socket.startTaking();
    await settled();
    expect(listAfter(socket)).toEqual(
      new Map(stage.sessions.registry.list().map(({ id, name }) => [id, name])),
    );
    connection.release();
  });

  it('is not told the whole list again and again', async () => {
    const stage = new Stage({ maxSessions: 1000 });
    const { socket, connection } = stage.watcher();
    for (let n = 0; n < 1000; n++) stage.open();
    await settled();
    socket.stopTaking();
    const before = socket.bufferedAmount;
    const refusals: unknown[] = [];
    for (let n = 0; n < 1000; n++) {
      try {
        stage.sessions.gateway.watch(connection, { type: 'watch', requestId: `w${n}` });
      } catch (error) {
        refusals.push(error);
      }
    }
    expect(socket.bufferedAmount - before).toBeLessThan(2 * ANSWERS_HIGH_WATER_BYTES);
    expect(refusals.length).toBeGreaterThan(900);
    expect(refusals[0]).toMatchObject({ code: 'RATE_LIMITED' });
    socket.startTaking();
    await settled();
    stage.sessions.list.watch(connection, 'at last');
    expect(socket.sent.at(-1)).toMatchObject({ type: 'sessions', requestId: 'at last' });
  });
});

/** What a client makes of what it was told: names by id. */
function listAfter({ sent }: FakeSocket): Map<string, string> {
  const list = new Map<string, string>();
  for (const message of sent as (Sessions | SessionChanged)[]) {
    if (message.type === 'sessions') {
      list.clear();
      for (const { id, name } of message.sessions) list.set(id, name);
    } else if (message.type === 'session_changed') {
      // One is added once, and nothing is told of who is not there.
      expect(list.has(message.sessionId)).toBe(message.change !== 'added');
      if (message.session) list.set(message.sessionId, message.session.name);
      else list.delete(message.sessionId);
    }
  }
  return list;
}
