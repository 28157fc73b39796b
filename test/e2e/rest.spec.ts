import { type Answer, listed, rename, type TestServer } from '../support/test-server.js';
import { testConfig } from '../support/test-sessions.js';
import { useTestBed } from '../support/test-bed.js';
import { until } from '../support/until.js';

const bed = useTestBed();

/** RFC 9457, with our stable code; every error of the API looks like this. */
function expectProblem(answer: Answer, status: number, code: string): void {
  expect({ status: answer.status, type: answer.headers['content-type'] }).toEqual({
    status,
    type: expect.stringMatching(/^application\/problem\+json/) as unknown,
  });
  expect(JSON.parse(answer.body)).toEqual({
    type: 'about:blank',
    title: expect.any(String) as unknown,
    status,
    detail: expect.any(String) as unknown,
    code,
  });
}

function expectSecurityHeaders({ headers }: Answer): void {
  expect(headers['x-content-type-options']).toBe('nosniff');
  expect(headers['cross-origin-resource-policy']).toBe('same-origin');
  expect(headers['referrer-policy']).toBe('no-referrer');
  expect(headers['content-security-policy']).toMatch(/^default-src 'none';.*frame-ancestors 'none'/);
  expect(headers).not.toHaveProperty('x-powered-by');
  expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
}

describe('T006, T007: GET /api/sessions', () => {
  it('answers [] when there are none', async () => {
    const server = await bed.serve();

    const answer = await server.request('GET', '/api/sessions');

    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(answer.body).toBe('[]');
    expectSecurityHeaders(answer);
  });

  it('describes each session, of whichever client, in the order of their creation', async () => {
    const server = await bed.serve();
    server.stopTheClock();
    const one = await bed.connect(server);
    const other = await bed.connect(server);
    await one.create();
    await other.create({ shell: '/bin/sh', persistent: true, cwd: '/srv' });
    await one.create({ cols: undefined, rows: undefined });

    const createdAt = '2026-11-23T00:00:00.000Z';
    const { cwd } = testConfig();
    expect(await listed(server)).toEqual([
      { id: 's1', name: 'bash-1', shellType: 'bash', status: 'active', persistent: false, createdAt, cwd },
      { id: 's2', name: 'sh-1', shellType: 'sh', status: 'active', persistent: true, createdAt, cwd: '/srv' },
      {
        id: 's3',
        name: 'bash-2',
        shellType: 'bash',
        status: 'connecting',
        persistent: false,
        createdAt,
        cwd,
      },
    ]);
  });

  it('tells how an ended session ended', async () => {
    const { server, client, sessionId, pty } = await bed.open();
    pty.end({ code: 137, signal: 'SIGKILL' });
    await client.next({ type: 'exit', sessionId });

    expect(await listed(server)).toEqual([
      expect.objectContaining({ id: sessionId, status: 'exited', exitCode: 137, signal: 'SIGKILL' }),
    ]);
  });

  it('tells what programs say of themselves, and only what can be shown', async () => {
    const { server, client, sessionId, pty } = await bed.open();
    pty.print('\x1b]0;vim \u202eREADME.md\x07\x1b]7;file:///srv/a%20b\x1b\\ready');
    await client.untilOutput(sessionId, 'ready');

    expect(await listed(server)).toEqual([
      expect.objectContaining({ id: sessionId, title: 'vim README.md', cwd: '/srv/a b' }),
    ]);
  });

  it('describes one session at its own address', async () => {
    const { server, sessionId } = await bed.open();

    const answer = await server.request('GET', `/api/sessions/${sessionId}`);

    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual((await listed(server))[0]);
    expectSecurityHeaders(answer);
  });

  it('answers HEAD as GET, without the body', async () => {
    const { server, sessionId } = await bed.open();

    for (const path of ['/api/sessions', `/api/sessions/${sessionId}`, '/api/health']) {
      const get = await server.request('GET', path);
      const head = await server.request('HEAD', path);
      expect({ status: head.status, body: head.body }).toEqual({ status: 200, body: '' });
      expect(head.headers['content-length']).toBe(get.headers['content-length']);
      expect(head.headers['content-type']).toBe(get.headers['content-type']);
    }
    const missing = await server.request('HEAD', '/api/sessions/s99');
    expect(missing.status).toBe(404);
    expect(missing.headers['content-type']).toMatch(/^application\/problem\+json/);
  });
});

