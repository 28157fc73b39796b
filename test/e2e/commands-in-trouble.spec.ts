import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Shell } from '../pty/support/shells.js';
import { type, untilPaused, useCommands } from '../support/commands.js';
import { lives } from '../support/leaks.js';
import { until } from '../support/until.js';

jest.setTimeout(60_000);

const commands = useCommands();
const { answer, inShell, inTerminal, listed, newSession, serve, trex } = commands;

const CTRL_BACKSLASH = '\x1c';
/** Fills whatever it goes through, and leaves it full screen and without a cursor each time. */
const FLOOD = `while :; do printf '\\033[?25l\\033[?1049h%0100d' 0; done`;

/** A command in a terminal, and its own process in there. */
async function inTerminalWithPid(args: readonly string[]): Promise<{ shell: Shell; pid: number }> {
  const note = commands.path('pid');
  const shell = await inTerminal(args, `sh -c 'echo $$ >${note}; exec "$@"' -`);
  await until(() => textOf(note).endsWith('\n'), 'the command tells its pid');
  return { shell, pid: Number(textOf(note)) };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** A message of the client's; `input` stands for its frames. */
interface Asked {
  readonly type: string;
  readonly requestId?: string;
  readonly cols?: number;
  readonly rows?: number;
}

const WELCOME = {
  ...{ epoch: 'e', resumeToken: 't', readOnly: false, sessions: [] },
  limits: {
    ...{ messageBytes: 65_536, frameBytes: 65_536, inputCreditBytes: 65_536, acknowledgeBytes: 65_536 },
    ...{ acknowledgeMs: 100, resumeSeconds: 60, resumeHoldSeconds: 10 },
  },
};

/** A server that welcomes, and then does what it is told. */
async function welcoming(
  then: (socket: WebSocket, message: Asked) => void,
  welcome: object = WELCOME,
): Promise<string> {
  const { server, url } = await answer((_, response) => response.end('[]'));
  const sockets = new WebSocketServer({
    server,
    path: '/ws',
    handleProtocols: (offered) => [...offered][0]!,
  });
  sockets.on('connection', (socket) => {
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) return then(socket, { type: 'input' });
      const message = JSON.parse(data.toString()) as Asked;
      if (message.type !== 'hello') return then(socket, message);
      socket.send(JSON.stringify({ type: 'welcome', requestId: message.requestId, ...welcome }));
    });
  });
  return url;
}

describe('a terminal that takes nothing any more', () => {
  it.each([
    ['SIGTERM', (_: Shell, pid: number) => process.kill(pid, 'SIGTERM'), 'code=143'],
    ['the detach key', (shell: Shell) => type(shell, CTRL_BACKSLASH), 'code=0'],
  ])('is left by %s', async (_, leave, code) => {
    const { url } = await serve({ TREX_METRICS: 'on' });
    const id = await newSession(url);
    const { shell, pid } = await inTerminalWithPid(['attach', id, '--url', url]);
    await shell.heard.untilText('detaches');
    type(shell, 'echo wo""rks\r');
    await shell.heard.untilText('works');
    shell.pty.pause();
    type(shell, `${FLOOD}\r`);
    await untilPaused(url);

    leave(shell, pid);

    await until(() => !lives(pid), 'the command has ended');
    shell.pty.resume();
    await shell.heard.untilText('end\r\n');
    expect(shell.heard.text).toContain(code);
    expect(shell.heard.text).toMatch(/ icanon .* echo /);
    expect(await listed(url)).toEqual([id]);
  });
});

describe('a session that prints all the time', () => {
  it.each([
    ['SIGTERM', (_: Shell, pid: number) => process.kill(pid, 'SIGTERM'), 'code=143'],
    ['the detach key', (shell: Shell) => type(shell, CTRL_BACKSLASH), 'code=0'],
    [
      'two signals, one behind the other',
      (_: Shell, pid: number) => ['SIGTERM', 'SIGHUP'].forEach((signal) => process.kill(pid, signal)),
      'code=1',
    ],
  ])('says nothing more once the terminal was left by %s', async (_, leave, code) => {
    const { url } = await serve();
    const id = await newSession(url);
    const { shell, pid } = await inTerminalWithPid(['attach', id, '--url', url]);
    await shell.heard.untilText('detaches');
    type(shell, `${FLOOD}\r`);
    await shell.heard.until(() => shell.heard.bytes > 200_000, 'it prints');

    leave(shell, pid);

    await shell.heard.untilText('end\r\n');
    const { text } = shell.heard;
    const left = text.slice(text.lastIndexOf('\x1b[?1049l'));
    expect(left).toContain(code);
    expect(left).toContain('\x1b[?25h');
    expect(left).not.toContain('\x1b[?1049h');
    expect(left).toMatch(/ icanon .* echo /);
  });
});

