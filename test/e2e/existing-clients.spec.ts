import { PtyModule } from '../../src/pty/pty.module.js';
import { type TestClient } from '../support/test-client.js';
import { listed, type TestServer } from '../support/test-server.js';
import { useTestBed } from '../support/test-bed.js';
import { useTemporaryHome } from '../support/temporary-home.js';
import { until } from '../support/until.js';

/*
 * The exact messages of three ages of the original's browser client, and what its code does with the answers. The
 * shells are real.
 */

const bed = useTestBed();
const home = useTemporaryHome();

const serve = (): Promise<TestServer> => bed.serve({ cwd: home() }, PtyModule);

/** One of the client's terminals: what its user sees. */
interface Terminal {
  readonly sessionId: string;
  readonly shellType: string;
  /** From when on the page shows it: what came before is lost. */
  mounted: boolean;
  text: string;
}

/** The page of the first age. Its socket is opened at the first "New Session". */
class EarlyPage {
  private readonly creating: ((terminal: Terminal) => void)[] = [];

  constructor(
    readonly client: TestClient,
    /** After a reload the page has a second socket, and shows the terminals of the first one too. */
    readonly terminals = new Map<string, Terminal>(),
  ) {
    client.socket.on('message', (data: Buffer) => this.receive(data.toString()));
  }

  /** Callbacks are served in the order of the answers: nothing else tells which answer is whose. */
  newSession(): Promise<Terminal> {
    return new Promise((resolve) => {
      this.creating.push(resolve);
      this.client.send({ type: 'create' });
    });
  }

  /** Mounts the terminal: it sends its size, and once more when it has been fitted. */
  mount(terminal: Terminal, cols = 80, rows = 24): void {
    terminal.mounted = true;
    const { sessionId } = terminal;
    this.client.send({ sessionId, type: 'resize', cols, rows });
    this.client.send({ sessionId, type: 'resize', cols, rows });
  }

  /** One frame per key. */
  type({ sessionId }: Terminal, keys: string): void {
    for (const data of keys) this.client.send({ sessionId, type: 'input', data });
  }

  /** The page forgets the session at once, and waits for nothing. */
  close({ sessionId }: Terminal): void {
    this.client.send({ sessionId, type: 'close' });
    this.terminals.delete(sessionId);
  }

  async sees(terminal: Terminal, text: string): Promise<void> {
    await until(() => terminal.text.includes(text), `a terminal shows ${text}`).catch((error: Error) => {
      throw new Error(`${error.message}; it shows ${JSON.stringify(terminal.text)}`);
    });
  }

  private receive(frame: string): void {
    const message = JSON.parse(frame) as Record<string, unknown>;
    const { type, sessionId } = message;
    if (typeof sessionId !== 'string') return;
    if (type === 'session_created') {
      const shellType = typeof message.shellType === 'string' ? message.shellType : 'sh';
      const terminal = { sessionId, shellType, mounted: false, text: '' };
      this.terminals.set(sessionId, terminal);
      this.creating.shift()?.(terminal);
      return;
    }
    const terminal = this.terminals.get(sessionId);
    if (!terminal?.mounted) return;
    if (type === 'output') terminal.text += String(message.data);
    if (type === 'error') terminal.text += `Error: ${String(message.error)}`;
    if (type === 'exit') terminal.text += `Process exited with code ${Number(message.code ?? 0)}`;
  }
}