describe('T008, T009: DELETE /api/sessions/:id', () => {
  it('answers 204 with nothing, and the session is gone', async () => {
    const { server, client, sessionId, pty } = await bed.open();

    const answer = await server.request('DELETE', `/api/sessions/${sessionId}`);

    expect({ status: answer.status, body: answer.body }).toEqual({ status: 204, body: '' });
    expect(pty.isOver).toBe(true);
    expect(await listed(server)).toEqual([]);
    expect(await client.next({ type: 'exit' })).toEqual({
      type: 'exit',
      sessionId,
      code: 129,
      signal: 'SIGHUP',
      cause: 'closed',
    });
  });

  it('answers only once the process is gone and the session out of the list', async () => {
    const { server, client, sessionId, pty } = await bed.open();
    pty.diesWhenClosed = false;
    let answered = false;
    const answer = server.request('DELETE', `/api/sessions/${sessionId}`).finally(() => (answered = true));
    await until(() => pty.closing, 'the process is asked to go');

    // Other requests are answered meanwhile: the session is there, and closing.
    expect(await listed(server)).toEqual([expect.objectContaining({ id: sessionId, status: 'active' })]);
    await client.sync();
    expect(answered).toBe(false);

    pty.end({ code: 0 });
    expect((await answer).status).toBe(204);
    expect(await listed(server)).toEqual([]);
  });

  it('leaves the viewer’s connection open, and tells it exactly one exit', async () => {
    const { server, client, sessionId } = await bed.open();

    await server.request('DELETE', `/api/sessions/${sessionId}`);
    await server.request('DELETE', `/api/sessions/${sessionId}`);
    const next = await client.create();

    expect(client.of(sessionId, 'exit')).toHaveLength(1);
    expect(next).toBe('s2');
    expect(client.closing).toBeUndefined();
  });

  it('closes one session and no other', async () => {
    const { server, client, sessionId, pty } = await bed.open();
    const other = await client.create();
    const otherPty = server.ptys.last;

    await server.request('DELETE', `/api/sessions/${sessionId}`);

    expect((await listed(server)).map(({ id }) => id)).toEqual([other]);
    otherPty.print('still here');
    await client.untilOutput(other, 'still here');
    expect([pty.isOver, otherPty.closing]).toEqual([true, false]);
  });

  it('closes a session once when asked ten times at once', async () => {
    const { server, client, sessionId, pty } = await bed.open();
    pty.diesWhenClosed = false;
    const answers = Array.from({ length: 10 }, () => server.request('DELETE', `/api/sessions/${sessionId}`));
    await until(() => pty.closing, 'the process is asked to go');
    pty.end({ code: 0 });

    const statuses = (await Promise.all(answers)).map(({ status }) => status);

    expect(statuses).toContain(204);
    expect(statuses.filter((status) => status !== 204 && status !== 404)).toEqual([]);
    await client.sync();
    expect(client.of(sessionId, 'exit')).toHaveLength(1);
    expectProblem(await server.request('DELETE', `/api/sessions/${sessionId}`), 404, 'SESSION_NOT_FOUND');
  });

  it('takes an ended session that is still kept out of the list, without a second exit', async () => {
    const { server, client, sessionId, pty } = await bed.open();
    pty.end({ code: 3 });
    await client.next({ type: 'exit', sessionId });

    expect((await server.request('DELETE', `/api/sessions/${sessionId}`)).status).toBe(204);

    expect(await listed(server)).toEqual([]);
    await client.sync();
    expect(client.of(sessionId, 'exit')).toHaveLength(1);
  });

  it('closes a session whose process has not started yet', async () => {
    const server = await bed.serve();
    server.stopTheClock();
    const client = await bed.connect(server);
    const sessionId = await client.create({ cols: undefined, rows: undefined });

    expect((await server.request('DELETE', `/api/sessions/${sessionId}`)).status).toBe(204);

    expect(await client.next({ type: 'exit' })).toEqual({
      type: 'exit',
      sessionId,
      code: 0,
      cause: 'closed',
    });
    expect(server.ptys.ptys).toEqual([]);
  });

  it('closes a session whose process is just being started, once it is', async () => {
    const server = await bed.serve();
    server.ptys.hold();
    const client = await bed.connect(server);
    const sessionId = await client.create();
    let answered = false;
    const answer = server.request('DELETE', `/api/sessions/${sessionId}`).finally(() => (answered = true));
    await until(async () => (await listed(server))[0]?.status === 'active', 'the session is closing');
    await client.sync();
    expect(answered).toBe(false);

    server.ptys.release();

    expect((await answer).status).toBe(204);
    expect(server.ptys.last.isOver).toBe(true);
    expect(client.of(sessionId, 'exit')).toHaveLength(1);
  });

  it('answers 504 when the process cannot be ended, and the session stays listed until it goes', async () => {
    const { server, client, sessionId, pty } = await bed.open();
    const clock = server.stopTheClock();
    pty.diesWhenClosed = false;
    const answer = server.request('DELETE', `/api/sessions/${sessionId}`);
    await until(() => pty.closing, 'the process is asked to go');
    clock.advance(5000);

    expectProblem(await answer, 504, 'CLOSE_TIMEOUT');
    expect(await listed(server)).toEqual([expect.objectContaining({ id: sessionId, status: 'active' })]);
    expect(client.of(sessionId, 'exit')).toEqual([]);

    pty.end({ code: 0 });
    await client.next({ type: 'exit', sessionId, cause: 'closed' });
    expect(await listed(server)).toEqual([]);
  });

  it.each([
    ['never given', 's99'],
    ['gone by now', 's1'],
    ['of zero', 's0'],
    ['with a leading zero', 's01'],
    ['in capitals', 'S1'],
    ['without its letter', '1'],
    ['beyond all numbers', `s${'9'.repeat(40)}`],
    ['very long', `s1${'0'.repeat(2000)}`],
    ['named like an object’s prototype', '__proto__'],
    ['named like a constructor', 'constructor'],
    ['named like a method', 'hasOwnProperty'],
    ['that climbs', '..%2fx'],
    ['with a NUL', 's1%00'],
    ['with a line break', 's1%0a'],
    ['with a space behind', 's1%20'],
    ['with full-width digits', encodeURIComponent('s１')],
  ])('knows no id %s', async (_, id) => {
    const server = await bed.serve();
    const client = await bed.connect(server);
    await client.create();
    await server.request('DELETE', '/api/sessions/s1');
    const kept = await client.create();

    const path = `/api/sessions/${id}`;
    for (const answer of [
      await server.request('GET', path),
      await server.request('DELETE', path),
      await rename(server, id, { name: 'tests' }),
    ]) {
      expectProblem(answer, 404, 'SESSION_NOT_FOUND');
      expectSecurityHeaders(answer);
    }
    expect((await listed(server)).map((session) => session.id)).toEqual([kept]);
  });

  it('finds nothing where a path climbs or cannot be read', async () => {
    const { server } = await bed.open();

    expectProblem(await server.request('DELETE', '/api/sessions/../x'), 404, 'NOT_FOUND');
    expectProblem(await server.request('DELETE', '/api/sessions/s1/../s1'), 404, 'NOT_FOUND');
    expectProblem(await server.request('DELETE', '/api/sessions/%'), 400, 'BAD_REQUEST');
    expectProblem(await server.request('DELETE', '/api/sessions/%ff'), 400, 'BAD_REQUEST');
    expect(await listed(server)).toHaveLength(1);
  });
});

