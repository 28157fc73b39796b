import { FakeApplication } from '../test/fakes/fake-application.js';
import { attach, attached, connectedClient, showingClient } from '../test/support/connected-client.js';
import { SUBPROTOCOL, subprotocols } from './socket.js';

const refused = { type: 'error', sessionId: 's1', error: 'no' };

describe('the output of a session', () => {
  it('comes in order, with its offsets', async () => {
    const { socket, application, session } = await showingClient();
    socket.receiveFrame(1, 0, 'one');
    socket.receiveFrame(1, 3, '');
    socket.receiveFrame(1, 3, 'two');
    expect(application.log).toEqual(['0: one', '3: two']);
    expect(session.offset).toBe(6);
  });

  it('goes on behind a gap that is told', async () => {
    const { socket, application } = await showingClient();
    socket.receiveFrame(1, 0, 'one');
    socket.receive({ type: 'gap', sessionId: 's1', offset: 3, end: 1000 });
    socket.receiveFrame(1, 1000, 'two');
    expect(application.log).toEqual(['0: one', 'gap 3–1000', '1000: two']);
  });

  it('begins where it was asked for, or says what is missing', async () => {
    const { client, socket } = connectedClient();
    const application = new FakeApplication();
    const session = client.attach('s1', application, { from: 50 });
    expect(socket.sent('attach')[0]).toMatchObject({ sessionId: 's1', from: 50, readOnly: false });
    socket.answer('attach', { ...attached, offset: 60, gap: { offset: 50, end: 60 }, inControl: true });
    socket.receiveFrame(1, 60, 'x');
    await session;
    expect(application.log).toEqual(['gap 50–60', 'in control', '60: x']);
  });

  it('tells each size before what was printed for it', async () => {
    const connected = connectedClient();
    const application = new FakeApplication();
    const sizes = [
      { offset: 90, cols: 80, rows: 24 },
      { offset: 102, cols: 100, rows: 30 },
      { offset: 104, cols: 120, rows: 40 },
    ];
    await attach(connected, application, { offset: 100, sizes });
    connected.socket.receive({ type: 'resized', sessionId: 's1', offset: 106, cols: 1, rows: 1 });
    connected.socket.receive({ type: 'resized', sessionId: 's1', offset: 106, cols: 2, rows: 2 });
    connected.socket.receiveFrame(1, 100, 'abcdef');
    connected.socket.receive({ type: 'resized', sessionId: 's1', offset: 106, cols: 3, rows: 3 });
    expect(application.log.slice(2)).toEqual([
      '80 × 24',
      '100: ab',
      '100 × 30',
      '102: cd',
      '120 × 40',
      '104: ef',
      '2 × 2',
      '3 × 3',
    ]);
  });

  it('ends with the exit, once', async () => {
    const { socket, application, session } = await showingClient();
    socket.receiveFrame(1, 0, 'bye');
    socket.receive({ type: 'exit', sessionId: 's1', code: 3, cause: 'ended' });
    socket.receive({ type: 'exit', sessionId: 's1', code: 3, cause: 'ended' });
    socket.receiveFrame(1, 3, 'late');
    expect(application.log).toEqual(['0: bye', 'exit 3']);
    expect(session.isOver).toBe(true);
  });

  it('tells who is in control, and what was refused', async () => {
    const { socket, application } = await showingClient();
    socket.receive({ type: 'control', sessionId: 's1', inControl: true });
    socket.receive({ ...refused, reason: 'INVALID_SIZE' });
    expect(application.log).toEqual(['in control', 'error INVALID_SIZE']);
  });

  it('reaches an application that cares for nothing else', async () => {
    const { client, socket } = connectedClient();
    const shown: string[] = [];
    const session = client.attach(
      's1',
      { output: (bytes) => shown.push(Buffer.from(bytes).toString()) },
      { from: 0 },
    );
    const sizes = [{ offset: 4, cols: 1, rows: 1 }];
    socket.answer('attach', { ...attached, offset: 4, gap: { offset: 0, end: 4 }, sizes });
    socket.receive({ type: 'gap', sessionId: 's1', offset: 4, end: 5 });
    socket.receive({ type: 'control', sessionId: 's1', inControl: true });
    socket.receiveFrame(1, 5, 'x');
    socket.receive({ ...refused, reason: 'INTERNAL' });
    socket.receive({ type: 'exit', sessionId: 's1', code: 0, cause: 'ended' });
    await session;
    expect(shown).toEqual(['x']);
  });

  it('stops in the middle when a handler wants no more', async () => {
    const { client, socket } = connectedClient();
    const application = new FakeApplication();
    const sizes = [{ offset: 2, cols: 1, rows: 1 }];
    const asked = client.attach('s1', {
      ...application,
      output: (...all) => application.output(...all),
      resized: () => client.close(),
    });
    socket.answer('attach', { ...attached, sizes });
    await asked;
    socket.receiveFrame(1, 0, 'abcd');
    expect(application.text).toBe('ab');
  });
});

