import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { LOG_LEVELS } from '../../src/config/app-config.js';
import { upgradeHead } from '../support/handshake.js';
import { type Program, useProgram } from '../support/program.js';
import { useTestBed } from '../support/test-bed.js';
import { type Received, type TestClient } from '../support/test-client.js';
import { until } from '../support/until.js';
import { REASONS } from '../support/wire.js';

/** Before the bed: it is looked for leaks only when the programs have ended. */
const start = useProgram();
const bed = useTestBed();

/** Is in everything that is nobody else's business. */
const CANARY = 'canary';
const TOKEN = `${CANARY}-full-${'f'.repeat(22)}`;
const READ_ONLY_TOKEN = `${CANARY}-read-only-${'r'.repeat(22)}`;
const WRONG_TOKEN = `${CANARY}-wrong-${'w'.repeat(22)}`;

/** What a server may have been started with: secrets, and what would do something in a shell or to its programs. */
const OF_THE_SERVER = {
  DATABASE_PASSWORD: CANARY,
  AWS_SECRET_ACCESS_KEY: CANARY,
  SSH_AUTH_SOCK: `/${CANARY}`,
  NODE_OPTIONS: `--disable-warning=${CANARY}`,
  LD_LIBRARY_PATH: `/${CANARY}`,
  DYLD_INSERT_LIBRARIES: `/${CANARY}`,
  PYTHONPATH: `/${CANARY}`,
  BASH_ENV: `/${CANARY}`,
  ENV: `/${CANARY}`,
  PROMPT_COMMAND: `echo ${CANARY}`,
  PS1: CANARY,
  'BASH_FUNC_ls%%': `() { echo ${CANARY}; }`,
  npm_config_token: CANARY,
  TERM: CANARY,
  OLDPWD: `/${CANARY}`,
};

/** What a shell is given, and what shells set by themselves. */
const GIVEN = ['TERM', 'COLORTERM', 'LANG', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'PATH', 'TZ', 'PWD'];
const OWN = ['OLDPWD', 'SHLVL', '_'];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trex-secrets-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function fileWith(text: string): string {
  const path = join(folder, `token-${text.length}`);
  writeFileSync(path, `${text}\n`, { mode: 0o600 });
  return path;
}

const inFiles = (): Record<string, string> => ({
  TREX_TOKEN_FILE: fileWith(TOKEN),
  TREX_READ_ONLY_TOKEN_FILE: fileWith(READ_ONLY_TOKEN),
});

async function serve(tokens: Record<string, string> = inFiles()): Promise<Program> {
  return start([], { ...OF_THE_SERVER, TREX_LOG_LEVEL: 'trace', TZ: 'UTC', ...tokens }).listening();
}

function enter(program: Program, protocol = 'trex.v1', token = TOKEN): Promise<TestClient> {
  return bed.connect(program, { protocols: [protocol, `bearer.${token}`] });
}

/** In a terminal in which no line that is typed here is broken. */
const WIDE = { cols: 1000, rows: 50 };

let asked = 0;

/** What a command prints in a shell. What is typed is echoed: the marks around it are typed in another way. */
async function ask(client: TestClient, sessionId: string, command: string): Promise<string> {
  asked += 1;
  const mark = `"$((${asked}))`;
  client.send({ type: 'input', sessionId, data: `echo ${mark}<"; ${command}; echo ${mark}>"\r` });
  await client.untilOutput(sessionId, `${asked}>\r\n`);
  const output = client.output(sessionId).replaceAll('\r\n', '\n');
  const [begin, end] = [`${asked}<\n`, `${asked}>\n`];
  return output.slice(output.indexOf(begin) + begin.length, output.indexOf(end));
}

/** An environment as /proc has it, as lines. */
const environmentOf = (process: string): string => `cat /proc/${process}/environ | tr '\\0' '\\n'`;

const namesIn = (environment: string): string[] =>
  environment
    .trimEnd()
    .split('\n')
    .map((line) => line.split('=')[0]!);

