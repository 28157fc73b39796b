import { FakeSocket } from '../../test/fakes/fake-socket.js';
import { settled } from '../../test/support/running-session.js';
import { TestSessions } from '../../test/support/test-sessions.js';
import { FIRST_WINDOW_BYTES } from '../core/delivery-window.js';
import { type Session, STALLED_MS } from '../core/session.js';
import { ANSWERS_HIGH_WATER_BYTES, Connection, OUTPUT_HIGH_WATER_BYTES } from './connection.js';
import { type Protocol } from './subprotocol.js';

const size = { columns: 80, rows: 24 };

async function showing(
  count: number,
  socket: FakeSocket,
  protocol?: Protocol,
): Promise<{ sessions: TestSessions; connection: Connection; shown: Session[] }> {
  const sessions = new TestSessions();
  const connection = new Connection(socket, sessions.clock, protocol);
  const shown = Array.from({ length: count }, () => sessions.opener.open({ size }));
  for (const session of shown) connection.announce(session);
  await settled();
  return { sessions, connection, shown };
}

describe('a connection', () => {
  it('views a session no longer once it has its exit and the session is gone', async () => {
    const { sessions, shown } = await showing(1, new FakeSocket());
    await sessions.closer.closeAndWait('s1');
    expect(shown.map(({ isWatched }) => isWatched)).toEqual([false]);
    expect(sessions.happened.slice(-3)).toEqual(['s1 ended', 's1 removed', 's1 viewerLeft']);
  });

  it.each(['trex.v1', 'trex.v2'] as const)(
    'of %s puts no output into a socket that holds as much as it may',
    async (protocol) => {
      const sessions = new TestSessions();
      const socket = new FakeSocket();
      const bounds = { maxWindowBytes: 10 * 1024 * 1024, socketBufferBytes: 65_536 };
      const connection = new Connection(socket, sessions.clock, protocol, false, bounds);
      connection.announce(sessions.opener.open({ size }));
      await settled();
      socket.stopTaking();
      for (let n = 0; n < 40; n++) sessions.ptys.last.print(Buffer.alloc(16 * 1024, 'x'));
      sessions.clock.advance(100);
      expect(socket.bufferedAmount).toBeGreaterThanOrEqual(65_536);
      // The last frame that went into it began below.
      expect(socket.bufferedAmount).toBeLessThan(65_536 + 66 * 1024);
    },
  );

  it('goes on viewing a session that is gone until it has its exit', async () => {
    const socket = new FakeSocket();
    const { sessions, shown, connection } = await showing(1, socket);
    socket.stopTaking();
    for (let n = 0; n < 8; n++) sessions.ptys.last.print(Buffer.alloc(64 * 1024, 'x'));
    sessions.ptys.last.end();
    sessions.registry.delete('s1');
    expect(shown[0]!.isWatched).toBe(true);
    socket.startTaking();
    expect(socket.sent.at(-1)).toMatchObject({ type: 'exit', sessionId: 's1' });
    expect(sessions.times('s1', 'viewerLeft')).toBe(1);
    connection.release();
    expect(sessions.times('s1', 'viewerLeft')).toBe(1);
  });

  it('goes on with its other sessions when something breaks in one', async () => {
    const socket = new FakeSocket(false);
    const { sessions } = await showing(2, socket);
    const [broken, other] = sessions.ptys.ptys;
    for (let n = 0; n < 8; n++) broken!.print(Buffer.alloc(64 * 1024, 'x'));
    broken!.resume = () => {
      throw new Error('a bug');
    };
    expect(() => socket.startTaking()).toThrow('a bug');
    other!.print('still here');
    expect(socket.sent.filter((message) => message.type === 'output' && message.sessionId === 's2')).toEqual([
      { type: 'output', sessionId: 's2', data: 'still here', offset: 0, end: 10 },
    ]);
  });

  it('uses at once what a session leaves of the window that is shown no more', async () => {
    const socket = new FakeSocket();
    const { sessions, connection } = await showing(2, socket, 'trex.v2');
    const [flood, other] = sessions.ptys.ptys;
    for (let n = 0; n < 4; n++) flood!.print(Buffer.alloc(64 * 1024));
    other!.print(Buffer.alloc(8 * 1024));
    const bytesOf = (channel: number): number =>
      socket.frames.reduce((sum, frame) => sum + (frame.channel === channel ? frame.bytes.length : 0), 0);
    expect([bytesOf(1), bytesOf(2)]).toEqual([FIRST_WINDOW_BYTES, 4 * 1024]);
    connection.detach('s1');
    expect(bytesOf(2)).toBe(8 * 1024);
  });
});

