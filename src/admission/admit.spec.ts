import { admit, type AdmissionRequest, type AdmissionRules, type Credentials } from './admit.js';
import { isPageFile } from './doors.js';

const rules: AdmissionRules = {
  webSocketPath: '/ws',
  loginPath: '/api/auth',
  openPaths: ['/api/health', '/api/auth/enabled'],
  pagePath: '/',
  isPageFile,
  isPublic: false,
  allowedHosts: [],
  allowedOrigins: ['https://ide.example', 'chrome-extension://abcdefghijklmnop'],
  allowedUsers: [0, 1000],
  isTokenRequired: false,
  maxConnections: 4,
  maxConnectionsPerPeer: 2,
};
const nothingShown: Credentials = { areShown: false, isCookie: false };

/** The status of the answer to a request that is in order but for what is given; 0: come in. */
function statusOf(request: Partial<AdmissionRequest>, change: Partial<AdmissionRules> = {}): number {
  const decision = admit(
    {
      isUpgrade: false,
      method: 'GET',
      target: '/api/sessions',
      hosts: ['localhost:3000'],
      origins: [],
      fetchSites: [],
      fetchModes: [],
      fetchDestinations: [],
      scheme: 'http',
      credentials: nothingShown,
      load: { connections: 0, peerConnections: 0 },
      ...request,
    },
    { ...rules, ...change },
  );
  if (decision === 'askForUser') return -1;
  return 'status' in decision ? decision.status : 0;
}

const admitted = (host: string | string[], origin?: string | string[]): boolean =>
  statusOf({ hosts: [host].flat(), origins: origin === undefined ? [] : [origin].flat() }) === 0;

describe('T02 · the host', () => {
  it.each([
    'localhost',
    'localhost:3000',
    'LOCALHOST:3000',
    '127.0.0.1',
    '127.0.0.1:3000',
    '127.255.0.3:1',
    '[::1]',
    '[::1]:3000',
    'localhost:65535',
  ])('%p is let in', (host) => {
    expect(admitted(host)).toBe(true);
  });

  it.each([
    '',
    ' ',
    'evil.example',
    '127.attacker.example',
    '127.0.0.1.evil.com',
    'localhost.evil.com',
    'evil.com:127.0.0.1',
    'localhost.',
    'localhost ',
    ' localhost',
    'localhost\n',
    'xlocalhost',
    'localhostx',
    '2130706433',
    '0x7f000001',
    '0x7f.0.0.1',
    '127.1',
    '127.0.1',
    '0177.0.0.1',
    '127.0.0.01',
    '127.0.0.256',
    '127.0.0.1000',
    '128.0.0.1',
    '[::ffff:127.0.0.1]',
    '[0:0:0:0:0:0:0:1]',
    '::1',
    '[::1',
    '[::]',
    '0.0.0.0',
    '192.168.1.1:3000',
    'localhost:0',
    'localhost:65536',
    'localhost:03000',
    'localhost:',
    'localhost:80:80',
    'localhost:3000/',
    'localhost@evil.com',
    'evil.com@localhost',
    'http://localhost',
    '１２７.0.0.1',
    'localhost\0',
    'localhost,localhost',
    'l'.repeat(5000),
  ])('%.40p is refused', (host) => {
    expect(admitted(host)).toBe(false);
  });

  it('is named exactly once', () => {
    expect(admitted([])).toBe(false);
    expect(admitted(['localhost', 'localhost'])).toBe(false);
  });
});

describe('T01, T03, T04 · the origin', () => {
  it.each([
    ['localhost:3000', 'http://localhost:3000'],
    ['LocalHost:3000', 'http://localhost:3000'],
    ['127.0.0.1:3000', 'http://127.0.0.1:3000'],
    ['[::1]:3000', 'http://[::1]:3000'],
    ['localhost', 'http://localhost'],
    ['localhost:80', 'http://localhost'],
    ['localhost:3000', 'https://ide.example'],
    ['localhost:3000', 'chrome-extension://abcdefghijklmnop'],
  ])('at %s from %s is let in', (host, origin) => {
    expect(admitted(host, origin)).toBe(true);
  });

  it.each([
    'https://evil.example',
    'http://evil.example:3000',
    'https://localhost:3000',
    'http://localhost:3001',
    'http://localhost',
    'http://127.0.0.1:3000',
    'http://[::1]:3000',
    'http://localhost:3000/',
    'http://localhost:3000.evil.example',
    'http://localhost:30000',
    'http://localhost:3000, http://evil.example',
    'http://localhost:3000,',
    ' http://localhost:3000',
    'HTTP://LOCALHOST:3000',
    'http://user@localhost:3000',
    'null',
    '',
    'file://',
    'chrome-extension://x',
    'chrome-extension://abcdefghijklmnopq',
    'moz-extension://x',
    'vscode-webview://x',
    'blob:http://localhost:3000',
    'https://ide.example.evil.example',
    'https://ide.example:443',
    'http://ide.example',
    'https://IDE.example',
    'ws://localhost:3000',
  ])('%p is refused', (origin) => {
    expect(admitted('localhost:3000', origin)).toBe(false);
  });

  it('given twice is refused, be it the same', () => {
    expect(admitted('localhost:3000', ['http://localhost:3000', 'http://localhost:3000'])).toBe(false);
  });

  it('T05 · may be missing: programs that are no browser send none', () => {
    expect(admitted('localhost:3000')).toBe(true);
  });
});

