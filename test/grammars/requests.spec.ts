import fc from 'fast-check';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { type Duplex } from 'node:stream';
import { type AdmissionRules, admit, type Credentials, type Refused } from '../../src/admission/admit.js';
import { isPageFile, LOGIN_PATH, OPEN_PATHS, PAGE_PATH, WEBSOCKET_PATH } from '../../src/admission/doors.js';
import { runs } from '../support/runs.js';
import { useTestBed } from '../support/test-bed.js';
import { type TestServer } from '../support/test-server.js';

/*
 * G2: requests and handshakes as bytes: any method, target, host, origin, `Sec-Fetch-*` and token, also twice, in any case, with
 * blanks where they may be and where they may not. Whatever comes: it is answered as `admit()` decides on what Node's
 * parser has read, or 400 when that could not; no WebSocket is opened that was not let in; and the server lives.
 */

/** `isGuarded`: sent to the server that asks for a token. `bytes`: in Latin-1. */
interface Case {
  readonly isGuarded: boolean;
  readonly bytes: string;
}

/** Cases that were found before: looked at first. */
const corpus = JSON.parse(readFileSync(join(__dirname, '../corpus/requests.json'), 'utf8')) as Case[];
const RUNS = runs(600);

const TOKEN = 'full-0123456789abcdefghijkl';
const READ_ONLY_TOKEN = 'read-0123456789abcdefghijkl';
const LISTED_ORIGIN = 'https://listed.example';
const MAX_HEADER_BYTES = 8192;
const KEY = 'dHJleCB0cmV4IHRyZXggdA==';
const MANY = 10_000;

type Header = readonly [name: string, value: string];

/** Mostly the first, so that what is wrong is wrong alone; and mostly once. */
function header(name: string, usual: string, ...others: readonly string[]): fc.Arbitrary<Header[]> {
  const value = fc.oneof(
    { weight: 20, arbitrary: fc.constant(usual) },
    { weight: 3, arbitrary: fc.constantFrom(...others) },
  );
  const count = fc.oneof(
    { weight: 30, arbitrary: fc.constant(1) },
    { weight: 1, arbitrary: fc.constantFrom(0, 2) },
  );
  return count.chain((times) =>
    fc.array(
      value.map((one): Header => [name, one]),
      { minLength: times, maxLength: times },
    ),
  );
}

/** Mostly missing. */
function seldom(headers: fc.Arbitrary<Header[]>): fc.Arbitrary<Header[]> {
  return fc.oneof({ weight: 3, arbitrary: fc.constant<Header[]>([]) }, { weight: 1, arbitrary: headers });
}

const method = fc.oneof(
  { weight: 12, arbitrary: fc.constant('GET') },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      'HEAD',
      'POST',
      'DELETE',
      'PATCH',
      'OPTIONS',
      'PUT',
      'CONNECT',
      'TRACE',
      'get',
      'BREW',
      '',
    ),
  },
);
const target = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      '/ws',
      '/ws?x=/api',
      '/api/sessions',
      '/api/sessions/s1',
      '/api/health',
      '/api/auth',
      '/',
    ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      ...[
        '/WS',
        '/ws/',
        '//ws',
        '/./ws',
        '/x/../ws',
        '/%77s',
        '/ws%00',
        '/ws;x',
        '/ws#',
        '/ws\\',
        '/w\xf3',
        '*',
        '',
      ],
      ...[
        'http://localhost/ws',
        'http://evil.example/api/sessions',
        'localhost:80',
        'ws',
        '/ ws',
        `/${'x'.repeat(2048)}`,
      ],
      ...[
        '/api/sessions/',
        '/api/openapi.json',
        '/assets/main.js',
        '/assets/../api/openapi.json',
        '/api/docs',
      ],
    ),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 8 }).map((end) => `/${end}`) },
);
const version = fc.oneof(
  { weight: 40, arbitrary: fc.constant('HTTP/1.1') },
  { weight: 1, arbitrary: fc.constantFrom('HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', 'http/1.1', '') },
);
const hosts = header(
  'Host',
  'localhost:3000',
  ...[
    'LOCALHOST',
    '127.0.0.1',
    '[::1]:3000',
    'evil.example',
    '127.0.0.1.evil.example',
    'localhost.',
    'localhost:0',
    '',
  ],
  ...[
    'localhost, evil.example',
    'localhost evil.example',
    'user@localhost',
    '0x7f.1',
    'l\xf3calhost',
    'localhost\0',
  ],
);
const origins = seldom(
  header(
    'Origin',
    'http://localhost:3000',
    ...[LISTED_ORIGIN, 'https://evil.example', 'null', '', 'http://localhost', 'https://localhost:3000'],
    ...[
      'http://localhost:3000, http://evil.example',
      'HTTP://LOCALHOST:3000',
      `${LISTED_ORIGIN}.evil.example`,
    ],
  ),
);
const fetchSite = seldom(header('Sec-Fetch-Site', 'same-origin', 'none', 'cross-site', 'same-site', '', 'x'));
const link = seldom(
  fc
    .tuple(
      header('Sec-Fetch-Site', 'cross-site', 'same-site', 'none'),
      header('Sec-Fetch-Mode', 'navigate', 'cors', 'websocket'),
      header('Sec-Fetch-Dest', 'document', 'iframe', 'empty'),
    )
    .map((several) => several.flat()),
);
const tokens = fc.oneof(
  header(
    'Authorization',
    `Bearer ${TOKEN}`,
    `bearer  ${READ_ONLY_TOKEN}`,
    'Bearer wrong',
    'Basic eDp5',
    TOKEN,
    '',
  ),
  seldom(header('Cookie', 'trex=full.99999999999.x', 'trex-3000=x', `trex=${TOKEN}`)),
);
const handshake = fc
  .tuple(
    header('Connection', 'Upgrade', 'keep-alive, Upgrade', 'close', 'upgrade,close'),
    header('Upgrade', 'websocket', 'WebSocket', 'h2c', 'websocket, h2c', ''),
    header('Sec-WebSocket-Version', '13', '8', '12', '013', ''),
    header('Sec-WebSocket-Key', KEY, 'short', ''),
    seldom(
      header(
        'Sec-WebSocket-Protocol',
        'trex.v2',
        ...['trex.v1', 'chat', 'chat, trex.v1', `trex.v2, bearer.${TOKEN}`, `bearer.${READ_ONLY_TOKEN}`],
      ),
    ),
  )
  .map((several) => several.flat());