describe('the window of a connection', () => {
  const bytesOn = (socket: FakeSocket, channel: number): number =>
    socket.frames.reduce((sum, frame) => sum + (frame.channel === channel ? frame.bytes.length : 0), 0);

  it('is not narrowed by output that never waited for it, however long its acknowledgement takes', async () => {
    const socket = new FakeSocket();
    const { sessions, connection } = await showing(1, socket, 'trex.v2');
    const burst = (bytes: number, roundTripMs: number): void => {
      sessions.ptys.last.print(Buffer.alloc(bytes));
      sessions.clock.advance(roundTripMs);
      connection.acknowledge([{ sessionId: 's1', offset: bytesOn(socket, 1) }]);
      sessions.clock.advance(60);
    };
    burst(3, 5);
    for (let n = 0; n < 20; n++) burst(10 * 1024, 20);
    // All the window there was at first can be filled again at once.
    for (let n = 0; n < 3; n++) sessions.ptys.last.print(Buffer.alloc(64 * 1024));
    expect(bytesOn(socket, 1)).toBe(3 + 20 * 10 * 1024 + FIRST_WINDOW_BYTES);
  });

  it('holds nothing of a session whose exit is out: others go on at once', async () => {
    const socket = new FakeSocket();
    const { sessions } = await showing(2, socket, 'trex.v2');
    const [flood, other] = sessions.ptys.ptys;
    for (let n = 0; n < 2; n++) flood!.print(Buffer.alloc(64 * 1024));
    other!.print(Buffer.alloc(60 * 1024));
    expect(bytesOn(socket, 2)).toBe(4 * 1024);
    flood!.end();
    expect(socket.sent.at(-1)).toMatchObject({ type: 'exit', sessionId: 's1' });
    expect(bytesOn(socket, 2)).toBe(60 * 1024);
  });
});

describe('news of other viewers', () => {
  /** Somebody who looks at another's session, and whose socket has no room. */
  async function stuck(): Promise<{ session: Session; still: Connection; socket: FakeSocket }> {
    const { sessions, shown } = await showing(1, new FakeSocket(), 'trex.v2');
    const session = shown[0]!;
    const socket = new FakeSocket();
    const still = new Connection(socket, sessions.clock, 'trex.v2');
    still.attach(session, 0, false);
    socket.stopTaking();
    still.send({ type: 'tmux_sessions', requestId: 'r'.repeat(ANSWERS_HIGH_WATER_BYTES) });
    return { session, still, socket };
  }

  it('gives way to newer while the socket has no room for more', async () => {
    const { session, socket } = await stuck();
    const before = socket.sent.length;
    for (let n = 0; n < 1000; n++) session.resize({ columns: 80 + (n % 7), rows: 24 });
    expect(socket.sent).toHaveLength(before);
    socket.startTaking();
    expect(socket.sent.slice(before)).toEqual([
      { type: 'resized', sessionId: 's1', offset: 0, cols: 80 + (999 % 7), rows: 24 },
    ]);
  });

  it('is not told of a session that is shown no more', async () => {
    const { session, still, socket } = await stuck();
    session.resize({ columns: 90, rows: 24 });
    still.detach('s1');
    socket.startTaking();
    expect(socket.sent.at(-1)).toMatchObject({ type: 'tmux_sessions' });
  });
});

