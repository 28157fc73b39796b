import { connect, type Socket } from 'node:net';
import { deflateRawSync } from 'node:zlib';
import { PtyModule } from '../../src/pty/pty.module.js';
import { useTemporaryHome } from '../support/temporary-home.js';
import { useTestBed } from '../support/test-bed.js';
import { type TestClient } from '../support/test-client.js';
import { type Answer, listed } from '../support/test-server.js';

const bed = useTestBed();
const home = useTemporaryHome();

/** A frame, and what is answered to it. */
type Case = readonly [what: string, frame: string | Buffer, reason: string];

const nested = (depth: number, open: string, close: string, inside = ''): string =>
  open.repeat(depth) + inside + close.repeat(depth);

const malformed: readonly Case[] = [
  ['nothing', '', 'BAD_JSON'],
  ['a space', ' ', 'BAD_JSON'],
  ['no JSON', 'hello', 'BAD_JSON'],
  ['half an object', '{"type":"create"', 'BAD_JSON'],
  ['two objects', '{"type":"create"}{"type":"create"}', 'BAD_JSON'],
  ['a comma too many', '{"type":"create",}', 'BAD_JSON'],
  ['single quotes', "{'type':'create'}", 'BAD_JSON'],
  ['a comment', '{"type":"create"/**/}', 'BAD_JSON'],
  ['NaN', '{"type":"resize","cols":NaN,"rows":24}', 'BAD_JSON'],
  ['a byte order mark', '\ufeff{"type":"create"}', 'BAD_JSON'],
  ['a raw line break in a string', '{"type":"cre\nate"}', 'BAD_JSON'],
  ['32,000 open brackets', '['.repeat(32_000), 'BAD_JSON'],
  ['32,000 open braces', '{"a":'.repeat(32_000), 'BAD_JSON'],
  ['a million open brackets', '['.repeat(1_000_000), 'BAD_JSON'],
  ['null', 'null', 'BAD_MESSAGE'],
  ['true', 'true', 'BAD_MESSAGE'],
  ['a number', '42', 'BAD_MESSAGE'],
  ['a number beyond all', '1e999', 'BAD_MESSAGE'],
  ['a string', '"create"', 'BAD_MESSAGE'],
  ['an array', '[]', 'BAD_MESSAGE'],
  ['an array of messages', '[{"type":"create"}]', 'BAD_MESSAGE'],
  ['32,000 nested arrays', nested(32_000, '[', ']'), 'BAD_MESSAGE'],
  ['a message in bytes', Buffer.from('{"type":"create"}'), 'BAD_MESSAGE'],
  ['bytes', Buffer.from([0, 1, 2, 255]), 'BAD_MESSAGE'],
  ['no bytes', Buffer.alloc(0), 'BAD_MESSAGE'],
  ['an empty object', '{}', 'UNKNOWN_TYPE'],
  ['no type', '{"sessionId":"s1","data":"x"}', 'UNKNOWN_TYPE'],
  ['an unknown type', '{"type":"explode","sessionId":"s1"}', 'UNKNOWN_TYPE'],
  ['a type in capitals', '{"type":"CREATE"}', 'UNKNOWN_TYPE'],
  ['a type with a space', '{"type":"create "}', 'UNKNOWN_TYPE'],
  ['a type of null', '{"type":null}', 'UNKNOWN_TYPE'],
  ['a type of 1', '{"type":1}', 'UNKNOWN_TYPE'],
  ['types in an array', '{"type":["create"]}', 'UNKNOWN_TYPE'],
  ['a type with a toString', '{"type":{"toString":"create"}}', 'UNKNOWN_TYPE'],
  ['a server’s type', '{"type":"output","sessionId":"s1","data":"x"}', 'UNKNOWN_TYPE'],
  ['__proto__ as type', '{"type":"__proto__"}', 'UNKNOWN_TYPE'],
  ['constructor as type', '{"type":"constructor"}', 'UNKNOWN_TYPE'],
  ['hasOwnProperty as type', '{"type":"hasOwnProperty"}', 'UNKNOWN_TYPE'],
  ['a type that only the prototype has', '{"__proto__":{"type":"create"}}', 'UNKNOWN_TYPE'],
  ['32,000 nested objects', nested(32_000, '{"a":', '}', '1'), 'UNKNOWN_TYPE'],
  ['a doubled type, the last of which counts', '{"type":"create","type":"explode"}', 'UNKNOWN_TYPE'],
  ['a type with a lone surrogate', '{"type":"create\\ud800"}', 'UNKNOWN_TYPE'],
  ['input without data', '{"type":"input","sessionId":"s1"}', 'BAD_MESSAGE'],
  ['input of null', '{"type":"input","sessionId":"s1","data":null}', 'BAD_MESSAGE'],
  ['input of a number', '{"type":"input","sessionId":"s1","data":1}', 'BAD_MESSAGE'],
  ['input of an array', '{"type":"input","sessionId":"s1","data":["x"]}', 'BAD_MESSAGE'],
  ['input of an object', '{"type":"input","sessionId":"s1","data":{"length":3}}', 'BAD_MESSAGE'],
  [
    'input of 32,000 nested objects',
    `{"type":"input","sessionId":"s1","data":${nested(32_000, '{"a":', '}', '1')}}`,
    'BAD_MESSAGE',
  ],
  [
    'input whose data only its prototype has',
    '{"type":"input","sessionId":"s1","__proto__":{"data":"x"}}',
    'BAD_MESSAGE',
  ],
  ['input to null', '{"type":"input","sessionId":null,"data":"x"}', 'BAD_MESSAGE'],
  ['input to 1', '{"type":"input","sessionId":1,"data":"x"}', 'BAD_MESSAGE'],
  ['input to an array', '{"type":"input","sessionId":["s1"],"data":"x"}', 'BAD_MESSAGE'],
  ['input to nobody', '{"type":"input","sessionId":"","data":"x"}', 'BAD_MESSAGE'],
  ['input to a long name', `{"type":"input","sessionId":"${'s'.repeat(129)}","data":"x"}`, 'BAD_MESSAGE'],
  ['a close of null', '{"type":"close","sessionId":null}', 'BAD_MESSAGE'],
  ['a close of an object', '{"type":"close","sessionId":{}}', 'BAD_MESSAGE'],
  ['a close of a long name', `{"type":"close","sessionId":"${'s'.repeat(129)}"}`, 'BAD_MESSAGE'],
  ['a detach of true', '{"type":"detach","sessionId":true}', 'BAD_MESSAGE'],
  ['a resize of an array', '{"type":"resize","sessionId":["s1"],"cols":80,"rows":24}', 'BAD_MESSAGE'],
];