describe('T26: PATCH /api/sessions/:id', () => {
  it('renames the session, and answers it', async () => {
    const { server, sessionId } = await bed.open();
    const [before] = await listed(server);

    const answer = await rename(server, sessionId, { name: 'tests' });

    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(JSON.parse(answer.body)).toEqual({ ...before, name: 'tests' });
    expectSecurityHeaders(answer);
    expect(await listed(server)).toEqual([{ ...before, name: 'tests' }]);
  });

  it.each([
    ['markup', '<img src=x onerror=alert(1)>'],
    ['quotes', `"'\\/`],
    ['128 characters beyond the basic plane', '🚀'.repeat(128)],
    ['another direction', 'שלום'],
    ['blanks around it', ' a '],
  ])('takes %s as the text that it is', async (_what, name) => {
    const { server, sessionId } = await bed.open();

    const answer = await rename(server, sessionId, { name });

    expect({ status: answer.status, name: JSON.parse(answer.body) as unknown }).toEqual({
      status: 200,
      name: expect.objectContaining({ name }) as unknown,
    });
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
    expect((await listed(server))[0]).toMatchObject({ name });
  });

  it('keeps a name in normal form C', async () => {
    const { server, sessionId } = await bed.open();
    expect(JSON.parse((await rename(server, sessionId, { name: 'e\u0301' })).body)).toMatchObject({
      name: '\u00e9',
    });
  });

  it.each<[string, unknown]>([
    ['that is empty', { name: '' }],
    ['of blanks', { name: ' \u00a0\u3000' }],
    ['of 129 characters', { name: 'x'.repeat(129) }],
    ['of 129 characters beyond the basic plane', { name: '🚀'.repeat(129) }],
    ['with a line break', { name: 'a\nb' }],
    ['with NUL', { name: 'a\0b' }],
    ['with an escape', { name: '\x1b[31mred' }],
    ['with a control character of C1', { name: 'a\u009bb' }],
    ['with an override of direction', { name: 'a\u202eb' }],
    ['with an isolate', { name: 'a\u2066b' }],
    ['with half a surrogate pair', '{"name":"\\ud83d"}'],
    ['that is a number', { name: 1 }],
    ['that is null', { name: null }],
    ['that is a list', { name: ['a'] }],
    ['that is an object', { name: {} }],
    ['that is missing', {}],
    ['that is missing, as the whole body is', ''],
    ['in a list', [{ name: 'a' }]],
    ['of the prototype', '{"__proto__":{"name":"a"},"constructor":{"name":"a"}}'],
  ])('refuses a name %s', async (_what, body) => {
    const { server, sessionId } = await bed.open();

    const answer = await rename(server, sessionId, body);

    expectProblem(answer, 400, 'INVALID_NAME');
    expectSecurityHeaders(answer);
    expect((await listed(server))[0]).toMatchObject({ name: 'bash-1' });
  });

  it.each([
    ['that is no JSON', '{"name":', 400, 'BAD_REQUEST'],
    ['that is no object', '"tests"', 400, 'BAD_REQUEST'],
    ['of more than 4 kB', JSON.stringify({ name: 'a', more: 'x'.repeat(4096) }), 413, 'PAYLOAD_TOO_LARGE'],
  ])('refuses a body %s', async (_what, body, status, code) => {
    const { server, sessionId } = await bed.open();

    const answer = await rename(server, sessionId, body);

    expectProblem(answer, status, code);
    expectSecurityHeaders(answer);
    expect(answer.body).not.toContain('xxx');
    expect((await listed(server))[0]).toMatchObject({ name: 'bash-1' });
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded'])(
    'refuses a body of %s, which any page may send',
    async (type) => {
      const { server, sessionId } = await bed.open();

      const answer = await rename(server, sessionId, { name: 'a' }, { 'Content-Type': type });

      expectProblem(answer, 415, 'UNSUPPORTED_MEDIA_TYPE');
      expect((await listed(server))[0]).toMatchObject({ name: 'bash-1' });
    },
  );

  it('pays no attention to fields that it does not know', async () => {
    const { server, sessionId } = await bed.open();
    const [before] = await listed(server);

    await rename(server, sessionId, { name: 'tests', id: 's2', cwd: '/', title: 'mine', persistent: true });

    expect(await listed(server)).toEqual([{ ...before, name: 'tests' }]);
  });

  it('renames a session that has ended, and knows none that is gone', async () => {
    const { server, client, sessionId, pty } = await bed.open();
    pty.end({ code: 3 });
    await client.next({ type: 'exit', sessionId });

    const answer = await rename(server, sessionId, { name: 'tests' });
    expect(JSON.parse(answer.body)).toMatchObject({ name: 'tests', status: 'exited', exitCode: 3 });

    await server.request('DELETE', `/api/sessions/${sessionId}`);
    expectProblem(await rename(server, sessionId, { name: 'again' }), 404, 'SESSION_NOT_FOUND');
  });

  it('does not let a page of elsewhere rename anything', async () => {
    const { server, sessionId } = await bed.open();

    for (const [header, value] of [
      ['Origin', 'http://evil.example'],
      ['Sec-Fetch-Site', 'cross-site'],
    ] as const) {
      expectProblem(await rename(server, sessionId, { name: 'a' }, { [header]: value }), 403, 'FORBIDDEN');
    }
    expect((await listed(server))[0]).toMatchObject({ name: 'bash-1' });
  });
});

describe('methods and paths', () => {
  it.each([
    ['/api/sessions', 'GET, HEAD, OPTIONS', ['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND']],
    ['/api/sessions/s1', 'GET, PATCH, DELETE, HEAD, OPTIONS', ['POST', 'PUT']],
    ['/api/health', 'GET, HEAD, OPTIONS', ['POST', 'PUT', 'PATCH', 'DELETE']],
    ['/api/docs', 'GET, HEAD, OPTIONS', ['POST', 'PUT', 'PATCH', 'DELETE']],
    ['/api/openapi.json', 'GET, HEAD, OPTIONS', ['POST', 'PUT', 'PATCH', 'DELETE']],
    ['/ws', 'GET, HEAD, OPTIONS', ['POST', 'PUT', 'PATCH', 'DELETE']],
  ])('%s allows %s: all else is 405', async (path, allow, others) => {
    const { server } = await bed.open();

    for (const method of others) {
      const answer = await server.request(method, path);
      expectProblem(answer, 405, 'METHOD_NOT_ALLOWED');
      expect(answer.headers.allow).toBe(allow);
      expectSecurityHeaders(answer);
    }
    expect(await listed(server)).toHaveLength(1);
  });

  it.each(['/api/sessions', '/api/sessions/s1', '/api/health', '/api/docs', '/api/openapi.json'])(
    'OPTIONS of %s tells the methods and invites no other origin',
    async (path) => {
      const server = await bed.serve();

      const answer = await server.request('OPTIONS', path, { 'Access-Control-Request-Method': 'DELETE' });

      expect({ status: answer.status, body: answer.body }).toEqual({ status: 204, body: '' });
      expect(answer.headers.allow).toMatch(/^GET, .*OPTIONS$/);
      expectSecurityHeaders(answer);
    },
  );

  it.each(['/api/sessions/', '/api/sessions/s1/', '/api/health/', '/api/openapi.json/'])(
    'a slash at the end of %s is a mistake, whatever the method',
    async (path) => {
      const { server } = await bed.open();

      for (const method of ['GET', 'DELETE', 'POST', 'OPTIONS']) {
        expectProblem(await server.request(method, path), 400, 'BAD_REQUEST');
      }
      expect(await listed(server)).toHaveLength(1);
    },
  );

  it('pays no attention to headers that ask for another method', async () => {
    const { server, sessionId } = await bed.open();
    const path = `/api/sessions/${sessionId}`;

    for (const name of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override']) {
      expect((await server.request('GET', path, { [name]: 'DELETE' })).status).toBe(200);
      expectProblem(await server.request('POST', path, { [name]: 'DELETE' }), 405, 'METHOD_NOT_ALLOWED');
    }
    expectProblem(await server.request('POST', `${path}?_method=DELETE`), 405, 'METHOD_NOT_ALLOWED');
    expect(await listed(server)).toHaveLength(1);
  });

  it.each([
    '/',
    '/api',
    '/api/',
    '/api/nothing',
    '/sessions',
    '/WS',
    '/wss',
    '//api/sessions',
    '/api//sessions',
  ])('answers %s, which is nothing, with problem details', async (path) => {
    const server = await bed.serve();

    const answer = await server.request('GET', path);

    expectProblem(answer, 404, 'NOT_FOUND');
    expectSecurityHeaders(answer);
  });
});

describe('what Node would answer by itself', () => {
  it.each([
    ['what is no HTTP', 'HELO there\r\n\r\n', 400, 'BAD_REQUEST'],
    ['a header without a name', 'GET /api/sessions HTTP/1.1\r\n: x\r\n\r\n', 400, 'BAD_REQUEST'],
    [
      'too many headers',
      `GET /api/sessions HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'REQUEST_HEADER_FIELDS_TOO_LARGE',
    ],
  ])('to %s is a problem like any other', async (_what, request, status, code) => {
    const server = await bed.serve();
    const answer = await server.raw(request);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(JSON.parse(answer.body)).toMatchObject({ status, code });
  });

  it('to an expectation that it does not know is what it answers without', async () => {
    const server = await bed.serve();
    const request = 'GET /api/sessions HTTP/1.1\r\nHost: localhost\r\nExpect: x\r\nConnection: close\r\n\r\n';
    expect(await server.raw(request)).toMatchObject({ status: 200, body: '[]' });
  });
});

describe('the WebSocket’s address', () => {
  it.each(['/ws', '/ws?x=/api'])('at %s asks whoever wants no WebSocket to want one', async (path) => {
    const server = await bed.serve();

    const answer = await server.request('GET', path);

    expectProblem(answer, 426, 'UPGRADE_REQUIRED');
    expect(answer.headers).toMatchObject({ upgrade: 'websocket', connection: 'Upgrade' });
    expectSecurityHeaders(answer);
    expect((await server.request('HEAD', path)).status).toBe(426);
  });

  it('asks who wants to be upgraded to something else, too', async () => {
    const server = await bed.serve();

    const answer = await server.raw(
      `GET /ws HTTP/1.1\r\nHost: ${server.host}\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n`,
    );

    expectProblem(answer, 426, 'UPGRADE_REQUIRED');
  });

  it('says nothing to a page of elsewhere', async () => {
    const server = await bed.serve();

    const answer = await server.request('GET', '/ws', { Origin: 'http://evil.example' });

    expectProblem(answer, 403, 'FORBIDDEN');
    expect(answer.headers).not.toHaveProperty('upgrade');
  });
});

describe('health and documentation', () => {
  it('tells that it is alive', async () => {
    const server = await bed.serve();

    const answer = await server.request('GET', '/api/health');

    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({ status: 'ok', version: '0.1.0' });
    expectSecurityHeaders(answer);
  });

  it('tells whether it is ready for more, and why not, without figures', async () => {
    const { server, client, sessionId } = await bed.open({ maxSessions: 1 });

    const full = await server.request('GET', '/api/health/ready');
    client.send({ type: 'close', sessionId });
    await client.next({ type: 'exit', sessionId });
    const ready = await server.request('GET', '/api/health/ready');

    expectProblem(full, 503, 'SERVICE_UNAVAILABLE');
    expect(full.body).toContain('not ready: nearly as many sessions are running as may');
    expect([ready.status, JSON.parse(ready.body)]).toEqual([200, { status: 'ready' }]);
  });

  it('is not ready while it stops', async () => {
    const server = await bed.serve();
    // It is waited for, for a while: it does not hear that the server goes.
    (await bed.connect(server)).stopReading();

    const stopping = server.stop();
    const answer = await server.request('GET', '/api/health/ready');
    await stopping;

    expectProblem(answer, 503, 'SERVICE_UNAVAILABLE');
    expect(answer.body).toContain('not ready: the server is stopping');
  });

  it('shows no metrics that nobody has asked for', async () => {
    const server = await bed.serve();

    expectProblem(await server.request('GET', '/metrics'), 404, 'NOT_FOUND');
  });

  it('describes itself as OpenAPI', async () => {
    const server = await bed.serve();

    const answer = await server.request('GET', '/api/openapi.json');

    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    const { openapi, paths } = JSON.parse(answer.body) as { openapi: string; paths: object };
    expect(openapi).toMatch(/^3\./);
    expect(Object.keys(paths).sort()).toEqual([
      '/api/auth',
      '/api/auth/enabled',
      '/api/health',
      '/api/health/ready',
      '/api/sessions',
      '/api/sessions/{id}',
    ]);
  });

  it.each(['/api/docs', '/api/docs/'])(
    'shows a page about itself at %s that may run its own scripts, and nobody else’s',
    async (path) => {
      const server = await bed.serve();

      const page = await server.request('GET', path);

      expect(page.status).toBe(200);
      expect(page.headers['content-type']).toMatch(/^text\/html/);
      const policy = String(page.headers['content-security-policy']).split(';');
      expect(policy).toEqual(
        expect.arrayContaining(["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"]),
      );
      const scripts = [...page.body.matchAll(/<script[^>]*src="([^"]+)"/g)].map(([, source]) => source!);
      expect(scripts).not.toEqual([]);
      for (const source of scripts) {
        const script = await server.request('GET', new URL(source, `http://x${path}`).pathname);
        expect([source, script.status]).toEqual([source, 200]);
      }
      expect(page.body).not.toMatch(/<script(?![^>]*src=)/);
    },
  );
});

describe('T014: closing races', () => {
  const remove = (server: TestServer, id: string): Promise<Answer> =>
    server.request('DELETE', `/api/sessions/${id}`);

  it('a DELETE and the natural end agree on one exit', async () => {
    const { server, client } = await bed.open();

    for (let round = 0; round < 20; round++) {
      const id = await client.create();
      const pty = server.ptys.last;
      const answer = remove(server, id);
      // Earlier, later or in the middle: the request is on its way for a few turns of the loop.
      for (let turn = 0; turn < round; turn++) await new Promise(setImmediate);
      if (!pty.isOver) pty.end({ code: 7 });
      expect([204, 404]).toContain((await answer).status);
      const exit = await client.next({ type: 'exit', sessionId: id });
      expect(['ended', 'closed']).toContain(exit.cause);
      expect((await server.request('GET', `/api/sessions/${id}`)).status).toBe(404);
      await client.sync();
      expect(client.of(id, 'exit')).toHaveLength(1);
    }
  });

  it('a DELETE and a close of its owner’s agree on one exit', async () => {
    const { server, client } = await bed.open();

    for (let round = 0; round < 20; round++) {
      const id = await client.create();
      const answer = remove(server, id);
      for (let turn = 0; turn < round % 7; turn++) await new Promise(setImmediate);
      client.send({ type: 'close', sessionId: id });
      expect([204, 404]).toContain((await answer).status);
      await client.next({ type: 'exit', sessionId: id });
      await client.sync();
      expect(client.of(id, 'exit')).toHaveLength(1);
      expect(client.of(id, 'error')).toEqual([]);
    }
  });

  it('a DELETE while its owner vanishes is answered, and nothing is left', async () => {
    const server = await bed.serve();

    for (let round = 0; round < 10; round++) {
      const client = await bed.connect(server);
      const id = await client.create();
      const answer = remove(server, id);
      for (let turn = 0; turn < round; turn++) await new Promise(setImmediate);
      await client.terminate();
      expect([204, 404]).toContain((await answer).status);
      await until(async () => (await listed(server)).length === 0, 'the list is empty');
      expect(server.ptys.last.isOver).toBe(true);
    }
  });
});
