import { type Answer, listed, type TestServer } from '../support/test-server.js';
import { useOneServer, useTestBed } from '../support/test-bed.js';
import { until } from '../support/until.js';

const LISTED_ORIGIN = 'https://terminal.example.com';
const LISTED_EXTENSION = 'chrome-extension://abcdefghijklmnopabcdefghijklmnop';
const rules = { allowedOrigins: [LISTED_ORIGIN, LISTED_EXTENSION] };

/** A request's headers as bytes on the wire, so that any can be sent, twice or not at all. */
type Header = readonly [name: string, value: string];

type Door = (server: TestServer, headers: readonly Header[]) => Promise<Answer>;

const rest: Door = (server, headers) =>
  server.raw(head('GET /api/sessions HTTP/1.1', [...headers, ['Connection', 'close']]));

const closing: Door = (server, headers) =>
  server.raw(head('DELETE /api/sessions/s1 HTTP/1.1', [...headers, ['Connection', 'close']]));

const webSocket: Door = (server, headers) => server.raw(upgradeHead('/ws', headers));

const doors: readonly (readonly [name: string, door: Door, welcome: number])[] = [
  ['REST', rest, 200],
  ['the WebSocket', webSocket, 101],
];

function upgradeHead(target: string, headers: readonly Header[], extra: readonly Header[] = []): Buffer {
  return head(`GET ${target} HTTP/1.1`, [
    ...headers,
    ['Connection', 'Upgrade'],
    ['Upgrade', 'websocket'],
    ['Sec-WebSocket-Version', '13'],
    ['Sec-WebSocket-Key', 'dHJleCB0cmV4IHRyZXggdA=='],
    ...extra,
  ]);
}

function head(requestLine: string, headers: readonly Header[]): Buffer {
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  return Buffer.from([requestLine, ...lines, '', ''].join('\r\n'), 'utf8');
}

/** What a refusal must leave behind: nothing. */
async function expectNothingHappened(server: TestServer): Promise<void> {
  await until(async () => (await server.connections()) === 0, 'the server holds no connection');
  expect(server.ptys.ptys).toEqual([]);
  expect(await listed(server)).toEqual([]);
}

/** Not a name of the loopback, or not written as one is; the parser of HTTP itself refuses some, with 400. */
const hostileHosts: [host: string, status?: number][] = [
  ['evil.example'],
  ['evil.example:3000'],
  ['127.attacker.example'],
  ['127.0.0.1.evil.com'],
  ['localhost.evil.com'],
  ['evil.localhost.com'],
  ['evil.localhost'],
  ['localhost.'],
  ['localhost.localdomain'],
  ['notlocalhost'],
  ['localhostx'],
  ['2130706433'],
  ['0x7f000001'],
  ['0x7f.0.0.1'],
  ['127.1'],
  ['127.0.1'],
  ['127'],
  ['0177.0.0.1'],
  ['127.00.0.1'],
  ['127.0.0.256'],
  ['127.0.0.1.'],
  ['127.0.0.1.1'],
  ['126.0.0.1'],
  ['128.0.0.1'],
  ['10.0.0.1'],
  ['192.168.1.1:3000'],
  ['169.254.169.254'],
  ['0.0.0.0'],
  ['[::ffff:127.0.0.1]'],
  ['[::ffff:7f00:1]'],
  ['[::]'],
  ['[::2]'],
  ['[0:0:0:0:0:0:0:1]'],
  ['::1'],
  ['[::1'],
  ['[::1%lo]'],
  ['localhost:0'],
  ['localhost:65536'],
  ['localhost:080'],
  ['localhost:+80'],
  ['localhost:80a'],
  ['localhost:'],
  ['localhost:3000:3000'],
  ['localhost@evil.com'],
  ['evil.com@localhost'],
  ['user:pass@localhost'],
  ['localhost/'],
  ['localhost#'],
  ['localhost?x'],
  ['localhost\\evil.com'],
  ['localhost,evil.com'],
  ['localhost evil.com'],
  ['http://localhost'],
  ['*'],
  ['１２７.0.0.1'],
  ['127。0。0。1'],
  ['ⓛocalhost'],
  ['l\u043ecalhost'],
  ['127.0.0.1\0', 400],
  ['localhost\0.evil.com', 400],
  ['localhost\u007f', 400],
  ['a'.repeat(5000)],
  ['localhost' + '.localhost'.repeat(500)],
  [''],
];