describe('T33: malformed messages', () => {
  it.each(malformed)('answers %s with an error, and goes on', async (_what, frame, reason) => {
    const { server, client, sessionId, pty } = await bed.open();

    client.sendRaw(frame);

    expect(await client.next({ type: 'error' })).toMatchObject({
      type: 'error',
      reason,
      error: expect.any(String) as unknown,
    });
    client.send({ type: 'input', sessionId, data: 'next' });
    await client.sync();
    expect(pty.input).toBe('next');
    expect(pty.sizes).toHaveLength(1);
    expect(pty.closing).toBe(false);
    expect(client.messages.filter(({ type }) => type === 'error')).toHaveLength(1);
    expect(await listed(server)).toHaveLength(1);
  });

  it('never names a session when the type is unknown: old clients would print the error there', async () => {
    const { client, sessionId } = await bed.open();

    client.send({ type: 'explode', sessionId, requestId: 'r' });

    expect(await client.next({ type: 'error' })).toEqual({
      type: 'error',
      requestId: 'r',
      reason: 'UNKNOWN_TYPE',
      error: 'unknown message type',
    });
  });

  it('names the session of a message that is wrong in another field', async () => {
    const { client, sessionId } = await bed.open();

    client.send({ type: 'input', sessionId, requestId: 'r', data: 5 });

    expect(await client.next({ type: 'error' })).toMatchObject({ sessionId, requestId: 'r' });
  });

  it('ignores fields it does not know', async () => {
    const { client, sessionId, pty } = await bed.open();

    client.send({ type: 'input', sessionId, data: 'x', colour: 'red', cols: 'many', shell: 5 });
    await client.sync();

    expect(pty.input).toBe('x');
  });

  it('lets no message reach the prototype of all objects', async () => {
    const { client, sessionId } = await bed.open();
    const pollution = [
      '{"type":"create","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
      `{"type":"input","sessionId":"${sessionId}","data":"x","__proto__":{"polluted":1}}`,
      '{"__proto__":{"polluted":1,"type":"create"},"type":"list_tmux_sessions"}',
      '{"type":"resize","sessionId":"__proto__","cols":80,"rows":24}',
      '{"type":"create","requestId":"__proto__","cwd":"/__proto__"}',
    ];

    client.sendRaw(...pollution);
    await client.sync();

    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(client.messages.filter(({ type }) => type === 'error').map(({ reason }) => reason)).toEqual([
      'SESSION_NOT_FOUND',
    ]);
  });

  it('takes the last of doubled keys, as every reader of JSON does', async () => {
    const { client, sessionId, pty } = await bed.open();

    client.sendRaw(`{"type":"input","sessionId":"${sessionId}","data":"first","data":"last"}`);
    await client.sync();

    expect(pty.input).toBe('last');
  });

  it('types a replacement character for half a character, and names a session by it at most', async () => {
    const { client, sessionId, pty } = await bed.open();

    client.sendRaw(
      `{"type":"input","sessionId":"${sessionId}","data":"a\\ud800b\\udc00c"}`,
      `{"type":"input","sessionId":"\\ud800","data":"x"}`,
    );

    expect(await client.next({ type: 'error' })).toMatchObject({
      sessionId: '\ud800',
      reason: 'SESSION_NOT_FOUND',
    });
    expect(pty.input).toBe('a\ufffdb\ufffdc');
  });

  it('closes a connection whose text is not UTF-8 with 1007, and no other', async () => {
    const { server, client, sessionId, pty } = await bed.open();
    const broken = await bed.connect(server);

    broken.socket.send(Buffer.from([0x22, 0xff, 0xfe, 0x22]), { binary: false });

    expect((await broken.closed()).code).toBe(1007);
    pty.print('on');
    await client.untilOutput(sessionId, 'on');
  });

  it('T31, T32: closes a connection with a frame of more than 4 MiB with 1009, and the server lives', async () => {
    const { server, client, sessionId, pty } = await bed.open();
    const big = await bed.connect(server);
    const owned = await big.create();
    const bigsPty = server.ptys.last;

    const around = JSON.stringify({ type: 'input', sessionId: owned, data: '' }).length;
    big.send({ type: 'input', sessionId: owned, data: 'x'.repeat(4 * 1024 * 1024 - around + 1) });

    expect((await big.closed()).code).toBe(1009);
    expect(bigsPty.input).toBe('');
    pty.print('on');
    await client.untilOutput(sessionId, 'on');
    const answer: Answer = await server.request('GET', '/api/health');
    expect(answer.status).toBe(200);
  });

  it('takes a frame of exactly 4 MiB', async () => {
    const { client, sessionId, pty } = await bed.open();
    const around = JSON.stringify({ type: 'input', sessionId, data: '' }).length;
    const data = 'x'.repeat(4 * 1024 * 1024 - around);

    client.send({ type: 'input', sessionId, data });
    await client.sync();

    expect(pty.input.length).toBe(data.length);
  });
});