describe('T02 · the host of a server that others can reach', () => {
  const isPublic = true;

  it.each(['192.168.1.1:3000', '10.0.0.1', '[fe80::1]', '[2001:db8::1]:443', 'localhost', '127.0.0.1'])(
    '%p is let in: it is an address, which nobody else answers for',
    (host) => {
      expect(statusOf({ hosts: [host] }, { isPublic })).toBe(0);
    },
  );

  it.each([
    '0.0.0.0',
    '[::]',
    'evil.example',
    '192.168.1.01',
    '1.2.3',
    '[::1',
    '[::1%lo]',
    '::1',
    '[1.2.3.4]',
  ])('%p is refused', (host) => {
    expect(statusOf({ hosts: [host] }, { isPublic })).toBe(403);
  });

  it.each([
    ['trex.example', 0],
    ['TREX.example:8443', 0],
    ['ide.example:8443', 0],
    ['ide.example', 403],
    ['ide.example:443', 403],
    ['sub.trex.example', 403],
    ['trex.example.evil', 403],
    ['trex.example.', 403],
  ])('%p, where names are listed, is answered with %p', (host, status) => {
    const allowedHosts = ['trex.example', 'ide.example:8443'];
    expect(statusOf({ hosts: [host] }, { allowedHosts })).toBe(status);
  });
});

describe('T03 · the scheme', () => {
  it.each([
    ['https', 'https://localhost:3000', 0],
    ['https', 'http://localhost:3000', 403],
    ['http', 'https://localhost:3000', 403],
  ] as const)('%s: pages of %s are answered with %p', (scheme, origin, status) => {
    expect(statusOf({ scheme, origins: [origin] })).toBe(status);
  });

  it('has a port of its own', () => {
    expect(statusOf({ scheme: 'https', hosts: ['localhost'], origins: ['https://localhost'] })).toBe(0);
    expect(statusOf({ scheme: 'https', hosts: ['localhost:443'], origins: ['https://localhost'] })).toBe(0);
    expect(statusOf({ scheme: 'https', hosts: ['localhost:80'], origins: ['https://localhost'] })).toBe(403);
  });
});

describe('T05, T06 · what a browser says of the page that asks', () => {
  it.each([
    [[], ['same-origin'], 0],
    [[], ['none'], 0],
    [[], ['same-site'], 403],
    [[], ['cross-site'], 403],
    [[], ['something'], 403],
    [[], [''], 403],
    [[], ['same-origin', 'same-origin'], 403],
    [['http://localhost:3000'], ['same-origin'], 0],
    [['http://localhost:3000'], ['cross-site'], 403],
    [['https://ide.example'], ['cross-site'], 0],
    [['https://evil.example'], ['same-origin'], 403],
  ])('origin %j at a distance of %j: %p', (origins, fetchSites, status) => {
    for (const isUpgrade of [false, true]) {
      const target = isUpgrade ? '/ws' : '/api/sessions';
      expect(statusOf({ origins, fetchSites, isUpgrade, target })).toBe(status);
    }
  });
});