describe('attaching', () => {
  it.each([
    ['at it', 3],
    ['in the middle of it', 4],
    ['before it', 1],
  ])('as text where the log begins inside a character, %s, tells its rest as a gap', async (_, from) => {
    const sessions = new TestSessions({ logBytes: 5 });
    const session = sessions.opener.open({ size });
    await settled();
    sessions.ptys.last.print('ab€€');
    const socket = new FakeSocket();
    new Connection(socket, sessions.clock, 'trex.v1').attach(session, from, false);
    expect(socket.sent[0]).toMatchObject({ type: 'attached', offset: 5, gap: { offset: from, end: 5 } });
    expect(socket.sent.at(-1)).toMatchObject({ type: 'output', data: '€', offset: 5, end: 8 });
  });

  it('says all there is to know, then shows the output on a channel of its own', async () => {
    const { sessions, connection, shown } = await showing(1, new FakeSocket(), 'trex.v2');
    shown[0]!.write(Buffer.from('ls'), connection.attachmentTo('s1'));
    sessions.ptys.last.print('12345');
    shown[0]!.resize({ columns: 90, rows: 20 });
    sessions.ptys.last.print('67');
    const socket = new FakeSocket();
    const guest = new Connection(socket, sessions.clock, 'trex.v2');
    guest.attach(shown[0]!, 3, false, 'r1');
    expect(socket.inOrder).toEqual([
      {
        type: 'attached',
        requestId: 'r1',
        sessionId: 's1',
        channel: 1,
        offset: 3,
        end: 7,
        inControl: false,
        cols: 90,
        rows: 20,
        sizes: [
          { offset: 0, cols: 80, rows: 24 },
          { offset: 5, cols: 90, rows: 20 },
        ],
      },
      { kind: 'output', channel: 1, offset: 3, bytes: new Uint8Array(Buffer.from('4567')) },
    ]);
  });

  it('tells what had been asked for and is gone', async () => {
    const sessions = new TestSessions({ logBytes: 4 });
    const session = sessions.opener.open({ size });
    await settled();
    sessions.ptys.last.print('1234567');
    const socket = new FakeSocket();
    const connection = new Connection(socket, sessions.clock, 'trex.v2');
    for (const from of [0, 2, 3, 7, undefined]) connection.attach(session, from, false);
    const gaps = socket.sent.map((message) => (message.type === 'attached' ? message.gap : message.type));
    expect(gaps).toEqual([{ offset: 0, end: 3 }, { offset: 2, end: 3 }, undefined, undefined, undefined]);
    expect(socket.frames.map(({ offset }) => offset)).toEqual([3, 3, 3, 3]);
  });

  it('again goes on from there on another channel; the old one is no more', async () => {
    const socket = new FakeSocket();
    const { sessions, connection, shown } = await showing(1, socket, 'trex.v2');
    sessions.ptys.last.print('12345');
    connection.attach(shown[0]!, 1, false);
    connection.detach('s1');
    connection.attach(shown[0]!, 4, false);
    sessions.clock.advance(1);
    sessions.ptys.last.print('6');
    expect(socket.frames.map(({ channel, offset, bytes }) => [channel, offset, bytes.length])).toEqual([
      [1, 0, 5],
      [2, 1, 4],
      [3, 4, 1],
      [3, 5, 1],
    ]);
    expect(connection.sessionOn(3)).toBe('s1');
    for (const channel of [0, 1, 2, 4]) {
      expect(() => connection.sessionOn(channel)).toThrow(
        expect.objectContaining({ code: 'SESSION_NOT_FOUND' }) as Error,
      );
    }
  });

  it('to what is refused changes nothing', async () => {
    const socket = new FakeSocket();
    const { sessions, connection, shown } = await showing(1, socket, 'trex.v2');
    sessions.ptys.last.print('123');
    expect(() => connection.attach(shown[0]!, 4, false)).toThrow(
      expect.objectContaining({ code: 'BAD_OFFSET' }) as Error,
    );
    connection.acknowledge([{ sessionId: 's1', offset: 3 }]);
    sessions.clock.advance(1);
    sessions.ptys.last.print('456');
    expect(socket.frames.map(({ channel, offset }) => [channel, offset])).toEqual([
      [1, 0],
      [1, 3],
    ]);
  });

  it('again forgets what is on its way on the old channel', async () => {
    const socket = new FakeSocket();
    const { sessions, connection, shown } = await showing(1, socket, 'trex.v2');
    for (let n = 0; n < 3; n++) sessions.ptys.last.print(Buffer.alloc(64 * 1024));
    const bytesOn = (channel: number): number =>
      socket.frames.reduce((sum, frame) => sum + (frame.channel === channel ? frame.bytes.length : 0), 0);
    expect(bytesOn(1)).toBe(FIRST_WINDOW_BYTES);
    connection.attach(shown[0]!, 0, false);
    expect(bytesOn(2)).toBe(FIRST_WINDOW_BYTES);
  });

  it('to an ended session shows its exit each time, once', async () => {
    const socket = new FakeSocket();
    const { sessions, connection, shown } = await showing(1, socket, 'trex.v2');
    sessions.ptys.last.print('123');
    sessions.ptys.last.end();
    connection.attach(shown[0]!, 0, false);
    connection.attach(shown[0]!, undefined, true);
    expect(socket.inOrder.slice(1).map((one) => ('kind' in one ? one.offset : one.type))).toEqual([
      0,
      'exit',
      'attached',
      0,
      'exit',
      'attached',
      0,
      'exit',
    ]);
  });

  it('for reading only, with nobody else there, leaves nobody in control', async () => {
    const socket = new FakeSocket();
    const { connection, shown } = await showing(1, socket, 'trex.v2');
    connection.attach(shown[0]!, 0, true);
    connection.attach(shown[0]!, 0, false);
    expect(
      socket.sent.map((message) => (message.type === 'attached' ? message.inControl : message.type)),
    ).toEqual(['session_created', false, true]);
  });
});