describe('what has been consumed of a session', () => {
  it('is acknowledged up to the first byte that has not been', async () => {
    const { socket, clock, application } = await showingClient(false);
    for (const offset of [0, 3, 6]) socket.receiveFrame(1, offset, 'abc');
    application.chunks[2]!.consumed();
    application.chunks[0]!.consumed();
    application.chunks[0]!.consumed();
    clock.advance(5);
    application.chunks[1]!.consumed();
    clock.advance(5);
    expect(socket.sent('acknowledge').map(({ sessions }) => sessions)).toEqual([
      [{ sessionId: 's1', offset: 3 }],
      [{ sessionId: 's1', offset: 9 }],
    ]);
  });

  it('is not acknowledged beyond a gap before what came ahead of it has been consumed', async () => {
    const { socket, clock, application } = await showingClient(false);
    socket.receiveFrame(1, 0, 'abc');
    socket.receive({ type: 'gap', sessionId: 's1', offset: 3, end: 100 });
    socket.receiveFrame(1, 100, 'def');
    application.chunks[1]!.consumed();
    clock.advance(5);
    expect(socket.sent('acknowledge')).toEqual([]);
    application.chunks[0]!.consumed();
    clock.advance(5);
    expect(socket.sent('acknowledge')).toMatchObject([{ sessions: [{ sessionId: 's1', offset: 103 }] }]);
  });
});

