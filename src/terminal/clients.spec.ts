import { inspect } from 'node:util';
import { FakeClient } from '../../test/fakes/fake-client.js';
import { type FakePty } from '../../test/fakes/fake-pty.js';
import { FakeSocket } from '../../test/fakes/fake-socket.js';
import { settled } from '../../test/support/running-session.js';
import { TestSessions } from '../../test/support/test-sessions.js';
import { type AppConfig } from '../config/app-config.js';
import { type Session, STALLED_MS } from '../core/session.js';
import { ANSWERS_HIGH_WATER_BYTES, Connection } from './connection.js';

const KIB = 1024;
const SMALLEST_LOG_BYTES = 256 * KIB;
const size = { columns: 80, rows: 24 };
const RESTORING = '\x18\x1b[!p';
/** Any way in which a connection ends but the one that says goodbye. */
const LOST = [1001, 1002, 1005, 1006, 1008, 1009, 1011, 4000, 4001, 4002];

/** A client that has been welcomed, with a session whose process runs. */
async function working(config: Partial<AppConfig> = {}): Promise<{
  readonly sessions: TestSessions;
  readonly client: FakeClient;
  readonly session: Session;
  readonly pty: FakePty;
}> {
  const sessions = new TestSessions(config);
  const client = new FakeClient(sessions);
  client.connect();
  return { sessions, client, ...(await client.create()) };
}

/** Another client, that looks at `s1` too. */
function another(sessions: TestSessions): FakeClient {
  const other = new FakeClient(sessions);
  other.connect();
  other.send({ type: 'attach', sessionId: 's1' });
  return other;
}

describe('a resume token', () => {
  it('is 128 bits in 22 characters, another for each client', () => {
    const sessions = new TestSessions();
    const tokens = Array.from({ length: 500 }, () => new FakeClient(sessions).connect().resumeToken);
    expect(new Set(tokens).size).toBe(tokens.length);
    for (const token of tokens) expect(token).toMatch(/^[\w-]{22}$/);
    // None of the bits is always the same.
    for (let bit = 0; bit < 128; bit++) {
      const values = tokens.map((token) => (Buffer.from(token, 'base64url')[bit >> 3]! >> (bit & 7)) & 1);
      expect(new Set(values).size).toBe(2);
    }
  });

  it('is kept of as many that have nothing to come back to as there may be connections, the newest', async () => {
    const sessions = new TestSessions({ maxConnections: 3 });
    const owner = new FakeClient(sessions);
    const token = owner.connect().resumeToken;
    await owner.create();
    owner.drop();
    const others = Array.from({ length: 5 }, () => {
      const client = new FakeClient(sessions);
      const { resumeToken } = client.connect();
      client.drop();
      return { client, resumeToken };
    });
    const isKnown = others.map(({ client, resumeToken }) => client.connect().resumeToken === resumeToken);
    expect(isKnown).toEqual([false, false, true, true, true]);
    expect(owner.connect().resumeToken).toBe(token);
  });

  it('is the client’s for all its life', () => {
    const client = new FakeClient(new TestSessions());
    const { resumeToken } = client.connect();
    for (let times = 0; times < 3; times++) {
      client.drop();
      expect(client.connect().resumeToken).toBe(resumeToken);
    }
  });

  it('is not kept as it is', () => {
    const sessions = new TestSessions();
    const client = new FakeClient(sessions);
    const { resumeToken } = client.connect();
    client.drop();
    const memory = inspect(sessions, { depth: Infinity, showHidden: true, maxArrayLength: Infinity });
    expect(memory).toContain('byTokenHash');
    expect(memory).not.toContain(resumeToken);
  });

  it.each([
    ['of another server', new FakeClient(new TestSessions()).connect().resumeToken],
    ['that is none', 'please'],
    ['that is empty', ''],
    ['with a name that objects have', '__proto__'],
    ['that is as long as may be', 'x'.repeat(128)],
  ])('%s makes a new client, of which nothing is resumed', async (_what, resumeToken) => {
    const { sessions, client } = await working();
    const other = new FakeClient(sessions);
    const welcome = other.connect({ resumeToken, sessions: [{ sessionId: 's1', from: 0 }] });
    expect(welcome.sessions).toEqual([]);
    expect(welcome.resumeToken).toMatch(/^[\w-]{22}$/);
    expect([resumeToken, client.resumeToken]).not.toContain(welcome.resumeToken);
    expect(client.socket.closed).toBeUndefined();
  });

  it('with one character changed is nobody’s', async () => {
    const { client } = await working();
    client.drop();
    const token = client.resumeToken!;
    const changed = (token.startsWith('A') ? 'B' : 'A') + token.slice(1);
    expect(client.connect({ resumeToken: changed }).sessions).toEqual([]);
  });

  it('of a client that is no more is nobody’s', async () => {
    const { client, sessions } = await working();
    const { resumeToken } = client;
    client.drop(1000);
    const welcome = client.connect({ sessions: [{ sessionId: 's1' }] });
    expect(welcome).toMatchObject({ sessions: [] });
    expect(welcome.resumeToken).not.toBe(resumeToken);
    await settled();
    expect(sessions.registry.count()).toBe(0);
  });
});

