import { encodeFrame } from '../../src/protocol/frames.js';
import { type FakePty } from '../fakes/fake-pty.js';
import { useTestBed } from '../support/test-bed.js';
import { type TestClient } from '../support/test-client.js';
import { type TestServer } from '../support/test-server.js';
import { until } from '../support/until.js';

const KIB = 1024;
const bed = useTestBed();

interface Opened {
  readonly server: TestServer;
  readonly client: TestClient;
  readonly sessionId: string;
  readonly channel: number;
  readonly pty: FakePty;
}

/** A client of `trex.v2` with one session whose process runs. */
async function open(config?: Parameters<typeof bed.serve>[0]): Promise<Opened> {
  const server = await bed.serve(config);
  const client = await bed.greet(server);
  client.send({ type: 'create', cols: 80, rows: 24 });
  const { sessionId, channel } = await client.next({ type: 'session_created' });
  await until(() => server.ptys.ptys.length > 0, 'the process runs');
  return { server, client, sessionId: sessionId!, channel: channel!, pty: server.ptys.last };
}

/** Answers everything that is shown, as a client does that shows it at once. */
function acknowledging(client: TestClient, sessionId: string): () => void {
  const acknowledge = (): void => {
    const last = client.frames.at(-1);
    if (last) client.send({ type: 'acknowledge', sessionId, offset: last.offset + last.bytes.length });
  };
  client.socket.on('message', (_data, isBinary) => isBinary && acknowledge());
  return acknowledge;
}

describe('trex.v2: the greeting', () => {
  it('is asked for before anything else, and tells the limits', async () => {
    const server = await bed.serve();
    const client = await bed.connect(server, { protocols: ['trex.v2', 'trex.v1'] });
    expect(client.socket.protocol).toBe('trex.v2');
    client.send({ type: 'create', requestId: 'a' }, { type: 'resize', sessionId: 's1', cols: 1, rows: 1 });
    client.sendRaw(
      Buffer.from(encodeFrame({ kind: 'input', channel: 1, offset: 0, bytes: Buffer.from('x') })),
    );
    client.send({ type: 'hello', requestId: 'h' });
    const welcome = await client.next({ type: 'welcome', requestId: 'h' });
    expect(client.messages.slice(0, 3).map(({ reason, requestId }) => [reason, requestId])).toEqual([
      ['HELLO_REQUIRED', 'a'],
      ['HELLO_REQUIRED', undefined],
      ['HELLO_REQUIRED', undefined],
    ]);
    expect(welcome.epoch).toMatch(/^[0-9a-f-]{36}$/);
    expect(welcome.limits).toEqual({
      messageBytes: 4 * KIB * KIB,
      frameBytes: 64 * KIB,
      inputCreditBytes: 256 * KIB,
      acknowledgeBytes: 16 * KIB,
      acknowledgeMs: 5,
      resumeSeconds: 60,
      resumeHoldSeconds: 30,
    });
    client.send({ type: 'hello', requestId: 'again' });
    await client.next({ type: 'error', reason: 'BAD_MESSAGE', requestId: 'again' });
    expect((await bed.greet(server)).messages[0]?.epoch).toBe(welcome.epoch);
  });

  it('is unknown to the default protocol', async () => {
    const client = await bed.connect(await bed.serve());
    client.send({ type: 'hello', requestId: 'h' });
    await client.next({ type: 'error', reason: 'UNKNOWN_TYPE', requestId: 'h' });
  });
});

