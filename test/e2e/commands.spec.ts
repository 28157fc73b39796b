import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request, type IncomingMessage, type RequestOptions } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Shell, Shells } from '../pty/support/shells.js';
import { build, BUILD_MS } from '../support/build.js';
import { selfSigned } from '../support/certificate.js';
import { type Program, useProgram } from '../support/program.js';
import { useTestBed } from '../support/test-bed.js';
import { until } from '../support/until.js';

const start = useProgram();
beforeAll(() => build('cli'), BUILD_MS);
let shells: Shells;
beforeEach(() => {
  shells = new Shells();
});
afterEach(() => shells.dispose());
const bed = useTestBed();

jest.setTimeout(60_000);

const CTRL_BACKSLASH = '\x1c';
const MB = 1024 * 1024;

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where a server is that runs with these settings. */
async function serve(env: Record<string, string> = {}): Promise<{ server: Program; url: string }> {
  const server = await start([], env).listening();
  return { server, url: `http://127.0.0.1:${server.port}` };
}

/** Runs the command to its end: on pipes, with a home of its own. */
async function trex(args: readonly string[], env: Record<string, string> = {}, input = ''): Promise<Ran> {
  const child = spawn(process.execPath, [start.main(), ...args], {
    env: { PATH: process.env.PATH, HOME: shells.home, ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += String(text)));
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += String(text)));
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

/** Runs the command in a terminal of its own, with a shell around it that tells how it ended, and of the terminal. */
function trexInTerminal(args: readonly string[], before = ''): Promise<Shell> {
  const command = [process.execPath, start.main(), ...args].map((word) => `'${word}'`).join(' ');
  return shells.sh(`${before} ${command}; echo "code=$?"; stty -a | tr '\\n' ' '; echo end`);
}

function type({ pty }: Shell, text: string): void {
  pty.write(Buffer.from(text));
}

/** A session of its own shell, which is plain and says when it is there. */
async function newSession(url: string): Promise<string> {
  const { code, stdout } = await trex(['new', '-d', '--url', url, '--shell', 'sh']);
  expect(code).toBe(0);
  return stdout.trim();
}

async function listed(url: string): Promise<readonly string[]> {
  const { stdout } = await trex(['ls', '--json', '--url', url]);
  return (JSON.parse(stdout) as { id: string }[]).map(({ id }) => id);
}