const goodHosts = [
  'localhost',
  'LOCALHOST',
  'LocalHost:3000',
  '127.0.0.1',
  '127.0.0.1:1',
  '127.0.0.1:65535',
  '127.255.255.254',
  '127.1.2.3:8080',
  '[::1]',
  '[::1]:3000',
];

/** None of them is `http://localhost:3000`, which alone is the server's own when Host is `localhost:3000`. */
const hostileOrigins = [
  'https://evil.example',
  'http://evil.example',
  'http://evil.example:3000',
  'http://localhost.evil.com:3000',
  'http://localhost:3000.evil.com',
  'http://localhost@evil.com:3000',
  'http://user@localhost:3000',
  'http://evil.localhost:3000',
  'http://localhost.:3000',
  'https://localhost:3000',
  'ws://localhost:3000',
  'http://localhost:3001',
  'http://localhost',
  'http://localhost:80',
  'http://localhost:03000',
  'http://127.0.0.1:3000',
  'http://[::1]:3000',
  'http://localhost:3000/',
  'http://localhost:3000/api',
  'http://localhost:3000?',
  'http://localhost:3000#',
  'http://localhost:3000,',
  'http://localhost:3000, http://evil.example',
  'http://evil.example, http://localhost:3000',
  'http://localhost:3000 http://evil.example',
  'HTTP://LOCALHOST:3000',
  'http:localhost:3000',
  '//localhost:3000',
  'localhost:3000',
  'localhost',
  'null',
  'NULL',
  '',
  '*',
  'undefined',
  'about:blank',
  'file://',
  'file:///home/user/page.html',
  'data:',
  'blob:',
  'blob:http://localhost:3000',
  'chrome-extension://x',
  'chrome-extension://ponmlkjihgfedcbaponmlkjihgfedcba',
  'moz-extension://x',
  'safari-web-extension://x',
  'vscode-webview://x',
  'http://terminal.example.com',
  'https://terminal.example.com:443',
  'https://terminal.example.com:8443',
  'https://terminal.example.com/',
  'https://sub.terminal.example.com',
  'https://terminal.example.com.evil.example',
  'https://TERMINAL.example.com',
];

it('T01, T02: the tables are as long as they were asked to be', () => {
  expect(new Set(hostileHosts.map(([host]) => host)).size).toBeGreaterThanOrEqual(33);
  expect(new Set(hostileOrigins).size).toBeGreaterThanOrEqual(25);
});

describe.each(doors)('T02: the host, at the door of %s', (_name, door, welcome) => {
  const server = useOneServer(rules);

  it.each(hostileHosts)('%j is refused', async (host, status = 403) => {
    const answer = await door(server(), [['Host', host]]);

    expect(answer.status).toBe(status);
    if (status === 403) {
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(JSON.parse(answer.body)).toMatchObject({ status: 403, code: 'FORBIDDEN' });
    }
    await expectNothingHappened(server());
  });

  it.each(goodHosts)('%j comes in', async (host) => {
    expect((await door(server(), [['Host', host]])).status).toBe(welcome);
  });

  it('none at all is refused', async () => {
    expect([400, 403]).toContain((await door(server(), [])).status);
    await expectNothingHappened(server());
  });

  it('two are refused, also when each of them is good', async () => {
    for (const second of ['localhost', 'evil.example']) {
      const answer = await door(server(), [
        ['Host', 'localhost'],
        ['Host', second],
      ]);
      expect(answer.status).toBe(403);
    }
    await expectNothingHappened(server());
  });

  it('is not taken from what a proxy might say', async () => {
    const answer = await door(server(), [
      ['Host', 'evil.example'],
      ['X-Forwarded-Host', 'localhost'],
      ['Forwarded', 'host=localhost'],
      ['X-Forwarded-For', '127.0.0.1'],
    ]);

    expect(answer.status).toBe(403);
    await expectNothingHappened(server());
  });

  it('is looked at whatever else is asked for', async () => {
    const asked = [
      'GET /elsewhere HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
      'GET /api/sessions HTTP/1.1\r\nHost: evil.example\r\nExpect: the impossible\r\nConnection: close\r\n\r\n',
    ];
    for (const request of asked) expect((await server().raw(request)).status).toBe(403);
    await expectNothingHappened(server());
  });

  it('an HTTP/1.0 request needs one too', async () => {
    expect((await server().raw('GET /api/sessions HTTP/1.0\r\n\r\n')).status).toBe(403);
    await expectNothingHappened(server());
  });
});