const plain = fc.constant<Header[]>([['Connection', 'close']]);
const others = seldom(
  fc.constantFrom<Header[]>(
    [['Content-Length', '0']],
    [
      ['Content-Length', '0'],
      ['Content-Length', '1'],
    ],
    [['Transfer-Encoding', 'chunked']],
    [
      ['Transfer-Encoding', 'chunked'],
      ['Content-Length', '0'],
    ],
    [['Transfer-Encoding', 'xchunked']],
    [['Expect', '100-continue']],
    [['Expect', 'the impossible']],
    [['X-Forwarded-Host', 'localhost']],
    [['X-Forwarded-Proto', 'https']],
    [['X-HTTP-Method-Override', 'DELETE']],
    [['X Y', 'z']],
    [['', 'z']],
    [['X-Long', 'x'.repeat(MAX_HEADER_BYTES)]],
  ),
);
/** How a header is written down: as usual, as nobody does, and as nobody may. */
interface Writing {
  readonly spelling: (name: string) => string;
  readonly colon: string;
  readonly end: string;
}
const usual: Writing = { spelling: (name) => name, colon: ': ', end: '\r\n' };
const unusual: fc.Arbitrary<Writing> = fc.record({
  spelling: fc.constantFrom(
    (name: string) => name,
    (name: string) => name.toLowerCase(),
    (name: string) => name.toUpperCase(),
  ),
  colon: fc.constantFrom(':', ': ', ':\t', ':   '),
  end: fc.constantFrom('\r\n', ' \r\n', '\t\r\n'),
});
const wrong: fc.Arbitrary<Writing> = fc.oneof(
  fc.constantFrom('\n', '\r', '\r\r\n', '\0\r\n').map((end) => ({ ...usual, end })),
  fc.constantFrom(':\r\n ', ':\n', ': \x0b', ' : ', '').map((colon) => ({ ...usual, colon })),
  fc.constantFrom(' ', '\t', '\0').map((lead) => ({ ...usual, spelling: (name: string) => lead + name })),
);
/** Of one header among all, at most, as it may not be. */
function writingsOf(count: number): fc.Arbitrary<Writing[]> {
  const lines = fc.array(fc.oneof(fc.constant(usual), unusual), { minLength: count, maxLength: count });
  return fc
    .tuple(lines, fc.nat(10 * count), wrong)
    .map(([all, at, one]) => all.map((other, n) => (n === at ? one : other)));
}
const blank = fc.oneof(
  { weight: 60, arbitrary: fc.constant(' ') },
  { weight: 1, arbitrary: fc.constantFrom('  ', '\t', '') },
);
const rest = fc.oneof(
  { weight: 12, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: fc.constantFrom('0\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n', '\0\x81', '\r\n') },
);
/** Where it goes, and which headers only belong there. */
const door = fc.oneof(
  fc.tuple(
    fc.oneof({ weight: 6, arbitrary: fc.constant('/ws') }, { weight: 1, arbitrary: target }),
    handshake,
  ),
  fc.tuple(target, plain),
);
const head = fc
  .tuple(door, hosts, origins, fetchSite, link, tokens, others)
  .map(([[path, own], ...several]) => ({ path, headers: [...own, ...several.flat()] }));
