import { Parser } from '@asyncapi/parser';
import Ajv, { type ValidateFunction } from 'ajv';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VERSION } from '../src/config/version.js';
import { SessionError } from '../src/core/session-error.js';
import { decodeFrame } from '../src/protocol/frames.js';
import { CLIENT_MESSAGE_TYPES } from '../src/protocol/messages.js';
import { ProtocolError } from '../src/protocol/protocol-error.js';
import { parseMessage } from '../src/terminal/parse-message.js';
import { FRAMES_PROTOCOL, JSON_PROTOCOL, type Protocol } from '../src/terminal/subprotocol.js';
import { pathsIn, pathsOfType } from './support/message-types.js';
import { useTestBed } from './support/test-bed.js';
import { type TestClient } from './support/test-client.js';
import { type TestServer } from './support/test-server.js';
import { until } from './support/until.js';
import { REASONS, SERVER_MESSAGE_TYPES } from './support/wire.js';

const KIB = 1024;
const TEXT = readFileSync(join(__dirname, '../docs/asyncapi.yaml'), 'utf8');

interface Described {
  readonly contentType?: string;
  readonly payload: object;
  readonly examples: readonly { readonly payload: unknown }[];
}

interface AsyncApi {
  readonly info: { readonly version: string };
  readonly operations: Readonly<
    Record<string, { readonly messages: readonly (Described & { readonly name: string })[] }>
  >;
}

const documented = new Parser().parse(TEXT);

/** With every reference followed. */
async function asyncApi(): Promise<AsyncApi> {
  const { document } = await documented;
  if (!document) throw new Error('the parser cannot read it');
  return document.json<AsyncApi>();
}

const operations = {
  [JSON_PROTOCOL]: { fromClient: 'receiveJson', fromServer: 'sendJson' },
  [FRAMES_PROTOCOL]: { fromClient: 'receiveFrames', fromServer: 'sendFrames' },
} as const;

const protocols = [JSON_PROTOCOL, FRAMES_PROTOCOL] as const;

/** What the document says goes one way, by name. */
async function messages(
  protocol: Protocol,
  from: 'fromClient' | 'fromServer',
): Promise<Map<string, Described>> {
  const operation = (await asyncApi()).operations[operations[protocol][from]];
  return new Map(operation?.messages.map((message) => [message.name, message]));
}

const ajv = new Ajv({ strict: false, formats: { binary: true }, allErrors: true });

/** Whether a value is what a message's schema describes; with `whole`, it may have no field beside. */
function checkerOf({ payload }: Described, { whole = false } = {}): ValidateFunction {
  return ajv.compile(whole ? closed(payload) : payload);
}

/** The schema, such that no object may have fields beside those it names. */
function closed<T>(schema: T): T {
  if (Array.isArray(schema)) return schema.map((one: unknown) => closed(one)) as T;
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).map(([key, value]) => [key, closed(value as unknown)]);
  const copy = Object.fromEntries(entries) as T;
  return 'properties' in schema ? { ...copy, additionalProperties: false } : copy;
}

