import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { newToken } from '../../src/admission/access-token.js';
import { type AppConfig } from '../../src/config/app-config.js';
import { upgradeHead } from '../support/handshake.js';
import { useOneServer, useTestBed } from '../support/test-bed.js';
import { type Answer, type TestServer } from '../support/test-server.js';

const INDEX = '<!doctype html><title>trex</title><p>the page</p>\n';
const SCRIPT = `/assets/main-4F2A.js`;
const SCRIPT_TEXT = 'console.log("hello");\n'.repeat(100);
const ICON = '<svg xmlns="http://www.w3.org/2000/svg"></svg>\n';

const POLICY =
  "default-src 'none';script-src 'self';style-src 'self' 'unsafe-inline';connect-src 'self';img-src 'self' data:;" +
  "font-src 'self';manifest-src 'self';frame-ancestors 'none';base-uri 'none';form-action 'self'";

/** What every answer says, of the page or not. */
const PROTECTION = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

/** A page as the build leaves one, in a directory of its own. Only some of it got smaller. */
function usePage(): () => string {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'trex-page-'));
    const files: readonly [name: string, text: string | Buffer][] = [
      ['index.html', INDEX],
      ['index.html.br', brotliCompressSync(INDEX)],
      ['index.html.gz', gzipSync(INDEX)],
      ['icon.svg', ICON],
      ['manifest.webmanifest', '{}'],
      [SCRIPT, SCRIPT_TEXT],
      [`${SCRIPT}.br`, brotliCompressSync(SCRIPT_TEXT)],
      [`${SCRIPT}.gz`, gzipSync(SCRIPT_TEXT)],
      ['assets/main-7C1B.css', 'p { color: green; }\n'],
      ['assets/font-AA00.woff2', Buffer.from([0, 1, 2, 255])],
      ['assets/notes.md', 'not to be seen'],
      ['.env', 'SECRET=1'],
      ['assets/.env.js', 'not to be seen'],
    ];
    mkdirSync(join(folder, 'assets/more'), { recursive: true });
    writeFileSync(join(folder, 'assets/more/deep.js'), 'not to be seen');
    for (const [name, text] of files) writeFileSync(join(folder, name), text);
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  return () => folder;
}

interface Download {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
}