describe('a real shell of a server with secrets', () => {
  it.each(['bash', 'sh'])('T18, T19 · has none of its environment: %s', async (shell) => {
    const program = await serve();
    const client = await enter(program);
    const sessionId = await client.create({ ...WIDE, shell });

    for (const command of ['env', environmentOf('$$'), environmentOf('self')]) {
      const environment = await ask(client, sessionId, command);
      expect(namesIn(environment)).toEqual(expect.arrayContaining(GIVEN));
      expect(namesIn(environment).filter((name) => ![...GIVEN, ...OWN].includes(name))).toEqual([]);
      expect(environment).not.toContain(CANARY);
    }
    // Functions and what is not for its programs too.
    expect(await ask(client, sessionId, 'set')).not.toContain(CANARY);
  });

  it.each<[string, () => Record<string, string>]>([
    ['files', inFiles],
    ['variables', () => ({ TREX_TOKEN: TOKEN, TREX_READ_ONLY_TOKEN: READ_ONLY_TOKEN })],
  ])('T19 · is not given its tokens, which it was told in %s', async (_where, tokens) => {
    const program = await serve(tokens());
    const client = await enter(program);
    const sessionId = await client.create(WIDE);

    expect(await ask(client, sessionId, `env; ${environmentOf('$$')}`)).not.toContain(CANARY);
  });

  it('T19 · cannot read tokens that are in files from how it was started, or from what it has open', async () => {
    const program = await serve();
    const client = await enter(program);
    const sessionId = await client.create(WIDE);
    expect(await ask(client, sessionId, 'echo $PPID')).toBe(`${program.pid}\n`);

    const environment = await ask(client, sessionId, environmentOf('$PPID'));
    expect(environment).toContain(`TREX_TOKEN_FILE=${folder}`);
    expect([environment.includes(TOKEN), environment.includes(READ_ONLY_TOKEN)]).toEqual([false, false]);
    const commandLine = await ask(client, sessionId, "tr '\\0' '\\n' </proc/$PPID/cmdline");
    expect(commandLine).toContain(start.main());
    expect(commandLine).not.toContain(CANARY);
    const open = await ask(client, sessionId, 'ls -l /proc/$PPID/fd');
    expect(open).toContain('ptmx');
    expect(open).not.toContain(folder);
  });

  it('T18 · is given nothing that its client asks for', async () => {
    const client = await enter(await serve());
    const plain = await client.create(WIDE);
    const asking = await client.create({
      ...WIDE,
      env: { PATH: '/evil', NEW: 'x', 'LD_PRELOAD=/x.so\0': '1', '': 'x', NUMBER: 5 },
      environment: ['NEW=x'],
      args: ['-c', 'export NEW=x; exec sh'],
      name: 'NEW',
    });

    const environment = await ask(client, asking, environmentOf('$$'));
    expect(environment).toBe(await ask(client, plain, environmentOf('$$')));
    expect(await ask(client, asking, 'env')).not.toMatch(/NEW|evil|LD_|NUMBER/);
  });

  it('T20 · holds nothing but its own terminal, of a server with sessions and connections', async () => {
    const program = await serve();
    // Numbers below those of the terminals that are free again: up to the first of them, node-pty closes by itself.
    const before = await Promise.all(Array.from({ length: 20 }, () => enter(program)));
    const client = await enter(program);
    const others = await Promise.all(Array.from({ length: 5 }, () => enter(program)));
    for (const other of others) await ask(other, await other.create(WIDE), ':');
    await Promise.all(before.map((one) => one.terminate()));

    const sessionId = await client.create(WIDE);

    const held = await ask(client, sessionId, 'ls -l /proc/self/fd');
    // The last is the directory, which ls itself has open.
    expect([...held.matchAll(/ (\d+) -> (\S+)/g)].map(([, number, target]) => [number, target])).toEqual([
      ...['0', '1', '2'].map((number) => [number, expect.stringMatching(/^\/dev\/pts\/\d+$/) as string]),
      ['3', expect.stringMatching(/^\/proc\/\d+\/fd$/) as string],
    ]);
  });
});

