import { type Frame } from '../../src/protocol/frames.js';
import { type FakeClock } from '../fakes/fake-clock.js';
import { type FakePty } from '../fakes/fake-pty.js';
import { useTestBed } from '../support/test-bed.js';
import { type Received, type TestClient } from '../support/test-client.js';
import { listed, type TestServer } from '../support/test-server.js';
import { until } from '../support/until.js';

const KIB = 1024;
const LOG_BYTES = 256 * KIB;
const RESTORING = '\x18\x1b[!p';
const bed = useTestBed();

interface Working {
  readonly server: TestServer;
  /** Stands still: what is due in the server comes when the test says so. */
  readonly clock: FakeClock;
  readonly client: TestClient;
  readonly resumeToken: string;
  readonly channel: number;
  readonly pty: FakePty;
}

/** A client of `trex.v2` with one session, `s1`, whose process runs. */
async function working(config?: Parameters<typeof bed.serve>[0]): Promise<Working> {
  const server = await bed.serve(config);
  const clock = server.stopTheClock();
  const client = await bed.greet(server);
  client.send({ type: 'create', cols: 80, rows: 24, requestId: 'c1' });
  const { channel } = await client.next({ type: 'session_created' });
  await until(() => server.ptys.ptys.length > 0, 'the process runs');
  const { resumeToken } = client.welcome;
  return { server, clock, client, resumeToken: resumeToken!, channel: channel!, pty: server.ptys.last };
}

/** Cuts the only connection; when the server knows, it waits for the client to come back, or for nobody. */
async function cut(client: TestClient, clock: FakeClock): Promise<void> {
  await client.terminate();
  await untilWaiting(clock);
}

/** Views are held for 30 s, and a client may come back for 60. */
function untilWaiting(clock: FakeClock): Promise<void> {
  return until(() => clock.isDueIn(30_000) && clock.isDueIn(60_000), 'the server waits for its client');
}

/** How a client goes on with its one session. */
function resumed(client: TestClient): Omit<Received, 'type'> {
  expect(client.welcome.sessions).toHaveLength(1);
  return client.welcome.sessions![0]!;
}

/** What came, in words: `welcome`, `5: frames`, `exit`. */
function story(client: TestClient): string[] {
  const word = (one: Received | Frame): string =>
    'bytes' in one ? `${one.offset}: ${Buffer.from(one.bytes).toString()}` : one.type;
  return client.inOrder.map(word);
}

