import * as fc from 'fast-check';
import { type AppConfig, LOG_LEVELS } from './app-config.js';
import { ConfigError } from './config-error.js';
import { BUILT_PAGE, type Environment, readEnvironment } from './environment.js';
import { type Machine } from './machine.js';
import { settings } from './settings.js';

const TOKEN = 't'.repeat(43);
const READ_ONLY_TOKEN = 'r'.repeat(22);

const machine: Machine = {
  home: '/home/ada',
  userShell: '/bin/zsh',
  shells: ['/bin/sh', '/bin/bash', '/bin/zsh', '/usr/bin/fish'],
  mayExecute: () => true,
  directory: (path) => path,
  readSecret: (path) => ({ text: path.endsWith('read-only') ? `${READ_ONLY_TOKEN}\n` : `${TOKEN}\n` }),
};

function read(env: Environment, on: Partial<Machine> = {}): AppConfig {
  return readEnvironment(env, { ...machine, ...on });
}

function problemsOf(env: Environment, on: Partial<Machine> = {}): readonly string[] {
  try {
    read(env, on);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('readEnvironment', () => {
  it('has an answer for everything when nothing is set', () => {
    expect(read({})).toEqual({
      host: '127.0.0.1',
      isPublic: false,
      port: 3000,
      pageFolder: BUILT_PAGE,
      shell: '/bin/zsh',
      shells: machine.shells,
      cwd: '/home/ada',
      cwdRoot: undefined,
      maxSessions: 64,
      maxViewers: 8,
      exitedLingerSeconds: 60,
      resumeSeconds: 60,
      resumeHoldSeconds: 30,
      detachedSeconds: 86_400,
      logBytes: 1_048_576,
      auth: 'auto',
      token: undefined,
      readOnlyToken: undefined,
      allowedHosts: [],
      allowedOrigins: [],
      allowedUids: [],
      trustedProxies: [],
      maxConnections: 128,
      maxConnectionsPerPeer: 32,
      maxSessionsPerConnection: 0,
      createBurst: 64,
      createRate: 10,
      messageBurst: 1000,
      messageRate: 200,
      maxMessageBytes: 4_194_304,
      maxColumns: 1000,
      maxRows: 500,
      inputQueueBytes: 4_194_304,
      inputTotalBytes: 67_108_864,
      maxWindowBytes: 1_048_576,
      socketBufferBytes: 262_144,
      pingSeconds: 15,
      deadSeconds: 30,
      headersSeconds: 10,
      requestSeconds: 15,
      keepAliveSeconds: 5,
      maxHeaderBytes: 8192,
      killSeconds: 1,
      shutdownSeconds: 8,
      metrics: false,
      logLevel: 'info',
    });
  });

  it('takes what is set', () => {
    const config = read({
      TREX_HOST: '::',
      TREX_PORT: '0',
      TREX_PAGE: 'off',
      TREX_TOKEN: TOKEN,
      TREX_READ_ONLY_TOKEN_FILE: '/run/read-only',
      TREX_ALLOWED_HOSTS: 'trex.example.com,ide.example.com:8443',
      TREX_ALLOWED_UIDS: '33,1000',
      TREX_TRUST_PROXY: '10.0.0.0/8,::1',
      TREX_MAX_CONNECTIONS: '9',
      TREX_MAX_CONNECTIONS_PER_PEER: '3',
      TREX_MAX_SESSIONS_PER_CONNECTION: '7',
      TREX_CREATE_BURST: '5',
      TREX_CREATE_RATE: '2',
      TREX_MESSAGE_BURST: '500',
      TREX_MESSAGE_RATE: '50',
      TREX_MAX_MESSAGE_BYTES: '131072',
      TREX_MAX_COLUMNS: '200',
      TREX_MAX_ROWS: '100',
      TREX_INPUT_QUEUE_BYTES: '262144',
      TREX_INPUT_TOTAL_BYTES: '300000',
      TREX_MAX_WINDOW_BYTES: '131072',
      TREX_SOCKET_BUFFER_BYTES: '65536',
      TREX_PING_SECONDS: '3',
      TREX_DEAD_SECONDS: '7',
      TREX_KEEP_ALIVE_SECONDS: '1',
      TREX_KILL_SECONDS: '0',
      TREX_SHUTDOWN_SECONDS: '20',
      TREX_HEADERS_TIMEOUT_SECONDS: '2',
      TREX_REQUEST_TIMEOUT_SECONDS: '3',
      TREX_MAX_HEADER_BYTES: '4096',
      TREX_SHELL: 'fish',
      TREX_SHELLS: '/opt/nu',
      TREX_CWD: '/srv/work',
      TREX_CWD_ROOT: '/srv',
      TREX_MAX_SESSIONS: '8',
      TREX_EXITED_LINGER_SECONDS: '0',
      TREX_RESUME_SECONDS: '0',
      TREX_RESUME_HOLD_SECONDS: '5',
      TREX_DETACHED_SECONDS: '1',
      TREX_LOG_BYTES: '262144',
      TREX_ALLOWED_ORIGINS: 'https://example.com,http://localhost:5173',
      TREX_METRICS: 'on',
      TREX_LOG_LEVEL: 'debug',
    });

    expect(config).toEqual({
      host: '::',
      isPublic: true,
      port: 0,
      pageFolder: undefined,
      shell: '/usr/bin/fish',
      shells: [...machine.shells, '/opt/nu'],
      cwd: '/srv/work',
      cwdRoot: '/srv',
      maxSessions: 8,
      maxViewers: 8,
      exitedLingerSeconds: 0,
      resumeSeconds: 0,
      resumeHoldSeconds: 5,
      detachedSeconds: 1,
      logBytes: 262_144,
      auth: 'auto',
      token: TOKEN,
      readOnlyToken: READ_ONLY_TOKEN,
      allowedHosts: ['trex.example.com', 'ide.example.com:8443'],
      allowedOrigins: ['https://example.com', 'http://localhost:5173'],
      allowedUids: [33, 1000],
      trustedProxies: ['10.0.0.0/8', '::1'],
      maxConnections: 9,
      maxConnectionsPerPeer: 3,
      maxSessionsPerConnection: 7,
      createBurst: 5,
      createRate: 2,
      messageBurst: 500,
      messageRate: 50,
      maxMessageBytes: 131_072,
      maxColumns: 200,
      maxRows: 100,
      inputQueueBytes: 262_144,
      inputTotalBytes: 300_000,
      maxWindowBytes: 131_072,
      socketBufferBytes: 65_536,
      pingSeconds: 3,
      deadSeconds: 7,
      headersSeconds: 2,
      requestSeconds: 3,
      keepAliveSeconds: 1,
      maxHeaderBytes: 4096,
      killSeconds: 0,
      shutdownSeconds: 20,
      metrics: true,
      logLevel: 'debug',
    });
  });

  it('takes an empty text as nothing said, but for the host', () => {
    const empty = Object.fromEntries(Object.values(settings).map(({ name }) => [name, '']));

    expect(problemsOf(empty)).toEqual(['TREX_HOST must be an address or name of this machine, got ""']);
    expect(read({ ...empty, TREX_HOST: undefined })).toEqual(read({}));
  });

  it('lists every problem at once', () => {
    expect(
      problemsOf({
        TREX_PROT: '3000',
        TREX_HOST: '0.0.0.0',
        TREX_AUTH: 'maybe',
        TREX_ALLOWED_HOSTS: 'good.example,http://bad.example,*.example,worse.example:0',
        TREX_ALLOWED_UIDS: '0,root',
        TREX_TRUST_PROXY: '10.0.0.1,10.0.0.0/33,::/129,proxy,1.2.3.4/8/8',
        TREX_PAGE: 'yes',
        TREX_PORT: '65536',
        TREX_SHELL: 'csh',
        TREX_SHELLS: '/bin/ok,bin/not',
        TREX_CWD: 'work',
        TREX_MAX_SESSIONS: 'ten',
        TREX_LOG_LEVEL: 'loud',
        TREX_ALLOWED_ORIGINS: 'https://good.example,*,http://bad.example/',
      }).toSorted(),
    ).toEqual([
      'TREX_ALLOWED_HOSTS must be host names, each with or without a port (trex.example.com), separated by commas, ' +
        'got "http://bad.example", "*.example", "worse.example:0"',
      'TREX_ALLOWED_ORIGINS must be origins exactly as a browser sends them (https://example.com), ' +
        'separated by commas, got "*", "http://bad.example/"',
      'TREX_ALLOWED_UIDS must be user ids, separated by commas, got "root"',
      'TREX_AUTH must be auto or none, got "maybe"',
      'TREX_CWD must be an absolute path, got "work"',
      'TREX_HOST=0.0.0.0 can be reached from elsewhere, and whoever reaches it gets a shell: set TREX_TOKEN_FILE to ' +
        'the file of a token (`trex token` writes one), or say TREX_AUTH=none',
      'TREX_LOG_LEVEL must be one of trace, debug, info, warn, error, silent, got "loud"',
      'TREX_MAX_SESSIONS must be a whole number from 1 to 10000, got "ten"',
      'TREX_PAGE must be on or off, got "yes"',
      'TREX_PORT must be a whole number from 0 to 65535, got "65536"',
      'TREX_PROT is not a setting; did you mean TREX_PORT?',
      'TREX_SHELL must be an absolute path, or the name of one of /bin/sh, /bin/bash, /bin/zsh, /usr/bin/fish, got "csh"',
      'TREX_SHELLS must be absolute paths, separated by commas, got "bin/not"',
      'TREX_TRUST_PROXY must be addresses or networks (10.0.0.0/8), separated by commas, ' +
        'got "10.0.0.0/33", "::/129", "proxy", "1.2.3.4/8/8"',
    ]);
  });

  it('lists a shell that cannot run and a directory that cannot be entered with the other problems', () => {
    const nothing = { mayExecute: () => false, directory: () => undefined };

    expect(
      problemsOf({ TREX_SHELL: '/opt/nu', TREX_CWD: '/gone', TREX_PORT: 'ten' }, nothing).toSorted(),
    ).toEqual([
      'TREX_CWD must be a directory that the server may enter, got "/gone"',
      'TREX_PORT must be a whole number from 0 to 65535, got "ten"',
      'TREX_SHELL must be a file that the server may execute, got "/opt/nu"',
    ]);
  });

  it('complains once about what is not even a path', () => {
    const onlyTheDefaults = {
      mayExecute: (path: string) => machine.shells.includes(path),
      directory: (path: string) => (path === machine.home ? path : undefined),
    };

    expect(problemsOf({ TREX_SHELL: 'bin/nu', TREX_CWD: 'work' }, onlyTheDefaults)).toHaveLength(2);
  });

  it('takes no settings that cannot hold together', () => {
    expect(
      problemsOf({
        TREX_INPUT_QUEUE_BYTES: '262144',
        TREX_MAX_MESSAGE_BYTES: '262145',
        TREX_INPUT_TOTAL_BYTES: '262143',
        TREX_PING_SECONDS: '30',
        TREX_KILL_SECONDS: '8',
        TREX_REQUEST_TIMEOUT_SECONDS: '9',
      }),
    ).toEqual([
      'TREX_INPUT_TOTAL_BYTES must be a whole number from 262144 to 1073741824, got "262143"',
      'TREX_INPUT_QUEUE_BYTES must be at least TREX_MAX_MESSAGE_BYTES',
      'TREX_DEAD_SECONDS must be more than TREX_PING_SECONDS',
      'TREX_REQUEST_TIMEOUT_SECONDS must be at least TREX_HEADERS_TIMEOUT_SECONDS',
      'TREX_SHUTDOWN_SECONDS must be more than TREX_KILL_SECONDS',
    ]);
    expect(problemsOf({ TREX_INPUT_TOTAL_BYTES: '4194303' })).toEqual([
      'TREX_INPUT_TOTAL_BYTES must be at least TREX_INPUT_QUEUE_BYTES',
    ]);
  });

  describe('T17 · the directory in which sessions start', () => {
    const links: Readonly<Record<string, string>> = { '/root/link': '/elsewhere', '/way-in': '/root/in' };
    const linked = { directory: (path: string) => (path === '/gone' ? undefined : (links[path] ?? path)) };

    it('is where they start that ask for nothing, unless home or what was set is in it', () => {
      expect(read({ TREX_CWD_ROOT: '/root' }, linked).cwd).toBe('/root');
      expect(read({ TREX_CWD_ROOT: '/home' }, linked).cwd).toBe('/home/ada');
      expect(read({ TREX_CWD_ROOT: '/' }, linked).cwd).toBe('/home/ada');
      expect(read({ TREX_CWD_ROOT: '/root', TREX_CWD: '/root' }, linked).cwd).toBe('/root');
      expect(read({ TREX_CWD_ROOT: '/root', TREX_CWD: '/way-in' }, linked).cwd).toBe('/way-in');
    });

    it('is known by its real path', () => {
      expect(read({ TREX_CWD_ROOT: '/way-in' }, linked).cwdRoot).toBe('/root/in');
    });

    it.each(['/elsewhere', '/rooted', '/root/link'])('is not left for %s', (cwd) => {
      expect(problemsOf({ TREX_CWD_ROOT: '/root', TREX_CWD: cwd }, linked)).toEqual([
        `TREX_CWD must be within TREX_CWD_ROOT, which is /root, got "${cwd}"`,
      ]);
    });

    it('must be there', () => {
      expect(problemsOf({ TREX_CWD_ROOT: '/gone' }, linked)).toEqual([
        'TREX_CWD_ROOT must be a directory that the server may enter, got "/gone"',
      ]);
    });
  });

  it('shows a hostile text without letting it act on the terminal', () => {
    const [problem] = problemsOf({ TREX_CWD: `\x1b]0;owned\x07\x9b${'x'.repeat(1000)}` });

    expect(problem).toMatch(/got "\\u001b\]0;owned\\u0007\\u009bx+…"$/);
    expect(problem!.length).toBeLessThan(150);
  });

  it.each([
    ['TREX_PORTS', 'TREX_PORT'],
    ['TREX_MAX_SESSION', 'TREX_MAX_SESSIONS'],
    ['TREX_ALLOWED_ORIGIN', 'TREX_ALLOWED_ORIGINS'],
    ['TREX_port', 'TREX_PORT'],
    ['TREX_LOGLEVEL', 'TREX_LOG_LEVEL'],
  ])('refuses %s and suggests %s', (name, nearest) => {
    expect(problemsOf({ [name]: '' })).toEqual([`${name} is not a setting; did you mean ${nearest}?`]);
  });

  it('leaves the variables of others alone', () => {
    expect(problemsOf({ PORT: 'ten', TREXX: 'a', MY_TREX_PORT: 'b', TREX_GONE: undefined })).toEqual([]);
  });

  describe.each([
    ['TREX_PORT', 'port', 0, 65_535],
    ['TREX_MAX_SESSIONS', 'maxSessions', 1, 10_000],
    ['TREX_MAX_VIEWERS', 'maxViewers', 1, 1000],
    ['TREX_EXITED_LINGER_SECONDS', 'exitedLingerSeconds', 0, 86_400],
    ['TREX_RESUME_SECONDS', 'resumeSeconds', 0, 86_400],
    ['TREX_RESUME_HOLD_SECONDS', 'resumeHoldSeconds', 0, 86_400],
    ['TREX_DETACHED_SECONDS', 'detachedSeconds', 0, 2_000_000],
    ['TREX_LOG_BYTES', 'logBytes', 262_144, 67_108_864],
    ['TREX_MAX_WINDOW_BYTES', 'maxWindowBytes', 131_072, 16_777_216],
    ['TREX_KEEP_ALIVE_SECONDS', 'keepAliveSeconds', 1, 600],
  ] as const)('%s', (name, key, min, max) => {
    it(`takes ${min} and ${max}`, () => {
      expect(read({ [name]: String(min) })[key]).toBe(min);
      expect(read({ [name]: String(max) })[key]).toBe(max);
    });

    it.each([
      [String(min - 1)],
      [String(max + 1)],
      ['ten'],
      ['1e1'],
      [' 100000'],
      ['100000 '],
      ['0x10'],
      ['100000.0'],
      ['+100000'],
      ['-0'],
      ['0100'],
      ['1_000'],
      ['٣'],
      ['9'.repeat(400)],
    ])('refuses %j', (text) => {
      expect(problemsOf({ [name]: text })).toHaveLength(1);
    });
  });

  describe('T09 · the host', () => {
    it.each(['localhost', '127.0.0.1', '127.0.0.53', '127.255.255.255', '::1'])(
      'may be %s, which only this machine reaches',
      (host) => {
        expect(read({ TREX_HOST: host })).toMatchObject({ host, isPublic: false });
      },
    );

    it.each([
      '0.0.0.0',
      '::',
      '0',
      '::ffff:127.0.0.1',
      '192.168.1.5',
      '126.0.0.1',
      '127.attacker.example',
      '127.0.0.1.attacker.example',
      '127.1',
      '2130706433',
      '0x7f000001',
      'localhost.localdomain',
      'notlocalhost',
      'trex.example.com',
    ])('may be %s only with a token, or when somebody says that none is needed', (host) => {
      const [problem, ...more] = problemsOf({ TREX_HOST: host });
      expect(problem).toMatch(`TREX_HOST=${host} can be reached from elsewhere`);
      expect(problem).toMatch(/TREX_TOKEN_FILE.+TREX_AUTH=none/);
      expect(more).toEqual([]);
      expect(problemsOf({ TREX_HOST: host, TREX_AUTH: 'auto' })).toHaveLength(1);
      for (const way of [{ TREX_AUTH: 'none' }, { TREX_TOKEN: TOKEN }, { TREX_TOKEN_FILE: '/run/token' }]) {
        expect(read({ TREX_HOST: host, ...way })).toMatchObject({ host, isPublic: true });
      }
    });

    it.each([
      '',
      ' ',
      '*',
      'http://localhost',
      'localhost:3000',
      '[::1]',
      'localhost.',
      '/run/trex.sock',
      '-x',
    ])('may not be %j', (host) => {
      expect(problemsOf({ TREX_HOST: host })).toEqual([
        expect.stringMatching(/^TREX_HOST must be an address or name of this machine, got /),
      ]);
    });
  });

  describe('T11 · a token', () => {
    const refused = { readSecret: () => ({ refused: 'is open to others: chmod 600 it' }) };

    it('comes from the environment or from a file, whose last newline does not count', () => {
      expect(read({ TREX_TOKEN: TOKEN, TREX_READ_ONLY_TOKEN: READ_ONLY_TOKEN })).toMatchObject({
        token: TOKEN,
        readOnlyToken: READ_ONLY_TOKEN,
      });
      expect(read({ TREX_TOKEN_FILE: '/run/token' }).token).toBe(TOKEN);
      for (const end of ['', '\n', '\r\n']) {
        const readSecret = (): { text: string } => ({ text: TOKEN + end });
        expect(read({ TREX_TOKEN_FILE: '/run/token' }, { readSecret }).token).toBe(TOKEN);
      }
    });

    it.each([
      'short',
      'x'.repeat(21),
      'x'.repeat(513),
      `${TOKEN} `,
      `${TOKEN}=`,
      'é'.repeat(30),
      `${TOKEN}\n\n`,
    ])('is none of %j, which is not shown', (text) => {
      const accepted = '22 to 512 of the characters A–Z, a–z, 0–9, _ and -';
      expect(problemsOf({ TREX_TOKEN: text })).toEqual([
        `TREX_TOKEN must be ${accepted}, as \`trex token\` makes them`,
      ]);
      expect(problemsOf({ TREX_TOKEN_FILE: '/run/token' }, { readSecret: () => ({ text }) })).toEqual([
        `TREX_TOKEN_FILE: /run/token must hold a token, ${accepted}`,
      ]);
    });

    it('is not taken from a file that others can read', () => {
      expect(problemsOf({ TREX_TOKEN_FILE: '/run/token', TREX_HOST: '::' }, refused)).toEqual([
        'TREX_TOKEN_FILE must be a file that nobody else can read: /run/token is open to others: chmod 600 it',
      ]);
    });

    it('is set once', () => {
      expect(problemsOf({ TREX_TOKEN: TOKEN, TREX_TOKEN_FILE: '/run/token' })).toEqual([
        'TREX_TOKEN_FILE and TREX_TOKEN cannot both be set',
      ]);
    });

    it('that only reads is no use alone, and another than the one that lets do everything', () => {
      for (const TREX_HOST of ['127.0.0.1', '::']) {
        expect(problemsOf({ TREX_HOST, TREX_READ_ONLY_TOKEN: READ_ONLY_TOKEN })).toEqual([
          'TREX_READ_ONLY_TOKEN alone would let nobody do anything: set TREX_TOKEN_FILE, too',
        ]);
      }
      expect(problemsOf({ TREX_TOKEN: TOKEN, TREX_READ_ONLY_TOKEN: TOKEN })).toEqual([
        'TREX_READ_ONLY_TOKEN must be another token than TREX_TOKEN, which lets do everything',
      ]);
    });

    it('contradicts that none is needed', () => {
      expect(problemsOf({ TREX_AUTH: 'none', TREX_TOKEN_FILE: '/run/token' })).toEqual([
        'TREX_AUTH=none lets everybody in without a token: it cannot be set with TREX_TOKEN_FILE',
      ]);
    });
  });

  describe('allowed origins', () => {
    it.each([
      'https://example.com',
      'http://localhost:5173',
      'http://127.0.0.1:8080',
      'http://[::1]:3000',
      'https://xn--bcher-kva.example',
      'null',
      'chrome-extension://abcdefghijklmnopabcdefghijklmnop',
      'moz-extension://0f5a4b6c-1d2e-4f3a-8b9c-0d1e2f3a4b5c',
      'safari-web-extension://0F5A4B6C-1D2E-4F3A-8B9C-0D1E2F3A4B5C',
    ])('may hold %s', (origin) => {
      expect(read({ TREX_ALLOWED_ORIGINS: origin }).allowedOrigins).toEqual([origin]);
    });

    it.each([
      '*',
      'https://*',
      'https://*.example.com',
      'http://localhost:*',
      'https://example.com/',
      'https://example.com/path',
      'https://example.com?q',
      'https://example.com#f',
      'https://example.com:443',
      'http://example.com:80',
      'https://EXAMPLE.com',
      'HTTPS://example.com',
      'https://user@example.com',
      'https://bücher.example',
      'https:example.com',
      'https://',
      'http://127.1',
      'http://localhost:99999',
      ' https://example.com',
      'https://example.com\n',
      'https://one.example,',
      ',https://one.example',
      'https://one.example, https://two.example',
      'example.com',
      '//example.com',
      'Null',
      'null/',
      'file://',
      'ws://example.com',
      'ftp://example.com',
      'javascript:alert(1)',
      'chrome-extension://x',
      'chrome-extension://abcdefghijklmnopabcdefghijklmnop/',
      'moz-extension://*',
    ])('may not hold %j', (origin) => {
      expect(problemsOf({ TREX_ALLOWED_ORIGINS: origin })).toHaveLength(1);
    });
  });

  it.each(LOG_LEVELS)('knows the log level %s', (level) => {
    expect(read({ TREX_LOG_LEVEL: level }).logLevel).toBe(level);
  });

  it.each(['INFO', 'fatal', 'toString'])('does not know the log level %s', (level) => {
    expect(problemsOf({ TREX_LOG_LEVEL: level })).toHaveLength(1);
  });

  it('gives a ConfigError or a configuration that keeps its promises, whatever it reads', () => {
    const name = fc.oneof(
      fc.constantFrom(
        'SHELL',
        'TREX_',
        '__proto__',
        ...Object.values(settings).map((setting) => setting.name),
      ),
      fc.string().map((end) => `TREX_${end}`),
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        undefined,
        '',
        'bash',
        '/bin/bash',
        '/',
        'null',
        '::1',
        'https://example.com',
        'info',
        ',',
      ),
      fc.integer().map(String),
      fc.webUrl(),
    );
    const anyMachine = fc.record({
      home: fc.constant('/'),
      userShell: fc.option(fc.string(), { nil: undefined }),
      shells: fc.subarray([...machine.shells]),
      mayExecute: fc.func(fc.boolean()),
      directory: fc.func(fc.constantFrom('/', '/srv', '/srv/work', undefined)),
      readSecret: fc.func(fc.record({ text: fc.string() })),
    });

    fc.assert(
      fc.property(fc.dictionary(name, text), anyMachine, (env, on) => {
        try {
          const config = readEnvironment(env, on);
          expect(config.shells).toContain(config.shell);
          expect(new Set(config.shells).size).toBe(config.shells.length);
          expect(on.mayExecute(config.shell)).toBe(true);
          expect(on.directory(config.cwd)).toBeDefined();
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error;
          expect(error.problems.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('the shell', () => {
  it.each([
    ['the $SHELL of the user', { SHELL: '/usr/bin/fish' }, {}, '/usr/bin/fish'],
    [
      '$SHELL under the name the list has for it',
      { SHELL: '/usr/bin/zsh' },
      { userShell: '/bin/sh' },
      '/bin/zsh',
    ],
    ["the account's when $SHELL is not allowed", { SHELL: '/usr/bin/tmux' }, {}, '/bin/zsh'],
    ["the account's when $SHELL is empty", { SHELL: '' }, {}, '/bin/zsh'],
    ['bash when neither is allowed', { SHELL: '/bin/false' }, { userShell: '/sbin/nologin' }, '/bin/bash'],
    ['sh when there is no bash', {}, { userShell: undefined, shells: ['/bin/ksh', '/bin/sh'] }, '/bin/sh'],
    [
      'the first when there is nothing known',
      {},
      { userShell: undefined, shells: ['/bin/ksh', '/bin/tcsh'] },
      '/bin/ksh',
    ],
  ])('is %s', (_, env, on, shell) => {
    expect(read(env, on).shell).toBe(shell);
  });

  it('may be named by its path or by its name', () => {
    expect(read({ TREX_SHELL: '/bin/sh' }).shell).toBe('/bin/sh');
    expect(read({ TREX_SHELL: 'sh' }).shell).toBe('/bin/sh');
    expect(read({ TREX_SHELL: 'nu', TREX_SHELLS: '/opt/nu' }).shell).toBe('/opt/nu');
  });

  it('joins the list when the operator gives its path', () => {
    expect(read({ TREX_SHELL: '/opt/nu' }, { shells: [] })).toMatchObject({
      shell: '/opt/nu',
      shells: ['/opt/nu'],
    });
  });

  it('is listed once however often it is named', () => {
    expect(read({ TREX_SHELL: '/opt/nu', TREX_SHELLS: '/opt/nu,/bin/sh,/opt/nu' }).shells).toEqual([
      ...machine.shells,
      '/opt/nu',
    ]);
  });

  it.each(['./bash', 'bin/bash', '../bin/sh', '/bin/sh/', '/', 'sh; id', 'ash', '/bin/sh\0', 'sh\0'])(
    'may not be %j',
    (shell) => {
      expect(problemsOf({ TREX_SHELL: shell })).toHaveLength(1);
    },
  );

  it('is run by its name only where it can be executed', () => {
    const on = { mayExecute: (path: string) => path !== '/opt/nu' };

    expect(problemsOf({ TREX_SHELL: 'nu', TREX_SHELLS: '/opt/nu' }, on)).toEqual([
      'TREX_SHELLS must be files that the server may execute, got "/opt/nu"',
      'TREX_SHELL must be a file that the server may execute, got "/opt/nu"',
    ]);
  });

  it('has to be named where the machine has none', () => {
    const problem =
      'TREX_SHELL must be an absolute path: no shell was found in /etc/shells or in the usual places';

    expect(problemsOf({}, { shells: [] })).toEqual([problem]);
    expect(problemsOf({ TREX_SHELL: 'bash' }, { shells: [] })).toEqual([problem]);
  });
});