describe('acknowledging', () => {
  it('counts nothing of a message of which one part is wrong', async () => {
    const socket = new FakeSocket();
    const { sessions, connection } = await showing(2, socket, 'trex.v2');
    const [flood, other] = sessions.ptys.ptys;
    for (let n = 0; n < 3; n++) flood!.print(Buffer.alloc(64 * 1024));
    other!.print('123');
    const sent = socket.frames.length;
    const consumed = { sessionId: 's1', offset: FIRST_WINDOW_BYTES };
    expect(() => connection.acknowledge([consumed, { sessionId: 's2', offset: 4 }])).toThrow(
      expect.objectContaining({ code: 'BAD_OFFSET' }) as Error,
    );
    expect(socket.frames).toHaveLength(sent);
    connection.acknowledge([consumed, { sessionId: 's2', offset: 3 }, { sessionId: 's3', offset: 9 }]);
    expect(socket.frames.length).toBeGreaterThan(sent);
  });

  it('what was acknowledged before lets nothing out', async () => {
    const socket = new FakeSocket();
    const { sessions, connection } = await showing(1, socket, 'trex.v2');
    sessions.ptys.last.print(Buffer.alloc(32 * 1024));
    connection.acknowledge([{ sessionId: 's1', offset: 32 * 1024 }]);
    for (let n = 0; n < 4; n++) sessions.ptys.last.print(Buffer.alloc(64 * 1024));
    const sent = socket.frames.length;
    for (const offset of [32 * 1024, 16 * 1024, 0]) connection.acknowledge([{ sessionId: 's1', offset }]);
    expect(socket.frames).toHaveLength(sent);
  });

  it('paces an existing client from its first acknowledgement on; until then what its socket took is consumed', async () => {
    const socket = new FakeSocket();
    const { sessions, connection } = await showing(1, socket);
    const print = (): void => sessions.ptys.last.print(Buffer.alloc(64 * 1024, 'x'));
    const shownTo = (): number => {
      const last = socket.sent.findLast(({ type }) => type === 'output');
      return last?.type === 'output' ? last.end : 0;
    };
    for (let n = 0; n < 4; n++) print();
    const unpaced = shownTo();
    expect(unpaced).toBe(256 * 1024);
    connection.acknowledge([{ sessionId: 's1', offset: 0 }]);
    for (let n = 0; n < 4; n++) print();
    expect(shownTo()).toBe(unpaced + FIRST_WINDOW_BYTES);
    connection.acknowledge([{ sessionId: 's1', offset: unpaced }]);
    expect(shownTo()).toBe(unpaced + FIRST_WINDOW_BYTES);
    connection.acknowledge([{ sessionId: 's1', offset: shownTo() }]);
    expect(shownTo()).toBe(512 * 1024);
  });
});

describe('what viewers are told of each other', () => {
  it('is told in trex.v2, and to existing clients not', async () => {
    const sockets = [new FakeSocket(), new FakeSocket()] as const;
    const { sessions, connection, shown } = await showing(1, sockets[0], 'trex.v1');
    const session = shown[0]!;
    new Connection(sockets[1], sessions.clock, 'trex.v2').attach(session, 0, false);
    session.resize({ columns: 90, rows: 20 }, undefined);
    session.write(Buffer.from('x'), connection.attachmentTo('s1'));
    for (const { attachment } of connection.release()) attachment.detach();
    expect(sockets.map(({ sent }) => sent.map(({ type }) => type))).toEqual([
      ['session_created'],
      ['attached', 'resized', 'control'],
    ]);
  });

  it.each(['trex.v1', 'trex.v2'] as const)(
    'a gap is exact in %s, and output goes on behind it',
    async (protocol) => {
      const sessions = new TestSessions({ logBytes: 128 * 1024 });
      const socket = new FakeSocket();
      const [owner, slow] = [
        new Connection(new FakeSocket(), sessions.clock),
        new Connection(socket, sessions.clock, protocol),
      ];
      const session = sessions.opener.open({ size });
      owner.announce(session);
      await settled();
      sessions.ptys.last.print('123');
      slow.attach(session, 0, false);
      socket.stopTaking();
      // So much waits in the socket that no output is added.
      slow.send({ type: 'tmux_sessions', requestId: 'r'.repeat(OUTPUT_HIGH_WATER_BYTES) });
      const print = (): void => sessions.ptys.last.print(Buffer.alloc(100 * 1024, 'x'));
      print();
      sessions.clock.advance(STALLED_MS);
      print();
      expect(sessions.ptys.last.paused).toBe(false);
      const end = 200 * 1024 + 3;
      const before = socket.inOrder.length;
      socket.startTaking();
      const begin = end - 128 * 1024;
      const [gap, ...outputs] = socket.inOrder.slice(before);
      const missing = { type: 'gap', sessionId: 's1', offset: 3, end: begin };
      const modes = '\x18\x1b[!p';
      if (protocol === 'trex.v2') {
        expect(gap).toEqual({ ...missing, modes });
      } else {
        expect(gap).toEqual(missing);
        // To this protocol it is output as any other.
        const text = { type: 'output', sessionId: 's1', data: modes, offset: begin, end: begin };
        expect(outputs.shift()).toEqual(text);
      }
      expect(outputs[0]).toMatchObject({ offset: begin });
    },
  );
});

