import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request, type IncomingMessage, type RequestOptions } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { selfSigned } from '../support/certificate.js';
import { type, untilPaused, useCommands } from '../support/commands.js';
import { useTestBed } from '../support/test-bed.js';
import { until } from '../support/until.js';

const commands = useCommands();
const { answer, inShell, inTerminal, listed, newSession, serve, trex } = commands;
const bed = useTestBed();

jest.setTimeout(60_000);

const CTRL_BACKSLASH = '\x1c';
const MB = 1024 * 1024;

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

  it('let nothing that a server tells act on the terminal', async () => {
    const hostile = 'a\x1b[31m\x9b2Jb\u202e\u0007';
    const { url } = await answer((asked, response) => {
      if (asked.method === 'DELETE') response.writeHead(404, { 'content-type': 'application/problem+json' });
      const session = { id: hostile, name: hostile, shellType: hostile, status: hostile, cwd: hostile };
      response.end(JSON.stringify(asked.method === 'DELETE' ? { code: 'X', detail: hostile } : [session]));
    });
    for (const args of [['ls'], ['ls', '--json'], ['kill', 's1']]) {
      const { stdout, stderr } = await trex([...args, '--url', url]);
      expect(stdout + stderr).toContain('a');
      expect((stdout + stderr).replaceAll('\n', '')).not.toMatch(/\p{C}/u);
    }
    expect(JSON.parse((await trex(['ls', '--json', '--url', url])).stdout)).toMatchObject([
      { name: hostile },
    ]);
  });

  it('say what a full disk has done', async () => {
    const { url } = await serve();
    const shell = await inShell(
      `trex ls --url ${url} >/dev/full; echo "code=$?"; { trex ls --url ${url}; echo "pipe=$?" >&2; } | :; echo end`,
    );
    await shell.heard.untilText('end');
    expect(shell.heard.text).toMatch(/trex: the output cannot be written: ENOSPC.*\r\ncode=1\r\n/);
    expect(shell.heard.text).toMatch(/pipe=(0|141)\r\n/);
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

    const folder = join(commands.home, '.config/trex');
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
      const authority = commands.path('authority.pem');
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
    const { url } = await answer((asked, response) => {
      if (asked.url!.includes('moved'))
        response.writeHead(301, { location: 'https://elsewhere.example/\x9b31m' });
      response.end('<html>');
    });
    for (const args of [['ls'], ['kill', 's1'], ['attach', 's1']]) {
      const { code, stderr } = await trex([...args, '--url', url]);
      expect([code === 0, stderr]).toEqual([
        false,
        expect.stringMatching(/^trex: what answers at .* is no trex server.*\n$/),
      ]);
    }
    expect((await trex(['ls', '--url', `${url}/moved`])).stderr).toMatch(
      /sends to https:\/\/elsewhere\.example\/\\u\{9b\}31m\n$/,
    );
  });
});

describe('trex attach, in a terminal', () => {
  it('types, follows the size of the terminal, and ends with the code of the session', async () => {
    const { url } = await serve();
    const id = await newSession(url);
    const shell = await inTerminal(['attach', id, '--url', url]);
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
    const shell = await inTerminal(['attach', id, '--url', url]);
    type(shell, 'kill -9 $$\r');
    await shell.heard.untilText('end\r\n');
    expect(shell.heard.text).toContain('code=137');
  });

  it('detaches by its key, in every mode a program has left, and leaves the terminal as it found it', async () => {
    const { url } = await serve();
    const id = await newSession(url);
    const shell = await inTerminal(['attach', id, '--url', url]);
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
    const first = await inTerminal(['attach', id, '--url', url]);
    type(first, `printf '\\033[6n%s\\n' as''ked; read x\r`);
    await first.heard.untilText('\x1b[6nasked');
    type(first, CTRL_BACKSLASH);
    await first.heard.untilText('end\r\n');

    const again = await inTerminal(['attach', id, '--url', url]);
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
    const shell = await inTerminal(['attach', id, '--read-only', '--detach-keys', 'ctrl-a,d', '--url', url]);
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
    const note = commands.path('pid');
    const shell = await inTerminal(['attach', id, '--url', url], `sh -c 'echo $$ >${note}; exec "$@"' -`);
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
    const shell = await inTerminal(['attach', id, '--url', url]);
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
    const shell = await inTerminal(['new', '--shell', 'sh', '--url', url]);
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
    const child = spawn(process.execPath, [commands.main, 'attach', id, '--url', url], {
      env: { PATH: process.env.PATH, HOME: commands.home },
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
    const { url } = await serve({ TREX_METRICS: 'on' });
    const id = await newSession(url);
    const child = spawn(process.execPath, [commands.main, 'attach', id, '--url', url], {
      env: { PATH: process.env.PATH, HOME: commands.home },
    });
    const numbers = Array.from({ length: 1_000_000 }, (_, index) => `${index + 1}\n`).join('');
    child.stdin.end(`stty -echo; echo rea""dy; stty -onlcr; seq 1 1000000; exit\n`);
    const rssMb = (): number =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]) / 1024;
    const chunks: Buffer[] = [];
    const told = (): string => Buffer.concat(chunks).toString('latin1');
    child.stdout.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (told().includes('ready\r\n')) child.stdout.pause();
    });
    await until(() => child.stdout.isPaused(), 'the session prints');
    const before = rssMb();
    // Nobody reads: the numbers can go nowhere, and the session comes to rest. They are 6.9 MB.
    await untilPaused(url);
    expect(rssMb() - before).toBeLessThan(60);
    child.stdout
      .removeAllListeners('data')
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .resume();
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(0);
    const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
    const all = told();
    // Behind what the shell says around it.
    const from = all.indexOf('1\n2\n3\n');
    expect(digest(all.slice(from, from + numbers.length))).toBe(digest(numbers));
    expect(all.slice(from + numbers.length)).not.toMatch(/\d{6}/);
  });

  it('ends when nobody will read any more', async () => {
    const { url, server } = await serve();
    const id = await newSession(url);
    const shell = await inShell(
      `trex attach ${id} --url ${url} </dev/null | head -c 1 >/dev/null; echo piped`,
    );
    await until(async () => {
      const client = await bed.connect(server);
      client.send({ type: 'input', sessionId: id, data: 'echo more\r' });
      await client.terminate();
      return shell.heard.text.includes('piped');
    }, 'the pipe has ended');
  });
});