describe('T31, T32: frames that break the rules of WebSockets', () => {
  /** A client, and its TCP connection: what goes over that is no frame of its own. */
  async function connected(...args: Parameters<typeof bed.connect>): Promise<[TestClient, Socket]> {
    const [server, options] = args;
    let tcp!: Socket;
    const client = await bed.connect(server, {
      ...options,
      createConnection: () => (tcp = connect(server.port, '127.0.0.1')),
    });
    return [client, tcp];
  }

  /** As a client sends it, with a mask of zeros (RFC 6455, 5.2). `first`: FIN, RSV1 to RSV3, and the kind. */
  function frame(first: number, payload: Buffer | string = ''): Buffer {
    return Buffer.concat([
      Buffer.from([first, 0x80 | payload.length, 0, 0, 0, 0]),
      Buffer.from(payload as string),
    ]);
  }

  /** The head of a frame with so much in it. */
  function headOf(bytes: bigint): Buffer {
    const head = Buffer.alloc(14);
    head.set([0x81, 0x80 | 127]);
    head.writeBigUInt64BE(bytes, 2);
    return head;
  }

  const TEXT = 0x1;
  const CONTINUATION = 0x0;
  const FIN = 0x80;

  it.each([
    ['is compressed', frame(FIN | 0x40 | TEXT, deflateRawSync('{"type":"create"}')), 1002],
    ['has a second reserved bit', frame(FIN | 0x20 | TEXT, '{}'), 1002],
    ['has a third reserved bit', frame(FIN | 0x10 | TEXT, '{}'), 1002],
    ['is of a kind that is none', frame(FIN | 0x3, '{}'), 1002],
    ['is not masked', Buffer.from([FIN | TEXT, 2, 0x7b, 0x7d]), 1002],
    ['goes on with nothing', frame(FIN | CONTINUATION, '{}'), 1002],
    ['begins in the middle of another', Buffer.concat([frame(TEXT, '{'), frame(FIN | TEXT, '}')]), 1002],
    ['is a ping in parts', frame(0x9, 'x'), 1002],
    ['is a close of one byte', frame(FIN | 0x8, 'x'), 1002],
    [
      'is a close with a code that nobody sends',
      frame(FIN | 0x8, Buffer.from([1005 >> 8, 1005 & 0xff])),
      1002,
    ],
    ['says that it has a byte more than 4 MiB', headOf(4n * 1024n * 1024n + 1n), 1009],
    ['says that it has all bytes there are', headOf(2n ** 63n - 1n), 1009],
    [
      'comes in more than 16 parts',
      Buffer.concat([frame(TEXT), ...Array<Buffer>(16).fill(frame(CONTINUATION))]),
      1008,
    ],
  ])('one that %s closes its connection, and no other', async (_what, bytes, code) => {
    const { server, client: other, sessionId, pty } = await bed.open();
    const [client, tcp] = await connected(server);

    tcp.write(bytes);

    expect((await client.closed()).code).toBe(code);
    pty.print('on');
    await other.untilOutput(sessionId, 'on');
    expect(await listed(server)).toHaveLength(1);
  });

  it('16 parts are taken', async () => {
    const [client, tcp] = await connected(await bed.serve());
    const between = Array<Buffer>(14).fill(frame(CONTINUATION));
    tcp.write(Buffer.concat([frame(TEXT, '{'), ...between, frame(FIN | CONTINUATION, '}')]));
    expect(await client.next({ type: 'error' })).toMatchObject({ reason: 'UNKNOWN_TYPE' });
  });

  it('one that comes in more than 65,536 pieces is not waited for', async () => {
    const [client, tcp] = await connected(await bed.serve());
    tcp.setNoDelay(true).write(headOf(4n * 1024n * 1024n));
    const byte = Buffer.from('x');

    // Some may come two at a time.
    for (let pieces = 0; !client.closing; pieces++) {
      expect(pieces).toBeLessThan(200_000);
      if (tcp.writable) tcp.write(byte);
      await new Promise(setImmediate);
    }

    expect(client.closing.code).toBe(1008);
  });

  it('compressed ones are not agreed to, whoever offers them', async () => {
    const client = await bed.connect(await bed.serve(), { perMessageDeflate: true });
    expect(client.socket.extensions).toBe('');
  });
});