describe('a client that loses its connection', () => {
  it.each(LOST)('with %d comes back to its sessions, to the millisecond', async (code) => {
    const { client, sessions } = await working();
    const { resumeToken } = client;
    client.drop(code);
    sessions.clock.advance(59_999);
    expect(client.connect().resumeToken).toBe(resumeToken);
    expect([sessions.registry.count(), sessions.clock.timers]).toEqual([1, 0]);
  });

  it('has its sessions closed when it does not come back in time, and is forgotten', async () => {
    const { client, sessions } = await working();
    const { resumeToken } = client;
    client.drop();
    sessions.clock.advance(60_000);
    await settled();
    expect([sessions.registry.count(), sessions.clock.timers]).toEqual([0, 0]);
    expect(client.connect().resumeToken).not.toBe(resumeToken);
  });

  it('with 1000 has said goodbye: its sessions close at once, and no timer waits for it', async () => {
    const { client, sessions } = await working();
    client.drop(1000);
    expect(sessions.happened).toContain('s1 closing');
    await settled();
    expect([sessions.registry.count(), sessions.clock.timers]).toEqual([0, 0]);
  });

  it.each([1000, 1006])(
    'with %d has nothing once it is over, whoever still knows its connection',
    async (code) => {
      const { client, sessions } = await working();
      await client.create({ persistent: true });
      client.type('s1', 0, 'x');
      const over = client.connection.client!;
      client.drop(code);
      expect(over.hasNothing).toBe(code === 1000);
      sessions.clock.advance(60_000);
      expect(over.hasNothing).toBe(true);
    },
  );

  it('has all its time again after each time', async () => {
    const { client, sessions } = await working();
    for (let times = 0; times < 5; times++) {
      client.drop();
      sessions.clock.advance(59_000);
      client.connect();
    }
    sessions.clock.advance(3_600_000);
    expect([sessions.registry.count(), sessions.clock.timers]).toEqual([1, 0]);
  });

  it('does not end with what others have', async () => {
    const { client, sessions } = await working();
    const other = another(sessions);
    const { session } = await other.create();
    client.drop();
    sessions.clock.advance(60_000);
    await settled();
    expect(sessions.registry.list()).toEqual([session]);
    expect(other.heard).toContain('exit');
  });

  it('that never said hello leaves nothing', () => {
    const { gateway, clock } = new TestSessions();
    const connection = new Connection(new FakeSocket(), clock, 'trex.v2');
    gateway.handleConnection(connection);
    connection.closeCode = 1006;
    gateway.handleDisconnect(connection);
    expect(clock.timers).toBe(0);
  });

  it('is not waited for by a server that stops', async () => {
    const { client, sessions } = await working();
    client.drop();
    expect(sessions.clock.timers).toBe(2);
    sessions.clients.onApplicationShutdown();
    expect(sessions.clock.timers).toBe(0);
  });

  it.each(LOST)('of the default protocol, with %d, has its sessions closed at once', async (code) => {
    const sessions = new TestSessions();
    const connection = new Connection(new FakeSocket(), sessions.clock, 'trex.v1');
    sessions.gateway.handleConnection(connection);
    sessions.gateway.create(connection, { type: 'create', size });
    sessions.gateway.create(connection, { type: 'create', size, persistent: true });
    await settled();
    connection.closeCode = code;
    sessions.gateway.handleDisconnect(connection);
    await settled();
    expect(sessions.registry.list().map(({ id, isWatched }) => [id, isWatched])).toEqual([['s2', false]]);
    // Which is for the one that nobody views.
    expect(sessions.clock.timers).toBe(1);
  });

  it.each([
    [0, 30],
    [0, 0],
    [10, 30],
    [10, 10],
    [10, 0],
  ])('for %d s, with a hold of %d s, leaves nothing behind', async (resumeSeconds, resumeHoldSeconds) => {
    const { client, sessions } = await working({ resumeSeconds, resumeHoldSeconds });
    client.drop();
    if (resumeSeconds > 0) {
      sessions.clock.advance(resumeSeconds * 1000 - 1);
      expect(sessions.registry.count()).toBe(1);
    }
    sessions.clock.advance(1);
    await settled();
    expect([sessions.registry.count(), sessions.clock.timers]).toEqual([0, 0]);
    expect(sessions.times('s1', 'viewerLeft')).toBe(1);
  });

  it('for no time at all has lost it when the next turn begins', async () => {
    const { client, sessions } = await working({ resumeSeconds: 0 });
    const { resumeToken } = client;
    client.drop();
    sessions.clock.advance(0);
    expect(client.connect({ sessions: [{ sessionId: 's1' }] }).sessions).toEqual([]);
    expect(client.resumeToken).not.toBe(resumeToken);
  });
});

