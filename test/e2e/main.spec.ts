import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Programs } from '../pty/support/programs.js';
import { Shells } from '../pty/support/shells.js';
import { childrenOf, lives } from '../support/leaks.js';
import { type Program, useProgram } from '../support/program.js';
import { type TestClient } from '../support/test-client.js';
import { useTestBed } from '../support/test-bed.js';
import { until } from '../support/until.js';

/** Before the bed: it is looked for leaks only when the programs have ended. */
const start = useProgram();
const bed = useTestBed();

jest.setTimeout(60_000);

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A session that runs a script of sh instead of a shell. @returns the script's pid, which it has to print first. */
async function runScript(client: TestClient, script: string): Promise<number> {
  const sessionId = await client.create();
  client.send({ type: 'input', sessionId, data: `exec sh -c 'echo "pid=<$$>"; ${script}'\r` });
  await client.untilOutput(sessionId, /pid=<(\d+)>/);
  return Number(/pid=<(\d+)>/.exec(client.output(sessionId))![1]);
}

const WAIT = 'while :; do sleep 0.05; done';

async function serve(env: Record<string, string> = {}): Promise<{ program: Program; client: TestClient }> {
  const program = await start([], env).listening();
  return { program, client: await bed.connect(program) };
}

describe('the command line', () => {
  it('shows its help, with every setting', async () => {
    const program = start(['--help'], { TREX_PORT: 'nonsense' });

    expect(await program.ended()).toBe(0);
    expect(program.stderr).toBe('');
    expect(program.stdout).toContain('Usage:');
    for (const name of [
      'TREX_HOST',
      'TREX_PORT',
      'TREX_SHELL',
      'TREX_MAX_SESSIONS',
      'TREX_ALLOWED_ORIGINS',
    ]) {
      expect(program.stdout).toContain(name);
    }
  });

  it('shows its version', async () => {
    const program = start(['--version']);

    expect(await program.ended()).toBe(0);
    expect(program.stdout).toBe('0.1.0\n');
    expect(program.stderr).toBe('');
  });

  it.each([[['--port=4000']], [['-p']], [['start']], [['serve', '--read-only']], [['list']]])(
    'refuses what it does not know: %j',
    async (args) => {
      const program = start(args);

      expect(await program.ended()).toBe(64);
      expect(program.stdout).toBe('');
      expect(program.stderr).toMatch(/^trex: .+\n(trex: .+\n)*trex: See --help\.\n$/);
      expect(program.stderr).toContain(args.at(-1)!.split('=')[0]);
    },
  );

  it('serves when told to as when told nothing', async () => {
    const program = await start(['serve']).listening();

    program.signal('SIGTERM');
    expect(await program.ended()).toBe(0);
  });
});

describe('the settings', () => {
  it('are all read before any is complained about', async () => {
    const program = start([], {
      TREX_PORT: 'ten',
      TREX_HOST: '0.0.0.0',
      TREX_MAX_SESSIONS: '0',
      TREX_ALLOWED_ORIGINS: 'https://good.example,example.com/',
      TREX_SHELL: 'no-such-shell',
      TREX_MAX_SESION: '5',
    });

    expect(await program.ended()).toBe(78);
    expect(program.stdout).toBe('');
    const lines = program.stderr.split('\n');
    for (const complaint of [
      /TREX_PORT must be .*got "ten"/,
      /TREX_HOST=0\.0\.0\.0 can be reached from elsewhere.*TREX_TOKEN_FILE.*TREX_AUTH=none/,
      /TREX_MAX_SESSIONS must be .*got "0"/,
      /TREX_ALLOWED_ORIGINS must be .*got "example\.com\/"/,
      /TREX_SHELL must be .*got "no-such-shell"/,
      /TREX_MAX_SESION is not a setting; did you mean TREX_MAX_SESSIONS\?/,
      /See --help\./,
    ]) {
      expect(lines.filter((line) => complaint.test(line))).toHaveLength(1);
    }
    expect(lines).toHaveLength(8);
  });

  it('of what every session would fail with are refused at the start', async () => {
    const program = start([], { TREX_SHELL: '/etc/passwd', TREX_CWD: '/nonexistent', TREX_PORT: 'ten' });

    expect(await program.ended()).toBe(78);
    expect(program.stdout).toBe('');
    expect(program.stderr.split('\n')).toEqual(
      expect.arrayContaining([
        'trex: TREX_SHELL must be a file that the server may execute, got "/etc/passwd"',
        'trex: TREX_CWD must be a directory that the server may enter, got "/nonexistent"',
        'trex: TREX_PORT must be a whole number from 0 to 65535, got "ten"',
      ]),
    );
  });

  it('of a port that is in use are answered with one clear sentence', async () => {
    const { program } = await serve();

    const second = start([], { TREX_PORT: String(program.port) });

    expect(await second.ended()).toBe(1);
    expect(second.stderr).toMatch(/^trex: .+\n$/);
    expect(second.stdout).toBe('');
    expect(second.stderr).toContain(`127.0.0.1:${program.port}`);
    expect(second.stderr).toContain('TREX_PORT');
    program.signal('SIGTERM');
    expect(await program.ended()).toBe(0);
  });

  it('reach the server', async () => {
    const program = await start([], { TREX_MAX_SESSIONS: '1', TREX_CWD: '/usr' }).listening();
    const client = await bed.connect(program);

    client.send({ type: 'create' }, { type: 'create' });

    expect(await client.next({ type: 'session_created' })).toMatchObject({ cwd: '/usr' });
    expect(await client.next({ type: 'error' })).toMatchObject({ reason: 'SESSION_LIMIT' });
    program.signal('SIGTERM');
    expect(await program.ended()).toBe(0);
  });
});