describe('the input of a session', () => {
  it('travels in frames that say where it belongs', async () => {
    const { socket, session } = await showingClient();
    expect(session.write('ls\r')).toBe(true);
    expect(session.write(Uint8Array.of(3))).toBe(true);
    expect(session.write('é')).toBe(true);
    expect(session.write('')).toBe(true);
    expect(
      socket.frames.map(({ kind, channel, offset, bytes }) => [kind, channel, offset, ...bytes]),
    ).toEqual([
      ['input', 1, 0, 0x6c, 0x73, 0x0d],
      ['input', 1, 3, 3],
      ['input', 1, 4, 0xc3, 0xa9],
    ]);
  });

  it('is cut where a frame is full', async () => {
    const { socket, session } = await showingClient();
    const paste = new Uint8Array(150_000).map((_, index) => index % 251);
    session.write(paste);
    expect(socket.frames.map(({ offset, bytes }) => [offset, bytes.length])).toEqual([
      [0, 65_536],
      [65_536, 65_536],
      [131_072, 18_928],
    ]);
    expect(Buffer.concat(socket.frames.map(({ bytes }) => bytes)).equals(paste)).toBe(true);
  });

  it('goes on where the server says it was', async () => {
    const connected = connectedClient();
    const session = await attach(connected, new FakeApplication(), { inputOffset: 40 });
    session.write('x');
    expect(connected.socket.frames).toMatchObject([{ offset: 40 }]);
  });

  it('is not sent to a session that is only looked at', async () => {
    const { client, socket } = connectedClient();
    const asked = client.attach('s1', new FakeApplication(), { readOnly: true });
    expect(socket.sent('attach')).toMatchObject([{ readOnly: true }]);
    socket.answer('attach', attached);
    expect((await asked).write('x')).toBe(false);
    expect(socket.frames).toEqual([]);
  });

  it('that the server has no room for is sent again from what was accepted, after a while that grows', async () => {
    const { socket, clock, session, application } = await showingClient();
    session.write('abc');
    session.write('de');
    const refuse = (reason: string): void => socket.receive({ ...refused, reason, inputOffset: 1 });
    refuse('INPUT_QUEUE_FULL');
    refuse('BAD_INPUT_OFFSET');
    session.write('f');
    expect(application.log).toEqual(['error INPUT_QUEUE_FULL']);
    const sentIn = (ms: number): string => {
      const before = socket.frames.length;
      clock.advance(ms);
      return socket.frames
        .slice(before)
        .map(({ offset, bytes }) => `${offset} ${Buffer.from(bytes).toString()}`)
        .join(', ');
    };
    expect([sentIn(49), sentIn(1)]).toEqual(['', '1 bc, 3 de, 5 f']);
    refuse('BAD_INPUT_OFFSET');
    expect([sentIn(99), sentIn(1)]).toEqual(['', '1 bc, 3 de, 5 f']);
    socket.receive({ type: 'input_acknowledged', sessionId: 's1', offset: 2 });
    expect(session.bufferedInput).toBe(4);
  });

  it('that can never be typed is forgotten', async () => {
    const { socket, session, application } = await showingClient();
    session.write('abc');
    socket.receive({ ...refused, reason: 'SESSION_ENDED', inputOffset: 0 });
    expect([session.bufferedInput, application.log]).toEqual([0, ['error SESSION_ENDED']]);
  });

  it('is kept until the terminal has taken it, and no more than the credit is on its way', async () => {
    const { socket, session } = await showingClient();
    session.write('x'.repeat(200_000));
    session.write('y'.repeat(100_000));
    const end = (): number => socket.frames.at(-1)!.offset + socket.frames.at(-1)!.bytes.length;
    expect([end(), session.bufferedInput]).toEqual([262_144, 300_000]);
    socket.receive({ type: 'input_acknowledged', sessionId: 's1', offset: 200_001 });
    expect([end(), session.bufferedInput]).toEqual([300_000, 99_999]);
    socket.receive({ type: 'input_acknowledged', sessionId: 's1', offset: 100 });
    expect(session.bufferedInput).toBe(99_999);
  });

  it('is told about each time the terminal has taken some: whoever types a lot can go on then', async () => {
    const { client, socket } = connectedClient();
    const waiting: number[] = [];
    const asked = client.attach('s1', {
      output: () => undefined,
      inputTaken: (bytes) => waiting.push(bytes),
    });
    socket.answer('attach', attached);
    (await asked).write('abc');
    for (const offset of [1, 1, 0, 3]) {
      socket.receive({ type: 'input_acknowledged', sessionId: 's1', offset });
    }
    expect(waiting).toEqual([2, 0]);
  });
});