describe('sessions that are to stay', () => {
  it.each([1000, 1006])('stay when their client is gone, with %d; its others go', async (code) => {
    const { client, sessions } = await working();
    await client.create({ persistent: true });
    client.drop(code);
    sessions.clock.advance(60_000);
    await settled();
    expect(sessions.registry.list().map(({ id, status }) => [id, status])).toEqual([['s2', 'active']]);
  });

  it('are shown to whoever comes then', async () => {
    const { client, sessions } = await working();
    const { pty } = await client.create({ persistent: true });
    pty.print('before ');
    client.drop(1000);
    pty.print('meanwhile');
    const other = new FakeClient(sessions);
    other.connect();
    other.send({ type: 'attach', sessionId: 's2' });
    other.type('s2', 0, 'x');
    expect([other.outputOf('s2'), pty.input]).toEqual(['before meanwhile', 'x']);
  });

  it('are closed when nobody has viewed them for long; a client that may come back is somebody', async () => {
    const { client, sessions } = await working({ detachedSeconds: 100 });
    await client.create({ persistent: true });
    client.drop();
    sessions.clock.advance(30_000 + 99_999);
    await settled();
    expect(sessions.registry.list().map(({ id }) => id)).toEqual(['s2']);
    sessions.clock.advance(1);
    await settled();
    expect([sessions.registry.count(), sessions.clock.timers]).toEqual([0, 0]);
  });
});