/** The reason the server's parser refuses a message for, if it does. */
function refusalOf(payload: object, protocol: Protocol): string | undefined {
  try {
    parseMessage(Buffer.from(JSON.stringify(payload)), protocol);
    return undefined;
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
}

describe('docs/asyncapi.yaml', () => {
  it('is taken by the AsyncAPI parser without a remark', async () => {
    expect((await documented).diagnostics).toEqual([]);
  });

  it('is of this version', async () => {
    expect((await asyncApi()).info.version).toBe(VERSION);
  });

  it.each(protocols)('has every message that a client of %s may send, and no other', async (protocol) => {
    const isV2 = protocol === FRAMES_PROTOCOL;
    const taken = CLIENT_MESSAGE_TYPES.filter((type) => refusalOf({ type }, protocol) !== 'UNKNOWN_TYPE');
    const names = taken.map((type) => (isV2 && type === 'input' ? 'input_frame' : type));
    expect([...(await messages(protocol, 'fromClient')).keys()].sort()).toEqual([...names].sort());
  });

  it.each(protocols)('has every message that a client of %s is sent, and no other', async (protocol) => {
    const names = Object.entries(SERVER_MESSAGE_TYPES).flatMap(([type, by]) => {
      if (!by.includes(protocol)) return [];
      return protocol === FRAMES_PROTOCOL && type === 'output' ? ['output_frame'] : [type];
    });
    expect([...(await messages(protocol, 'fromServer')).keys()].sort()).toEqual(names.sort());
  });

  it('has every reason, and no other', async () => {
    const error = (await messages(JSON_PROTOCOL, 'fromServer')).get('error');
    const { properties } = error?.payload as { properties: { reason: { enum: string[] } } };
    expect([...properties.reason.enum].sort()).toEqual(Object.keys(REASONS).sort());
  });
});

describe('its fields', () => {
  /** Of all messages that go one way, in whichever protocol. */
  async function described(from: 'fromClient' | 'fromServer'): Promise<string[]> {
    const paths = new Set<string>();
    for (const protocol of protocols) {
      for (const [name, { payload, contentType }] of await messages(protocol, from)) {
        if (contentType === undefined) pathsIn(payload, name, paths);
      }
    }
    return [...paths].sort();
  }

  it('are those of what the server sends', async () => {
    // Which reasons it may have is another test's to say.
    const isReason = (path: string): boolean => path.includes('.reason ');
    const sent = [...pathsOfType('ServerMessage')].filter((path) => !isReason(path));
    expect((await described('fromServer')).filter((path) => !isReason(path))).toEqual(sent.sort());
  });

  it('are those of what the server reads', async () => {
    /** What its parser makes of fields on the wire, and what a binary frame has besides. */
    const onTheWire: Record<string, readonly string[]> = { size: ['cols', 'rows'], bytes: ['data'] };
    const read = [...pathsOfType('ClientMessage')].filter((path) => path !== 'input.offset');
    const names = read.flatMap((path) => {
      const [type, field = ''] = path.split('.');
      return onTheWire[field]?.map((name) => `${type}.${name}`) ?? [path];
    });
    // Either one pair, or a list of them.
    names.push('acknowledge.sessionId', 'acknowledge.offset');
    expect(await described('fromClient')).toEqual([...new Set(names)].sort());
  });
});

describe.each(protocols)('its examples for %s', (protocol) => {
  it.each(['fromClient', 'fromServer'] as const)('are what its schemas describe (%s)', async (from) => {
    for (const [name, message] of await messages(protocol, from)) {
      const check = checkerOf(message, { whole: from === 'fromServer' });
      expect(message.examples.length).toBeGreaterThan(0);
      for (const { payload } of message.examples) {
        check(payload);
        expect({ name, payload, errors: check.errors }).toEqual({ name, payload, errors: null });
      }
    }
  });

  it('are taken by the server, frames too', async () => {
    for (const [name, { examples, contentType }] of await messages(protocol, 'fromClient')) {
      for (const { payload } of examples) {
        if (contentType === undefined) {
          expect(refusalOf(payload as object, protocol)).toBeUndefined();
        } else {
          const { kind, channel, bytes } = decodeFrame(Buffer.from(payload as string, 'latin1'));
          expect([name, kind, channel, bytes.length > 0]).toEqual(['input_frame', 'input', 1, true]);
        }
      }
    }
  });
});

/** What any field might be sent as. */
const VALUES: readonly unknown[] = [
  ...[undefined, null, true, false, 0, 1, -1, 0.5, 500, 501, 1000, 1001, 2 ** 53 - 1, 2 ** 53, 1e300],
  ...['', '/', 's1', '/'.repeat(128), '/'.repeat(129), '/'.repeat(4096), '/'.repeat(4097)],
  ...[[], {}, [null], ['s1'], [{}], [{ sessionId: 's1' }], [{ offset: 1 }]],
  ...[0, 1, -1, 0.5, '0', null].map((offset) => [{ sessionId: 's1', offset }]),
  ...[0, 1, -1, 0.5, '0', null].map((from) => [{ sessionId: 's1', from }]),
  ...[true, false, 1, null].map((readOnly) => [{ sessionId: 's1', readOnly }, { sessionId: 's2' }]),
  ...['', 's'.repeat(129), 1, null].map((sessionId) => [{ sessionId, offset: 1 }]),
  ...[1024, 1025].map((length) => Array.from({ length }, () => ({ sessionId: 's1', offset: 1 }))),
];

const FIELDS = ['requestId', 'sessionId', 'cols', 'rows', 'cwd', 'shell', 'from', 'readOnly'].concat(
  ...['data', 'offset', 'sessions', 'resumeToken', 'persistent', 'interval', 'colour'],
);

/** Where the server decides later, or more kindly: which paths and shells are good is not the parser's to say. */
function isDecidedElsewhere(field: string, value: unknown): boolean {
  return (field === 'cwd' || field === 'shell') && typeof value === 'string' && !value.startsWith('/');
}

describe.each(protocols)('its schemas for %s', (protocol) => {
  it('take and refuse what the server takes and refuses', async () => {
    for (const [name, message] of await messages(protocol, 'fromClient')) {
      if (message.contentType !== undefined) continue;
      const check = checkerOf(message);
      for (const example of message.examples) {
        for (const field of FIELDS) {
          for (const value of VALUES) {
            if (isDecidedElsewhere(field, value)) continue;
            const payload = { ...(example.payload as object), [field]: value };
            const sent = JSON.parse(JSON.stringify(payload)) as object;
            const told = { name, field, value, taken: refusalOf(sent, protocol) === undefined };
            expect(told).toEqual({ ...told, taken: check(sent) });
          }
        }
      }
    }
  });
});

describe.each(['hello', 'acknowledge'])('its schema for %s', (type) => {
  it.each([1024, 1025])('takes and refuses %i sessions as the server does', async (length) => {
    const check = checkerOf((await messages(FRAMES_PROTOCOL, 'fromClient')).get(type)!);
    const sessions = Array.from({ length }, (_, n) => ({ sessionId: `s${n}`, offset: 1 }));
    expect(check({ type, sessions })).toBe(length === 1024);
    expect(refusalOf({ type, sessions }, FRAMES_PROTOCOL)).toBe(length === 1024 ? undefined : 'BAD_MESSAGE');
  });
});

describe('its schemas for frames', () => {
  it.each([0, 15, 16, 17, 65_552, 65_553])(
    'take and refuse a length of %i as the server does',
    async (length) => {
      const check = checkerOf((await messages(FRAMES_PROTOCOL, 'fromClient')).get('input_frame')!);
      const frame = Buffer.alloc(length);
      if (length > 0) frame.writeUInt8(2);
      const read = (): unknown => decodeFrame(frame);
      expect(check(frame.toString('latin1'))).toBe(length >= 16 && length <= 65_552);
      if (check(frame.toString('latin1'))) read();
      else expect(read).toThrow();
    },
  );
});

describe('its schemas for what the server sends', () => {
  const bed = useTestBed();
  const seen = new Map<Protocol, Set<string>>(protocols.map((protocol) => [protocol, new Set()]));
  const wrong: unknown[] = [];

  /** A client whose messages are all compared with the document, to the last field. */
  async function watched(server: TestServer, protocol: Protocol, hello = {}): Promise<TestClient> {
    const described = await messages(protocol, 'fromServer');
    const checks = new Map(
      [...described].map(([name, message]) => [name, checkerOf(message, { whole: true })]),
    );
    const client = await bed.connect(server, { protocols: [protocol] });
    client.socket.on('message', (data: Buffer, isBinary: boolean) => {
      const payload: unknown = isBinary ? data.toString('latin1') : JSON.parse(data.toString());
      const name = isBinary ? 'output_frame' : (payload as { type: string }).type;
      seen.get(protocol)?.add(name);
      const check = checks.get(name);
      if (!check?.(payload)) wrong.push({ protocol, payload, errors: check?.errors });
    });
    if (protocol === FRAMES_PROTOCOL) {
      client.send({ type: 'hello', requestId: 'h', ...hello });
      await client.next({ type: 'welcome' });
    }
    return client;
  }

  /** The client acknowledges what it is shown of a session, at once. */
  function consumes(client: TestClient, sessionId: string): void {
    client.socket.on('message', (_data, isBinary) => {
      const last = client.frames.at(-1);
      if (isBinary && last) {
        client.send({ type: 'acknowledge', sessionId, offset: last.offset + last.bytes.length });
      }
    });
  }

  it.each(protocols)('describe the life of a session and its viewers to a client of %s', async (protocol) => {
    const server = await bed.serve();
    const client = await watched(server, protocol);
    client.send({ type: 'watch', requestId: 'w' });
    client.send({ type: 'create', requestId: 'c', cols: 80, rows: 24 });
    const { sessionId } = await client.next({ type: 'session_created' });
    await until(() => server.ptys.ptys.length > 0, 'the process runs');
    const pty = server.ptys.last;
    pty.print('hello €\r\n\x1b]2;vim\x07\x1b]7;file:///srv\x07');
    client.send({ type: 'resize', sessionId, cols: 100, rows: 30 });
    await client.sync();
    const other = await watched(server, protocol);
    other.send({ type: 'attach', sessionId, requestId: 'a' }, { type: 'watch' });
    await other.next({ type: 'attached' });
    other.send({ type: 'resize', sessionId, cols: 90, rows: 20 });
    other.send({ type: 'attach', sessionId, from: 3, readOnly: true });
    await other.next({ type: 'attached', offset: 3 });
    other.send({ type: 'resize', sessionId, cols: 90, rows: 20, requestId: 'r' }, { type: 'unheard_of' });
    await other.sync();
    pty.end({ code: 137, signal: 'SIGKILL' });
    await client.next({ type: 'exit' });
    await other.next({ type: 'exit' });

    server.ptys.failure = new SessionError('SPAWN_FAILED', 'the process could not be started');
    client.send({ type: 'create', cols: 80, rows: 24 }, { type: 'create', shell: 'none' });
    await client.next({ type: 'exit', cause: 'failed' });
    await client.sync();
    expect(wrong).toEqual([]);
  });

  it('describe what a viewer is told that stood still while others read', async () => {
    const server = await bed.serve({ logBytes: 256 * KIB });
    const reader = await watched(server, FRAMES_PROTOCOL);
    reader.send({ type: 'create', cols: 80, rows: 24 });
    const { sessionId, channel } = await reader.next({ type: 'session_created' });
    await until(() => server.ptys.ptys.length > 0, 'the process runs');
    const pty = server.ptys.last;
    consumes(reader, sessionId!);
    const clock = server.stopTheClock();
    const still = await Promise.all(protocols.map((protocol) => watched(server, protocol)));
    for (const viewer of still) {
      viewer.send({ type: 'attach', sessionId }, { type: 'acknowledge', sessionId, offset: 0 });
      await viewer.sync();
    }

    let printed = 0;
    const print = (): void => {
      pty.print(Buffer.alloc(64 * KIB, 'x'));
      printed += 64 * KIB;
    };
    while (!pty.paused) print();
    await reader.untilBytes(channel!, printed);
    await reader.sync();
    clock.advance(10_000);
    for (let more = 0; more < 8; more++) {
      print();
      await reader.untilBytes(channel!, printed);
    }
    for (const viewer of still) {
      viewer.send({ type: 'acknowledge', sessionId, offset: 128 * KIB });
      await viewer.next({ type: 'gap' });
    }
    expect(wrong).toEqual([]);
  });

  it('describe how a client goes on whose connection was lost, what it missed and what has ended', async () => {
    const server = await bed.serve({ logBytes: 256 * KIB });
    const client = await watched(server, FRAMES_PROTOCOL);
    const { resumeToken } = client.messages[0]!;
    const size = { cols: 80, rows: 24 };
    client.send({ type: 'create', requestId: 'c', persistent: true, ...size }, { type: 'create', ...size });
    const { sessionId, channel } = await client.next({ type: 'session_created', requestId: 'c' });
    const { sessionId: closed } = await client.next({ type: 'session_created' });
    await until(() => server.ptys.ptys.length > 1, 'the processes run');
    client.type(channel!, 0, 'ls\r');
    await client.next({ type: 'input_acknowledged', sessionId, offset: 3 });
    client.type(channel!, 4, 'x');
    await client.next({ type: 'error', reason: 'BAD_INPUT_OFFSET', inputOffset: 3 });
    client.send({ type: 'close', sessionId: closed });
    await client.next({ type: 'exit', sessionId: closed });

    const clock = server.stopTheClock();
    const reader = await watched(server, FRAMES_PROTOCOL);
    reader.send({ type: 'attach', sessionId });
    const { channel: read } = await reader.next({ type: 'attached' });
    consumes(reader, sessionId!);
    await client.terminate();
    await reader.next({ type: 'control', inControl: true });
    const [pty] = server.ptys.ptys;
    let printed = 0;
    const print = async (): Promise<void> => {
      pty!.print(Buffer.alloc(64 * KIB, 'x'));
      printed += 64 * KIB;
      await reader.untilBytes(read!, printed);
      await reader.sync();
    };
    while (!pty!.paused) await print();
    clock.advance(10_000);
    while (printed < 1024 * KIB) await print();

    const sessions = [{ sessionId: closed, from: 0 }, { sessionId: 's99' }];
    const back = await watched(server, FRAMES_PROTOCOL, { resumeToken, sessions });
    const gap = { offset: 0, end: printed - 256 * KIB };
    expect(back.messages[0]).toMatchObject({ resumeToken });
    expect(back.messages[0]!.sessions).toEqual([
      expect.objectContaining({ sessionId: closed, reason: 'SESSION_ENDED', cause: 'closed' }),
      expect.objectContaining({ sessionId: 's99', reason: 'SESSION_NOT_FOUND' }),
      expect.objectContaining({ sessionId, requestId: 'c', inputOffset: 3, gap, modes: '\x18\x1b[!p' }),
    ]);
    for (const protocol of protocols) {
      const viewer = await watched(server, protocol);
      viewer.send({ type: 'attach', sessionId, from: 1 });
      const attached = await viewer.next({ type: 'attached' });
      expect(attached.gap).toEqual({ ...gap, offset: 1 });
      const isText = protocol === JSON_PROTOCOL;
      const told = isText ? (await viewer.next({ offset: gap.end, end: gap.end })).data : attached.modes;
      expect(told).toBe('\x18\x1b[!p');
    }
    expect(wrong).toEqual([]);
  });

  it.each(protocols)('have all been used for a client of %s by now', async (protocol) => {
    expect([...(seen.get(protocol) ?? [])].sort()).toEqual(
      [...(await messages(protocol, 'fromServer')).keys()].sort(),
    );
  });
});