describe('a client that was cut off', () => {
  it('goes on where it left off: first its welcome, then what it has not consumed', async () => {
    const { server, clock, client, resumeToken, channel, pty } = await working();
    pty.print('consumed ');
    client.send({ type: 'acknowledge', sessionId: 's1', offset: 9 });
    await client.sync();
    clock.advance(2);
    pty.print('sent ');
    await client.untilBytes(channel, 14);
    client.type(channel, 0, 'ls\n');
    await client.sync();
    await cut(client, clock);
    pty.print('missed');
    clock.advance(59_000);

    const again = await bed.greet(server, { resumeToken, sessions: [{ sessionId: 's1', from: 9 }] });
    expect(again.welcome).toEqual({
      type: 'welcome',
      epoch: client.welcome.epoch,
      resumeToken,
      limits: client.welcome.limits,
      readOnly: false,
      sessions: [
        {
          requestId: 'c1',
          sessionId: 's1',
          shellType: 'bash',
          data: 'bash-1',
          cwd: '/',
          channel: 1,
          offset: 9,
          end: 20,
          inputOffset: 3,
          inControl: true,
          cols: 80,
          rows: 24,
          sizes: [{ offset: 0, cols: 80, rows: 24 }],
        },
      ],
    });
    await again.untilBytes(1, 11);
    expect(story(again)).toEqual(['welcome', '9: sent missed']);
    clock.advance(10);
    expect(await again.next({ type: 'input_acknowledged' })).toEqual({
      type: 'input_acknowledged',
      sessionId: 's1',
      offset: 3,
    });
  });

  it('need not name what it viewed: that goes on from what it acknowledged last', async () => {
    const { server, clock, client, resumeToken, pty } = await working();
    client.send({ type: 'create', cols: 80, rows: 24 });
    await client.next({ type: 'session_created', sessionId: 's2' });
    pty.print('12345');
    await client.untilBytes(1, 5);
    client.send({ type: 'acknowledge', sessionId: 's1', offset: 3 });
    await client.sync();
    await cut(client, clock);
    const again = await bed.greet(server, { resumeToken });
    expect(again.welcome.sessions).toMatchObject([
      { sessionId: 's1', offset: 3 },
      { sessionId: 's2', offset: 0 },
    ]);
    await again.untilBytes(again.welcome.sessions![0]!.channel!, 2);
    expect(story(again)).toEqual(['welcome', '3: 45']);
  });

  it('too long ago has lost its sessions, and is a new client', async () => {
    const { server, clock, client, resumeToken } = await working();
    await cut(client, clock);
    clock.advance(60_000);
    await until(async () => (await listed(server)).length === 0, 'the session is closed');
    const again = await bed.greet(server, { resumeToken, sessions: [{ sessionId: 's1', from: 0 }] });
    expect(again.welcome.sessions).toEqual([]);
    expect(again.welcome.resumeToken).not.toBe(resumeToken);
    again.send({ type: 'attach', sessionId: 's1', requestId: 'a' });
    await again.next({ type: 'error', requestId: 'a', reason: 'SESSION_NOT_FOUND' });
  });

  it('is told exactly what it missed, once its output is held no longer', async () => {
    const { server, clock, client, resumeToken, channel, pty } = await working({ logBytes: LOG_BYTES });
    pty.print('\x1b[?2004hseen');
    await client.untilBytes(channel, 12);
    client.send({ type: 'acknowledge', sessionId: 's1', offset: 12 });
    await client.sync();
    await cut(client, clock);
    let printed = 12;
    const print = (): void => {
      pty.print(Buffer.alloc(16 * KIB, 'x'));
      printed += 16 * KIB;
    };
    while (!pty.paused) print();
    clock.advance(29_999);
    expect([pty.paused, printed <= LOG_BYTES]).toEqual([true, true]);
    clock.advance(1);
    expect(pty.paused).toBe(false);
    for (let n = 0; n < 20; n++) print();
    expect(pty.paused).toBe(false);

    const again = await bed.greet(server, { resumeToken, sessions: [{ sessionId: 's1', from: 12 }] });
    const start = printed - LOG_BYTES;
    expect(resumed(again)).toMatchObject({
      offset: start,
      end: printed,
      gap: { offset: 12, end: start },
      modes: `${RESTORING}\x1b[?2004h`,
    });
    await again.untilBytes(1, 1);
    expect(again.frames[0]!.offset).toBe(start);
  });

  it('loses nothing, however much was printed, when it is back before that', async () => {
    const { server, clock, client, resumeToken, pty } = await working({ logBytes: LOG_BYTES });
    await cut(client, clock);
    const whole = Buffer.from(Array.from({ length: 600 * KIB }, (_, at) => (at * 31 + (at >> 8)) & 0xff));
    for (let at = 0; at < whole.length; at += 64 * KIB) pty.print(whole.subarray(at, at + 64 * KIB));
    expect(pty.paused).toBe(true);
    clock.advance(29_999);
    const again = await bed.greet(server, { resumeToken });
    expect(resumed(again)).toMatchObject({ offset: 0 });
    for (let rounds = 0; rounds < 100 && again.bytesOn(1).length < whole.length; rounds++) {
      again.send({ type: 'acknowledge', sessionId: 's1', offset: again.bytesOn(1).length });
      await again.sync();
      clock.advance(2);
      await again.sync();
    }
    expect(again.bytesOn(1).equals(whole)).toBe(true);
  });

  it('has its program paint anew where that filled the screen and something was missed', async () => {
    const { server, clock, client, resumeToken, pty } = await working({ logBytes: LOG_BYTES });
    pty.print('\x1b[?1049h');
    await cut(client, clock);
    clock.advance(30_000);
    for (let n = 0; n < 20; n++) pty.print(Buffer.alloc(16 * KIB, 'x'));
    await bed.greet(server, { resumeToken, sessions: [{ sessionId: 's1', from: 8 }] });
    expect(pty.received).toEqual(['80x24', '80x23']);
    clock.advance(60);
    expect(pty.received).toEqual(['80x24', '80x23', '80x24']);
  });

  it('still only reads what it only read', async () => {
    const { server, pty } = await working();
    const reader = await bed.greet(server);
    reader.send({ type: 'attach', sessionId: 's1', readOnly: true });
    await reader.next({ type: 'attached' });
    const again = await bed.greet(server, { resumeToken: reader.welcome.resumeToken });
    expect(resumed(again)).toMatchObject({ sessionId: 's1', inControl: false, inputOffset: 0 });
    again.type(resumed(again).channel!, 0, 'x');
    await again.next({ type: 'error', reason: 'READ_ONLY', sessionId: 's1', inputOffset: 0 });
    expect(pty.input).toBe('');
  });

  it('goes on also with what is another’s; not with what is not there, or not yet', async () => {
    const { server, pty } = await working();
    pty.print('12345');
    const other = await bed.greet(server);
    const again = await bed.greet(server, {
      requestId: 'h',
      resumeToken: other.welcome.resumeToken,
      sessions: [{ sessionId: 's1', from: 2 }, { sessionId: 's2' }],
    });
    expect(again.welcome.requestId).toBe('h');
    expect(again.welcome.sessions).toMatchObject([
      { sessionId: 's1', offset: 2, inControl: false, inputOffset: 0 },
      { sessionId: 's2', reason: 'SESSION_NOT_FOUND' },
    ]);
    expect(again.welcome.sessions![0]!.requestId).toBeUndefined();
    await again.untilBytes(1, 3);
    const ahead = await bed.greet(server, {
      resumeToken: other.welcome.resumeToken,
      sessions: [{ sessionId: 's1', from: 6 }],
    });
    expect(resumed(ahead)).toEqual({
      sessionId: 's1',
      reason: 'BAD_OFFSET',
      error: expect.any(String) as unknown,
    });
  });

  it('hears of the session that it had asked for, with its request', async () => {
    const server = await bed.serve();
    const client = await bed.greet(server);
    client.stopReading();
    client.send({ type: 'create', cols: 80, rows: 24, requestId: 'lost' });
    await until(() => server.ptys.ptys.length > 0, 'the process runs');
    server.ptys.last.print('prompt');
    await client.terminate();
    expect(client.of('s1')).toEqual([]);
    const again = await bed.greet(server, { resumeToken: client.welcome.resumeToken });
    expect(resumed(again)).toMatchObject({ requestId: 'lost', sessionId: 's1', data: 'bash-1', offset: 0 });
    await again.untilBytes(resumed(again).channel!, 6);
  });

  it('learns from the epoch that the server is another, which knows nothing of it', async () => {
    const { server, resumeToken, client } = await working();
    await server.stop();
    expect((await client.closed()).code).toBe(1001);
    const other = await bed.serve();
    await (await bed.greet(other)).create();
    const again = await bed.greet(other, { resumeToken, sessions: [{ sessionId: 's1', from: 0 }] });
    expect(again.welcome.epoch).not.toBe(client.welcome.epoch);
    expect(again.welcome.resumeToken).not.toBe(resumeToken);
    expect(again.welcome.sessions).toEqual([]);
  });

  it('is told how long it may be away', async () => {
    const server = await bed.serve({ resumeSeconds: 7, resumeHoldSeconds: 3 });
    const { welcome } = await bed.greet(server);
    expect(welcome.limits).toMatchObject({ resumeSeconds: 7, resumeHoldSeconds: 3 });
    expect(welcome.resumeToken).toMatch(/^[\w-]{22}$/);
  });
});