describe('stopping', () => {
  it.each(STOP_SIGNALS)('at %s tells its clients, ends every process, and exits with 0', async (signal) => {
    const { program, client } = await serve();
    const other = await bed.connect(program);
    const pids = [await runScript(client, WAIT), await runScript(client, WAIT), await runScript(other, WAIT)];

    program.signal(signal);

    expect(await client.closed()).toMatchObject({ code: 1001 });
    expect(await other.closed()).toMatchObject({ code: 1001 });
    expect(await program.ended()).toBe(0);
    expect(pids.filter(lives)).toEqual([]);
    expect(program.stderr).toBe('');
  });

  it('without any client exits with 0 at once', async () => {
    const program = await start().listening();

    program.signal('SIGTERM');

    expect(await program.ended()).toBe(0);
  });

  it('takes a second signal that comes at once for an echo of the first', async () => {
    const { program, client } = await serve();
    // Its processes are asked politely for a second before they are killed.
    const pid = await runScript(client, `trap "" HUP; ${WAIT}`);

    program.signal('SIGINT');
    await client.closed();
    program.signal('SIGINT');
    program.signal('SIGTERM');
    program.signal('SIGHUP');

    expect(await program.ended()).toBe(0);
    expect(lives(pid)).toBe(false);
  });

  it('does not wait for longer than it may, and says so', async () => {
    const { program, client } = await serve({ TREX_KILL_SECONDS: '0', TREX_SHUTDOWN_SECONDS: '1' });
    const pid = await runScript(client, `trap "" HUP; ${WAIT}`);
    // It does not answer the goodbye, for which the server waits two seconds.
    client.socket.pause();

    program.signal('SIGTERM');

    expect(await program.ended()).toBe(1);
    expect(program.stdout).toContain('not everything has ended within 1 s: see TREX_SHUTDOWN_SECONDS');
    await until(() => !lives(pid), 'its process is killed');
  });

  it('exits where it stands at a signal that comes later than a second after the first', async () => {
    const { program, client } = await serve();
    const pid = await runScript(client, `trap "" HUP; ${WAIT}`);
    // It does not answer the goodbye, for which the server waits two seconds.
    client.socket.pause();

    const began = performance.now();
    program.signal('SIGTERM');
    const impatience = setInterval(() => program.signal('SIGTERM'), 50);
    const code = await program.ended().finally(() => clearInterval(impatience));
    const tookMs = performance.now() - began;

    expect(code).toBe(128 + 15);
    expect(tookMs).toBeGreaterThanOrEqual(1000);
    await until(() => !lives(pid), 'its process is killed');
  });

  describe('in a terminal', () => {
    let shells: Shells;
    beforeEach(() => (shells = new Shells()));
    afterEach(() => shells.dispose());

    it('stops as cleanly when that goes away', async () => {
      const code = shells.path('code');
      // Whoever holds the terminal is killed. The kernel tells the shell, and the shell its job, as shells do.
      const programs = new Programs();
      try {
        const script =
          `TREX_PORT=0 '${process.execPath}' '${start.main()}' & server=$!; trap 'kill -HUP $server' HUP; ` +
          `wait $server; wait $server; echo "exited with $?" >${code}`;
        const holder = programs.start('hold-terminal', { args: [script] });
        await until(() => holder.output.includes('is listening on'), 'it listens');
        holder.kill();
        await until(() => existsSync(code) && readFileSync(code, 'utf8').endsWith('\n'), 'it has ended');
        expect(readFileSync(code, 'utf8')).toBe('exited with 0\n');
        await holder.ended;
      } finally {
        programs.dispose();
      }
    });

    it('tells of a bug that ends it, there', async () => {
      const bug = shells.path('bug.cjs');
      writeFileSync(bug, `process.once('SIGUSR2', () => { throw new Error('a bug that nobody catches'); });`);
      const { pty, heard } = await shells.sh(
        `TREX_PORT=0 exec '${process.execPath}' -r '${bug}' '${start.main()}'`,
      );
      await heard.untilText('is listening on');
      process.kill(pty.pid, 'SIGUSR2');
      await heard.untilText('a bug that nobody catches');
      await heard.untilEnded();
    });
  });

  it('killed, it leaves no process behind: each is hung up on', async () => {
    const { program, client } = await serve();
    const folder = mkdtempSync(join(tmpdir(), 'trex-hup-'));
    const note = join(folder, 'hung-up');
    await runScript(client, `trap "echo >${note}; exit" HUP; ${WAIT}`);
    await runScript(client, 'exec sleep 1000');
    const plain = await client.create();
    await client.next({ type: 'output', sessionId: plain });
    const pids = childrenOf(program.pid);
    expect(pids).toHaveLength(3);

    await program.kill();

    await until(() => !pids.some(lives), 'all processes are gone', 2000);
    expect(existsSync(note)).toBe(true);
    rmSync(folder, { recursive: true });
  });
});

