import { upgradeHead } from '../support/handshake.js';
import { useTestBed } from '../support/test-bed.js';
import { type Answer, type TestServer } from '../support/test-server.js';

const bed = useTestBed();

/** What an answer may say besides: what it is, and how the connection goes on. */
const ABOUT_THE_MESSAGE = [
  'allow',
  'connection',
  'content-length',
  'content-type',
  'date',
  'etag',
  'keep-alive',
  'sec-websocket-version',
  'transfer-encoding',
  'upgrade',
  'www-authenticate',
];

const PROTECTION = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-dns-prefetch-control': 'off',
  'x-download-options': 'noopen',
  'x-frame-options': 'DENY',
  'x-permitted-cross-domain-policies': 'none',
  'x-xss-protection': '0',
};

const token = 'a-token-that-is-long-enough';
const evil = { Origin: 'http://evil.example' };

interface Case {
  readonly status: number;
  readonly of: string;
  readonly ask: (server: TestServer) => Promise<Answer>;
}

const answers: readonly Case[] = [
  { status: 200, of: 'the list of sessions', ask: (server) => server.request('GET', '/api/sessions') },
  { status: 200, of: 'health', ask: (server) => server.request('GET', '/api/health') },
  { status: 400, of: 'what is no HTTP', ask: (server) => server.raw('nonsense\r\n\r\n') },
  {
    status: 400,
    of: 'a broken handshake',
    ask: (server) => server.raw(handshake(server).replace('dHJleCB', '')),
  },
  { status: 403, of: 'no Host', ask: (server) => server.raw('GET / HTTP/1.1\r\n\r\n') },
  {
    status: 405,
    of: 'who wants a tunnel',
    ask: (server) => server.raw(`CONNECT localhost:22 HTTP/1.1\r\nHost: ${server.host}\r\n\r\n`),
  },
  { status: 403, of: 'a page of elsewhere', ask: (server) => server.request('GET', '/api/sessions', evil) },
  {
    status: 403,
    of: 'its WebSocket',
    ask: (server) => server.raw(upgradeHead(server.host, ['Origin: http://evil.example'])),
  },
  { status: 404, of: 'what is not there', ask: (server) => server.request('GET', '/api/nothing') },
  {
    status: 404,
    of: 'a WebSocket elsewhere',
    ask: (server) => server.raw(upgradeHead(server.host, [], '/wss')),
  },
  { status: 405, of: 'a method for elsewhere', ask: (server) => server.request('PUT', '/api/sessions') },
  { status: 426, of: 'the WebSocket’s address', ask: (server) => server.request('GET', '/ws') },
  {
    status: 426,
    of: 'an old WebSocket',
    ask: (server) => server.raw(handshake(server).replace('Version: 13', 'Version: 8')),
  },
  {
    status: 431,
    of: 'a head that is too large',
    ask: (server) => server.request('GET', '/api/sessions', { 'X-Much': 'x'.repeat(20_000) }),
  },
];

describe('T07 · what every answer says to browsers', () => {
  it.each(answers)('$status of $of', async ({ status, ask }) => {
    const server = await bed.serve();

    expectProtection(await ask(server), status);
  });

  it('401 without a token, at either door', async () => {
    const server = await bed.serve({ token });

    expectProtection(await server.request('GET', '/api/sessions'), 401);
    expectProtection(await server.raw(handshake(server)), 401);
  });

  it('408 of a request that takes too long', async () => {
    const server = await bed.serve({ headersSeconds: 1 });

    expectProtection(await server.raw('GET /api/sessions HTTP/1.1\r\n'), 408);
  });

  it('500 of a mistake of our own', async () => {
    const { server, sessionId, pty } = await bed.open();
    pty.close = (): never => {
      throw new Error('a bug');
    };

    expectProtection(await server.request('DELETE', `/api/sessions/${sessionId}`), 500);
  });

  it('503 of a connection too many', async () => {
    const server = await bed.serve({ maxConnections: 1 });
    await bed.connect(server);

    expectProtection(await server.raw(handshake(server)), 503);
  });
});

function handshake(server: TestServer): string {
  return upgradeHead(server.host);
}

function expectProtection({ status, headers }: Answer, expected: number): void {
  const said = Object.entries(headers).filter(([name]) => !ABOUT_THE_MESSAGE.includes(name));
  expect({ status, ...Object.fromEntries(said) }).toEqual({ status: expected, ...PROTECTION });
}