describe('a session', () => {
  it('is resized and closed', async () => {
    const { socket, session } = await showingClient();
    session.resize({ cols: 132, rows: 43 });
    session.close();
    expect(socket.messages.slice(-2)).toEqual([
      { type: 'resize', sessionId: 's1', cols: 132, rows: 43 },
      { type: 'close', sessionId: 's1' },
    ]);
  });

  it('is not heard of any more once it is detached', async () => {
    const { socket, clock, session, application } = await showingClient(false);
    socket.receiveFrame(1, 0, 'one');
    session.detach();
    session.detach();
    expect(session.isOver).toBe(true);
    expect(session.write('x')).toBe(false);
    session.close();
    application.chunks[0]!.consumed();
    socket.receiveFrame(1, 3, 'late');
    socket.receiveFrame(1, 7, 'later');
    socket.receive({ type: 'exit', sessionId: 's1', code: 0, cause: 'ended' });
    clock.advance(10);
    expect(application.log).toEqual(['0: one']);
    expect(socket.messages.at(-1)).toEqual({ type: 'detach', sessionId: 's1' });
    expect(socket.closed).toBeUndefined();
  });

  it('is viewed no more once it has exited, and can be done away with', async () => {
    const { socket, session } = await showingClient();
    socket.receive({ type: 'exit', sessionId: 's1', code: 0, cause: 'ended' });
    session.detach();
    session.close();
    expect(socket.messages.slice(-2)).toEqual([
      { type: 'detach', sessionId: 's1' },
      { type: 'close', sessionId: 's1' },
    ]);
  });

  it('is viewed on when its exit comes while it is attached to again, unless that is refused', async () => {
    const { client, socket } = await showingClient();
    const other = new FakeApplication();
    for (const outcome of ['refused', 'shown'] as const) {
      const asked = client.attach('s1', other);
      socket.receive({ type: 'exit', sessionId: 's1', code: 0, cause: 'ended' });
      expect(socket.sent('detach')).toHaveLength(outcome === 'refused' ? 0 : 1);
      if (outcome === 'shown') {
        socket.answer('attach', { ...attached, channel: 3 });
        await asked;
        continue;
      }
      socket.answer('attach', { type: 'error', error: 'there is no such output', reason: 'BAD_OFFSET' });
      await expect(asked).rejects.toMatchObject({ reason: 'BAD_OFFSET' });
      expect(socket.sent('detach')).toEqual([{ type: 'detach', sessionId: 's1' }]);
      const again = client.attach('s1', new FakeApplication());
      socket.answer('attach', { ...attached, channel: 2 });
      await again;
    }
    socket.receiveFrame(3, 0, 'one');
    socket.receive({ type: 'exit', sessionId: 's1', code: 0, cause: 'ended' });
    expect(other.log).toEqual(['restore ""', 'not in control', '0: one', 'exit 0']);
    expect(socket.sent('detach')).toHaveLength(2);
  });

  it('does not acknowledge for a later view what is consumed of an earlier one', async () => {
    const connected = await showingClient(false);
    const { socket, clock, application } = connected;
    socket.receiveFrame(1, 0, 'x'.repeat(1000));
    socket.receive({ type: 'exit', sessionId: 's1', code: 0, cause: 'ended' });
    await attach(connected, new FakeApplication(false), { channel: 2 });
    socket.receiveFrame(2, 0, 'x'.repeat(10));
    application.chunks[0]!.consumed();
    clock.advance(5);
    expect(socket.sent('acknowledge')).toEqual([]);
  });

  it('can be shown again after its exit', async () => {
    const connected = await showingClient();
    const exit = { type: 'exit', sessionId: 's1', code: 0, cause: 'ended' };
    connected.socket.receive(exit);
    const again = new FakeApplication();
    const session = await attach(connected, again, { channel: 2 });
    expect(session).not.toBe(connected.session);
    connected.socket.receiveFrame(2, 0, 'one');
    connected.socket.receive(exit);
    expect(again.log).toEqual(['restore ""', 'not in control', '0: one', 'exit 0']);
  });
});