describe('a hello', () => {
  it.each<[string, string, object]>([
    ['an empty token', 'BAD_MESSAGE', { resumeToken: '' }],
    ['a token that is too long', 'BAD_MESSAGE', { resumeToken: 'x'.repeat(129) }],
    ['a token that is no text', 'BAD_MESSAGE', { resumeToken: 1 }],
    ['null among its sessions', 'BAD_MESSAGE', { sessions: [null] }],
    ['a session twice', 'BAD_MESSAGE', { sessions: [{ sessionId: 's1' }, { sessionId: 's1' }] }],
    [
      'more sessions than may be',
      'BAD_MESSAGE',
      { sessions: Array.from({ length: 1025 }, (_, n) => ({ sessionId: `s${n}` })) },
    ],
    ['a fraction to go on from', 'BAD_OFFSET', { sessions: [{ sessionId: 's1', from: 0.5 }] }],
    ['a negative offset', 'BAD_OFFSET', { sessions: [{ sessionId: 's1', from: -1 }] }],
  ])('with %s is refused with %s, as if nothing had been said', async (_what, reason, fields) => {
    const { server, client, resumeToken } = await working();
    const other = await bed.connect(server, { protocols: ['trex.v2'] });
    other.send({ type: 'hello', requestId: 'h', resumeToken, ...fields });
    const { sessionId } = await other.next({ type: 'error', reason, requestId: 'h' });
    expect(sessionId).toBeUndefined();
    await client.sync();
    other.send({ type: 'create', requestId: 'c' });
    await other.next({ type: 'error', reason: 'HELLO_REQUIRED', requestId: 'c' });
    other.send({ type: 'hello', resumeToken });
    await other.next({ type: 'welcome', resumeToken });
    expect((await client.closed()).code).toBe(4001);
  });

  it('with a token that nobody has makes a new client', async () => {
    const { server, client, resumeToken } = await working();
    const forged = (resumeToken.startsWith('A') ? 'B' : 'A') + resumeToken.slice(1);
    const other = await bed.greet(server, { resumeToken: forged, sessions: [{ sessionId: 's1' }] });
    expect(other.welcome.sessions).toEqual([]);
    expect([resumeToken, forged]).not.toContain(other.welcome.resumeToken);
    await client.sync();
  });
});