describe('EARLY: the first client with many sessions', () => {
  it('creates, sizes twice, types, reads and closes', async () => {
    const server = await serve();
    const page = new EarlyPage(await bed.connect(server));

    const terminal = await page.newSession();
    expect(terminal).toMatchObject({ sessionId: 's1', shellType: 'bash' });
    page.mount(terminal, 97, 31);
    page.type(terminal, 'echo $((6 * 7))-$(stty size)\r');
    await page.sees(terminal, '42-31 97');
    expect(terminal.text).not.toContain('Error:');

    page.close(terminal);
    await until(async () => (await listed(server)).length === 0, 'the session is gone');
    expect(page.client.closing).toBeUndefined();
  });

  it('misses nothing of the first output, which it can show only once it has sized its terminal', async () => {
    const server = await serve();
    server.stopTheClock();
    const page = new EarlyPage(await bed.connect(server));

    const terminal = await page.newSession();
    // The page takes its time to mount it; the shell has not been started.
    await page.client.sync();
    expect(page.client.of(terminal.sessionId, 'output')).toEqual([]);
    page.mount(terminal);
    await until(() => terminal.text.length > 0, 'the prompt is shown');

    expect(terminal.text).toBe(page.client.output(terminal.sessionId));
    expect(page.client.of(terminal.sessionId, 'output')[0]!.offset).toBe(0);
  });

  it('gets its answers in the order asked when its page creates several at once', async () => {
    const server = await serve();
    const page = new EarlyPage(await bed.connect(server));

    const terminals = await Promise.all([page.newSession(), page.newSession(), page.newSession()]);
    for (const terminal of terminals) page.mount(terminal);
    for (const terminal of terminals)
      page.type(terminal, `echo I am $((${terminal.sessionId.slice(1)} * 11))\r`);

    for (const [index, terminal] of terminals.entries()) {
      await page.sees(terminal, `I am ${(index + 1) * 11}`);
    }
    expect(terminals.map(({ sessionId }) => sessionId)).toEqual(['s1', 's2', 's3']);
  });

  it('types, sizes and closes through a second socket after a reload; output stays with the first', async () => {
    const server = await serve();
    const first = new EarlyPage(await bed.connect(server));
    const terminal = await first.newSession();
    first.mount(terminal);
    const second = new EarlyPage(await bed.connect(server), first.terminals);
    const newer = await second.newSession();
    second.mount(newer);

    second.mount(terminal, 60, 20);
    second.type(terminal, 'echo $((6 * 7))-$(stty size)\r');
    await first.sees(terminal, '42-20 60');
    second.type(newer, 'echo $((7 * 7))\r');
    await second.sees(newer, '49');
    expect(second.client.of(terminal.sessionId)).toEqual([]);

    second.close(terminal);
    await first.client.next({ type: 'exit', sessionId: terminal.sessionId });
    expect((await listed(server)).map(({ id }) => id)).toEqual([newer.sessionId]);
  });

  it('leaves with all its sessions when its tab is closed', async () => {
    const server = await serve();
    const page = new EarlyPage(await bed.connect(server));
    for (let i = 0; i < 3; i++) page.mount(await page.newSession());

    await page.client.terminate();

    await until(async () => (await listed(server)).length === 0, 'its sessions are gone');
  });

  it('shows the code its process exited with', async () => {
    const server = await serve();
    const page = new EarlyPage(await bed.connect(server));
    const terminal = await page.newSession();
    page.mount(terminal);

    page.type(terminal, 'exit 3\r');

    await page.sees(terminal, 'Process exited with code 3');
  });

  it('works on when its page asks for the next session while nothing shows an error', async () => {
    const server = await bed.serve({ cwd: home(), maxSessions: 1 }, PtyModule);
    const page = new EarlyPage(await bed.connect(server));
    const terminal = await page.newSession();
    page.mount(terminal);

    // Its answer is an error without a session: the page drops it, and prints nothing anywhere.
    page.client.send({ type: 'create' });
    await page.client.next({ type: 'error', reason: 'SESSION_LIMIT' });

    page.type(terminal, 'echo $((6 * 7))\r');
    await page.sees(terminal, '42');
    expect(terminal.text).not.toContain('Error:');
  });
});