describe.each(doors)('T01, T03, T04: the origin, at the door of %s', (_name, door, welcome) => {
  const server = useOneServer(rules);

  it.each(hostileOrigins)('%j is refused', async (origin) => {
    const answer = await door(server(), [
      ['Host', 'localhost:3000'],
      ['Origin', origin],
    ]);

    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.body)).toMatchObject({ status: 403, code: 'FORBIDDEN' });
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
    await expectNothingHappened(server());
  });

  it.each([
    ['localhost:3000', 'http://localhost:3000'],
    ['localhost', 'http://localhost'],
    ['localhost:80', 'http://localhost'],
    ['127.0.0.1:3000', 'http://127.0.0.1:3000'],
    ['[::1]:3000', 'http://[::1]:3000'],
    ['LOCALHOST:3000', 'http://localhost:3000'],
    ['localhost:3000', LISTED_ORIGIN],
    ['127.0.0.1:4000', LISTED_EXTENSION],
  ])('to %j, %j comes in', async (host, origin) => {
    const answer = await door(server(), [
      ['Host', host],
      ['Origin', origin],
    ]);

    expect(answer.status).toBe(welcome);
    // T06: its pages may read the answer, if they have been listed. A WebSocket's they may read anyway.
    const invited = welcome === 200 && rules.allowedOrigins.includes(origin) ? origin : undefined;
    expect(answer.headers['access-control-allow-origin']).toBe(invited);
  });

  it('T05: none at all comes in: not every client is a browser', async () => {
    expect((await door(server(), [['Host', 'localhost:3000']])).status).toBe(welcome);
  });

  it('two are refused, also when each of them is good', async () => {
    for (const second of ['http://localhost:3000', 'https://evil.example']) {
      const answer = await door(server(), [
        ['Host', 'localhost:3000'],
        ['Origin', 'http://localhost:3000'],
        ['Origin', second],
      ]);
      expect(answer.status).toBe(403);
    }
    await expectNothingHappened(server());
  });

  it('a listed one does not open the door under another name', async () => {
    const answer = await door(server(), [
      ['Host', 'evil.example'],
      ['Origin', LISTED_ORIGIN],
    ]);

    expect(answer.status).toBe(403);
    await expectNothingHappened(server());
  });
});

describe.each(doors)('T04: the origin null, at the door of %s', (_name, door, welcome) => {
  const bed = useTestBed();

  it('comes in when it is listed, and only then', async () => {
    const server = await bed.serve({ allowedOrigins: ['null'] });
    const other = await bed.serve();
    const headers: Header[] = [
      ['Host', 'localhost:3000'],
      ['Origin', 'null'],
    ];

    expect((await door(server, headers)).status).toBe(welcome);
    expect((await door(other, headers)).status).toBe(403);
  });
});

describe('T06: a page of elsewhere', () => {
  const bed = useTestBed();

  it('closes no session', async () => {
    const { server, sessionId, pty } = await bed.open();

    const answer = await closing(server, [
      ['Host', server.host],
      ['Origin', 'http://evil.example'],
    ]);

    expect(answer.status).toBe(403);
    expect((await listed(server)).map(({ id }) => id)).toEqual([sessionId]);
    expect(pty.closing).toBe(false);
  });

  it('is not told what it might do', async () => {
    const server = await bed.serve();

    const answer = await server.request('OPTIONS', '/api/sessions/s1', {
      Origin: 'http://evil.example',
      'Access-Control-Request-Method': 'DELETE',
    });

    expect(answer.status).toBe(403);
    expect(answer.headers).not.toHaveProperty('allow');
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
  });

  it.each(['/', '/api/nothing', '/api/health', '/api/docs', '/api/openapi.json', '/api/sessions/'])(
    'is refused at %s before anything else is looked at, with all the security headers',
    async (path) => {
      const server = await bed.serve();

      const answer = await server.request('GET', path, { Origin: 'http://evil.example' });

      expect(answer.status).toBe(403);
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(answer.headers['x-content-type-options']).toBe('nosniff');
      expect(answer.headers['cross-origin-resource-policy']).toBe('same-origin');
    },
  );
});