/** What a client may call things. It may be logged, so that it does nothing to who reads it. */
const NICKNAME = 'nickname';
const HOSTILE = `${NICKNAME}\n{"level":"fatal","msg":"forged"}\r\n\x1b]0;forged\x07\x9b31m\x7f\u2028\u202e`;

/** Sends bytes, and reads until the server hangs up or switches protocols. */
async function exchange(program: Program, ...pieces: readonly (string | Buffer)[]): Promise<string> {
  const socket = connect(program.port, '127.0.0.1');
  let received = '';
  let isOver = false;
  socket.on('close', () => (isOver = true)).on('error', () => undefined);
  socket.setEncoding('latin1').on('data', (text) => {
    received += String(text);
    if (pieces.length === 1 && received.startsWith('HTTP/1.1 101 ')) socket.destroy();
  });
  for (const piece of pieces) socket.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece);
  await until(() => isOver, 'the server hangs up').finally(() => socket.destroy());
  return received;
}

/** HTTP with canaries wherever it has room for one. */
function requests({ port }: Program): string[] {
  const host = `Host: 127.0.0.1:${port}`;
  const right = [host, `Authorization: Bearer ${TOKEN}`];
  const wrong = [host, `Authorization: Bearer ${WRONG_TOKEN}`];
  const own = `Origin: http://127.0.0.1:${port}`;
  const query = `?token=${CANARY}&q=%0a${CANARY}`;
  const everywhere = [
    ...['Referer: http://localhost/', 'User-Agent: ', 'X-Forwarded-For: ', 'Accept: '],
    ...['Cookie: session=', `Cookie: trex-${port}=full.9999999999.`, 'X-Http-Method-Override: '],
  ].map((header) => header + CANARY);
  const http = (line: string, headers: readonly string[], body = ''): string =>
    [`${line} HTTP/1.1`, ...headers, ...everywhere, 'Connection: close', '', body].join('\r\n');
  const upgrade = (target: string, ...lines: readonly string[]): string =>
    upgradeHead(`127.0.0.1:${port}`, [...lines, ...everywhere], target);
  const bearer = (token: string, protocol = 'trex.v2'): string =>
    `Sec-WebSocket-Protocol: ${protocol}, bearer.${token}`;
  return [
    http(`GET /api/sessions${query}`, right),
    http(`GET /api/sessions${query}`, wrong),
    http(`GET /api/sessions${query}`, [host, `Authorization: Basic ${CANARY}`]),
    http(`GET /api/${CANARY}${query}`, right),
    http(`GET /${CANARY}${query}`, right),
    http(`GET /api/sessions/${encodeURIComponent(HOSTILE)}${query}`, right),
    http(`DELETE /api/sessions/${encodeURIComponent(HOSTILE)}${query}`, right),
    http(`GET /api/sessions/%E0%A4%A${query}`, right),
    http(`DELETE /api/sessions${query}`, right),
    http(`OPTIONS /api/sessions${query}`, [...right, `Access-Control-Request-Headers: ${CANARY}`]),
    http(`POST /api/auth${query}`, [...right, own, `Content-Length: ${CANARY.length}`], CANARY),
    http(`POST /api/auth${query}`, [...wrong, own]),
    http(`GET /api/health${query}`, [host, `Expect: ${CANARY}`]),
    // The first of its kind: it alone is logged, of all in a minute.
    http(`GET /api/health${query}`, [`Host: ${NICKNAME}.example\x9b31m:${'9'.repeat(1000)}`]),
    http(`GET /api/health${query}`, [
      ...right,
      `Origin: http://${NICKNAME}.example\x9b31m\t"}${'9'.repeat(1000)}`,
    ]),
    http(`GET /api/health${query}`, [...right, `Sec-Fetch-Site: ${CANARY}`]),
    http(`GET /${CANARY.repeat(400)}`, right),
    http(`GET /api/health#${CANARY}`, right),
    http(`GET http://${CANARY}.example/`, right),
    http(`GET /\\${CANARY}`, right),
    http(`${CANARY.toUpperCase()} /`, right),
    http('GET /', [host, `Content-Length: ${CANARY}`]),
    http('GET /', [host, `Transfer-Encoding: ${CANARY}`]),
    http('GET /', [host, `${CANARY}: \x01`]),
    http('GET /', [host, `${CANARY} ${CANARY}`]),
    http('GET /', [host, `X-Long: ${CANARY.repeat(2000)}`]),
    `GET /${CANARY}\0 HTTP/1.1\r\n\r\n`,
    `GET /${CANARY} HTTP/9.9\r\n\r\n`,
    `${CANARY}\r\n\r\n`,
    `\x16\x03\x01\x02\x00\x01${CANARY}\r\n\r\n`,
    upgrade(`/ws${query}`),
    upgrade(`/ws${query}`, bearer(WRONG_TOKEN)),
    upgrade(`/ws${query}`, bearer(TOKEN)),
    upgrade(`/ws${query}`, bearer(TOKEN, CANARY)),
    upgrade(`/ws${query}`, bearer(TOKEN), `Sec-WebSocket-Extensions: ${CANARY}; ${CANARY}=1`),
    upgrade(`/ws${query}`, bearer(TOKEN)).replace('dHJleCB0cmV4IHRyZXggdA==', CANARY),
    upgrade(`/ws${query}`, bearer(TOKEN)).replace('Version: 13', `Version: ${CANARY}`),
    upgrade(`/${CANARY}${query}`, bearer(TOKEN)),
  ];
}