describe('a client that comes while its connection is still there', () => {
  it('takes over: the older is ended with 4001, and neither its end nor anything it says counts', async () => {
    const { server, client, resumeToken, channel, pty } = await working();
    client.type(channel, 0, 'one ');
    await client.sync();
    client.stopReading();
    const again = await bed.greet(server, { resumeToken, sessions: [{ sessionId: 's1', from: 0 }] });
    expect(resumed(again)).toMatchObject({ inputOffset: 4, inControl: true });
    client.type(channel, 4, 'old ');
    client.send({ type: 'close', sessionId: 's1' });
    again.type(resumed(again).channel!, 4, 'new');
    await again.sync();
    client.socket.resume();
    expect(await client.closed()).toEqual({ code: 4001, reason: expect.any(String) as unknown });
    await until(async () => (await server.connections()) === 1, 'the older is gone');
    await again.sync();
    expect([pty.input, pty.closing, (await listed(server)).length]).toEqual(['one new', false, 1]);
    pty.print('for the newer');
    await again.untilBytes(resumed(again).channel!, 13);
  });

  it('takes over too when the older is there no more but in name', async () => {
    const { server, client, resumeToken, pty } = await working();
    client.stopReading();
    const again = await bed.greet(server, { resumeToken });
    pty.print('hello');
    await again.untilBytes(resumed(again).channel!, 5);
    await until(async () => (await server.connections()) === 1, 'the older is given up');
    await again.sync();
    expect(await listed(server)).toHaveLength(1);
  });

  it('with 1000 on the older, a moment late, ends nothing', async () => {
    const { server, client, resumeToken } = await working();
    const again = await bed.greet(server, { resumeToken });
    client.socket.close(1000);
    await client.closed();
    await until(async () => (await server.connections()) === 1, 'the older is gone');
    await again.sync();
    expect(await listed(server)).toHaveLength(1);
  });

  it('and another with the same token take turns, and nothing is typed twice', async () => {
    const { server, client, resumeToken, pty } = await working();
    let before = client;
    for (let turn = 0; turn < 6; turn++) {
      const next = await bed.greet(server, { resumeToken });
      expect((await before.closed()).code).toBe(4001);
      const { channel, inputOffset } = resumed(next);
      expect(inputOffset).toBe(turn);
      next.type(channel!, 0, '012345'.slice(0, turn + 1));
      await next.sync();
      before = next;
    }
    expect(pty.input).toBe('012345');
  });
});