const request = fc
  .tuple(method, blank, head, blank, version)
  .chain(([verb, before, { path, headers }, behind, protocol]) => {
    return fc
      .tuple(fc.shuffledSubarray(headers, { minLength: headers.length }), writingsOf(headers.length), rest)
      .map(([shuffled, writings, more]) => {
        const lines = shuffled.map(([name, value], at) => {
          const { spelling, colon, end } = writings[at]!;
          return `${spelling(name)}${colon}${value}${end}`;
        });
        return `${verb}${before}${path}${behind}${protocol}\r\n${lines.join('')}\r\n${more}`;
      });
  });
const anyCase: fc.Arbitrary<Case> = fc.record({ isGuarded: fc.boolean(), bytes: request });

interface Asked {
  readonly kind: 'request' | 'upgrade' | 'connect';
  readonly message: IncomingMessage;
}

/** What Node's parser makes of bytes: what was asked, in turn, and whether it gave up. */
interface Reading {
  readonly asked: Asked[];
  /** With which code it gave up. */
  error?: string;
}

/** A server that does nothing but read. */
class Reader {
  private reading: Reading = { asked: [] };
  private readonly server: Server;

  constructor() {
    this.server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, requireHostHeader: false });
    this.server.on('request', (message, response) => {
      this.reading.asked.push({ kind: 'request', message });
      response.end();
    });
    this.server.on('checkExpectation', (message, response) => this.server.emit('request', message, response));
    for (const kind of ['upgrade', 'connect'] as const)
      this.server.on(kind, (message: IncomingMessage, socket: Duplex) => {
        this.reading.asked.push({ kind, message });
        socket.destroy();
      });
    this.server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      this.reading.error ??= error.code ?? '';
      socket.destroy();
    });
  }

  async start(): Promise<void> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  async read(bytes: string): Promise<Reading> {
    this.reading = { asked: [] };
    const accepted = once(this.server, 'connection') as Promise<[Duplex]>;
    const socket = connect((this.server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => undefined).resume();
    const closed = once(socket, 'close');
    const [other] = await accepted;
    const over = once(other, 'close');
    socket.end(bytes, 'latin1');
    await Promise.all([closed, over]);
    return this.reading;
  }
}

const rules: AdmissionRules = {
  ...{
    webSocketPath: WEBSOCKET_PATH,
    loginPath: LOGIN_PATH,
    openPaths: OPEN_PATHS,
    pagePath: PAGE_PATH,
    isPageFile,
  },
  ...{ isPublic: false, isTokenRequired: false, allowedHosts: [], allowedOrigins: [LISTED_ORIGIN] },
  ...{ allowedUsers: [], maxConnections: MANY, maxConnectionsPerPeer: MANY },
};

/** Whether the application takes it for a handshake: Node hands over whatever wants to be upgraded, to anything. */
function isHandshake({ kind, message }: Asked): boolean {
  return kind === 'upgrade' && message.method === 'GET' && /^websocket$/i.test(message.headers.upgrade ?? '');
}

/** What may come of a request: how it is refused, or that it is let in. */
function decisionsOn(asked: Asked, isGuarded: boolean): (Refused | 'admitted')[] {
  const { headersDistinct: headers, method = '', url: target = '' } = asked.message;
  const facts = {
    isUpgrade: isHandshake(asked),
    method,
    target,
    scheme: 'http',
    hosts: headers.host ?? [],
    origins: headers.origin ?? [],
    fetchSites: headers['sec-fetch-site'] ?? [],
    fetchModes: headers['sec-fetch-mode'] ?? [],
    fetchDestinations: headers['sec-fetch-dest'] ?? [],
    load: { connections: 0, peerConnections: 0 },
  } as const;
  return credentialsIn(headers).map((credentials) => {
    const decision = admit({ ...facts, credentials }, { ...rules, isTokenRequired: isGuarded });
    assert.notEqual(decision, 'askForUser');
    return typeof decision === 'object' && 'status' in decision ? decision : 'admitted';
  });
}

/** What is shown; of a wrong token it is not known how many there were before. */
function credentialsIn(headers: NodeJS.Dict<string[]>): Credentials[] {
  const offers = (headers['sec-websocket-protocol'] ?? []).join().split(/\s*,\s*/);
  const shown = [
    ...(headers.authorization ?? []).flatMap((value) => /^bearer +(\S+)$/i.exec(value)?.slice(1) ?? []),
    ...offers.filter((offer) => offer.startsWith('bearer.')).map((offer) => offer.slice('bearer.'.length)),
  ];
  const [first] = shown;
  if (first === undefined) return [{ areShown: false, isCookie: false }];
  if (first === TOKEN) return [{ areShown: true, access: 'full', isCookie: false }];
  if (first === READ_ONLY_TOKEN) return [{ areShown: true, access: 'readOnly', isCookie: false }];
  return [undefined, 1].map((retryAfterSeconds) => ({ areShown: true, isCookie: false, retryAfterSeconds }));
}

