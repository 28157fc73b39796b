import { newToken } from '../../src/admission/access-token.js';
import { upgradeHead } from '../support/handshake.js';
import { type Answer, type TestServer } from '../support/test-server.js';
import { useTestBed } from '../support/test-bed.js';

const token = newToken();
const readOnlyToken = newToken();

/** The answer to a handshake, as bytes on the wire. */
function handshake(server: TestServer, lines: readonly string[], target = '/ws'): Promise<Answer> {
  return server.raw(upgradeHead(server.host, lines, target));
}

const bearer = (shown: string): Record<string, string> => ({ Authorization: `Bearer ${shown}` });

describe('T11, T12: a server that asks for a token', () => {
  const bed = useTestBed();

  it('lets nobody in without it, at either door, and says what is needed', async () => {
    const server = await bed.serve({ token });
    const answers = [
      await server.request('GET', '/api/sessions'),
      await server.request('DELETE', '/api/sessions/s1'),
      await server.request('GET', '/api/openapi.json'),
      await server.request('GET', '/elsewhere'),
      await server.request('GET', `/api/sessions?token=${token}`),
      await server.request('GET', '/api/sessions', bearer('wrong')),
      await handshake(server, []),
      await handshake(server, [`Sec-WebSocket-Protocol: trex.v2, bearer.${token}x`]),
      await handshake(server, [], `/ws?token=${token}`),
    ];
    for (const { status, headers, body } of answers) {
      expect([status, headers['www-authenticate']]).toEqual([401, 'Bearer realm="trex"']);
      expect(JSON.parse(body)).toMatchObject({ status: 401, code: 'UNAUTHORIZED' });
      expect(body).toBe(answers[0]!.body);
    }
    expect(server.ptys.ptys).toEqual([]);
  });

  it('tells everybody whether it lives, that it asks for one, and whether they have shown it', async () => {
    const server = await bed.serve({ token });
    expect((await server.request('GET', '/api/health')).status).toBe(200);
    expect((await server.request('GET', '/api/health/ready')).status).toBe(200);
    const enabled = async (on: typeof server, headers = {}): Promise<unknown> =>
      JSON.parse((await on.request('GET', '/api/auth/enabled', headers)).body);
    expect(await enabled(server)).toEqual({ enabled: true, authenticated: false });
    expect(await enabled(server, bearer('wrong'))).toEqual({ enabled: true, authenticated: false });
    expect(await enabled(server, bearer(token))).toEqual({ enabled: true, authenticated: true });
    expect(await enabled(await bed.serve())).toEqual({ enabled: false, authenticated: true });
  });

  it('lets in whoever shows it in a header, or among the subprotocols, where it is not echoed', async () => {
    const server = await bed.serve({ token });
    expect((await server.request('GET', '/api/sessions', bearer(token))).status).toBe(200);
    for (const lines of [
      [`Authorization: Bearer ${token}`],
      [`Sec-WebSocket-Protocol: trex.v2, bearer.${token}`],
      ['Sec-WebSocket-Protocol: trex.v1', `Sec-WebSocket-Protocol: bearer.${token}`],
      [`Sec-WebSocket-Protocol: bearer.${token}`],
    ]) {
      const { status, headers } = await handshake(server, lines);
      expect([lines, status]).toEqual([lines, 101]);
      expect(JSON.stringify(headers)).not.toContain(token);
    }
  });

  it('answers eleven wrong ones in a row with 429, and the right one as before', async () => {
    const server = await bed.serve({ token });
    const statuses: number[] = [];
    for (let times = 0; times < 11; times += 1) {
      const { status } = await server.request('GET', '/api/sessions', bearer(`wrong${times}`));
      statuses.push(status);
    }
    expect(statuses).toEqual([...Array<number>(10).fill(401), 429]);
    const refused = await handshake(server, ['Authorization: Bearer wrong']);
    expect([refused.status, Number(refused.headers['retry-after'])]).toEqual([429, 6]);
    expect((await server.request('GET', '/api/sessions', bearer(token))).status).toBe(200);
  });

  it('keeps a browser logged in by a cookie', async () => {
    const server = await bed.serve({ token });
    const origin = { Origin: `http://${server.host}` };
    expect((await server.request('POST', '/api/auth', { ...origin, ...bearer('wrong') })).status).toBe(401);
    const { status, headers } = await server.request('POST', '/api/auth', { ...origin, ...bearer(token) });
    expect(status).toBe(204);
    const [cookie = ''] = headers['set-cookie'] ?? [];
    const named = new RegExp(
      `^trex-${server.port}=full\\.\\d+\\.[\\w-]{43}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict$`,
    );
    expect(cookie).toMatch(named);
    const [Cookie = ''] = cookie.split(';');
    expect((await server.request('GET', '/api/sessions', { Cookie })).status).toBe(200);
    expect((await handshake(server, [`Cookie: ${Cookie}`, `Origin: ${origin.Origin}`])).status).toBe(101);
    // T05: no page says that it asks.
    expect((await handshake(server, [`Cookie: ${Cookie}`])).status).toBe(403);
    expect((await server.request('DELETE', '/api/sessions/s1', { Cookie })).status).toBe(403);
    expect((await server.request('DELETE', '/api/sessions/s1', { Cookie, ...origin })).status).toBe(404);
    const out = await server.request('DELETE', '/api/auth', { Cookie, ...origin });
    expect([out.status, out.headers['set-cookie']]).toEqual([
      204,
      [`trex-${server.port}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict`],
    ]);
  });
});

describe('a client whose token only reads', () => {
  const bed = useTestBed();

  it('watches, and does nothing else', async () => {
    const server = await bed.serve({ token, readOnlyToken });
    const owner = await bed.connect(server, { protocols: ['trex.v1', `bearer.${token}`] });
    const sessionId = await owner.create();
    const pty = server.ptys.last;
    expect((await server.request('GET', '/api/sessions', bearer(readOnlyToken))).status).toBe(200);
    const closed = await server.request('DELETE', `/api/sessions/${sessionId}`, bearer(readOnlyToken));
    expect([closed.status, JSON.parse(closed.body)]).toMatchObject([403, { code: 'FORBIDDEN' }]);

    const watcher = await bed.connect(server, { protocols: ['trex.v1', `bearer.${readOnlyToken}`] });
    watcher.send({ type: 'attach', sessionId });
    await watcher.next({ type: 'attached', sessionId, inControl: false });
    pty.print('hello');
    await watcher.next({ type: 'output', sessionId, data: 'hello' });
    for (const message of [
      { type: 'create' },
      { type: 'input', sessionId, data: 'x' },
      { type: 'resize', sessionId, cols: 90, rows: 30 },
      { type: 'close', sessionId },
    ]) {
      watcher.send({ ...message, requestId: message.type });
      await watcher.next({ type: 'error', reason: 'READ_ONLY', requestId: message.type });
    }
    expect(server.ptys.ptys).toHaveLength(1);
    expect([pty.input.length, pty.closing]).toEqual([0, false]);
  });
});