describe('trex.v2: terminal bytes', () => {
  it('come as they are, on the channel of their session, then its exit', async () => {
    const { client, sessionId, channel, pty } = await open();
    const printed = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    pty.print(printed);
    pty.end({ code: 3 });
    await client.next({ type: 'exit', sessionId, code: 3, cause: 'ended' });
    expect(client.bytesOn(channel).equals(printed)).toBe(true);
    expect(client.frames[0]).toMatchObject({ kind: 'output', channel, offset: 0 });
    expect(client.messages.map(({ type }) => type)).toEqual(['welcome', 'session_created', 'exit']);
  });

  it('are typed in frames that say where they belong; what came before is skipped', async () => {
    const { client, channel, pty } = await open();
    client.type(channel, 0, 'one ');
    client.type(channel, 4, 'two ');
    client.type(channel, 0, 'one two three');
    client.type(channel, 2, 'e');
    client.type(channel, 13, '');
    client.type(channel, 13, '!');
    await client.sync();
    expect(pty.input).toBe('one two three!');
  });

  it('are refused when they leave a hole, and nothing is typed', async () => {
    const { client, channel, sessionId, pty } = await open();
    client.type(channel, 1, 'hole');
    await client.next({ type: 'error', sessionId, reason: 'BAD_INPUT_OFFSET', inputOffset: 0 });
    client.type(channel, 0, 'whole');
    await client.sync();
    expect(pty.input).toBe('whole');
  });

  it('that were refused for want of room are accepted where they belong once there is some', async () => {
    const { client, channel, sessionId, pty } = await open();
    pty.room = 0;
    const block = 'x'.repeat(64 * KIB);
    for (let sent = 0; sent < 4; sent++) client.type(channel, sent * 64 * KIB, block);
    client.type(channel, 256 * KIB, 'y');
    await client.next({ type: 'error', sessionId, reason: 'INPUT_QUEUE_FULL', inputOffset: 256 * KIB });
    pty.read(Infinity);
    client.type(channel, 256 * KIB, 'z');
    await client.sync();
    expect(pty.input.length).toBe(256 * KIB + 1);
    expect(pty.input.endsWith('xz')).toBe(true);
  });

  it('are not typed as text, nor into a session that is not named', async () => {
    const { client, sessionId, pty } = await open();
    client.send({ type: 'input', sessionId, data: 'text', requestId: 'text' });
    await client.next({ type: 'error', reason: 'BAD_MESSAGE', requestId: 'text' });
    for (const type of ['close', 'detach', 'resize']) {
      client.send({ type, cols: 1, rows: 1, requestId: type });
      await client.next({ type: 'error', reason: 'BAD_MESSAGE', requestId: type });
    }
    expect([pty.input, pty.closing, pty.sizes.length]).toEqual(['', false, 1]);
  });

  it('on a channel that nobody was told of are refused; the connection stays', async () => {
    const { client, channel, sessionId, pty } = await open();
    client.type(channel + 1, 0, 'x');
    await client.next({ type: 'error', reason: 'SESSION_NOT_FOUND' });
    client.send({ type: 'detach', sessionId });
    client.type(channel, 0, 'x');
    await client.next({ type: 'error', reason: 'SESSION_NOT_FOUND' });
    await client.sync();
    expect(pty.input).toBe('');
  });

  const header = (change: (frame: Buffer) => void, payload = 1): Buffer => {
    const bytes = Buffer.alloc(payload, 'x');
    const frame = Buffer.from(encodeFrame({ kind: 'input', channel: 1, offset: 0, bytes }));
    change(frame);
    return frame;
  };

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['half a header', Buffer.alloc(15, 2)],
    ['more than 64 KiB', header(() => undefined, 64 * KIB + 1)],
    ['kind 0', header((frame) => frame.writeUInt8(0, 0))],
    ['the kind of output', header((frame) => frame.writeUInt8(1, 0))],
    ['kind 3', header((frame) => frame.writeUInt8(3, 0))],
    ['kind 130', header((frame) => frame.writeUInt8(130, 0))],
    ['a reserved byte', header((frame) => frame.writeUInt8(1, 3))],
    ['an offset beyond 2^53 - 1', header((frame) => frame.writeBigUInt64BE(2n ** 53n, 8))],
  ])('that are framed wrong, with %s, end this connection with 4002 and no other', async (_what, frame) => {
    const { server, client, pty } = await open();
    const other = await bed.greet(server);
    // Whatever comes behind it, in the same read too, is not looked at.
    client.sendRaw(
      frame,
      Buffer.from(encodeFrame({ kind: 'input', channel: 1, offset: 0, bytes: Buffer.from('x') })),
    );
    expect((await client.closed()).code).toBe(4002);
    await other.sync();
    expect(pty.input).toBe('');
  });
});