describe('T22: sizes', () => {
  const wrong = [
    '0',
    '-1',
    'null',
    '"80"',
    '80.5',
    '65536',
    '70000',
    '1e309',
    '4294967301',
    '{}',
    '[80]',
    'true',
    '1001',
  ];
  const frames = ['cols', 'rows'].flatMap((name) => [
    ...wrong.map((value): [string, string] => [`${name} of ${value}`, withField(name, value)]),
    [`no ${name}`, withField(name)] as [string, string],
  ]);
  frames.push(['rows of 501', withField('rows', '501')]);

  function withField(name: string, value?: string): string {
    const others = { type: '"resize"', sessionId: '"s1"', cols: '80', rows: '24' };
    const fields = Object.entries({ ...others, [name]: value }).filter(([, text]) => text !== undefined);
    return `{${fields.map(([field, text]) => `"${field}":${text}`).join(',')}}`;
  }

  it.each(frames)('refuses %s, and nothing reaches the process', async (_what, frame) => {
    const { client, sessionId, pty } = await bed.open();

    client.sendRaw(frame);

    expect(await client.next({ type: 'error' })).toMatchObject({ sessionId, reason: 'INVALID_SIZE' });
    client.send({ type: 'resize', sessionId, cols: 81, rows: 25 });
    await client.sync();
    expect(pty.sizes).toEqual([
      { columns: 80, rows: 24 },
      { columns: 81, rows: 25 },
    ]);
  });

  it.each([
    [1, 1],
    [1000, 500],
  ])('takes %s × %s', async (cols, rows) => {
    const { client, sessionId, pty } = await bed.open();

    client.send({ type: 'resize', sessionId, cols, rows });
    await client.sync();

    expect(pty.size).toEqual({ columns: cols, rows });
  });

  it('takes a size as JSON may write it', async () => {
    const { client, sessionId, pty } = await bed.open();

    client.sendRaw(`{"type":"resize","sessionId":"${sessionId}","cols":9.0e1,"rows":3e1}`);
    await client.sync();

    expect(pty.size).toEqual({ columns: 90, rows: 30 });
  });

  it('leaves a real terminal as it is, whatever is asked, and follows a burst of sizes to its last', async () => {
    const server = await bed.serve({ cwd: home() }, PtyModule);
    const client = await bed.connect(server);
    const sessionId = await client.create({ cols: 81, rows: 25 });
    const expectSize = async (when: string, size: string): Promise<void> => {
      client.send({ type: 'input', sessionId, data: `echo "${when} <$(stty size)>"\r` });
      await client.untilOutput(sessionId, new RegExp(`${when} <\\d+ \\d+>`));
      expect(client.output(sessionId)).toContain(`${when} <${size}>`);
    };
    await expectSize('before', '25 81');

    client.sendRaw(...frames.map(([, frame]) => frame));
    await client.sync();
    expect(client.of(sessionId, 'error').map(({ reason }) => reason)).toEqual(
      frames.map(() => 'INVALID_SIZE'),
    );
    await expectSize('after', '25 81');

    const sizes = Array.from({ length: 500 }, (_, n) => ({ cols: 600 - n, rows: 1 + n }));
    client.send(...sizes.map((size) => ({ type: 'resize', sessionId, ...size })));
    await expectSize('at last', '500 101');
  });
});