describe('output that comes in pieces', () => {
  const PIECE = 2000;

  async function printing(): Promise<
    Awaited<ReturnType<typeof showing>> & {
      readonly print: (bytes: number) => void;
      readonly sizes: () => number[];
    }
  > {
    const socket = new FakeSocket();
    const scene = await showing(1, socket, 'trex.v2');
    return {
      ...scene,
      print: (bytes) => scene.sessions.ptys.last.print(Buffer.alloc(bytes, 'x')),
      sizes: () => socket.frames.map(({ bytes }) => bytes.length),
    };
  }

  it('is gathered, but not for longer than 2 ms after the last', async () => {
    const { sessions, print, sizes } = await printing();
    print(PIECE);
    print(PIECE);
    print(PIECE);
    expect(sizes()).toEqual([PIECE]);
    sessions.clock.advance(2);
    expect(sizes()).toEqual([PIECE, 2 * PIECE]);
    sessions.clock.advance(2);
    print(PIECE);
    expect(sizes()).toEqual([PIECE, 2 * PIECE, PIECE]);
  });

  it('is sent at once when it is as little as an echo and none was sent a moment ago, or worth a frame', async () => {
    const { sessions, print, sizes } = await printing();
    print(PIECE);
    sessions.clock.advance(1);
    print(1023);
    print(1);
    expect(sizes()).toEqual([PIECE, 1023]);
    print(60 * 1024 - 1);
    expect(sizes().reduce((sum, bytes) => sum + bytes, 0)).toBe(PIECE + 1023 + 60 * 1024);
  });

  it('is few frames however small the pieces are', async () => {
    const { sessions, print, sizes } = await printing();
    for (let ms = 0; ms < 10; ms++) {
      for (let n = 0; n < 100; n++) print(100);
      sessions.clock.advance(1);
    }
    sessions.clock.advance(2);
    expect(sizes().reduce((sum, bytes) => sum + bytes, 0)).toBe(100_000);
    expect(sizes().length).toBeLessThan(25);
  });

  it('is not gathered once the session has ended', async () => {
    const { sessions, print, sizes } = await printing();
    print(10);
    print(20);
    sessions.ptys.last.end();
    expect(sizes()).toEqual([10, 20]);
  });

  it('is told of by no timer once its client is gone, or the session shown no more', async () => {
    const { sessions, connection, print, sizes } = await printing();
    print(PIECE);
    print(PIECE);
    connection.detach('s1');
    sessions.clock.advance(2);
    expect(sizes()).toEqual([PIECE]);
    connection.attach(sessions.registry.get('s1'), undefined, false);
    print(PIECE);
    connection.release();
    expect(sessions.clock.timers).toBe(0);
  });
});

it('a client that takes no answers is not read from until it does', () => {
  const socket = new FakeSocket(false);
  const connection = new Connection(socket, new TestSessions().clock);
  connection.send({ type: 'tmux_sessions', requestId: 'r'.repeat(ANSWERS_HIGH_WATER_BYTES) });
  expect([connection.isReading, socket.reading]).toEqual([false, false]);
  socket.startTaking();
  expect([connection.isReading, socket.reading]).toEqual([true, true]);
});

it('nothing is put into a socket that is closing', async () => {
  const socket = new FakeSocket();
  const { sessions, connection } = await showing(1, socket);
  const before = socket.inOrder.length;
  connection.end(1000, 'bye');
  sessions.ptys.last.print('late');
  connection.send({ type: 'tmux_sessions' });
  expect(socket.inOrder).toHaveLength(before);
});