describe('trex.v2: attaching', () => {
  it('shows what there is and what comes, and says where it begins', async () => {
    const { server, client, sessionId, pty } = await open();
    pty.print('before ');
    client.send({ type: 'resize', sessionId, cols: 100, rows: 30 });
    await client.sync();
    pty.print('after ');
    const other = await bed.greet(server);
    other.send({ type: 'attach', sessionId, requestId: 'a' });
    const { channel, ...attached } = await other.next({ type: 'attached' });
    expect(attached).toEqual({
      type: 'attached',
      requestId: 'a',
      sessionId,
      offset: 0,
      end: 13,
      inputOffset: 0,
      inControl: false,
      cols: 100,
      rows: 30,
      sizes: [
        { offset: 0, cols: 80, rows: 24 },
        { offset: 7, cols: 100, rows: 30 },
      ],
    });
    pty.print('later');
    await other.untilBytes(channel!, 18);
    expect(other.bytesOn(channel!).toString()).toBe('before after later');

    other.send({ type: 'attach', sessionId, from: 7 });
    const again = await other.next({ type: 'attached', offset: 7 });
    expect(again.sizes).toEqual([{ offset: 7, cols: 100, rows: 30 }]);
    expect(again.channel).not.toBe(channel);
    await other.untilBytes(again.channel!, 11);
    expect(other.bytesOn(again.channel!).toString()).toBe('after later');
    pty.print('!');
    pty.end();
    await other.next({ type: 'exit', sessionId });
    await client.next({ type: 'exit', sessionId });
    client.send({ type: 'detach', sessionId });
    await client.sync();
    await other.sync();
    expect(other.messages.at(-2)).toMatchObject({ type: 'exit' });
    expect(other.bytesOn(again.channel!).toString()).toBe('after later!');
    expect(other.bytesOn(channel!).toString()).toBe('before after later');
  });

  it('to what has fallen off the log tells exactly what is missing', async () => {
    const { server, client, sessionId, pty } = await open({ logBytes: 256 * KIB });
    client.send({ type: 'detach', sessionId });
    await client.sync();
    for (let printed = 0; printed < 300; printed++) pty.print(Buffer.alloc(KIB, 'x'));
    const other = await bed.greet(server);
    other.send({ type: 'attach', sessionId, from: 100 });
    const { gap, offset, end, modes } = await other.next({ type: 'attached' });
    expect({ gap, offset, end, modes }).toEqual({
      gap: { offset: 100, end: 44 * KIB },
      offset: 44 * KIB,
      end: 300 * KIB,
      modes: '\x18\x1b[!p',
    });
    other.send({ type: 'attach', sessionId });
    const fromTheOldest = await other.next({ type: 'attached' });
    expect(fromTheOldest).toMatchObject({ offset: 44 * KIB, modes: '\x18\x1b[!p' });
    expect(fromTheOldest.gap).toBeUndefined();
  });

  it.each([
    ['the future', 6],
    ['a negative offset', -1],
    ['a fraction', 0.5],
    ['text', '0'],
    ['null', null],
    ['what no number can tell apart', 2 ** 53],
  ])('from %s is refused with BAD_OFFSET, and what was shown is shown on', async (_what, from) => {
    const { client, channel, sessionId, pty } = await open();
    pty.print('12345');
    client.send({ type: 'attach', sessionId, from, requestId: 'a' });
    await client.next({ type: 'error', reason: 'BAD_OFFSET', requestId: 'a' });
    pty.print('678');
    await client.untilBytes(channel, 8);
    expect(client.bytesOn(channel).toString()).toBe('12345678');
  });

  it('to an ended session shows its bytes, then its exit', async () => {
    const { server, sessionId, pty } = await open();
    pty.print('last words');
    pty.end({ code: 5 });
    const other = await bed.greet(server);
    other.send({ type: 'attach', sessionId });
    const { channel } = await other.next({ type: 'attached' });
    await other.next({ type: 'exit', sessionId, code: 5 });
    expect(other.bytesOn(channel!).toString()).toBe('last words');
  });

  it('is for so many viewers at a time', async () => {
    const { server, sessionId } = await open({ maxViewers: 2 });
    const second = await bed.greet(server);
    second.send({ type: 'attach', sessionId }, { type: 'attach', sessionId });
    await second.next({ type: 'attached' });
    await second.next({ type: 'attached' });
    const third = await bed.greet(server);
    third.send({ type: 'attach', sessionId });
    await third.next({ type: 'error', sessionId, reason: 'SESSION_LIMIT' });
    await second.close();
    await until(async () => {
      third.send({ type: 'attach', sessionId, requestId: 'again' });
      return (await third.next({ requestId: 'again' })).type === 'attached';
    }, 'there is room');
  });

  it('for reading only takes no input and no size', async () => {
    const { server, sessionId, pty } = await open();
    const other = await bed.greet(server);
    other.send({ type: 'attach', sessionId, readOnly: true });
    const { channel } = await other.next({ type: 'attached' });
    other.type(channel!, 0, 'x');
    await other.next({ type: 'error', sessionId, reason: 'READ_ONLY' });
    other.send({ type: 'resize', sessionId, cols: 5, rows: 5 });
    await other.next({ type: 'error', sessionId, reason: 'READ_ONLY' });
    expect([pty.input, pty.sizes.length]).toEqual(['', 1]);
    other.send({ type: 'attach', sessionId });
    const writing = await other.next({ type: 'attached' });
    other.type(writing.channel!, writing.inputOffset!, 'x');
    await other.sync();
    expect(pty.input).toBe('x');
  });

  it('to what never was is refused', async () => {
    const { client } = await open();
    client.send({ type: 'attach', sessionId: 's9', requestId: 'a' });
    await client.next({ type: 'error', reason: 'SESSION_NOT_FOUND', requestId: 'a' });
    client.send({ type: 'attach', requestId: 'b' });
    await client.next({ type: 'error', reason: 'BAD_MESSAGE', requestId: 'b' });
    client.send({ type: 'attach', sessionId: 's1', readOnly: 'yes', requestId: 'c' });
    await client.next({ type: 'error', reason: 'BAD_MESSAGE', requestId: 'c' });
  });
});