describe('a session that goes while its client is away', () => {
  it('by itself tells its last output and then its exit, once', async () => {
    const { server, clock, client, resumeToken, pty } = await working();
    await cut(client, clock);
    pty.print('last words');
    pty.end({ code: 3 });
    const again = await bed.greet(server, { resumeToken, sessions: [{ sessionId: 's1', from: 0 }] });
    await again.next({ type: 'exit', sessionId: 's1', code: 3, cause: 'ended' });
    await again.sync();
    expect(story(again)).toEqual(['welcome', '0: last words', 'exit', 'tmux_sessions']);
  });

  it('because somebody deletes it tells its exit, once; and how it ended, if that is lost too', async () => {
    const { server, clock, client, resumeToken, pty } = await working();
    await cut(client, clock);
    pty.print('dropped');
    expect((await server.request('DELETE', '/api/sessions/s1')).status).toBe(204);
    expect(await listed(server)).toEqual([]);
    const again = await bed.greet(server, { resumeToken, sessions: [{ sessionId: 's1', from: 0 }] });
    expect(resumed(again)).toMatchObject({
      requestId: 'c1',
      offset: 7,
      end: 7,
      gap: { offset: 0, end: 7 },
    });
    await again.next({ type: 'exit', sessionId: 's1', cause: 'closed' });
    await again.sync();
    expect(story(again)).toEqual(['welcome', 'exit', 'tmux_sessions']);
    await cut(again, clock);
    const third = await bed.greet(server, { resumeToken, sessions: [{ sessionId: 's1', from: 7 }] });
    expect(resumed(third)).toEqual({
      sessionId: 's1',
      reason: 'SESSION_ENDED',
      error: 'session ended',
      code: 129,
      signal: 'SIGHUP',
      cause: 'closed',
    });
  });

  it('as its exit is on its way says how it ended', async () => {
    const { server, clock, client, resumeToken } = await working();
    client.stopReading();
    await server.request('DELETE', '/api/sessions/s1');
    await cut(client, clock);
    expect(client.of('s1', 'exit')).toEqual([]);
    const again = await bed.greet(server, { resumeToken, sessions: [{ sessionId: 's1', from: 0 }] });
    expect(resumed(again)).toMatchObject({ reason: 'SESSION_ENDED', code: 129, cause: 'closed' });
    await again.sync();
    expect(story(again)).toEqual(['welcome', 'tmux_sessions']);
  });
});

describe('sessions that are to stay', () => {
  it('stay when their client says goodbye, are listed as such, and close when unwatched for long', async () => {
    const { server, clock, client } = await working({ detachedSeconds: 1000 });
    client.send({ type: 'create', cols: 80, rows: 24, persistent: true });
    await client.next({ type: 'session_created', sessionId: 's2' });
    await client.close();
    await until(async () => (await listed(server)).length === 1, 'its other session is closed');
    expect(await listed(server)).toMatchObject([{ id: 's2', persistent: true, status: 'active' }]);
    expect(clock.timers).toBe(1);
    clock.advance(1_000_000);
    await until(async () => (await listed(server)).length === 0, 'it is closed too');
    expect(clock.timers).toBe(0);
  });

  it.each(['trex.v1', 'trex.v2'])('stay in %s too when their client is gone for good', async (protocol) => {
    const server = await bed.serve();
    const clock = server.stopTheClock();
    const client = await bed.connect(server, { protocols: [protocol] });
    if (protocol === 'trex.v2') client.send({ type: 'hello' });
    await client.create({ persistent: true });
    await client.terminate();
    if (protocol === 'trex.v2') await untilWaiting(clock);
    clock.advance(60_000);
    await until(() => clock.timers === 1, 'the session waits for whoever comes');
    server.ptys.last.print('still here');
    const other = await bed.greet(server);
    other.send({ type: 'attach', sessionId: 's1' });
    const { channel } = await other.next({ type: 'attached', inputOffset: 0, inControl: true });
    await other.untilBytes(channel!, 10);
    other.send({ type: 'close', sessionId: 's1' });
    await other.next({ type: 'exit', sessionId: 's1', cause: 'closed' });
  });
});