describe('the log', () => {
  /** One object per line, or the test fails. */
  function records(program: Program): Record<string, unknown>[] {
    return program.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  it('T29 · tells what happens in lines of JSON, and never what is typed or printed', async () => {
    const program = await start([], { TREX_LOG_LEVEL: 'trace' }).listening();
    const client = await bed.connect(program);
    const sessionId = await client.create();
    client.send({ type: 'input', sessionId, data: 'echo typed-$((40 + 2))-printed\r' });
    await client.untilOutput(sessionId, 'typed-42-printed');
    client.sendRaw('{"type":"input","data":"typed-and-broken');
    client.send({ type: 'input', sessionId: 's99', data: 'typed-in-vain' });
    client.send({ type: 'input', sessionId: 'x\n{"level":"fatal"}', data: 'typed-in-vain' });
    await client.sync();
    client.send({ type: 'close', sessionId });
    await client.next({ type: 'exit', sessionId });

    program.signal('SIGTERM');
    expect(await program.ended()).toBe(0);

    const told = records(program);
    expect(told.map(({ msg }) => msg)).toEqual(
      expect.arrayContaining(['session created', 'session ended', 'SIGTERM: stopping']),
    );
    expect(told.filter(({ level }) => level === 'fatal')).toEqual([]);
    expect(program.stdout).not.toMatch(/typed|printed/);
  });

  it('tells whom the gate refused at either door, and what was refused to those it let in', async () => {
    const program = await start([], { TREX_LOG_LEVEL: 'debug' }).listening();
    const origin = 'https://evil.example';
    await fetch(`http://127.0.0.1:${program.port}/api/sessions`, { headers: { Origin: origin } });
    await expect(bed.connect(program, { origin })).rejects.toThrow('403');
    await fetch(`http://127.0.0.1:${program.port}/api/sessions/s99`);
    const client = await bed.connect(program);
    client.send({ type: 'input', sessionId: 's99', data: 'x' }, { type: 'resize', cols: 0, rows: 0 });
    await client.sync();
    const sessionId = await client.create({ cwd: '/no/such/directory' });
    await client.next({ type: 'exit', sessionId, cause: 'failed' });

    program.signal('SIGTERM');
    expect(await program.ended()).toBe(0);

    const told = records(program);
    const refused = {
      level: 'warn',
      context: 'Gate',
      reason: 'ORIGIN_NOT_ALLOWED',
      origin,
      msg: expect.stringContaining('refused') as string,
    };
    // One line for all that is refused for the same reason in a minute.
    expect(told.filter(({ level }) => level === 'warn')).toEqual([expect.objectContaining(refused)]);
    const about = (reason: string): unknown =>
      told.filter((one) => one.level === 'debug' && one.reason === reason);
    expect(about('SESSION_NOT_FOUND')).toHaveLength(2);
    expect(about('INVALID_SIZE')).toHaveLength(1);
    expect(about('INVALID_CWD')).toEqual([expect.objectContaining({ sessionId })]);
  });
});