describe('a client that comes back', () => {
  it('gets every byte that it has not consumed, once, behind its welcome', async () => {
    const { client, pty } = await working();
    pty.print('seen ');
    client.acknowledge('s1', 5);
    pty.print('sent ');
    client.drop();
    pty.print('missed ');
    expect(client.resume()).toMatchObject({ sessionId: 's1', offset: 5, end: 17, data: 'bash-1', cwd: '/' });
    expect(client.outputOf('s1')).toBe('sent missed ');
    expect(client.socket.inOrder[0]).toMatchObject({ type: 'welcome' });
    pty.print('more');
    expect(client.resume('s1', 10)).toMatchObject({ offset: 10, end: 21 });
    expect(client.outputOf('s1')).toBe('missed more');
  });

  it('is told all that it needs to go on', async () => {
    const { client, pty } = await working();
    client.type('s1', 0, 'ls\n');
    pty.print('12345');
    client.drop();
    expect(client.resume('s1', 3)).toEqual({
      sessionId: 's1',
      shellType: 'bash',
      data: 'bash-1',
      cwd: '/',
      channel: 1,
      offset: 3,
      end: 5,
      inputOffset: 3,
      inControl: true,
      cols: 80,
      rows: 24,
      sizes: [{ offset: 0, cols: 80, rows: 24 }],
    });
  });

  it('names none and goes on with all that it viewed; of others it asks from where it likes', async () => {
    const { client, sessions, pty } = await working();
    const second = await client.create();
    const stranger = new FakeClient(sessions);
    stranger.connect();
    const third = await stranger.create();
    for (const { print } of [pty, second.pty, third.pty].map((one) => ({ print: one.print.bind(one) }))) {
      print('12345');
    }
    client.acknowledge('s2', 4);
    client.drop();
    const { sessions: resumed } = client.connect({
      sessions: [{ sessionId: 's3', from: 2 }, { sessionId: 's1' }],
    });
    expect(resumed).toMatchObject([
      { sessionId: 's3', offset: 2, inControl: false },
      { sessionId: 's1', offset: 0, inControl: true },
      { sessionId: 's2', offset: 4, inControl: true },
    ]);
    expect(['s1', 's2', 's3'].map((id) => client.outputOf(id))).toEqual(['12345', '5', '345']);
  });

  it('hears of a session that it asked for and was not told of', async () => {
    const sessions = new TestSessions();
    const client = new FakeClient(sessions);
    client.connect();
    client.socket.stopTaking();
    await client.create({ requestId: 'c1' });
    sessions.ptys.last.print('prompt');
    client.drop();
    expect(client.resume()).toMatchObject({ requestId: 'c1', sessionId: 's1', offset: 0, inputOffset: 0 });
    expect(client.outputOf('s1')).toBe('prompt');
    // It may name one as well, and is told the same.
    expect(client.resume('s1', 6)).toMatchObject({ requestId: 'c1', offset: 6 });
  });

  it('still only reads what it only read, named or not', async () => {
    const { sessions } = await working();
    const client = new FakeClient(sessions);
    client.connect();
    client.send({ type: 'attach', sessionId: 's1', readOnly: true });
    client.drop();
    expect(client.resume()).toMatchObject({ sessionId: 's1', inControl: false });
    client.type('s1', 0, 'x');
    client.drop();
    client.connect({ sessions: [{ sessionId: 's1', readOnly: true }] });
    client.type('s1', 0, 'x');
    expect(client.socket.sent.at(-1)).toMatchObject({ type: 'error', reason: 'READ_ONLY', inputOffset: 0 });
    expect(sessions.ptys.last.input).toBe('');
  });

  it('cannot go on with what is not there, or not yet', async () => {
    const { client, session, pty } = await working();
    pty.print('123');
    client.drop();
    const { sessions } = client.connect({
      sessions: [{ sessionId: 's1', from: 4 }, { sessionId: 's2', from: 0 }, { sessionId: 'no such' }],
    });
    expect(sessions).toEqual([
      { sessionId: 's1', reason: 'BAD_OFFSET', error: expect.stringContaining('3 bytes') as unknown },
      { sessionId: 's2', reason: 'SESSION_NOT_FOUND', error: 'session not found' },
      { sessionId: 'no such', reason: 'SESSION_NOT_FOUND', error: 'session not found' },
    ]);
    // It does not look at it now, nothing is held for it, and it may look.
    expect(client.connection.attachmentTo('s1')).toBeUndefined();
    expect(session.isWatched).toBe(false);
    client.send({ type: 'attach', sessionId: 's1', from: 3 });
    expect(client.socket.sent.at(-1)).toMatchObject({ type: 'attached', offset: 3 });
  });

  it('has its place among the viewers while it is away, and none once it has lost it', async () => {
    const { client, sessions } = await working({ maxViewers: 1 });
    const other = new FakeClient(sessions);
    other.connect();
    client.drop();
    other.send({ type: 'attach', sessionId: 's1' });
    expect(other.socket.sent.at(-1)).toMatchObject({ type: 'error', reason: 'SESSION_LIMIT' });
    expect(client.resume('s1', 0)).toMatchObject({ offset: 0 });
    client.drop();
    sessions.clock.advance(30_000);
    other.send({ type: 'attach', sessionId: 's1' });
    expect(client.resume('s1', 0)).toEqual({
      sessionId: 's1',
      reason: 'SESSION_LIMIT',
      error: 'this session has 1 viewers already, as many as are allowed',
    });
  });

  it('breaks off where something breaks that is no refusal', async () => {
    const { client, session } = await working();
    client.drop();
    session.attach = () => {
      throw new TypeError('a bug');
    };
    expect(() => client.connect()).toThrow('INTERNAL');
  });

  it('is in control again, unless another took over meanwhile', async () => {
    const { client, sessions, session } = await working();
    client.drop();
    expect(client.resume().inControl).toBe(true);
    const other = another(sessions);
    client.drop();
    expect(session.isControlledBy(other.connection.attachmentTo('s1')!)).toBe(true);
    expect(other.socket.sent.at(-1)).toEqual({ type: 'control', sessionId: 's1', inControl: true });
    expect(client.resume().inControl).toBe(false);
  });
});