/** As {@link TestServer.request}, for what is no text. */
async function download(
  { port }: TestServer,
  path: string,
  headers: Record<string, string> = {},
): Promise<Download> {
  const sent = request({ host: '127.0.0.1', port, path, headers, agent: false }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  return { status: response.statusCode ?? 0, headers: response.headers, bytes: Buffer.concat(pieces) };
}

function expectProblem({ status, headers, body }: Answer, expected: number, detail = /./): void {
  expect({ status, type: headers['content-type'], policy: headers['content-security-policy'] }).toEqual({
    status: expected,
    type: 'application/problem+json',
    policy: "default-src 'none';frame-ancestors 'none'",
  });
  expect(headers['cache-control']).toBe('no-store');
  expect((JSON.parse(body) as { detail: string }).detail).toMatch(detail);
}

const page = usePage();

describe('the page', () => {
  const bed = useTestBed();
  const serve = (config: Partial<AppConfig> = {}): Promise<TestServer> =>
    bed.serve({ pageFolder: page(), ...config });

  it('is at /, may run its own scripts and nothing else, and is asked for anew each time', async () => {
    const server = await serve();

    for (const path of ['/', '/?from=wiki']) {
      const { status, headers, body } = await server.request('GET', path);

      expect({ status, body }).toEqual({ status: 200, body: INDEX });
      expect(headers).toMatchObject({
        ...PROTECTION,
        'content-type': 'text/html; charset=utf-8',
        'content-length': String(INDEX.length),
        'content-security-policy': POLICY,
        'cache-control': 'no-cache',
        etag: expect.stringMatching(/^"[\w-]{43}"$/) as string,
        vary: 'Accept-Encoding',
      });
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
    }
  });

  it.each([
    [SCRIPT, 'text/javascript; charset=utf-8'],
    ['/assets/main-7C1B.css', 'text/css; charset=utf-8'],
    ['/assets/font-AA00.woff2', 'font/woff2'],
  ])('has %s, which never changes and is kept for a year', async (path, type) => {
    const { status, headers, bytes } = await download(await serve(), path);

    expect(status).toBe(200);
    expect(bytes.equals(readFileSync(join(page(), path)))).toBe(true);
    expect(headers).toMatchObject({
      ...PROTECTION,
      'content-type': type,
      'cache-control': 'public, max-age=31536000, immutable',
      'content-security-policy': POLICY,
    });
  });

  it.each([
    ['/icon.svg', 'image/svg+xml'],
    ['/manifest.webmanifest', 'application/manifest+json'],
  ])('has %s, which may change', async (path, type) => {
    const { status, headers } = await (await serve()).request('GET', path);

    expect({ status, type: headers['content-type'] }).toEqual({ status: 200, type });
    expect(headers['cache-control']).toBe('no-cache');
  });

  it.each([
    ['gzip, deflate, br, zstd', 'br'],
    ['br', 'br'],
    ['BR', 'br'],
    ['br;q=0.1, gzip;q=1', 'br'],
    ['*', 'br'],
    ['gzip, deflate', 'gzip'],
    ['gzip, br;q=0', 'gzip'],
    ['*, br;q=0', 'gzip'],
    ['br;q=0, gzip;q=0', undefined],
    ['brotli, x-gz', undefined],
    ['identity', undefined],
    ['zstd', undefined],
    ['', undefined],
    [undefined, undefined],
    // Nothing is left to choose from: what everybody can read is better than nothing.
    ['identity;q=0', undefined],
  ])('to who accepts %j is given in %p', async (accepted, encoding) => {
    const headers: Record<string, string> = accepted === undefined ? {} : { 'Accept-Encoding': accepted };

    const answer = await download(await serve(), SCRIPT, headers);

    expect(answer.headers['content-encoding']).toBe(encoding);
    expect(answer.headers.vary).toBe('Accept-Encoding');
    expect(answer.headers['content-length']).toBe(String(answer.bytes.length));
    const plain = { br: brotliDecompressSync, gzip: gunzipSync, none: (bytes: Buffer) => bytes };
    expect(plain[(encoding ?? 'none') as keyof typeof plain](answer.bytes).toString()).toBe(SCRIPT_TEXT);
  });

  it('is given as it is where compressing made it no smaller', async () => {
    const answer = await download(await serve(), '/icon.svg', { 'Accept-Encoding': 'br, gzip' });

    expect(answer.headers).not.toHaveProperty('content-encoding');
    expect(answer.bytes.toString()).toBe(ICON);
  });

  it('is not sent again to who has it', async () => {
    const server = await serve();
    for (const path of ['/', SCRIPT]) {
      const tags = new Set<string>();
      for (const encoding of ['br', 'gzip', 'identity']) {
        const accept = { 'Accept-Encoding': encoding };
        const first = await download(server, path, accept);
        const { etag = '' } = first.headers;
        tags.add(etag);
        for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
          const again = await download(server, path, { ...accept, 'If-None-Match': known });
          expect({ known, status: again.status, length: again.bytes.length }).toEqual({
            known,
            status: 304,
            length: 0,
          });
          // What the browser keeps is kept under what these say.
          for (const name of ['etag', 'cache-control', 'vary', 'content-security-policy']) {
            expect(again.headers[name]).toBe(first.headers[name]);
          }
        }
        const changed = await download(server, path, { ...accept, 'If-None-Match': '"other"' });
        expect(changed.status).toBe(200);
      }
      // Two encodings are two sets of bytes.
      expect(tags.size).toBe(3);
    }
  });

  it('answers HEAD as GET, without the body', async () => {
    const server = await serve();
    for (const path of ['/', SCRIPT, '/icon.svg']) {
      const [get, head] = [await server.request('GET', path), await server.request('HEAD', path)];
      expect({ status: head.status, body: head.body }).toEqual({ status: 200, body: '' });
      for (const name of ['content-length', 'content-type', 'etag', 'cache-control']) {
        expect(head.headers[name]).toBe(get.headers[name]);
      }
    }
  });

  it('is always sent whole', async () => {
    const server = await serve();
    for (const range of ['bytes=0-3', 'bytes=-2', 'bytes=9-1', 'bytes=999999-']) {
      const { status, body } = await server.request('GET', '/', { Range: range });
      expect({ range, status, body }).toEqual({ range, status: 200, body: INDEX });
    }
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('can only be read: %s is 405', async (method) => {
    const server = await serve();
    for (const path of ['/', SCRIPT, '/icon.svg']) {
      const answer = await server.request(method, path);
      expectProblem(answer, 405);
      expect(answer.headers.allow).toBe('GET, HEAD, OPTIONS');
    }
  });

  it('goes on as it was when its files are gone or others', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'trex-page-'));
    writeFileSync(join(folder, 'index.html'), 'as it was');
    const server = await serve({ pageFolder: folder });
    rmSync(folder, { recursive: true });

    expect(await server.request('GET', '/')).toMatchObject({ status: 200, body: 'as it was' });
  });

  it('is the same text for pages of an allowed origin, which may read it', async () => {
    const origin = 'https://ide.example';
    const server = await serve({ allowedOrigins: [origin] });

    const { status, headers } = await server.request('GET', '/', { Origin: origin });

    expect(status).toBe(200);
    expect(headers.vary).toBe('Origin, Accept-Encoding');
  });
});

