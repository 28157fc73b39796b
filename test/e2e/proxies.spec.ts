import { newToken } from '../../src/admission/access-token.js';
import { installed } from '../support/installed.js';
import { isMissing } from '../support/missing.js';
import { caddy, nginx, PROXY_NAME, PROXY_UID, shippedFile, useProxy } from '../support/proxy.js';
import { useTestBed } from '../support/test-bed.js';
import { type Answer } from '../support/test-server.js';
import { testConfig } from '../support/test-sessions.js';

const OWN_ORIGIN = `https://${PROXY_NAME}`;

/** Everybody on the loopback has many addresses: to a proxy, these are two clients. Nobody trusts them. */
const [ONE, OTHER] = ['127.0.0.2', '127.0.0.3'] as const;

const MOST_WRONG_TOKENS = 10;

const token = newToken();
const bearer = { Authorization: `Bearer ${token}` };

/** What docs/proxies.md says to set. */
const settings = { token, allowedHosts: [PROXY_NAME], trustedProxies: ['127.0.0.1'] };

/** What each answers to a name that it has not been given. nginx asks the server all the same. */
const answersToOthers: Readonly<Record<string, Partial<Answer>>> = {
  nginx: { status: 403 },
  Caddy: { status: 200, body: '' },
};

describe.each([nginx, caddy])('T14 · behind $name, as $file has it', (kind) => {
  if (installed(kind.program) === undefined) {
    isMissing(kind.program, 'TREX_REQUIRE_PROXIES');
    return;
  }
  const put = useProxy(kind);
  const bed = useTestBed();
  const asRoot = process.getuid?.() === 0 ? it : it.skip;

  it('REST is for those who show the token', async () => {
    const proxy = await put(await bed.serve(settings));
    const shown = await proxy.request('GET', '/api/sessions', { headers: bearer });
    expect([shown.status, shown.body]).toEqual([200, '[]']);
    expect((await proxy.request('GET', '/api/sessions')).status).toBe(401);
    expect((await proxy.handshake()).status).toBe(401);
    expect((await proxy.request('GET', '/api/health')).status).toBe(200);
  });

  it('a WebSocket carries what is typed and printed', async () => {
    const server = await bed.serve(settings);
    const proxy = await put(server);
    for (const options of [
      proxy.webSocket({ headers: { ...bearer, Origin: OWN_ORIGIN } }),
      { ...proxy.webSocket(), protocols: ['trex.v1', `bearer.${token}`] },
    ]) {
      const client = await bed.connect(server, options);
      const sessionId = await client.create();
      client.send({ type: 'input', sessionId, data: 'typed' });
      await client.sync();
      expect(server.ptys.last.input).toBe('typed');
      server.ptys.last.print('printed');
      await client.next({ type: 'output', sessionId, data: 'printed' });
      const closed = await proxy.request('DELETE', `/api/sessions/${sessionId}`, { headers: bearer });
      expect(closed.status).toBe(204);
      await client.next({ type: 'exit', sessionId, cause: 'closed' });
    }
  });

  it('frames of trex.v2 pass as they are', async () => {
    const server = await bed.serve(settings);
    const proxy = await put(server);
    const client = await bed.connect(server, {
      ...proxy.webSocket(),
      protocols: ['trex.v2', `bearer.${token}`],
    });
    client.send({ type: 'hello' });
    await client.next({ type: 'welcome' });
    const sessionId = await client.create();
    const { channel = 0 } = client.of(sessionId, 'session_created')[0]!;
    client.type(channel, 0, 'typed');
    await client.next({ type: 'input_acknowledged', sessionId, offset: 5 });
    const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    server.ptys.last.print(everyByte);
    await client.untilBytes(channel, everyByte.length);
    expect(client.bytesOn(channel)).toEqual(everyByte);
  });

  it('a browser that logs in gets a cookie for TLS alone, and comes in with it', async () => {
    const server = await bed.serve(settings);
    const proxy = await put(server);
    const Origin = OWN_ORIGIN;
    const { status, headers } = await proxy.request('POST', '/api/auth', { headers: { ...bearer, Origin } });
    const [set = ''] = headers['set-cookie'] ?? [];
    expect([status, set]).toEqual([
      204,
      expect.stringMatching(/^__Host-trex-443=\S+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict; Secure$/),
    ]);
    const [Cookie = ''] = set.split(';');
    expect((await proxy.request('GET', '/api/sessions', { headers: { Cookie } })).status).toBe(200);
    const client = await bed.connect(server, proxy.webSocket({ headers: { Cookie, Origin } }));
    await client.create();
    expect((await proxy.handshake({ headers: { Cookie } })).status).toBe(403);
  });

  it('pages of elsewhere are refused at both doors, and its own are not', async () => {
    const server = await bed.serve(settings);
    const proxy = await put(server);
    const doors = async (headers: Record<string, string>): Promise<number[]> => [
      (await proxy.request('GET', '/api/sessions', { headers: { ...bearer, ...headers } })).status,
      (await proxy.handshake({ headers: { ...bearer, ...headers } })).status,
    ];
    for (const Origin of [
      'https://evil.example',
      `http://${PROXY_NAME}`,
      `${OWN_ORIGIN}:8443`,
      `https://evil.${PROXY_NAME}`,
      'null',
    ]) {
      expect([Origin, ...(await doors({ Origin }))]).toEqual([Origin, 403, 403]);
    }
    expect(await doors({ 'Sec-Fetch-Site': 'cross-site' })).toEqual([403, 403]);
    expect(server.ptys.ptys).toEqual([]);
    expect(await doors({ Origin: OWN_ORIGIN, 'Sec-Fetch-Site': 'same-origin' })).toEqual([200, 101]);
    // Where it listens on another port than 443, that is a part of its name and of its pages' origin.
    const port = { Host: `${PROXY_NAME}:8443`, Origin: `${OWN_ORIGIN}:8443` };
    expect(await doors(port)).toEqual([200, 101]);
    expect(await doors({ ...port, Origin: OWN_ORIGIN })).toEqual([403, 403]);
  });

  it('no other name leads to it, whatever else the client says', async () => {
    const server = await bed.serve(settings);
    const proxy = await put(server);
    const headers = {
      ...bearer,
      Host: 'evil.example',
      'X-Forwarded-Host': PROXY_NAME,
      Forwarded: `host=${PROXY_NAME};proto=https;for=127.0.0.1`,
    };
    const expected = expect.objectContaining(answersToOthers[kind.name]!) as Answer;
    expect(await proxy.request('GET', '/api/sessions', { headers })).toEqual(expected);
    expect(await proxy.handshake({ headers })).toEqual(expected);
    expect(server.ptys.ptys).toEqual([]);
  });

  it('its name has to be among those that the server is told', async () => {
    const proxy = await put(await bed.serve({ ...settings, allowedHosts: [] }));
    const headers = { ...bearer, 'X-Forwarded-Host': 'localhost', Forwarded: 'host=localhost' };
    expect((await proxy.request('GET', '/api/sessions', { headers })).status).toBe(403);
    expect((await proxy.handshake({ headers })).status).toBe(403);
  });

  it('a server that has not been told to trust it believes nothing of what it says', async () => {
    const proxy = await put(await bed.serve({ ...settings, trustedProxies: [] }));
    const login = (Origin: string): Promise<Answer> =>
      proxy.request('POST', '/api/auth', { headers: { ...bearer, Origin } });
    expect((await login(OWN_ORIGIN)).status).toBe(403);
    const { headers } = await login(`http://${PROXY_NAME}`);
    expect(headers['set-cookie']?.[0]).toMatch(/^trex-80=.*; SameSite=Strict$/);
  });

  it('targets are judged as they were written', async () => {
    const proxy = await put(await bed.serve(settings));
    for (const target of ['//ws', '/%77s', '/x/../ws', '/ws/']) {
      expect([target, (await proxy.handshake({ headers: bearer }, target)).status]).toEqual([target, 404]);
    }
    expect((await proxy.handshake({ headers: bearer }, '/ws?x=%2e/')).status).toBe(101);
  });

  it('wrong tokens are counted by the client’s address, and not by the proxy’s', async () => {
    const proxy = await put(await bed.serve(settings));
    const guess = async (from: string): Promise<number> =>
      (await proxy.request('GET', '/api/sessions', { from, headers: { Authorization: 'Bearer wrong' } }))
        .status;
    for (let times = 0; times < MOST_WRONG_TOKENS; times += 1) expect(await guess(ONE)).toBe(401);
    expect([await guess(ONE), await guess(OTHER)]).toEqual([429, 401]);
  });

  it.each([ONE, '127.0.0.1'])(
    'a client (%s) that forges where it comes from changes nothing',
    async (from) => {
      const proxy = await put(await bed.serve(settings));
      const statuses: number[] = [];
      for (let times = 0; times <= MOST_WRONG_TOKENS; times += 1) {
        const forged = `203.0.113.${times}`;
        const headers = {
          Authorization: 'Bearer wrong',
          'X-Forwarded-For': forged,
          'X-Real-IP': forged,
          Forwarded: `for=${forged}`,
        };
        statuses.push((await proxy.request('GET', '/api/sessions', { from, headers })).status);
      }
      expect(statuses).toEqual([...Array<number>(MOST_WRONG_TOKENS).fill(401), 429]);
    },
  );

  it('a client that forges how it came changes nothing', async () => {
    const proxy = await put(await bed.serve(settings));
    const forged = { 'X-Forwarded-Proto': 'http', Forwarded: 'proto=http', ...bearer };
    const login = (Origin: string): Promise<Answer> =>
      proxy.request('POST', '/api/auth', { headers: { ...forged, Origin } });
    expect((await login(`http://${PROXY_NAME}`)).status).toBe(403);
    const { status, headers } = await login(OWN_ORIGIN);
    expect([status, headers['set-cookie']?.[0]]).toEqual([204, expect.stringMatching(/^__Host-.*; Secure$/)]);
  });

  it('each client has its own share of WebSockets', async () => {
    const server = await bed.serve({ ...settings, maxConnectionsPerPeer: 1 });
    const proxy = await put(server);
    await bed.connect(server, proxy.webSocket({ headers: bearer, from: ONE }));
    const again = await proxy.handshake({
      headers: { ...bearer, 'X-Forwarded-For': '203.0.113.1' },
      from: ONE,
    });
    expect(again.status).toBe(503);
    await bed.connect(server, proxy.webSocket({ headers: bearer, from: OTHER }));
  });

  it('output arrives whole, however much it is, and at once, however little', async () => {
    const server = await bed.serve(settings);
    const proxy = await put(server);
    const client = await bed.connect(server, proxy.webSocket({ headers: bearer }));
    const sessionId = await client.create();
    let all = '';
    const print = async (output: string): Promise<void> => {
      all += output;
      for (let at = 0; at < output.length; at += 16_384) {
        server.ptys.last.print(output.slice(at, at + 16_384));
      }
      await client.next({ type: 'output', sessionId, end: all.length });
    };
    // Nothing follows that could push it: it is awaited before the next is printed.
    for (let line = 0; line < 200; line += 1) await print(`${line} `);
    await print(Array.from({ length: 400_000 }, (_, line) => `line ${line}\r\n`).join(''));
    await print('.');
    expect(client.output(sessionId) === all).toBe(true);
  });

  it('sends who comes in clear text to HTTPS, and asks the server nothing', async () => {
    const server = await bed.serve(settings);
    const proxy = await put(server);
    const upgrade = { Connection: 'Upgrade', Upgrade: 'websocket' };
    for (const [path, headers] of [
      ['/api/sessions?x=1', bearer],
      ['/ws', { ...bearer, ...upgrade }],
    ] as const) {
      const answer = await proxy.plainRequest('GET', path, headers);
      expect([answer.status, answer.headers.location]).toEqual([308, `${OWN_ORIGIN}${path}`]);
    }
    expect(await server.connections()).toBe(0);
  });

  asRoot('no token is asked for: the proxy’s user has to be listed, and lets in everybody', async () => {
    const open = { ...settings, token: undefined };
    const refusing = await put(await bed.serve(open));
    expect((await refusing.request('GET', '/api/sessions')).status).toBe(403);
    expect((await refusing.handshake()).status).toBe(403);
    const letting = await put(await bed.serve({ ...open, allowedUids: [PROXY_UID] }));
    expect((await letting.request('GET', '/api/sessions')).status).toBe(200);
    expect((await letting.handshake()).status).toBe(101);
  });
});