describe('output for a client that is away', () => {
  /** Prints 16 KiB at a time until the process is paused. @returns how much that was */
  function printUntilPaused(pty: FakePty): number {
    let printed = 0;
    while (!pty.paused && printed < 4 * SMALLEST_LOG_BYTES) {
      pty.print(Buffer.alloc(16 * KIB, 'x'));
      printed += 16 * KIB;
    }
    expect(pty.paused).toBe(true);
    return printed;
  }

  it('is held: the process stops when its log is full, and nothing is lost', async () => {
    const { client, session, sessions, pty } = await working({ logBytes: SMALLEST_LOG_BYTES });
    pty.print('seen');
    client.acknowledge('s1', 4);
    client.drop();
    const printed = printUntilPaused(pty);
    expect(printed).toBeGreaterThan(SMALLEST_LOG_BYTES / 2);
    sessions.clock.advance(29_999);
    expect([pty.paused, session.log.start]).toEqual([true, 0]);
    const { offset, gap, modes } = client.resume();
    expect({ offset, gap, modes }).toEqual({ offset: 4, gap: undefined, modes: undefined });
    for (let acknowledged = 0; acknowledged < printed;) {
      acknowledged = client.outputOf('s1').length;
      client.acknowledge('s1', 4 + acknowledged);
    }
    expect([client.outputOf('s1').length, pty.paused]).toEqual([printed, false]);
  });

  it('is let go after the hold: what is missing then is told exactly', async () => {
    const { client, session, sessions, pty } = await working({ logBytes: SMALLEST_LOG_BYTES });
    pty.print('seen');
    client.acknowledge('s1', 4);
    client.drop();
    printUntilPaused(pty);
    sessions.clock.advance(30_000);
    expect([pty.paused, session.isWatched]).toEqual([false, false]);
    for (let n = 0; n < 20; n++) pty.print(Buffer.alloc(16 * KIB, 'y'));
    const { start } = session.log;
    expect(start).toBeGreaterThan(4);
    expect(client.resume('s1', 4)).toMatchObject({
      offset: start,
      gap: { offset: 4, end: start },
      modes: RESTORING,
      inputOffset: 0,
      inControl: true,
    });
    expect(client.framesOf('s1')[0]).toMatchObject({ offset: start });
  });

  it('is not waited for while another reads: the one that is away takes a gap, exactly told, unnamed too', async () => {
    const { client, session, sessions, pty } = await working({ logBytes: SMALLEST_LOG_BYTES });
    pty.print('seen');
    client.acknowledge('s1', 4);
    const reader = another(sessions);
    const read = (): void => reader.acknowledge('s1', session.log.end);
    read();
    client.drop();
    while (!pty.paused) {
      pty.print(Buffer.alloc(16 * KIB, 'x'));
      read();
    }
    sessions.clock.advance(STALLED_MS);
    expect(pty.paused).toBe(false);
    for (let n = 0; n < 20; n++) {
      pty.print(Buffer.alloc(16 * KIB, 'y'));
      read();
    }
    const { start } = session.log;
    const expected = { offset: start, gap: { offset: 4, end: start }, modes: RESTORING };
    expect(client.resume()).toMatchObject(expected);
  });

  it('is told of its gap again, unnamed too, until it has consumed what is behind it', async () => {
    const { client, session, pty } = await working({ logBytes: SMALLEST_LOG_BYTES, resumeHoldSeconds: 0 });
    pty.print('seen');
    client.acknowledge('s1', 4);
    client.drop();
    pty.print(Buffer.alloc(2 * SMALLEST_LOG_BYTES, 'x'));
    const { start } = session.log;
    const expected = { offset: start, gap: { offset: 4, end: start }, modes: RESTORING };
    for (const welcomed of ['once', 'again']) {
      expect([welcomed, client.resume()]).toMatchObject([welcomed, expected]);
    }
    client.acknowledge('s1', start + 1);
    expect(client.resume()).toEqual(expect.not.objectContaining({ gap: expect.anything() as unknown }));
  });

  it('runs free at once where nothing is held', async () => {
    const { client, sessions, pty } = await working({
      logBytes: SMALLEST_LOG_BYTES,
      resumeHoldSeconds: 0,
    });
    client.drop();
    sessions.clock.advance(0);
    for (let n = 0; n < 40; n++) pty.print(Buffer.alloc(16 * KIB));
    expect(pty.paused).toBe(false);
    expect(client.resume('s1', 0)).toMatchObject({ gap: { offset: 0, end: 640 * KIB - SMALLEST_LOG_BYTES } });
  });
});