describe('T15: the WebSocket’s address', () => {
  const server = useOneServer();
  const host: Header = ['Host', 'localhost:3000'];

  it.each([
    '/',
    '/ws/',
    '/WS',
    '/Ws',
    '//ws',
    '/./ws',
    '/ws/..',
    '/x/../ws',
    '/%77s',
    '/ws%2f',
    '/ws%00',
    '/ws;x',
    '/ws#',
    '/wss',
    '/ws2',
    '/api/sessions',
    '/api/ws',
    'http://localhost:3000/ws',
    '/' + 'w'.repeat(3000),
    '*',
  ])('is not %j', async (target) => {
    const answer = await server().raw(upgradeHead(target, [host]));

    expect([400, 404]).toContain(answer.status);
    if (answer.status === 404) {
      expect(JSON.parse(answer.body)).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    }
    await expectNothingHappened(server());
  });

  it('may be followed by a query', async () => {
    expect((await server().raw(upgradeHead('/ws?x=/api', [host]))).status).toBe(101);
  });

  it.each([
    ['POST', {}, 405, 'METHOD_NOT_ALLOWED', { allow: 'GET, HEAD, OPTIONS' }],
    ['GET', { 'Sec-WebSocket-Key': 'short' }, 400, 'BAD_REQUEST', {}],
    ['GET', { 'Sec-WebSocket-Key': undefined }, 400, 'BAD_REQUEST', {}],
    ['GET', { 'Sec-WebSocket-Protocol': 'trex.v1, trex.v1' }, 400, 'BAD_REQUEST', {}],
    ['GET', { 'Sec-WebSocket-Version': '12' }, 426, 'UPGRADE_REQUIRED', { 'sec-websocket-version': '13' }],
    // Browsers of that draft name their page in Sec-WebSocket-Origin, which the gate does not know.
    ['GET', { 'Sec-WebSocket-Version': '8' }, 426, 'UPGRADE_REQUIRED', { 'sec-websocket-version': '13' }],
    ['GET', { 'Sec-WebSocket-Version': undefined }, 426, 'UPGRADE_REQUIRED', { upgrade: 'websocket' }],
  ])('answers a broken handshake (%s, %j) with %s', async (method, broken, status, code, told) => {
    const headers = {
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dHJleCB0cmV4IHRyZXggdA==',
      ...broken,
    };

    const answer = await server().raw(
      head(`${method} /ws HTTP/1.1`, [
        host,
        ['Connection', 'Upgrade'],
        ...Object.entries(headers).flatMap(([name, value]) =>
          value === undefined ? [] : [[name, value] as const],
        ),
      ]),
    );

    expect({ status: answer.status, type: answer.headers['content-type'] }).toEqual({
      status,
      type: 'application/problem+json',
    });
    expect(JSON.parse(answer.body)).toMatchObject({ status, code });
    expect(answer.headers).toMatchObject(told);
    await expectNothingHappened(server());
  });
});

describe('subprotocols', () => {
  const server = useOneServer();

  function offering(...offers: string[]): Promise<Answer> {
    return server().raw(
      upgradeHead(
        '/ws',
        [['Host', 'localhost:3000']],
        offers.map((offer) => ['Sec-WebSocket-Protocol', offer]),
      ),
    );
  }

  it('answers none to a client that offers none', async () => {
    const answer = await offering();

    expect(answer.status).toBe(101);
    expect(answer.headers).not.toHaveProperty('sec-websocket-protocol');
  });

  it.each([
    ['trex.v1'],
    ['trex.v1, chat'],
    ['chat, trex.v1'],
    ['bearer.secret, trex.v1'],
    ['trex.v1,bearer.secret'],
  ])('answers %j with trex.v1', async (offer) => {
    const answer = await offering(offer);

    expect(answer.status).toBe(101);
    expect(answer.headers['sec-websocket-protocol']).toBe('trex.v1');
  });

  it('takes a token alone for no offer, and never repeats it', async () => {
    const answer = await offering('bearer.secret');

    expect(answer.status).toBe(101);
    expect(JSON.stringify(answer)).not.toContain('secret');
    expect(answer.headers).not.toHaveProperty('sec-websocket-protocol');
  });

  it.each([['chat'], ['trex'], ['TREX.V1'], ['trex.v1x'], ['chat, bearer.secret'], ['trex.v999']])(
    'refuses %j, none of which it speaks',
    async (offer) => {
      const answer = await offering(offer);

      expect(answer.status).toBe(400);
      expect(JSON.parse(answer.body)).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
      expect(JSON.stringify(answer)).not.toContain('secret');
      await expectNothingHappened(server());
    },
  );

  it('does not compress: a few kilobytes could unfold into gigabytes', async () => {
    const answer = await server().raw(
      upgradeHead('/ws', [['Host', 'localhost:3000']], [['Sec-WebSocket-Extensions', 'permessage-deflate']]),
    );

    expect(answer.status).toBe(101);
    expect(answer.headers).not.toHaveProperty('sec-websocket-extensions');
  });
});