describe('input', () => {
  it('is typed once and in order, whenever the connection is cut', async () => {
    const { server, client, resumeToken, channel, pty } = await working();
    const whole = Array.from({ length: 4000 }, (_, n) => `${n} `).join('');
    const wanted = 40;
    let typing: { client: TestClient; channel: number; from: number } = { client, channel, from: 0 };
    for (let cuts = 0; cuts < wanted; cuts++) {
      const { client: at, channel: on, from } = typing;
      // More than is sent in one turn, cut off in the middle of it; the last bytes were sent before, perhaps.
      for (let sent = from, piece = 0; piece < 8; piece++) {
        const end = Math.min(whole.length, sent + 1 + ((cuts * 7 + piece * 13) % 90));
        at.type(on, Math.max(0, sent - 5), whole.slice(Math.max(0, sent - 5), end));
        sent = end;
      }
      // By reset or taken over while it is being read; both at any moment.
      if (cuts % 3 === 1) await at.terminate();
      else if (cuts % 3 === 2) await new Promise((turn) => setImmediate(turn));
      const again = await bed.greet(server, { resumeToken, sessions: [{ sessionId: 's1', from: 0 }] });
      const { inputOffset } = resumed(again);
      expect(whole.startsWith(pty.input)).toBe(true);
      expect(pty.input.length).toBe(inputOffset);
      typing = { client: again, channel: resumed(again).channel!, from: inputOffset! };
    }
    typing.client.type(typing.channel, typing.from, whole.slice(typing.from));
    await typing.client.sync();
    expect(pty.input).toBe(whole);
  });

  it('is acknowledged when the terminal has taken it, which need not be soon', async () => {
    const { clock, client, channel, pty } = await working();
    const next = (): Promise<Received> => client.next({ type: 'input_acknowledged', sessionId: 's1' });
    pty.room = 2;
    client.type(channel, 0, 'abcd');
    await client.sync();
    clock.advance(10);
    expect((await next()).offset).toBe(2);
    clock.advance(1000);
    pty.read(1);
    pty.read(100);
    clock.advance(9);
    await client.sync();
    expect(client.of('s1', 'input_acknowledged')).toHaveLength(1);
    clock.advance(1);
    expect((await next()).offset).toBe(4);
  });

  it('is free to go on up to the credit, and behind it once some was acknowledged', async () => {
    const { server, clock, client, channel, resumeToken, pty } = await working();
    pty.room = 0;
    const credit = client.welcome.limits!.inputCreditBytes!;
    for (let sent = 0; sent < credit; sent += 64 * KIB) client.type(channel, sent, 'x'.repeat(64 * KIB));
    client.type(channel, credit, 'yz');
    await client.next({
      type: 'error',
      sessionId: 's1',
      reason: 'INPUT_QUEUE_FULL',
      inputOffset: credit,
    });
    // What waits counts on another connection too.
    const again = await bed.greet(server, { resumeToken });
    expect(resumed(again).inputOffset).toBe(credit);
    again.type(resumed(again).channel!, credit, 'yz');
    await again.next({ type: 'error', reason: 'INPUT_QUEUE_FULL', inputOffset: credit });
    pty.read(1);
    clock.advance(10);
    await again.next({ type: 'input_acknowledged', offset: 1 });
    again.type(resumed(again).channel!, credit, 'y');
    pty.read(Infinity);
    again.type(resumed(again).channel!, credit + 1, 'z');
    await again.sync();
    expect([pty.input.length, pty.input.slice(-3)]).toEqual([credit + 2, 'xyz']);
  });

  it('that leaves a hole says where to go on', async () => {
    const { client, channel, pty } = await working();
    client.type(channel, 0, 'abc');
    client.type(channel, 4, 'e');
    await client.next({ type: 'error', sessionId: 's1', reason: 'BAD_INPUT_OFFSET', inputOffset: 3 });
    client.type(channel, 3, 'de');
    await client.sync();
    expect(pty.input).toBe('abcde');
  });
});

describe('the default protocol', () => {
  it('knows nothing of all this: a client’s sessions end with its connection, at once', async () => {
    const server = await bed.serve();
    const clock = server.stopTheClock();
    const client = await bed.connect(server);
    const sessionId = await client.create();
    server.ptys.last.print('12345');
    await client.untilOutput(sessionId, '12345');
    client.send({ type: 'input', sessionId, data: 'x' });
    client.send({ type: 'attach', sessionId, from: 2 });
    expect(await client.next({ type: 'attached' })).toEqual({
      type: 'attached',
      sessionId,
      offset: 2,
      end: 5,
      inControl: true,
      cols: 80,
      rows: 24,
      sizes: [{ offset: 0, cols: 80, rows: 24 }],
    });
    client.send({ type: 'hello', resumeToken: 'x', requestId: 'h' });
    await client.next({ type: 'error', reason: 'UNKNOWN_TYPE', requestId: 'h' });
    clock.advance(1000);
    await client.sync();
    expect(client.messages.map(({ type }) => type)).not.toContain('input_acknowledged');
    await client.terminate();
    await until(async () => (await listed(server)).length === 0, 'its session is closed');
    expect(clock.timers).toBe(0);
  });
});