describe('T14, T40: a WebSocket on which nobody types', () => {
  it('is not ended by nginx before the server gives it up', () => {
    const shipped = shippedFile(nginx);
    const { pingSeconds, deadSeconds } = testConfig();
    // Existing clients are given four times as long.
    const longestMs = 1000 * Math.max(2 * pingSeconds, 4 * deadSeconds);
    for (const name of ['proxy_read_timeout', 'proxy_send_timeout', 'send_timeout']) {
      const [, count, unit] = new RegExp(`^ *${name} (\\d+)([smh]);$`, 'm').exec(shipped) ?? [];
      const timeoutMs = Number(count) * { s: 1000, m: 60_000, h: 3_600_000 }[unit as 's' | 'm' | 'h'];
      expect([name, timeoutMs > longestMs]).toEqual([name, true]);
    }
  });

  it('is ended by Caddy never, unless it is told to', () => {
    expect(shippedFile(caddy)).not.toMatch(/^[^#]*\b(\w*timeout|stream_\w+) /m);
  });
});

describe('T14: a connection that Caddy keeps to the server', () => {
  const bed = useTestBed();

  it('is closed by it before the server closes it', async () => {
    const server = await bed.serve();
    const kept = await server.request('GET', '/api/health', { Connection: 'keep-alive' });
    const [, serverSeconds] = /timeout=(\d+)/.exec(String(kept.headers['keep-alive'])) ?? [];
    const [, caddySeconds] = /^\s*keepalive (\d+)s$/m.exec(shippedFile(caddy)) ?? [];
    expect(Number(caddySeconds)).toBeLessThan(Number(serverSeconds));
  });
});