describe('what the page is not made of', () => {
  // Asked for when the server starts: the page is made after this line is read.
  const server = useOneServer({
    get pageFolder() {
      return page();
    },
  });

  it.each([
    '/assets',
    '/assets/main-0000.js',
    '/assets/main-4F2A',
    '/assets/MAIN-4f2a.js',
    `${SCRIPT}.br`,
    `${SCRIPT}.gz`,
    `${SCRIPT}.map`,
    '/assets/notes.md',
    '/assets/more/deep.js',
    '/assets/.env.js',
    '/.env',
    '/index.html',
    '/index',
    '/favicon.ico',
    '/elsewhere',
    '/..',
    '/../etc/passwd',
    '/assets/..',
    '/assets/../index.html',
    '/assets/../../etc/passwd',
    '/assets/./main-4F2A.js',
    '/./',
    '/.',
    '/%2e',
    '/%2e%2e/etc/passwd',
    '/assets/%2e%2e/index.html',
    '/assets/..%2findex.html',
    '/assets%2fmain-4F2A.js',
    '/%69con.svg',
    '/icon.svg%00',
    '/icon.svg%00.html',
    '/%',
    '/%ff',
    '/%c0%af',
    '//index.html',
    '//assets/main-4F2A.js',
    '/assets//main-4F2A.js',
    '///icon.svg',
    '//evil.example/icon.svg',
    '/icon.svg;x',
    '/constructor',
    '/__proto__',
  ])('%s is 404', async (path) => {
    expectProblem(await raw(server(), path), 404);
  });

  it.each(['//', '/icon.svg/', `${SCRIPT}/`])('%s ends too early: 400', async (path) => {
    expectProblem(await raw(server(), path), 400);
  });

  it.each([
    '/assets\\main-4F2A.js',
    '/..\\index.html',
    '/icon.svg#x',
    '*',
    'index.html',
    'http://localhost/',
  ])('%s is no path: 400', async (path) => {
    expectProblem(await raw(server(), path), 400);
  });
});

/** As it is on the wire: nothing straightens the path. */
function raw(server: TestServer, path: string): Promise<Answer> {
  return server.raw(`GET ${path} HTTP/1.1\r\nHost: ${server.host}\r\nConnection: close\r\n\r\n`);
}

describe('without a page', () => {
  const bed = useTestBed();

  it('where it is turned off, / says so', async () => {
    const server = await bed.serve({ pageFolder: undefined });

    expectProblem(await server.request('GET', '/'), 404, /TREX_PAGE=off/);
    expectProblem(await server.request('GET', SCRIPT), 404);
    expect((await server.request('GET', '/api/sessions')).status).toBe(200);
  });

  it('where it has not been built, / says so', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'trex-page-'));
    for (const pageFolder of [empty, join(empty, 'missing')]) {
      const server = await bed.serve({ pageFolder });

      expectProblem(await server.request('GET', '/'), 404, /npm run build/);
      expect((await server.request('GET', '/api/sessions')).status).toBe(200);
    }
    rmSync(empty, { recursive: true });
  });
});