/** Messages with canaries in all that is no name, each of which is refused. */
function refusedMessages(sessionId: string): object[] {
  const tooLong = CANARY.repeat(100);
  return [
    { type: CANARY, sessionId: CANARY },
    { type: `\x1b[31m\n${CANARY}`, requestId: HOSTILE },
    { type: 'hello', resumeToken: CANARY },
    { type: 'input', sessionId: 's99', data: CANARY },
    { type: 'input', sessionId: HOSTILE, requestId: HOSTILE, data: CANARY },
    { type: 'input', sessionId: tooLong, data: CANARY },
    { type: 'input', sessionId, data: { [CANARY]: CANARY } },
    { type: 'input', sessionId, requestId: [CANARY], data: CANARY },
    { type: 'create', shell: `/bin/${CANARY}`, requestId: HOSTILE },
    { type: 'create', shell: { [CANARY]: CANARY } },
    { type: 'create', cwd: CANARY },
    { type: 'create', cwd: `/tmp\0${CANARY}` },
    { type: 'create', cols: CANARY, rows: 24 },
    { type: 'create', persistent: CANARY },
    { type: 'create', requestId: tooLong },
    { type: 'resize', sessionId, cols: CANARY, rows: { [CANARY]: CANARY } },
    { type: 'attach', sessionId: HOSTILE },
    { type: 'attach', sessionId, from: CANARY },
    { type: 'acknowledge', sessionId: HOSTILE, offset: CANARY },
    { type: 'acknowledge', sessions: CANARY },
    { type: 'close', sessionId: HOSTILE },
    { type: 'detach', sessionId: [CANARY] },
  ];
}

const refusedFrames = [
  `{"type":"input","data":"${CANARY}`,
  CANARY,
  `"${CANARY}"`,
  `["${CANARY}"]`,
  Buffer.from(CANARY),
];

/** A frame whose first byte is as given, with a canary in it, masked with zeros (RFC 6455, 5.2). */
function brokenFrame(bits: number, before: readonly number[] = []): Buffer {
  const content = Buffer.concat([Buffer.from(before), Buffer.from(CANARY)]);
  return Buffer.concat([Buffer.from([bits, 0x80 | content.length, 0, 0, 0, 0]), content]);
}