describe('trex attach that reads no keys', () => {
  it('lets the terminal it shows the session on answer nothing: the shell around it would have that typed', async () => {
    const { url } = await serve();
    const id = await newSession(url);
    const shell = await inShell(
      `printf 'printf "a\\\\033[6nb\\\\n"; exit\\n' | trex attach ${id} --url ${url}; echo end`,
    );
    await shell.heard.untilText('end');
    expect(shell.heard.text).toMatch(/ab\r+\n/);
    expect(shell.heard.text).not.toContain('\x1b[6n');
  });
});

/** What it says of the session when that is attached to. */
const attached = {
  ...{ type: 'attached', sessionId: 's1', channel: 1, offset: 0, end: 0 },
  ...{ inputOffset: 0, inControl: true, sizes: [] },
};

/** A server that shows a session, and does what it is told when that is typed into. */
function showing(typed: (socket: WebSocket) => void): Promise<string> {
  return welcoming((socket, { type: asked, requestId }) => {
    if (asked === 'attach') socket.send(JSON.stringify({ ...attached, requestId }));
    if (asked === 'input') typed(socket);
  });
}

function tell(message: object): (socket: WebSocket) => void {
  return (socket) => socket.send(JSON.stringify({ sessionId: 's1', ...message }));
}

describe('a server that goes', () => {
  it('before a session is there is no reason to wait for it', async () => {
    const url = await welcoming((socket) => socket.terminate());
    expect(await trex(['new', '-d', '--url', url])).toEqual({
      code: 125,
      stdout: '',
      stderr: 'trex: the connection was lost before the session was there: see `trex ls` whether it is\n',
    });
  });

  it('does not answer can be left by the detach key', async () => {
    let wasAsked = false;
    const url = await welcoming((_, { type: asked }) => (wasAsked ||= asked === 'attach'));
    const shell = await inTerminal(['attach', 's1', '--url', url]);
    await until(() => wasAsked, 'the server is asked');
    type(shell, CTRL_BACKSLASH);
    await shell.heard.untilText('end\r\n');
    expect(shell.heard.text).toContain('trex: left before the session was there');
    expect(shell.heard.text).toMatch(/ icanon .* echo /);
  });

  it('within its answer has not been taken for one that speaks TLS', async () => {
    const { url } = await answer((_, response) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('[', () => response.destroy());
    });
    expect(await trex(['ls', '--url', url])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^trex: the server at .*: its answer broke off.*\n$/) as string,
    });
  });
});

describe('a server that tells', () => {
  it.each<[string, (socket: WebSocket) => void]>([
    ['nothing', () => undefined],
    ['that another has taken the place', (socket) => socket.close(4001)],
    [
      'that the session has ended before',
      tell({ type: 'error', reason: 'SESSION_ENDED', error: 'ended', inputOffset: 4 }),
    ],
  ])('%s of what was typed has not taken it, which is said when it is left', async (_, typed) => {
    const url = await showing(typed);
    const shell = await inTerminal(['attach', 's1', '--url', url]);
    await shell.heard.untilText('detaches');
    type(shell, `four${CTRL_BACKSLASH}`);
    await shell.heard.untilText('end\r\n');
    expect(shell.heard.text).toContain('trex: 4 bytes that were typed may not have been taken\r\n');
  });

  it('that the session has ended while it is left, is believed', async () => {
    const url = await showing(tell({ type: 'exit', code: 3, cause: 'ended' }));
    const shell = await inTerminal(['attach', 's1', '--url', url]);
    await shell.heard.untilText('detaches');
    type(shell, `four${CTRL_BACKSLASH}`);
    await shell.heard.untilText('end\r\n');
    expect(shell.heard.text).toContain('trex: detached from s1, which has ended\r\n');
  });

  it.each([[256], [-1], [1.5], ['3'], [undefined]])('the exit code %j has told none', async (code) => {
    const url = await showing(tell({ type: 'exit', code, cause: 'ended' }));
    const ran = await trex(['attach', 's1', '--url', url], {}, 'four');
    expect(ran.code).toBe(125);
    expect(ran.stderr).toContain('trex: the server tells no exit code that there is\n');
  });

  it.each([[['attach', 's1']], [['new']], [['new', '-d']]])(
    'a welcome without what it should have is none: %j',
    async (args) => {
      const url = await welcoming(() => undefined, {});
      const { code, stderr } = await trex([...args, '--url', url]);
      expect(code).toBe(125);
      expect(stderr).toMatch(/^trex: the server at .*\n$/);
    },
  );
});