describe('T05 · a link to the page from elsewhere', () => {
  const link = {
    target: '/',
    fetchSites: ['cross-site'],
    fetchModes: ['navigate'],
    fetchDestinations: ['document'],
  };

  it.each<[string, Partial<AdmissionRequest>]>([
    ['of another site', {}],
    ['of another port', { fetchSites: ['same-site'] }],
    ['with a query', { target: '/?from=wiki' }],
    ['followed by HEAD', { method: 'HEAD' }],
  ])('%s comes in', (_what, change) => {
    expect(statusOf({ ...link, ...change })).toBe(0);
    expect(statusOf({ ...link, ...change }, { isTokenRequired: true })).toBe(0);
  });

  it.each<[string, Partial<AdmissionRequest>]>([
    ['to the API', { target: '/api/sessions' }],
    ['to what is open in the API', { target: '/api/health' }],
    ['to its documentation', { target: '/api/docs' }],
    ['to the WebSocket', { target: '/ws' }],
    ['to what the page is made of', { target: '/assets/main-4F2A.js' }],
    ['to nothing', { target: '/elsewhere' }],
    ['to two slashes', { target: '//' }],
    ['to what is the page to some readers', { target: '/.' }],
    ['that posts', { method: 'POST' }],
    ['that deletes', { method: 'DELETE' }],
    ['that asks', { method: 'OPTIONS' }],
    ['that says whose page asks', { origins: ['https://evil.example'] }],
    ['that says that a page asks that has no name', { origins: ['null'] }],
    ['of no known distance', { fetchSites: ['something'] }],
    ['of two distances', { fetchSites: ['cross-site', 'none'] }],
    ['for a frame', { fetchDestinations: ['iframe'] }],
    ['for an embedded object', { fetchDestinations: ['embed'] }],
    ['for nobody knows what', { fetchDestinations: [] }],
    ['for a script', { fetchModes: ['no-cors'], fetchDestinations: ['script'] }],
    ['for an image', { fetchModes: ['no-cors'], fetchDestinations: ['image'] }],
    ['by fetch()', { fetchModes: ['cors'], fetchDestinations: ['empty'] }],
    ['by fetch() without an answer', { fetchModes: ['no-cors'], fetchDestinations: ['empty'] }],
    ['for two things', { fetchDestinations: ['document', 'iframe'] }],
    ['in two ways', { fetchModes: ['navigate', 'cors'] }],
    ['to another host', { hosts: ['evil.example'] }],
    ['of another user', { user: 1001 }],
  ])('%s does not', (_what, change) => {
    expect(statusOf({ ...link, ...change })).toBe(403);
  });

  it('opens no WebSocket', () => {
    expect(statusOf({ ...link, isUpgrade: true })).toBe(404);
    expect(statusOf({ ...link, isUpgrade: true, target: '/ws' })).toBe(403);
  });
});

describe('T08 · the user at the other end', () => {
  it.each([
    [undefined, 0],
    [0, 0],
    [1000, 0],
    [1001, 403],
    [65_534, 403],
    ['unknown', 403],
    ['gone', 403],
    ['unasked', -1],
  ] as const)('%p is answered with %p', (user, status) => {
    expect(statusOf({ user })).toBe(status);
    expect(statusOf({ user, isUpgrade: true, target: '/ws' })).toBe(status);
  });
});

it('T08b · nobody asks for the user of a request that is refused anyway', () => {
  const user = 'unasked';
  expect(statusOf({ user, target: '*' })).toBe(400);
  expect(statusOf({ user, hosts: ['evil.example'] })).toBe(403);
  expect(statusOf({ user, origins: ['https://evil.example'] })).toBe(403);
  expect(statusOf({ user, isUpgrade: true, target: '/elsewhere' })).toBe(404);
});