describe('T05, T11 · who may have the page', () => {
  const bed = useTestBed();
  const token = newToken();
  const serve = (config: Partial<AppConfig> = {}): Promise<TestServer> =>
    bed.serve({ pageFolder: page(), ...config });
  const link = {
    'Sec-Fetch-Site': 'cross-site',
    'Sec-Fetch-Mode': 'navigate',
    'Sec-Fetch-Dest': 'document',
    'Sec-Fetch-User': '?1',
  };

  it('everybody, where a token is needed, which it is there to ask for', async () => {
    const server = await serve({ token });
    for (const path of ['/', SCRIPT, '/icon.svg']) {
      expect((await server.request('GET', path)).status).toBe(200);
      expect((await server.request('HEAD', path)).status).toBe(200);
      expect((await server.request('POST', path)).status).toBe(401);
      // A wrong or an old cookie does not shut out who has to log in again.
      const Cookie = `trex-${server.port}=old`;
      expect((await server.request('GET', path, { Cookie })).status).toBe(200);
    }
    expectProblem(await server.request('GET', '/assets/main-0000.js'), 404);
    for (const path of ['/api/sessions', '/api/docs', '/elsewhere', '/assets/../api/sessions', '//']) {
      expect({ path, status: (await raw(server, path)).status }).toEqual({ path, status: 401 });
    }
  });

  it('who follows a link from another site', async () => {
    for (const config of [{}, { token }]) {
      const server = await serve(config);
      expect((await server.request('GET', '/', link)).status).toBe(200);
      expect((await server.request('GET', '/', { ...link, 'Sec-Fetch-Site': 'same-site' })).status).toBe(200);
    }
  });

  it.each<[string, string, Record<string, string>]>([
    ['a frame', '/', { 'Sec-Fetch-Dest': 'iframe' }],
    ['an object', '/', { 'Sec-Fetch-Dest': 'object' }],
    ['a script', SCRIPT, { 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'script' }],
    ['an image', '/icon.svg', { 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' }],
    ['fetch()', '/', { 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'empty' }],
    [
      'fetch() by name',
      '/',
      { 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty', Origin: 'http://evil.example' },
    ],
    ['a form', '/', { Origin: 'http://evil.example' }],
    ['a form without a name', '/', { Origin: 'null' }],
    ['a link to a file of it', SCRIPT, {}],
    ['a link to the API', '/api/sessions', {}],
    ['a link to its description', '/api/openapi.json', {}],
    ['a link to the WebSocket', '/ws', {}],
    ['a link under another host', '/', { Host: 'evil.example' }],
  ])('not %s of another site', async (_what, path, headers) => {
    const server = await serve();

    expectProblem(await server.request('GET', path, { ...link, ...headers }), 403);
  });

  it('a link opens no WebSocket', async () => {
    const server = await serve();
    const lines = Object.entries(link).map(([name, value]) => `${name}: ${value}`);

    expect((await server.raw(upgradeHead(server.host, lines))).status).toBe(403);
    expect((await server.raw(upgradeHead(server.host, lines, '/'))).status).toBe(404);
  });
});

describe('the build of the page', () => {
  const ROOT = resolve(__dirname, '../..');
  const bed = useTestBed();
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'trex-page-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function build(name: string): Promise<string> {
    const out = join(folder, name);
    const script = join(ROOT, 'scripts/build-page.mjs');
    await promisify(execFile)(process.execPath, [script, '--out', out], { timeout: 60_000 });
    return out;
  }

  it('gives the same files each time, which a server serves as they are referred to', async () => {
    const [one, other] = [await build('one'), await build('other')];
    writeFileSync(join(one, 'assets/main-OLD.js'), 'of an earlier build');
    await build('one');
    const names = readdirSync(one, { recursive: true, encoding: 'utf8' }).toSorted();
    expect(readdirSync(other, { recursive: true, encoding: 'utf8' }).toSorted()).toEqual(names);
    for (const name of names.filter((path) => path.includes('.'))) {
      expect(readFileSync(join(one, name)).equals(readFileSync(join(other, name)))).toBe(true);
    }

    const server = await bed.serve({ pageFolder: one });
    const index = await server.request('GET', '/');
    const references = [...index.body.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path!);
    expect(references).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^\/assets\/main-\w+\.js$/),
        expect.stringMatching(/^\/assets\/main-\w+\.css$/),
      ]),
    );
    for (const path of references) {
      const { status, headers, bytes } = await download(server, path, { 'Accept-Encoding': 'br' });
      expect({ path, status }).toEqual({ path, status: 200 });
      const plain = headers['content-encoding'] === 'br' ? brotliDecompressSync(bytes) : bytes;
      expect(plain.equals(readFileSync(join(one, path)))).toBe(true);
    }
    // Nothing that the policy would keep from running.
    expect(index.body).not.toMatch(/<script(?![^>]*\ssrc=)|\son\w+=|javascript:/i);
  });
});