describe('a terminal', () => {
  it.each([
    ['changes its size while the server is asked', 80, 24],
    ['has a size only later', 0, 0],
  ])('that %s, is followed', async (_, columns, rows) => {
    const sizes: string[] = [];
    let asking: (() => void) | undefined;
    const url = await welcoming((socket, message) => {
      const { requestId, cols, rows: height } = message;
      if (message.type === 'attach') asking = () => socket.send(JSON.stringify({ ...attached, requestId }));
      if (message.type === 'resize') sizes.push(`${cols} ${height}`);
    });
    const shell = await inTerminal(['attach', 's1', '--url', url], `stty cols ${columns} rows ${rows};`);
    await until(() => asking !== undefined, 'the server is asked');
    if (columns > 0) shell.pty.resize({ columns: 111, rows: 40 });
    asking!();
    await shell.heard.untilText('detaches');
    if (columns === 0) shell.pty.resize({ columns: 111, rows: 40 });
    await until(() => sizes.at(-1) === '111 40', 'the session has its size');
    type(shell, CTRL_BACKSLASH);
    await shell.heard.untilText('end\r\n');
  });

  it('that is left, is left as it was, though the command is continued meanwhile', async () => {
    let isTyped = false;
    const url = await showing(() => (isTyped = true));
    const { shell, pid } = await inTerminalWithPid(['attach', 's1', '--url', url]);
    await shell.heard.untilText('detaches');
    // For a second it is waited for the server to take that.
    type(shell, `four${CTRL_BACKSLASH}`);
    await until(() => isTyped, 'the server has what was typed');
    await until(() => {
      if (lives(pid)) process.kill(pid, 'SIGCONT');
      return shell.heard.text.includes('end\r\n');
    }, 'the command has ended');
    expect(shell.heard.text).toMatch(/ icanon .* echo /);
  });

  it('that takes nothing of the last there is, is left by the detach key', async () => {
    const { url } = await serve();
    const id = await newSession(url);
    const { shell, pid } = await inTerminalWithPid(['attach', id, '--url', url]);
    await shell.heard.untilText('detaches');
    shell.pty.pause();
    type(shell, 'seq 1 20000; exit 5\r');
    await until(
      async () => (await trex(['ls', '--url', url])).stdout.includes('exited'),
      'the session has ended',
    );
    type(shell, CTRL_BACKSLASH);
    await until(() => !lives(pid), 'the command has ended');
    shell.pty.resume();
    await shell.heard.untilText('end\r\n');
    // Whether it had heard of the end.
    expect(shell.heard.text).toMatch(/code=[05]/);
    expect(shell.heard.text).toMatch(/ icanon .* echo /);
  });
});

const isRoot = process.geteuid?.() === 0;

(isRoot ? describe : describe.skip)('a token that was found', () => {
  it('is not shown to another user who listens where the server would', async () => {
    const folder = join(commands.home, '.config/trex');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'token'), `${'t'.repeat(43)}\n`, { mode: 0o600 });
    const stranger = spawn(
      process.execPath,
      [
        '-e',
        `require('node:http').createServer((q, a) => { console.log(q.headers.authorization); a.end('[]'); }).listen(0, '127.0.0.1', function () { console.log(this.address().port) })`,
      ],
      { uid: 65_534, gid: 65_534, cwd: '/', env: {}, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    try {
      let heard = '';
      stranger.stdout.setEncoding('utf8').on('data', (text) => (heard += String(text)));
      await until(() => heard.includes('\n'), 'the stranger listens');
      const url = `http://127.0.0.1:${heard.trim()}`;
      for (const args of [['ls'], ['kill', 's1'], ['attach', 's1'], ['new', '-d']]) {
        const { stderr } = await trex([...args, '--url', url]);
        expect(stderr).toMatch(/belongs to another user \(uid 65534\), who is not shown the token/);
      }
      expect(heard).toBe(`${heard.trim()}\n`);
      expect(await trex(['ls', '--url', url], { TREX_TOKEN_FILE: join(folder, 'token') })).toMatchObject({
        code: 0,
      });
      await until(() => heard.includes(`Bearer ${'t'.repeat(43)}`), 'the stranger was shown what was set');
    } finally {
      const ended = once(stranger, 'exit');
      stranger.kill('SIGKILL');
      await ended;
    }
  });
});