describe('trex new -d, ls and kill', () => {
  it('start sessions that stay, list them, and end them', async () => {
    const { url } = await serve();
    expect(await trex(['ls', '--url', url])).toEqual({
      code: 0,
      stdout: 'ID  NAME  SHELL  STATE  AGE  CWD  TITLE\n',
      stderr: '',
    });

    expect(await trex(['new', '-d', '--cwd', '/usr', '--url', url])).toEqual({
      code: 0,
      stdout: 's1\n',
      stderr: '',
    });
    expect(await trex(['new', '--detach', '--shell', 'sh'], { TREX_URL: url })).toMatchObject({
      stdout: 's2\n',
    });

    const { stdout } = await trex(['ls'], { TREX_PORT: new URL(url).port });
    expect(stdout).toMatch(/^ID .*\ns1 .* bash .* active, stays .* \/usr.*\ns2 .* sh .*\n$/);
    expect(await listed(url)).toEqual(['s1', 's2']);
    expect(await trex(['kill', 's9', 's2', '../s1', '--url', url])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'trex: there is no session s9: see `trex ls`\ntrex: there is no session ../s1: see `trex ls`\n',
    });
    expect(await listed(url)).toEqual(['s1']);
    expect(await trex(['kill', 's1', '--url', url])).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await listed(url)).toEqual([]);
  });

  it('let nothing that a session calls itself act on the terminal', async () => {
    const { url, server } = await serve();
    const client = await bed.connect(server);
    const sessionId = await client.create();
    client.send({ type: 'input', sessionId, data: `printf '\\033]0;na\\302\\233me\\007'\r` });
    const { stdout } = await (async () => {
      let ran: Ran;
      do ran = await trex(['ls', '--url', url]);
      while (!ran.stdout.includes('name'));
      return ran;
    })();
    expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{C}/u);
  });

  it.each<[readonly string[], number, RegExp]>([
    [['new', '-d', '--cwd', '/nowhere'], 125, /^trex: the session could not start: .*"\/nowhere".*\n$/],
    [['new', '--shell', 'nosuch'], 125, /^trex: this shell is not allowed here.*\n$/],
    [['attach', 's99'], 125, /^trex: there is no such session: see `trex ls`\n$/],
    [['attach', '../s1'], 125, /^trex: there is no session \.\.\/s1: see `trex ls`\n$/],
  ])('say what is wrong: %j', async (args, code, sentence) => {
    const { url } = await serve();
    const ran = await trex([...args, '--url', url]);
    expect(ran).toEqual({ code, stdout: '', stderr: expect.stringMatching(sentence) as string });
  });

  it.each<[readonly string[], number, RegExp]>([
    [['ls', '--verbose'], 64, /^trex: .*--verbose.*\ntrex: See trex ls --help\.\n$/],
    [['ls', '--url', 'nonsense'], 78, /^trex: --url must be an address .*\ntrex: See --help\.\n$/],
    [
      ['ls', '--url', 'http://127.0.0.1:1'],
      1,
      /^trex: no server is running at http:\/\/127\.0\.0\.1:1: .*\n$/,
    ],
    [['kill', 's1', '--url', 'http://127.0.0.1:1'], 1, /^trex: no server is running/],
    [['attach', 's1', '--url', 'http://127.0.0.1:1'], 125, /^trex: no server is running/],
    [['new', '--url', 'http://127.0.0.1:1'], 125, /^trex: no server is running/],
    [['new', '-d', '--url', 'http://127.0.0.1:1'], 125, /^trex: no server is running/],
  ])('say so where there is none to ask: %j', async (args, code, sentence) => {
    const ran = await trex(args);
    expect(ran).toEqual({ code, stdout: '', stderr: expect.stringMatching(sentence) as string });
  });

  it('tell how they are used', async () => {
    const { code, stdout } = await trex(['attach', '--help']);
    expect([code, stdout]).toEqual([0, expect.stringContaining('--detach-keys')]);
    expect(stdout).not.toContain('TREX_MAX_SESSIONS');
  });
});

describe('a server that asks for a token', () => {
  const token = 't'.repeat(43);
  const readOnly = 'r'.repeat(43);

  it('is shown the one that is set, or was written, and nobody sees it in the arguments', async () => {
    const { url } = await serve({ TREX_TOKEN: token, TREX_READ_ONLY_TOKEN: readOnly });
    const asked = ['ls', '--url', url];
    for (const args of [asked, ['attach', 's1', '--url', url]]) {
      const without = await trex(args);
      expect([without.code === 0, without.stderr]).toEqual([
        false,
        expect.stringMatching(/asks for a token: set TREX_TOKEN_FILE/),
      ]);
      const wrong = await trex(args, { TREX_TOKEN: 'w'.repeat(43) });
      expect([wrong.code === 0, wrong.stderr]).toEqual([false, expect.stringMatching(/knows another token/)]);
    }
    expect(await trex(asked, { TREX_TOKEN: token })).toMatchObject({ code: 0, stderr: '' });

    const folder = join(shells.home, '.config/trex');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'token'), `${token}\n`, { mode: 0o600 });
    expect(await trex(['new', '-d', '--url', url])).toMatchObject({ code: 0, stdout: 's1\n' });

    const watching = { TREX_TOKEN: readOnly };
    expect(await trex(asked, watching)).toMatchObject({ code: 0 });
    expect(await trex(['kill', 's1', '--url', url], watching)).toMatchObject({
      code: 1,
      stderr: 'trex: refused: this token only reads\n',
    });
    expect(await trex(['new', '--url', url], watching)).toMatchObject({
      code: 125,
      stderr: 'trex: refused: this token only reads\n',
    });
  });
});