/** How a handshake that was let in is answered (RFC 6455, 4.2). */
function answerTo({ headers }: IncomingMessage): number {
  const offers = (headers['sec-websocket-protocol'] ?? '').split(',').map((offer) => offer.trim());
  const protocols = offers.filter((offer) => offer !== '' && !offer.startsWith('bearer.'));
  if (headers['sec-websocket-version'] !== '13') return 426;
  if (protocols.length > 0 && !protocols.some((one) => one === 'trex.v1' || one === 'trex.v2')) return 400;
  if (headers['sec-websocket-key'] !== KEY || new Set(protocols).size < protocols.length) return 400;
  return 101;
}

type Outcome = 'unreadable' | 'cutOff' | 'refused' | 'admitted' | 'opened';

interface Told {
  readonly status: number;
  readonly text: string;
}

/** The first answer, interim ones passed over; status 0 when the server hung up without one. */
async function ask({ port }: TestServer, bytes: string, ends: boolean): Promise<Told> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.setEncoding('latin1');
  let received = '';
  socket.on('data', (text) => {
    received = `${received}${String(text)}`.replace(/^HTTP\/1\.1 100 [^]*?\r\n\r\n/, '');
    if (received.includes('\r\n\r\n')) socket.end();
  });
  const closed = once(socket, 'close');
  if (ends) socket.end(bytes, 'latin1');
  else socket.write(bytes, 'latin1');
  await closed;
  return { status: Number(/^HTTP\/1\.1 (\d+) /.exec(received)?.[1] ?? 0), text: received };
}

/** @returns what came of it, having looked that this is right */
function judge({ asked, error }: Reading, { status, text }: Told, isGuarded: boolean): Outcome {
  const [first] = asked;
  if (!first) {
    assert.equal(status, error === 'HPE_HEADER_OVERFLOW' ? 431 : 400);
    return 'unreadable';
  }
  // What comes behind it may be unreadable, or come too soon.
  if (error !== undefined && [0, 400].includes(status)) return 'cutOff';
  if (asked.length > 1 && status === 0) return 'cutOff';
  if (first.kind === 'connect') {
    assert.equal(status, 405);
    return 'refused';
  }
  const refusals: Refused[] = [];
  for (const decision of decisionsOn(first, isGuarded)) {
    if (decision !== 'admitted') refusals.push(decision);
  }
  if (refusals.length > 0) {
    const isTold = ({ detail }: Refused): boolean => text.includes(JSON.stringify(detail));
    const told = refusals.filter(
      (one) => one.status === status && (first.message.method === 'HEAD' || isTold(one)),
    );
    assert.notEqual(told.length, 0, `${text} instead of ${JSON.stringify(refusals)}`);
    return 'refused';
  }
  if (isHandshake(first)) assert.equal(status, answerTo(first.message));
  else assert.ok(status >= 200 && status < 500 && ![401, 403, 429].includes(status), text);
  return status === 101 ? 'opened' : 'admitted';
}

const HEALTH = 'GET /api/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

const bed = useTestBed();

describe('G2: requests and handshakes, byte by byte', () => {
  const reader = new Reader();
  beforeAll(() => reader.start());
  afterAll(() => reader.stop());

  it('are answered as the gate decides on what has been read, and none harms the server', async () => {
    const config = { allowedOrigins: [LISTED_ORIGIN], maxConnections: MANY, maxConnectionsPerPeer: MANY };
    const open = await bed.serve({ ...config, auth: 'none' });
    const guarded = await bed.serve({ ...config, token: TOKEN, readOnlyToken: READ_ONLY_TOKEN });
    const seen: Record<Outcome, number> = { unreadable: 0, cutOff: 0, refused: 0, admitted: 0, opened: 0 };

    await fc.assert(
      fc.asyncProperty(anyCase, async ({ isGuarded, bytes }) => {
        const server = isGuarded ? guarded : open;
        const reading = await reader.read(bytes);
        const told = await ask(server, bytes, reading.error !== undefined);
        seen[judge(reading, told, isGuarded)] += 1;
        assert.equal((await ask(server, HEALTH, false)).status, 200);
      }),
      { numRuns: RUNS, examples: corpus.map((one): [Case] => [one]) },
    );

    expect([...open.ptys.ptys, ...guarded.ptys.ptys]).toEqual([]);
    const { cutOff, ...others } = seen;
    expect(cutOff).toBeLessThan(RUNS / 5);
    expect(Math.min(...Object.values(others))).toBeGreaterThan(RUNS / 50);
  });
});