describe('attaching again', () => {
  it('goes on from the new place, for the new handlers, as the same session', async () => {
    const connected = await showingClient();
    const { client, socket, session, application } = connected;
    socket.receiveFrame(1, 0, 'one');
    const again = new FakeApplication();
    const asked = client.attach('s1', again, { from: 1 });
    socket.receiveFrame(1, 3, 'two');
    socket.answer('attach', { ...attached, channel: 2, offset: 1, inputOffset: 0 });
    socket.receiveFrame(1, 6, 'late');
    socket.receiveFrame(2, 1, 'netwo');
    expect(await asked).toBe(session);
    expect(application.log).toEqual(['0: one', '3: two']);
    expect(again.log).toEqual(['restore ""', 'not in control', '1: netwo']);
    expect(client.state).toBe('open');
  });

  it('has a terminal reset unless it goes on where it was, or where it was asked for first', async () => {
    const { client, socket } = connectedClient();
    const application = new FakeApplication();
    const resets = async (channel: number, from?: number): Promise<boolean> => {
      application.log.length = 0;
      const asked = client.attach('s1', application, { from });
      socket.answer('attach', { ...attached, channel, offset: from ?? 0 });
      await asked;
      return application.log.includes('restore ""');
    };
    expect(await resets(1, 7)).toBe(false);
    socket.receiveFrame(1, 7, 'abc');
    expect(await resets(2, 10)).toBe(false);
    expect(await resets(3, 9)).toBe(true);
    expect(await resets(4)).toBe(true);
    expect(await resets(5)).toBe(true);
  });

  it('says first what was consumed, and then nothing until the answer', async () => {
    const { client, socket, clock, application } = await showingClient(false);
    socket.receiveFrame(1, 0, 'one');
    application.chunks[0]!.consumed();
    const asked = client.attach('s1', application, { from: 1 });
    expect(socket.messages.slice(-2).map(({ type }) => type)).toEqual(['acknowledge', 'attach']);
    socket.receiveFrame(1, 3, 'two');
    application.chunks[1]!.consumed();
    clock.advance(10);
    socket.answer('attach', { ...attached, channel: 2, offset: 1 });
    await asked;
    application.chunks[1]!.consumed();
    clock.advance(10);
    expect(socket.sent('acknowledge')).toHaveLength(1);
  });

  it('sends what was typed meanwhile where it then belongs', async () => {
    const { client, socket, session, application } = await showingClient();
    session.write('ab');
    const asked = client.attach('s1', application);
    const bytes = Buffer.from('cd');
    expect(session.write(bytes)).toBe(true);
    bytes.fill(0);
    expect(socket.frames).toHaveLength(1);
    socket.answer('attach', { ...attached, channel: 2, inputOffset: 2 });
    await asked;
    expect(socket.frames[1]).toMatchObject({ channel: 2, offset: 2 });
    expect(Buffer.from(socket.frames[1]!.bytes).toString()).toBe('cd');
  });

  it('changes nothing when it is refused', async () => {
    const { client, socket, clock, session, application } = await showingClient(false);
    socket.receiveFrame(1, 0, 'one');
    const asked = client.attach('s1', new FakeApplication(), { from: 1_000_000 });
    application.chunks[0]!.consumed();
    session.write('x');
    socket.answer('attach', { ...refused, reason: 'BAD_OFFSET' });
    await expect(asked).rejects.toMatchObject({ reason: 'BAD_OFFSET' });
    socket.receiveFrame(1, 3, 'two');
    clock.advance(5);
    expect(application.log).toEqual(['0: one', '3: two']);
    expect(socket.frames).toMatchObject([{ channel: 1, offset: 0 }]);
    expect(socket.sent('acknowledge')).toMatchObject([{ sessions: [{ offset: 3 }] }]);
  });

  it('twice leaves the second', async () => {
    const { client, socket, session } = await showingClient();
    const [first, second] = [new FakeApplication(), new FakeApplication()];
    const asked = [client.attach('s1', first, { from: 0 }), client.attach('s1', second, { from: 0 })];
    const [one, two] = socket
      .sent('attach')
      .slice(-2)
      .map(({ requestId }) => requestId);
    socket.receive({ ...attached, requestId: one, channel: 2 });
    socket.receiveFrame(2, 0, 'x');
    session.write('held');
    expect(socket.frames).toEqual([]);
    socket.receive({ ...attached, requestId: two, channel: 3 });
    socket.receiveFrame(2, 1, 'late');
    socket.receiveFrame(3, 0, 'x');
    expect(await Promise.all(asked)).toEqual([session, session]);
    expect([first.text, second.text]).toEqual(['x', 'x']);
    expect(socket.frames).toMatchObject([{ channel: 3 }]);
  });

  it('comes to nothing when the session is detached meanwhile', async () => {
    const { client, socket, session } = await showingClient();
    const again = new FakeApplication();
    const asked = client.attach('s1', again);
    const other = client.attach('s2', new FakeApplication());
    session.detach();
    await expect(asked).rejects.toMatchObject({ reason: 'DETACHED' });
    const [, mine, others] = socket.sent('attach').map(({ requestId }) => requestId);
    socket.receive({ ...attached, requestId: mine, channel: 2 });
    socket.receive({ ...attached, requestId: others, sessionId: 's2', channel: 3 });
    socket.receiveFrame(2, 0, 'late');
    await expect(other).resolves.toMatchObject({ id: 's2' });
    expect(again.log).toEqual([]);
  });
});

it('is spoken to in the second version of the protocol, with a token beside it where there is one', () => {
  expect(SUBPROTOCOL).toBe('trex.v2');
  expect(subprotocols()).toEqual(['trex.v2']);
  expect(subprotocols('abc')).toEqual(['trex.v2', 'bearer.abc']);
});