describe('trex.v2: several viewers', () => {
  it('are told who is in control, and of each other’s sizes', async () => {
    const { server, client, channel, sessionId, pty } = await open();
    const other = await bed.greet(server);
    other.send({ type: 'attach', sessionId });
    const theirs = await other.next({ type: 'attached', inControl: false });
    pty.print('12345');

    other.send({ type: 'resize', sessionId, cols: 90, rows: 20 });
    await other.next({ type: 'control', sessionId, inControl: true });
    await client.next({ type: 'control', sessionId, inControl: false });
    await client.next({ type: 'resized', sessionId, offset: 5, cols: 90, rows: 20 });

    client.type(channel, 0, 'x');
    await client.next({ type: 'control', sessionId, inControl: true });
    await other.next({ type: 'control', sessionId, inControl: false });

    other.type(theirs.channel!, 0, 'y');
    await client.next({ type: 'control', sessionId, inControl: false });
    await other.terminate();
    await client.next({ type: 'control', sessionId, inControl: true });
    expect(client.of(sessionId, 'resized')).toHaveLength(1);
    expect(other.of(sessionId, 'resized')).toHaveLength(0);
  });

  it('stop waiting for one that stands still while another reads; it is told what it missed', async () => {
    const { server, client, channel, sessionId, pty } = await open({ logBytes: 256 * KIB });
    const clock = server.stopTheClock();
    const still = await bed.greet(server);
    still.send({ type: 'attach', sessionId });
    const stuck = await still.next({ type: 'attached' });
    acknowledging(client, sessionId);

    let printed = 0;
    const print = (bytes: number): void => {
      pty.print(Buffer.alloc(bytes, 'x'));
      printed += bytes;
    };
    while (!pty.paused) print(64 * KIB);
    await client.untilBytes(channel, printed);
    await client.sync();
    const seen = still.bytesOn(stuck.channel!).length;
    clock.advance(10_000);
    expect(pty.paused).toBe(false);
    for (let more = 0; more < 8; more++) {
      print(64 * KIB);
      await client.untilBytes(channel, printed);
      await client.sync();
      expect(pty.paused).toBe(false);
    }

    const before = still.frames.length;
    still.send({ type: 'acknowledge', sessionId, offset: seen });
    const gap = await still.next({ type: 'gap', sessionId });
    const modes = '\x18\x1b[!p';
    expect(gap).toEqual({ type: 'gap', sessionId, offset: seen, end: printed - 256 * KIB, modes });
    await until(() => still.frames.length > before, 'it goes on');
    expect(still.frames[before]!.offset).toBe(gap.end);
  });
});