describe('a session that goes while its client is away', () => {
  const END = { code: 3 } as const;

  it('by itself tells its last output and its exit, once', async () => {
    const { client, pty } = await working();
    client.drop();
    pty.print('last words');
    pty.end(END);
    expect(client.resume('s1', 0)).toMatchObject({ sessionId: 's1', end: 10 });
    expect(client.outputOf('s1')).toBe('last words');
    expect(client.socket.inOrder.at(-1)).toEqual({ type: 'exit', sessionId: 's1', code: 3, cause: 'ended' });
    expect(client.heard).toEqual(['welcome', 'exit']);
  });

  it('because somebody closes it tells its exit, once, and what of it is dropped', async () => {
    const { client, sessions, pty } = await working();
    pty.print('seen');
    client.acknowledge('s1', 4);
    client.drop();
    pty.print('dropped');
    await sessions.closer.closeAndWait('s1');
    expect(sessions.registry.count()).toBe(0);
    expect(client.resume()).toMatchObject({
      sessionId: 's1',
      offset: 11,
      end: 11,
      gap: { offset: 4, end: 11 },
    });
    expect(client.heard).toEqual(['welcome', 'exit']);
    expect(client.socket.sent.at(-1)).toMatchObject({ code: 129, signal: 'SIGHUP', cause: 'closed' });
    // Which is known as long as the client is, should this connection be lost too.
    const gone = { sessionId: 's1', reason: 'SESSION_ENDED', error: 'session ended' };
    expect(client.resume('s1', 11)).toEqual({ ...gone, code: 129, signal: 'SIGHUP', cause: 'closed' });
    expect(client.heard).toEqual(['welcome']);
  });

  it('while it is being closed tells its exit when that is done', async () => {
    const { client, sessions, pty } = await working();
    pty.diesWhenClosed = false;
    pty.print('123');
    sessions.closer.close('s1');
    client.drop();
    expect(client.resume('s1', 1)).toMatchObject({ offset: 3, gap: { offset: 1, end: 3 } });
    expect(client.heard).toEqual(['welcome']);
    pty.end({ code: 137, signal: 'SIGKILL' });
    expect(client.heard).toEqual(['welcome', 'exit']);
  });

  it('after its exit was sent says how it ended', async () => {
    const { client, sessions, pty } = await working();
    client.socket.stopTaking();
    pty.end(END);
    sessions.closer.close('s1');
    client.drop();
    expect(client.resume('s1', 0)).toEqual({
      sessionId: 's1',
      reason: 'SESSION_ENDED',
      error: 'session ended',
      code: 3,
      cause: 'ended',
    });
    expect(client.connect().sessions).toEqual([]);
  });

  it('is kept in mind with 63 others whose exits were sent', async () => {
    const { client, sessions } = await working({ maxSessions: 100, createBurst: 100 });
    for (let n = 0; n < 64; n++) await client.create();
    for (const { id } of sessions.registry.list()) await sessions.closer.closeAndWait(id);
    client.drop();
    const ids = ['s1', 's2', 's65'];
    const { sessions: resumed } = client.connect({ sessions: ids.map((sessionId) => ({ sessionId })) });
    expect(resumed.map((one) => Reflect.get(one, 'reason') as unknown)).toEqual([
      'SESSION_NOT_FOUND',
      'SESSION_ENDED',
      'SESSION_ENDED',
    ]);
  });

  it('because its time is over is not there when its client comes back as another', async () => {
    const { client, sessions } = await working();
    client.drop();
    sessions.clock.advance(60_000);
    await settled();
    expect(client.connect({ sessions: [{ sessionId: 's1', from: 0 }] }).sessions).toEqual([]);
  });

  it('and was typed into forgets nothing of what was accepted', async () => {
    const { client, sessions, pty } = await working();
    client.type('s1', 0, 'exit\n');
    client.drop();
    pty.end(END);
    sessions.closer.close('s1');
    expect(client.resume('s1', 0)).toMatchObject({ sessionId: 's1', inputOffset: 5 });
  });

  it('and was asked for and not told of is told with its request, and its exit', async () => {
    const { client, sessions, pty } = await working();
    await client.create({ requestId: 'c2' });
    client.drop();
    pty.end(END);
    for (const id of ['s1', 's2']) await sessions.closer.closeAndWait(id);
    const resumed = client.connect().sessions;
    expect(resumed.map((one) => [one.sessionId, Reflect.get(one, 'requestId') as unknown])).toEqual([
      ['s1', undefined],
      ['s2', 'c2'],
    ]);
    expect(client.heard).toEqual(['welcome', 'exit', 'exit']);
    expect(client.connection.client!.owned).toEqual([]);
  });

  it('while its output was still on its way forgets nothing either', async () => {
    const { client, sessions } = await working();
    const { session, pty } = await client.create({ requestId: 'c2' });
    client.type('s2', 0, 'exit\n');
    for (let n = 0; n < 4; n++) pty.print(Buffer.alloc(64 * KIB));
    pty.end(END);
    sessions.registry.delete('s2');
    expect(session.isWatched).toBe(true);
    client.drop();
    expect(client.connect().sessions).toMatchObject([
      { sessionId: 's1' },
      { sessionId: 's2', requestId: 'c2', inputOffset: 5, offset: 0 },
    ]);
    for (let had = 0; had < 256 * KIB;) {
      had = client.outputOf('s2').length;
      client.acknowledge('s2', had);
    }
    expect(client.socket.sent.at(-1)).toMatchObject({ type: 'exit', sessionId: 's2', code: 3 });
    expect(client.connection.client!.owned.map(({ id }) => id)).toEqual(['s1']);
  });

  it('is remembered by its exit alone once its output is held no longer', async () => {
    const { client, sessions, pty } = await working();
    client.drop();
    pty.end(END);
    sessions.closer.close('s1');
    sessions.clock.advance(30_000);
    expect(client.resume('s1', 0)).toMatchObject({ reason: 'SESSION_ENDED', code: END.code, cause: 'ended' });
    expect(client.connection.client!.owned).toEqual([]);
  });

  it('after its output was held is remembered by its exit too', async () => {
    const { client, sessions } = await working();
    client.drop();
    sessions.clock.advance(30_000);
    await sessions.closer.closeAndWait('s1');
    expect(client.resume('s1', 0)).toMatchObject({ reason: 'SESSION_ENDED', cause: 'closed' });
  });

  it('before its client has consumed what it was sent gives that again', async () => {
    const { client, sessions, pty } = await working();
    pty.print('last words');
    pty.end(END);
    sessions.closer.close('s1');
    expect(client.heard.at(-1)).toBe('exit');
    client.drop();
    client.resume('s1', 5);
    expect([client.outputOf('s1'), client.heard.at(-1)]).toEqual(['words', 'exit']);
    client.acknowledge('s1', 10);
    client.drop();
    expect(client.resume('s1', 10)).toMatchObject({ reason: 'SESSION_ENDED', code: END.code });
  });

  it('or was asked for and not told of is told of after its hold too', async () => {
    const { client, sessions } = await working();
    await client.create({ requestId: 'c2' });
    client.drop();
    sessions.clock.advance(30_000);
    sessions.ptys.last.print('meanwhile');
    expect(client.connect({ sessions: [{ sessionId: 's1', from: 0 }] }).sessions).toMatchObject([
      { sessionId: 's1' },
      { sessionId: 's2', requestId: 'c2', offset: 0 },
    ]);
    client.drop();
    expect(client.connect().sessions).toHaveLength(2);
  });
});

