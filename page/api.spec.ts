import { Api, Refused } from './api.js';

/** An API whose server gives one answer. */
function answering(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): { api: Api; asked: string[] } {
  const asked: string[] = [];
  const api = new Api((path, { method = '', headers: sent = {}, body: content } = {}) => {
    const parts = [method, path as string, ...Object.values(sent as Record<string, string>)];
    asked.push([...parts, ...(typeof content === 'string' ? [content] : [])].join(' '));
    const text = status === 204 ? null : typeof body === 'string' ? body : JSON.stringify(body);
    return Promise.resolve(new Response(text, { status, headers }));
  });
  return { api, asked };
}

const refused = (api: Promise<unknown>): Promise<Refused> =>
  api.then(
    () => Promise.reject(new Error('it was not refused')),
    (error: unknown) => error as Refused,
  );

describe('the REST API', () => {
  it('is asked as it is described', async () => {
    const { api, asked } = answering(200, { enabled: true, authenticated: false });
    expect(await api.access()).toEqual({ isTokenNeeded: true, isLetIn: false });
    const done = answering(204, undefined);
    await done.api.logIn('secret');
    await done.api.rename('s1', 'a "name"');
    await done.api.close('s1');
    await done.api.logOut();
    expect([...asked, ...done.asked]).toEqual([
      'GET /api/auth/enabled',
      'POST /api/auth Bearer secret',
      'PATCH /api/sessions/s1 application/json {"name":"a \\"name\\""}',
      'DELETE /api/sessions/s1',
      'DELETE /api/auth',
    ]);
  });

  it('says why it refuses', async () => {
    const { api } = answering(400, { code: 'INVALID_NAME', detail: 'a name has 1 to 128 characters' });
    expect(await refused(api.rename('s1', ''))).toMatchObject({
      status: 400,
      code: 'INVALID_NAME',
      message: 'a name has 1 to 128 characters',
    });
  });

  it('says how long to wait after too many wrong tokens', async () => {
    const { api } = answering(429, { code: 'TOO_MANY_REQUESTS', detail: 'wait' }, { 'Retry-After': '6' });
    expect((await refused(api.logIn('x'))).retryAfterSeconds).toBe(6);
  });

  it('is refused by a proxy in front of it, too', async () => {
    const { api } = answering(502, '<html>Bad Gateway</html>');
    expect(await refused(api.access())).toMatchObject({ status: 502, retryAfterSeconds: undefined });
  });

  it('has closed what is not there', async () => {
    await answering(404, { code: 'SESSION_NOT_FOUND', detail: 'session not found' }).api.close('s1');
    expect(await refused(answering(504, { code: 'CLOSE_TIMEOUT' }).api.close('s1'))).toBeInstanceOf(Refused);
  });
});