describe('T36: acknowledgements', () => {
  it('let output go on: without any, no more than the window is sent', async () => {
    const { client, channel, sessionId, pty } = await open();
    for (let printed = 0; printed < 256; printed++) pty.print(Buffer.alloc(KIB, 'x'));
    // The last of a window that is less than 4 KiB waits for more room.
    await client.untilBytes(channel, 124 * KIB);
    await client.sync();
    expect(client.bytesOn(channel).length).toBeLessThanOrEqual(128 * KIB);
    expect(pty.paused).toBe(true);
    acknowledging(client, sessionId)();
    await client.untilBytes(channel, 256 * KIB);
    await client.sync();
    expect(pty.paused).toBe(false);
  });

  it('of one session let a key through in another, whatever floods', async () => {
    const { server, client, pty } = await open();
    client.send({ type: 'create', cols: 80, rows: 24 });
    const { channel } = await client.next({ type: 'session_created' });
    await until(() => server.ptys.ptys.length > 1, 'the process runs');
    for (let printed = 0; printed < 256; printed++) pty.print(Buffer.alloc(KIB, 'x'));
    server.ptys.last.print('key');
    await client.untilBytes(channel!, 3);
  });

  it.each([
    ['the future', 4],
    ['a fraction', 1.5],
    ['a negative offset', -1],
    ['no offset', undefined],
    ['text', '3'],
    ['2^53', 2 ** 53],
  ])('of %s are refused with BAD_OFFSET; nothing moves', async (_what, offset) => {
    const { client, channel, sessionId, pty } = await open();
    pty.print('123');
    await client.untilBytes(channel, 3);
    client.send({ type: 'acknowledge', sessionId, offset });
    await client.next({ type: 'error', sessionId, reason: 'BAD_OFFSET' });
    pty.print('456');
    await client.untilBytes(channel, 6);
  });

  it('of the past, of sessions not viewed and of none change nothing', async () => {
    const { client, channel, sessionId, pty } = await open();
    pty.print('123');
    await client.untilBytes(channel, 3);
    client.send({ type: 'acknowledge', sessionId, offset: 3 });
    client.send({ type: 'acknowledge', sessionId, offset: 1 });
    client.send({ type: 'acknowledge', sessions: [] });
    client.send({
      type: 'acknowledge',
      sessions: [
        { sessionId: 's9', offset: 1 },
        { sessionId, offset: 3 },
      ],
    });
    await client.sync();
    expect(client.messages.filter(({ type }) => type === 'error')).toEqual([]);
  });

  it.each([
    ['no list', { sessions: 'all' }],
    [
      'a list of too many',
      { sessions: Array.from({ length: 1025 }, () => ({ sessionId: 's1', offset: 0 })) },
    ],
    ['a list of nothing', { sessions: [null] }],
    ['no session', { offset: 3 }],
    ['a request’s id that is no text', { sessionId: 's1', offset: 0, requestId: 1 }],
    ['a session that is no text', { sessionId: 1, offset: 3 }],
  ])('with %s are refused with BAD_MESSAGE', async (_what, fields) => {
    const { client } = await open();
    client.send({ type: 'acknowledge', ...fields });
    await client.next({ type: 'error', reason: 'BAD_MESSAGE' });
  });

  it('pace a client of the default protocol too, from its first one on', async () => {
    const { client, sessionId, pty } = await bed.open();
    pty.print('123');
    await client.untilOutput(sessionId, '123');
    client.send({ type: 'acknowledge', sessionId, offset: 3 });
    await client.sync();
    for (let printed = 0; printed < 256; printed++) pty.print(Buffer.alloc(KIB, 'x'));
    await until(() => client.output(sessionId).length >= 124 * KIB + 3, 'the window is full');
    await client.sync();
    expect(client.output(sessionId).length).toBeLessThanOrEqual(128 * KIB + 3);
    expect(pty.paused).toBe(true);
    client.send({ type: 'acknowledge', sessionId, offset: 124 * KIB + 3 });
    await until(() => client.output(sessionId).length > 200 * KIB, 'it goes on');
  });
});

describe('attaching in the default protocol', () => {
  it('begins with a whole character also where the log does, and says so in the gap', async () => {
    const { server, client, sessionId, pty } = await bed.open({ logBytes: 256 * KIB });
    client.send({ type: 'detach', sessionId });
    await client.sync();
    pty.print('€'.repeat(100_000));
    const other = await bed.connect(server);
    // 300,000 bytes printed, 262,144 kept: they begin with the third byte of a character.
    other.send({ type: 'attach', sessionId, from: 3 });
    const { gap, offset } = await other.next({ type: 'attached' });
    expect({ gap, offset }).toEqual({ gap: { offset: 3, end: 37_857 }, offset: 37_857 });
    // What its terminal is to be given first is output as any other to this protocol.
    expect(await other.next({ type: 'output' })).toEqual({
      type: 'output',
      sessionId,
      data: '\x18\x1b[!p',
      offset: 37_857,
      end: 37_857,
    });
    expect((await other.next({ type: 'output' })).data).toMatch(/^€+$/);
    other.send({ type: 'attach', sessionId });
    expect(await other.next({ type: 'attached' })).toMatchObject({ offset: 37_857 });
  });

  it('begins with a whole character, and tells offsets in bytes', async () => {
    const { server, sessionId, pty } = await bed.open();
    pty.print('a€b');
    const other = await bed.connect(server);
    for (const [from, data, offset] of [
      [1, '€b', 1],
      [2, '€b', 1],
      [3, '€b', 1],
      [4, 'b', 4],
    ] as const) {
      other.send({ type: 'attach', sessionId, from });
      expect((await other.next({ type: 'attached' })).offset).toBe(offset);
      expect(await other.next({ type: 'output' })).toMatchObject({ data, offset, end: 5 });
    }
  });
});