describe('LATE: the client with an overlay, settings and a login', () => {
  it('asks whether there is a login, and goes on when there is none', async () => {
    const server = await serve();

    const answer = await server.request('GET', '/api/auth/enabled');

    expect([answer.status, JSON.parse(answer.body)]).toMatchObject([200, { enabled: false }]);
  });

  it('sizes once, configures tmux, exits into an overlay, restarts and closes what is left', async () => {
    const server = await serve();
    server.stopTheClock();
    const client = await bed.connect(server);
    client.send({ type: 'create' });
    const { sessionId } = await client.next({ type: 'session_created' });
    client.send({ sessionId, type: 'resize', cols: 120, rows: 40 });
    client.send({ type: 'tmux_config', interval: 5000 });
    client.send({ sessionId, type: 'input', data: 'stty size; exit 4\r' });

    await client.untilOutput(sessionId!, '40 120');
    expect(await client.next({ type: 'exit', sessionId })).toMatchObject({ code: 4 });
    expect(client.messages.filter(({ type }) => type === 'error')).toEqual([]);

    client.send({ type: 'create' });
    const { sessionId: restarted } = await client.next({ type: 'session_created' });
    expect((await listed(server)).map(({ id, status }) => [id, status])).toEqual([
      [sessionId, 'exited'],
      [restarted, 'connecting'],
    ]);
    client.send({ sessionId, type: 'close' });
    client.send({ sessionId: restarted, type: 'close' });
    await client.next({ type: 'exit', sessionId: restarted });
    await client.sync();
    expect(await listed(server)).toEqual([]);
    expect(client.of(sessionId!, 'exit')).toHaveLength(1);
  });

  it('recreates its workspace with one plain create after the other', async () => {
    const server = await serve();
    const client = await bed.connect(server);

    for (let index = 1; index <= 4; index++) {
      client.send({ type: 'create' });
      const created = await client.next({ type: 'session_created' });
      expect(created.sessionId).toBe(`s${index}`);
      client.send({ sessionId: created.sessionId, type: 'resize', cols: 80, rows: 24 });
    }

    expect(await listed(server)).toHaveLength(4);
  });
});

describe('HEAD: the newest client', () => {
  it('lists tmux sessions as soon as it is open, and creates where it was told to', async () => {
    const server = await serve();
    const client = await bed.connect(server);
    client.send({ type: 'list_tmux_sessions' });
    expect(await client.next({ type: 'tmux_sessions' })).toEqual({ type: 'tmux_sessions' });

    client.send({ type: 'create', cwd: '/usr' });
    const { sessionId, cwd } = await client.next({ type: 'session_created' });
    expect(cwd).toBe('/usr');
    client.send({ sessionId, type: 'resize', cols: 80, rows: 24 });
    client.send({ sessionId, type: 'input', data: 'echo I am in $(pwd).\r' });

    await client.untilOutput(sessionId!, 'I am in /usr.');
  });

  it('asks for a window of tmux, and gets a plain session: this server has no tmux', async () => {
    const server = await serve();
    const client = await bed.connect(server);

    client.send({ type: 'create', tmuxSessionName: 'main', tmuxWindowIndex: 2 });

    const created = await client.next({ type: 'session_created' });
    expect(created).toMatchObject({ sessionId: 's1', shellType: 'bash', cwd: home() });
    expect(created).not.toHaveProperty('tmuxSessionName');
  });

  it('detaches, and the session goes on until it is closed', async () => {
    const server = await serve();
    const client = await bed.connect(server);
    client.send({ type: 'create' });
    const { sessionId } = await client.next({ type: 'session_created' });
    client.send({ sessionId, type: 'resize', cols: 80, rows: 24 });
    await client.next({ type: 'output', sessionId });

    client.send({ type: 'detach', sessionId });
    await client.sync();
    expect(await listed(server)).toEqual([expect.objectContaining({ id: sessionId, status: 'active' })]);

    client.send({ type: 'close', sessionId });
    await until(async () => (await listed(server)).length === 0, 'it is gone');
  });
});

describe('the original’s HTTP', () => {
  it('looks as its tests and curl expect', async () => {
    const server = await serve();
    server.stopTheClock();
    const client = await bed.connect(server);
    client.send({ type: 'create' });
    await client.next({ type: 'session_created' });

    const health = await server.request('GET', '/api/health');
    expect(JSON.parse(health.body)).toEqual({ status: 'ok', version: expect.any(String) as unknown });
    expect((await listed(server))[0]).toEqual({
      id: 's1',
      name: 'bash-1',
      shellType: 'bash',
      status: 'connecting',
      persistent: false,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as unknown,
      cwd: home(),
    });
    const closed = await server.request('DELETE', '/api/sessions/s1');
    expect([closed.status, closed.body]).toEqual([204, '']);
    expect(await client.next({ type: 'exit', sessionId: 's1' })).toMatchObject({ code: 0 });
    expect((await server.request('DELETE', '/api/sessions/s1')).status).toBe(404);
    expect((await server.request('DELETE', '/api/sessions/')).status).toBe(400);
    expect((await server.request('POST', '/api/sessions')).status).toBe(405);
  });
});