describe('a server behind a proxy with TLS, below a path', () => {
  it('is reached by its https address', async () => {
    const { server } = await serve();
    const pem = selfSigned('localhost');
    const toServer = (asked: IncomingMessage): RequestOptions => ({
      port: server.port,
      method: asked.method,
      path: asked.url!.replace(/^\/trex/, ''),
      headers: { ...asked.headers, host: 'localhost' },
      agent: false,
    });
    const proxy = createSecureServer({ key: pem.key, cert: pem.certificate }, (asked, answer) => {
      asked.pipe(
        request(toServer(asked), (response) => {
          answer.writeHead(response.statusCode!, response.headers);
          response.pipe(answer);
        }),
      );
    });
    proxy.on('upgrade', (asked: IncomingMessage, socket) => {
      const forwarded = request(toServer(asked));
      forwarded.on('upgrade', (response, upstream) => {
        const headers = response.rawHeaders.reduce(
          (all, text, index) => all + text + (index % 2 ? '\r\n' : ': '),
          '',
        );
        socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers}\r\n`);
        socket.pipe(upstream).pipe(socket);
        socket.on('error', () => upstream.destroy());
      });
      forwarded.end();
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    try {
      const authority = shells.path('authority.pem');
      writeFileSync(authority, pem.certificate);
      const env = {
        NODE_EXTRA_CA_CERTS: authority,
        TREX_URL: `https://localhost:${(proxy.address() as AddressInfo).port}/trex/`,
      };
      expect(await trex(['new', '-d'], env)).toEqual({ code: 0, stdout: 's1\n', stderr: '' });
      expect((await trex(['ls'], env)).stdout).toContain('\ns1 ');
      expect(await trex(['ls'], { TREX_URL: env.TREX_URL })).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^trex: .* cannot be reached: .*certificate.*\n$/) as string,
      });
      expect(await trex(['ls', '--url', env.TREX_URL.replace('https', 'http')])).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/https, not http/) as string,
      });
    } finally {
      proxy.closeAllConnections();
      proxy.close();
      await once(proxy, 'close');
    }
  });

  it('is not taken for one where something else answers', async () => {
    const other = createServer((asked, answer) => {
      if (asked.url!.includes('moved'))
        answer.writeHead(301, { location: 'https://elsewhere.example/\x1b[31m'.replace('\x1b', '') });
      answer.end('<html>');
    });
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    try {
      for (const args of [['ls'], ['kill', 's1'], ['attach', 's1']]) {
        const { code, stderr } = await trex([...args, '--url', url]);
        expect([code === 0, stderr]).toEqual([
          false,
          expect.stringMatching(/^trex: what answers at .* is no trex server.*\n$/),
        ]);
      }
      expect((await trex(['ls', '--url', `${url}/moved`])).stderr).toMatch(
        /sends to https:\/\/elsewhere\.example/,
      );
    } finally {
      other.close();
      await once(other, 'close');
    }
  });
});