/** Reserved bits, an opcode of nobody, a ping in pieces, no UTF-8, a close with a code of nobody. */
const brokenFrames = [
  brokenFrame(0xc1),
  brokenFrame(0x8f),
  brokenFrame(0x09),
  brokenFrame(0x81, [0xff]),
  brokenFrame(0x88, [0x00, 0x01]),
];

interface Heard {
  /** What the server made to be kept by one client. */
  readonly secrets: readonly string[];
  readonly errors: readonly Received[];
  /** HTTP's answers, whole. */
  readonly answers: readonly string[];
}

/** Does everything that a client can do, with canaries in it, and with names that mean to forge lines. */
async function sayEverything(program: Program): Promise<Heard> {
  const client = await enter(program);
  const sessionId = await client.create({ ...WIDE, name: CANARY, env: { [CANARY]: CANARY } });
  expect(await ask(client, sessionId, `echo ${CANARY}`)).toBe(`${CANARY}\n`);
  await ask(client, sessionId, `printf '\\033]0;${CANARY}\\007'; ${CANARY} 2>&1`);
  client.sendRaw(...refusedFrames);
  client.send(...refusedMessages(sessionId), { type: 'tmux_config', config: CANARY });
  await client.sync();
  const failing = await client.create({ cwd: `/no/such/${HOSTILE}` });
  await client.next({ type: 'exit', sessionId: failing });
  client.socket.ping(CANARY);

  const reader = await enter(program, 'trex.v1', READ_ONLY_TOKEN);
  reader.send({ type: 'attach', sessionId }, { type: 'input', sessionId, data: CANARY });
  await reader.next({ type: 'error', reason: 'READ_ONLY' });

  const other = await enter(program, 'trex.v2');
  other.send({ type: 'hello', resumeToken: CANARY, sessions: [{ sessionId: HOSTILE, from: 0 }] });
  await other.next({ type: 'welcome' });
  other.send({ type: 'create', ...WIDE });
  const { channel } = await other.next({ type: 'session_created' });
  other.type(channel!, 0, `echo ${CANARY}; exit\r`);
  await other.next({ type: 'exit' });
  expect(other.bytesOn(channel!).toString()).toMatch(new RegExp(`[\r\n]${CANARY}\r\n`));
  other.sendRaw(Buffer.from(CANARY));
  expect(await other.closed()).toMatchObject({ code: 4002 });

  const answers: string[] = [];
  for (const request of requests(program)) answers.push(await exchange(program, request));
  const handshake = upgradeHead(`127.0.0.1:${program.port}`, [`Sec-WebSocket-Protocol: bearer.${TOKEN}`]);
  for (const frame of brokenFrames) await exchange(program, handshake, frame);
  const cookies = answers.flatMap((answer) => /^set-cookie: trex-\d+=([\w.-]+)/im.exec(answer)?.[1] ?? []);
  expect(cookies).toHaveLength(1);

  client.socket.close(4000, CANARY);
  await client.closed();
  const errors = [client, reader, other].flatMap(({ messages }) =>
    messages.filter(({ type }) => type === 'error'),
  );
  expect(errors.length).toBeGreaterThan(refusedFrames.length + refusedMessages('').length);
  return { secrets: [...cookies, other.welcome.resumeToken!], errors, answers };
}

/** A text, and how it looks where somebody logs its bytes. */
function guisesOf(text: string): string[] {
  const bytes = Buffer.from(text);
  const whole = (skipped: number): Buffer =>
    bytes.subarray(skipped, bytes.length - ((bytes.length - skipped) % 3));
  return [
    text,
    bytes.toString('hex'),
    bytes.join(','),
    ...[0, 1, 2].map((skipped) => whole(skipped).toString('base64')),
  ];
}

/** Control characters, and those that reorder or break the text around them. */
const UNPRINTABLE = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