describe('a client with two connections', () => {
  it('is the newer one’s: the older is ended with 4001, and its end ends nothing', async () => {
    const { client, sessions, pty } = await working();
    const older = client.link;
    pty.print('123');
    expect(client.resume('s1', 1)).toMatchObject({ sessionId: 's1', offset: 1, inControl: true });
    expect(older.socket.closed).toEqual({ code: 4001, reason: expect.any(String) as unknown });
    expect(older.connection.isClosed).toBe(true);
    for (const code of [1000, 1006, 4001]) client.drop(code, older);
    sessions.clock.advance(3_600_000);
    await settled();
    expect([sessions.registry.count(), sessions.clock.timers]).toEqual([1, 0]);
    pty.print('456');
    sessions.clock.advance(2);
    expect([client.outputOf('s1'), client.outputOf('s1', older)]).toEqual(['23456', '123']);
  });

  it('is not heard on the older any more', async () => {
    const { client, pty } = await working();
    const older = client.link;
    client.type('s1', 0, 'one ');
    client.resume('s1', 0);
    client.type('s1', 4, 'old', older);
    client.send({ type: 'close', sessionId: 's1' }, older);
    client.type('s1', 4, 'new');
    expect([pty.input, pty.closing]).toEqual(['one new', false]);
  });

  it('has one viewer’s place all the time, and is seen to look', async () => {
    const { client, sessions } = await working({ maxViewers: 1 });
    for (let times = 0; times < 3; times++) expect(client.resume()).toMatchObject({ offset: 0 });
    expect(sessions.times('s1', 'viewerJoined')).toBe(4);
    expect(sessions.times('s1', 'viewerLeft')).toBe(3);
  });

  it('of which the older says goodbye a moment later stays', async () => {
    const { client, sessions } = await working();
    const older = client.link;
    client.connect();
    client.drop(1000, older);
    await settled();
    expect(sessions.registry.count()).toBe(1);
    client.drop(1000);
    await settled();
    expect([sessions.registry.count(), sessions.clock.timers]).toEqual([0, 0]);
  });

  it('that both try again and again loses nothing by it', async () => {
    const { client, sessions, pty } = await working();
    const twin = new FakeClient(sessions);
    let typed = '';
    for (let turn = 0; turn < 10; turn++) {
      const one = turn % 2 ? client : twin;
      one.resumeToken = client.resumeToken;
      const { inputOffset } = one.resume('s1', turn);
      expect(inputOffset).toBe(typed.length);
      one.type('s1', inputOffset!, String(turn));
      typed += String(turn);
      pty.print('x');
      sessions.clock.advance(1);
      expect(one.outputOf('s1')).toBe('x');
    }
    expect(pty.input).toBe(typed);
  });

  it('says hello once on each', async () => {
    const { client } = await working();
    client.send({ type: 'hello', requestId: 'h', resumeToken: client.resumeToken });
    expect(client.socket.sent.at(-1)).toMatchObject({ reason: 'BAD_MESSAGE', requestId: 'h' });
    expect(client.socket.closed).toBeUndefined();
  });

  it('is in control as before, whoever else looks', async () => {
    const { client, sessions } = await working();
    const other = another(sessions);
    expect(client.resume('s1', 0)).toMatchObject({ inControl: true });
    expect(other.heard).toEqual(['welcome', 'attached']);
  });

  it('keeps what it only read for reading only, and its process running', async () => {
    const { client, pty } = await working({ logBytes: SMALLEST_LOG_BYTES });
    while (!pty.paused) pty.print(Buffer.alloc(16 * KIB));
    client.send({ type: 'attach', sessionId: 's1', readOnly: true });
    client.resume();
    expect(client.connection.attachmentTo('s1')?.isReadOnly).toBe(true);
    for (let n = 0; n < 20; n++) client.acknowledge('s1', client.outputOf('s1').length);
    expect(pty.paused).toBe(false);
  });
});