describe('trex attach, in a terminal', () => {
  it('types, follows the size of the terminal, and ends with the code of the session', async () => {
    const { url } = await serve();
    const id = await newSession(url);
    const shell = await trexInTerminal(['attach', id, '--url', url]);
    await shell.heard.untilText(`trex: ${id}; Ctrl-\\ detaches`);
    type(shell, 'stty size\r');
    await shell.heard.untilText('24 80');
    shell.pty.resize({ columns: 101, rows: 33 });
    // Not before the terminal is of that size: nothing tells when that is.
    const sized = until(() => {
      type(shell, 'stty size\r');
      return shell.heard.text.includes('33 101');
    }, 'the session has the size of the terminal');
    await sized;
    type(shell, 'exit 7\r');
    await shell.heard.untilText('end\r\n');
    expect(shell.heard.text).toContain('code=7');
    expect(shell.heard.text).toMatch(/ icanon .* echo /);
  });

  it('tells of a signal as shells do', async () => {
    const { url } = await serve();
    const id = await newSession(url);
    const shell = await trexInTerminal(['attach', id, '--url', url]);
    type(shell, 'kill -9 $$\r');
    await shell.heard.untilText('end\r\n');
    expect(shell.heard.text).toContain('code=137');
  });

  it('detaches by its key, in every mode a program has left, and leaves the terminal as it found it', async () => {
    const { url } = await serve();
    const id = await newSession(url);
    const shell = await trexInTerminal(['attach', id, '--url', url]);
    type(shell, `printf '\\033[?1049h\\033[?25l\\033[?1000h\\033[?2004h\\033[>1u%s\\n' in''-full; cat\r`);
    await shell.heard.untilText('in-full\r\n');
    type(shell, '\x1b[200~a\x1cb\x1b[201~');
    await shell.heard.untilText('b^[[201~');
    type(shell, '\x1b[92;5u');
    await shell.heard.untilText('end\r\n');
    const after = shell.heard.text.slice(shell.heard.text.lastIndexOf('b^[[201~'));
    for (const mode of ['?1049l', '?1000l', '?2004l', '?25h', '<99u', '!p'])
      expect(after).toContain(`\x1b[${mode}`);
    expect(after).toContain(`trex: detached; it goes on: trex attach ${id}\r\n`);
    expect(after).toContain('code=0');
    expect(after).toMatch(/ icanon .* echo /);
    expect(await listed(url)).toEqual([id]);
  });

  it('lets no old query be answered, and passes on what is asked now', async () => {
    const { url } = await serve();
    const id = await newSession(url);
    const first = await trexInTerminal(['attach', id, '--url', url]);
    type(first, `printf '\\033[6n%s\\n' as''ked; read x\r`);
    await first.heard.untilText('\x1b[6nasked');
    type(first, CTRL_BACKSLASH);
    await first.heard.untilText('end\r\n');

    const again = await trexInTerminal(['attach', id, '--url', url]);
    await again.heard.untilText('asked\r\n');
    expect(again.heard.text).not.toContain('\x1b[6n');
    type(again, `\rprintf '\\033[6n'; read y\r`);
    await again.heard.untilText('\x1b[6n');
    type(again, '\x1b[1;1R\recho $y | od -c\r');
    await again.heard.untilText('033   [   1   ;   1   R');
    type(again, CTRL_BACKSLASH);
    await again.heard.untilText('end\r\n');
  });

  it('only looks on when asked to', async () => {
    const { url } = await serve();
    const id = await newSession(url);
    const shell = await trexInTerminal([
      'attach',
      id,
      '--read-only',
      '--detach-keys',
      'ctrl-a,d',
      '--url',
      url,
    ]);
    await shell.heard.untilText('to look on: nothing is typed; Ctrl-A d detaches');
    type(shell, 'echo ty""ped\r\x01d');
    await shell.heard.untilText('end\r\n');
    expect(shell.heard.text).toContain('code=0');
    const { stdout } = await trex(['attach', id, '--url', url], {}, 'exit\n');
    expect(stdout).not.toContain('typed');
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('leaves the terminal as it found it at %s, and dies of it', async (signal, code) => {
    const { url } = await serve();
    const id = await newSession(url);
    const note = shells.path('pid');
    const shell = await trexInTerminal(['attach', id, '--url', url], `sh -c 'echo $$ >${note}; exec "$@"' -`);
    type(shell, `printf '\\033[?1049h%s\\n' in''-full\r`);
    await shell.heard.untilText('in-full\r\n');
    process.kill(Number(readFileSync(note, 'utf8')), signal);
    await shell.heard.untilText('end\r\n');
    const after = shell.heard.text.slice(shell.heard.text.lastIndexOf('in-full'));
    expect(after).toContain('\x1b[?1049l');
    expect(after).toContain(`code=${code}`);
    expect(after).toMatch(/ icanon .* echo /);
    expect(await listed(url)).toEqual([id]);
  });

  it('gives a lost server up, says so, and leaves the terminal as it found it', async () => {
    const { server, url } = await serve();
    const id = await newSession(url);
    const shell = await trexInTerminal(['attach', id, '--url', url]);
    type(shell, `printf '\\033[?2004h%s\\n' pa''stes\r`);
    await shell.heard.untilText('pastes\r\n');
    await server.kill();
    await shell.heard.untilText('trex: the connection is lost, and tried again');
    await shell.heard.untilText('end\r\n');
    expect(shell.heard.text).toMatch(/trex: the connection is lost: no server is running/);
    expect(shell.heard.text).toContain('code=125');
    expect(shell.heard.text).toContain('\x1b[?2004l');
    expect(shell.heard.text).toMatch(/ icanon .* echo /);
  });

  it('starts a session that stays, by trex new', async () => {
    const { url } = await serve();
    const shell = await trexInTerminal(['new', '--shell', 'sh', '--url', url]);
    type(shell, 'echo h""ere; stty size\r');
    await shell.heard.untilText('24 80');
    type(shell, CTRL_BACKSLASH);
    await shell.heard.untilText('end\r\n');
    expect(await listed(url)).toEqual(['s1']);
  });
});

describe('trex attach, on pipes', () => {
  it('types all that comes, as fast as it is taken, and gives all there is to the last byte', async () => {
    const { url } = await serve();
    const id = await newSession(url);
    const bytes = Buffer.alloc(
      4 * MB,
      Array.from({ length: 251 }, (_, index) => index)
        .map((index) => String.fromCharCode(index))
        .join(''),
      'latin1',
    );
    const child = spawn(process.execPath, [start.main(), 'attach', id, '--url', url], {
      env: { PATH: process.env.PATH, HOME: shells.home },
    });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += String(text)));
    // Only what is typed when the terminal is raw gets through as it is.
    child.stdin.write(
      `stty raw -echo; echo rea""dy; head -c ${bytes.length} | sha256sum; stty sane; exit 3\n`,
    );
    await until(() => stdout.includes('ready'), 'the session is raw');
    child.stdin.end(bytes);
    const [code] = (await once(child, 'close')) as [number];
    expect(stdout).toContain(createHash('sha256').update(bytes).digest('hex'));
    expect(code).toBe(3);
  });

  it('makes the session wait while nobody reads, without keeping it all, and then gives every byte', async () => {
    const { url } = await serve();
    const id = await newSession(url);
    const child = spawn(process.execPath, [start.main(), 'attach', id, '--url', url], {
      env: { PATH: process.env.PATH, HOME: shells.home },
    });
    const lines = 3_000_000;
    child.stdin.end(`stty -echo; seq 1 ${lines}; exit\n`);
    const rss = (): number =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]) / 1024;
    // Nobody reads: what it has read it can write nowhere, and it comes to rest.
    let before = -1;
    let rests = 0;
    const ticks = (): number =>
      Number(/rchar: (\d+)/.exec(readFileSync(`/proc/${child.pid}/io`, 'utf8'))![1]);
    await until(() => {
      const now = ticks();
      rests = now === before ? rests + 1 : 0;
      before = now;
      return before > 100_000 && rests > 40;
    }, 'it reads no more');
    expect(rss()).toBeLessThan(200);
    const hash = createHash('sha256');
    let printed = '';
    let length = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      length += chunk.length;
      printed = (printed + chunk.toString('latin1')).slice(-200);
      hash.update(chunk);
    });
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(0);
    expect(printed).toContain(`${lines - 1}\r\n${lines}\r\n`);
    // Each line, its end, and what the shell says around it.
    const expected = Array.from(
      { length: 7 },
      (_, digits) => Math.max(0, Math.min(lines, 10 ** (digits + 1) - 1) - 10 ** digits + 1) * (digits + 3),
    ).reduce((sum, bytes) => sum + bytes, 0);
    expect(length - expected).toBeGreaterThanOrEqual(0);
    expect(length - expected).toBeLessThan(500);
  });

  it('ends when nobody will read any more', async () => {
    const { url, server } = await serve();
    const id = await newSession(url);
    const shell = await shells.sh(
      `'${process.execPath}' '${start.main()}' attach ${id} --url ${url} </dev/null | head -c 1 >/dev/null; echo piped`,
    );
    await until(async () => {
      const client = await bed.connect(server);
      client.send({ type: 'input', sessionId: id, data: 'echo more\r' });
      await client.terminate();
      return shell.heard.text.includes('piped');
    }, 'the pipe has ended');
  });
});
