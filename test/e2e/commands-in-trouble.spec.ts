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

/** A server that welcomes, and then does what it is told. */
async function welcoming(
  then: (socket: WebSocket, message: { type: string; requestId?: string }) => void,
): Promise<string> {
  const { server, url } = await answer((_, response) => response.end('[]'));
  const sockets = new WebSocketServer({
    server,
    path: '/ws',
    handleProtocols: (offered) => [...offered][0]!,
  });
  sockets.on('connection', (socket) => {
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) return;
      const message = JSON.parse(data.toString()) as { type: string; requestId?: string };
      if (message.type !== 'hello') return then(socket, message);
      const limits = {
        ...{ messageBytes: 65_536, frameBytes: 65_536, inputCreditBytes: 65_536, acknowledgeBytes: 65_536 },
        ...{ acknowledgeMs: 100, resumeSeconds: 60, resumeHoldSeconds: 10 },
      };
      const { requestId } = message;
      const welcome = {
        type: 'welcome',
        requestId,
        epoch: 'e',
        resumeToken: 't',
        limits,
        readOnly: false,
        sessions: [],
      };
      socket.send(JSON.stringify(welcome));
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

  it('has not taken what was typed when it is left: that is said', async () => {
    const url = await welcoming((socket, { type: asked, requestId }) => {
      if (asked !== 'attach') return;
      const there = {
        sessionId: 's1',
        channel: 1,
        offset: 0,
        end: 0,
        inputOffset: 0,
        inControl: true,
        sizes: [],
      };
      socket.send(JSON.stringify({ type: 'attached', requestId, ...there }));
    });
    const shell = await inTerminal(['attach', 's1', '--url', url]);
    await shell.heard.untilText('detaches');
    type(shell, `four${CTRL_BACKSLASH}`);
    await shell.heard.untilText('end\r\n');
    expect(shell.heard.text).toContain('trex: 4 bytes that were typed may not have been taken\r\n');
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