describe('what a server says', () => {
  it('T29 · in its log is never what is typed, printed, asked for or secret, and always one object a line', async () => {
    const program = await serve();
    const { secrets } = await sayEverything(program);
    program.signal('SIGTERM');
    expect([await program.ended(), program.stderr]).toEqual([0, '']);

    const { stdout } = program;
    expect(stdout).not.toMatch(new RegExp(CANARY, 'i'));
    expect([CANARY, ...secrets].flatMap(guisesOf).filter((guise) => stdout.includes(guise))).toEqual([]);
    const lines = stdout.split('\n');
    expect(lines.pop()).toBe('');
    expect(lines.filter((line) => UNPRINTABLE.test(line))).toEqual([]);
    const records = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(records.filter(({ level, msg }) => level === 'fatal' || msg === 'forged')).toEqual([]);
    expect(records.filter(({ level }) => !LOG_LEVELS.some((known) => known === level))).toEqual([]);

    // What things are called may be told where it is the name of something, and no longer than names are.
    const isTold = records.filter((record) => JSON.stringify(record).includes(NICKNAME));
    expect(isTold.map(({ level }) => level)).toEqual(expect.arrayContaining(['debug', 'warn']));
    for (const { sessionId = '', requestId = '', host = '', origin = '', ...rest } of isTold) {
      if (rest.reason !== 'INVALID_CWD') expect(JSON.stringify(rest)).not.toContain(NICKNAME);
      expect([sessionId, requestId].filter((id) => String(id).length > 128)).toEqual([]);
      expect([host, origin].filter((name) => String(name).length > 100)).toEqual([]);
    }
  });

  it('T30 · to its clients is a code and a sentence: nothing of how it is made', async () => {
    const program = await serve();
    const { errors, answers } = await sayEverything(program);

    const inside = [
      dirname(start.main()),
      'node_modules',
      'node:',
      '.js',
      '.ts',
      '    at ',
      'Error',
      'errno',
    ];
    const isInside = (text: string): boolean =>
      inside.some((one) => text.includes(one)) || /\bE[A-Z]{4,}\b/.test(text);
    const told = ['type', 'sessionId', 'requestId', 'reason', 'error'];
    for (const message of errors) {
      expect(Object.keys(message).filter((field) => !told.includes(field))).toEqual([]);
      expect(Object.keys(REASONS)).toContain(message.reason);
      expect(message.error).toMatch(/^[a-z][ -~]+$/);
      expect([message.error, isInside(message.error!)]).toEqual([message.error, false]);
    }
    const refusals = answers.filter((answer) => /^HTTP\/1\.1 [45]/.test(answer));
    expect(refusals.length).toBeGreaterThan(25);
    for (const refusal of refusals) {
      const [head = ''] = refusal.split('\r\n\r\n');
      // Whole or in chunks.
      const body = refusal.slice(refusal.indexOf('{'), refusal.lastIndexOf('}') + 1);
      expect(head).toMatch(/^content-type: application\/problem\+json/im);
      const { detail, ...rest } = JSON.parse(body) as Record<string, unknown>;
      expect(rest).toEqual({
        type: 'about:blank',
        title: expect.any(String) as string,
        status: Number(head.split(' ')[1]),
        code: expect.stringMatching(/^[A-Z_]+$/) as string,
      });
      expect([refusal, isInside(refusal)]).toEqual([refusal, false]);
      expect(detail).toMatch(/^\S[ -~]+$/);
    }
  });

  it.each<[string, () => Record<string, string>]>([
    ['variable', () => ({ TREX_TOKEN: CANARY })],
    ['file', () => ({ TREX_TOKEN_FILE: fileWith(CANARY) })],
  ])('T29 · of a token that is none, in a %s, does not repeat it', async (_where, tokens) => {
    const program = start([], tokens());

    expect(await program.ended()).toBe(78);
    expect(program.stderr).toMatch(/^trex: TREX_TOKEN/);
    expect(program.stdout + program.stderr).not.toContain(CANARY);
  });
});