describe('T11, T12 · the token', () => {
  const required = { isTokenRequired: true };
  const full: Credentials = { areShown: true, access: 'full', isCookie: false };
  const readOnly: Credentials = { areShown: true, access: 'readOnly', isCookie: false };
  const cookie: Credentials = { areShown: false, access: 'full', isCookie: true };
  const wrong: Credentials = { areShown: true, isCookie: false };

  it.each([
    ['nothing', nothingShown, 401],
    ['a wrong one', wrong, 401],
    ['one too many wrong ones', { ...wrong, retryAfterSeconds: 6 }, 429],
    ['a wrong cookie', { areShown: false, isCookie: true }, 401],
    ['the right one', full, 0],
    ['one that only reads', readOnly, 0],
    ['a cookie', cookie, 0],
  ] as const)('%s', (_what, credentials, status) => {
    expect(statusOf({ credentials }, required)).toBe(status);
    const upgrade = { isUpgrade: true, target: '/ws', origins: ['http://localhost:3000'] };
    expect(statusOf({ credentials, ...upgrade }, required)).toBe(status);
  });

  it.each([
    ['GET', '/api/health', 0],
    ['GET', '/api/health?x', 0],
    ['HEAD', '/api/health', 0],
    ['GET', '/api/auth/enabled', 0],
    ['DELETE', '/api/auth', 0],
    ['OPTIONS', '/api/sessions', 0],
    ['GET', '/api/health/more', 401],
    ['GET', '/api/Health', 401],
    ['DELETE', '/api/health', 401],
    ['POST', '/api/auth', 401],
    ['POST', '/api/auth/enabled', 401],
    ['GET', '/api/docs', 401],
    ['GET', '/api/openapi.json', 401],
    ['GET', '/', 0],
    ['HEAD', '/', 0],
    ['GET', '/?x', 0],
    ['GET', '/icon.svg', 0],
    ['GET', '/assets/main-4F2A.js', 0],
    ['GET', '/assets/main-4F2A.js.LEGAL.txt', 0],
    ['POST', '/', 401],
    ['DELETE', '/icon.svg', 401],
    ['GET', '//', 401],
    ['GET', '/elsewhere', 401],
    ['GET', '/assets/', 401],
    ['GET', '/assets/more/main.js', 401],
    ['GET', '/assets/../api/openapi.json', 401],
    ['GET', '/assets/..', 401],
    ['GET', '/assets/.env', 401],
    ['GET', '/.env', 401],
    ['GET', '/main..js', 401],
    ['GET', '/assets%2fmain.js', 401],
    ['GET', '/icon.svg/', 401],
    ['GET', '/ws', 401],
  ])('%s %s without one: %p', (method, target, status) => {
    expect(statusOf({ method, target }, required)).toBe(status);
  });

  it.each([
    ['GET', '/api/sessions', 0],
    ['HEAD', '/api/sessions', 0],
    ['DELETE', '/api/sessions/s1', 403],
    ['PATCH', '/api/sessions/s1', 403],
    ['POST', '/api/auth', 0],
    ['DELETE', '/api/auth', 0],
    ['POST', '/api/auth/more', 403],
  ])('%s %s with one that only reads: %p', (method, target, status) => {
    expect(statusOf({ method, target, credentials: readOnly }, required)).toBe(status);
  });

  it('T05 · is no cookie alone where something happens and no page says that it asks', () => {
    expect(statusOf({ method: 'DELETE', credentials: cookie }, required)).toBe(403);
    expect(statusOf({ isUpgrade: true, target: '/ws', credentials: cookie }, required)).toBe(403);
    const origins = ['http://localhost:3000'];
    expect(statusOf({ method: 'DELETE', credentials: cookie, origins }, required)).toBe(0);
  });

  it('is not looked at where none is needed', () => {
    expect(statusOf({ method: 'DELETE', credentials: readOnly })).toBe(0);
  });

  it('says what it lets do', () => {
    const decide = (credentials: Credentials, isTokenRequired: boolean, target = '/'): unknown =>
      admit(
        {
          ...{
            isUpgrade: false,
            method: 'GET',
            target,
            hosts: ['localhost'],
            origins: [],
            fetchSites: [],
            fetchModes: [],
            fetchDestinations: [],
          },
          ...{ scheme: 'http', credentials, load: { connections: 0, peerConnections: 0 } },
        },
        { ...rules, isTokenRequired },
      );
    expect(decide(readOnly, true)).toEqual({ access: 'readOnly' });
    expect(decide(full, true)).toEqual({ access: 'full' });
    expect(decide(nothingShown, false)).toEqual({ access: 'full' });
    expect(decide(nothingShown, true, '/api/health')).toEqual({ access: 'readOnly' });
  });
});

describe('T15 · the target', () => {
  it.each([
    '',
    '*',
    'api/sessions',
    'http://localhost:3000/api/sessions',
    '/api\\sessions',
    '/api/sessions#here',
    '/api/sessions?x#here',
    '/api/séssions',
    '/api/ses sions',
    `/${'a'.repeat(2048)}`,
  ])('%.40p is refused', (target) => {
    expect(statusOf({ target })).toBe(400);
  });

  it.each(['/', '/api/sessions', '/api/sessions/s1', '/api/sessions?a=//b/../c%2f', `/${'a'.repeat(2047)}`])(
    '%.40p is a path',
    (target) => {
      expect(statusOf({ target })).toBe(0);
    },
  );

  it.each(['/', '/ws/', '/WS', '/wss', '//ws', '/./ws', '/ws/..', '/%77s', '/ws%2f', '/api/sessions'])(
    '%p is no WebSocket',
    (target) => {
      expect(statusOf({ isUpgrade: true, target })).toBe(404);
    },
  );

  it('is looked at first', () => {
    expect(statusOf({ isUpgrade: true, target: '/elsewhere', hosts: ['evil.example'] })).toBe(404);
    expect(statusOf({ target: '*', hosts: ['evil.example'] })).toBe(400);
  });
});

describe('T38 · how many are there already', () => {
  it.each([
    [3, 1, 0],
    [4, 0, 503],
    [2, 2, 503],
  ])('%p WebSockets, %p of this peer: %p', (connections, peerConnections, status) => {
    const load = { connections, peerConnections };
    expect(statusOf({ load, isUpgrade: true, target: '/ws' })).toBe(status);
    expect(statusOf({ load })).toBe(0);
  });

  it('is told to nobody who would not come in', () => {
    const load = { connections: 4, peerConnections: 0 };
    expect(statusOf({ load, isUpgrade: true, target: '/ws', user: 1001 })).toBe(403);
  });
});