describe('input of a client that comes back', () => {
  it('is typed once, whatever it sends again', async () => {
    const { client, sessions, pty } = await working();
    client.type('s1', 0, 'abc');
    client.drop();
    expect(client.resume('s1', 0).inputOffset).toBe(3);
    client.type('s1', 0, 'abcdef');
    client.type('s1', 3, 'def');
    client.type('s1', 6, '!');
    expect(pty.input).toBe('abcdef!');
    sessions.clock.advance(10);
    expect(client.socket.sent.at(-1)).toEqual({ type: 'input_acknowledged', sessionId: 's1', offset: 7 });
  });

  it('that its terminal has not taken goes on waiting, and is told when it has', async () => {
    const { client, sessions, pty } = await working();
    pty.room = 1;
    client.type('s1', 0, 'abc');
    client.drop();
    pty.read(1);
    expect(client.resume('s1', 0).inputOffset).toBe(3);
    sessions.clock.advance(10);
    expect(client.socket.sent.at(-1)).toEqual({ type: 'input_acknowledged', sessionId: 's1', offset: 2 });
    pty.read(1);
    sessions.clock.advance(10);
    expect(client.socket.sent.at(-1)).toEqual({ type: 'input_acknowledged', sessionId: 's1', offset: 3 });
    expect(pty.input).toBe('abc');
  });

  it('is counted for each client by itself', async () => {
    const { client, sessions, pty } = await working();
    const other = another(sessions);
    client.type('s1', 0, 'abc');
    other.type('s1', 0, 'xy');
    client.drop();
    other.drop();
    expect([client.resume('s1', 0).inputOffset, other.resume('s1', 0).inputOffset]).toEqual([3, 2]);
    expect(pty.input).toBe('abcxy');
  });

  it('is acknowledged at most every 10 ms, all of it that was taken', async () => {
    const { client, sessions } = await working();
    const acknowledged = (): unknown[] =>
      client.socket.sent.flatMap((one) => (one.type === 'input_acknowledged' ? [one.offset] : []));
    for (let n = 0; n < 30; n++) {
      client.type('s1', n, 'x');
      sessions.clock.advance(1);
    }
    expect(acknowledged()).toEqual([10, 20, 30]);
    client.send({ type: 'detach', sessionId: 's1' });
    sessions.clock.advance(10);
    expect(acknowledged()).toEqual([10, 20, 30]);
    client.send({ type: 'attach', sessionId: 's1' });
    sessions.clock.advance(10);
    expect(acknowledged()).toEqual([10, 20, 30, 30]);
    expect(sessions.clock.timers).toBe(0);
  });

  it('is acknowledged once the socket has room for that', async () => {
    const { client, sessions } = await working();
    client.socket.stopTaking();
    const requestId = 'r'.repeat(ANSWERS_HIGH_WATER_BYTES);
    client.send({ type: 'list_tmux_sessions', requestId });
    client.type('s1', 0, 'abc');
    sessions.clock.advance(1000);
    expect(client.heard).not.toContain('input_acknowledged');
    client.socket.startTaking();
    expect(client.socket.sent.at(-1)).toEqual({ type: 'input_acknowledged', sessionId: 's1', offset: 3 });
  });

  it('is not acknowledged for a session that it does not view; it is told when it does again', async () => {
    const { client, sessions } = await working();
    client.type('s1', 0, 'abc');
    client.send({ type: 'detach', sessionId: 's1' });
    sessions.clock.advance(1000);
    expect(client.heard).not.toContain('input_acknowledged');
    client.send({ type: 'attach', sessionId: 's1' });
    expect(client.socket.sent.at(-1)).toMatchObject({ type: 'attached', inputOffset: 3 });
    sessions.clock.advance(10);
    expect(client.socket.sent.at(-1)).toEqual({ type: 'input_acknowledged', sessionId: 's1', offset: 3 });
  });

  it('leaves no timer when its connection is lost before it is acknowledged', async () => {
    const { client, sessions } = await working();
    client.type('s1', 0, 'x');
    client.drop(1000);
    await settled();
    expect(sessions.clock.timers).toBe(0);
  });
});
