import { chmodSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PtyFactory, type PtyLaunch } from '../../src/core/pty.js';
import { SessionError, type SessionErrorCode } from '../../src/core/session-error.js';
import { DEFAULT_SIZE } from '../../src/core/terminal-size.js';
import { type Limit } from '../../src/pty/headroom.js';
import { NodePtyFactory } from '../../src/pty/node-pty.factory.js';
import { NOBODY_ELSE, Programs } from './support/programs.js';
import { Recording } from './support/recording.js';
import { holdings, Shells } from './support/shells.js';

describe('a process that cannot be started', () => {
  let shells: Shells;
  beforeEach(() => (shells = new Shells()));
  afterEach(() => shells.dispose());

  async function refusalOf(
    change: Partial<Record<keyof PtyLaunch, unknown>>,
    factory: PtyFactory = shells.factory,
  ): Promise<SessionError> {
    const heard = new Recording();
    const launch = {
      file: '/bin/sh',
      args: ['-c', 'exit 0'],
      cwd: shells.home,
      size: DEFAULT_SIZE,
      ...change,
    } as PtyLaunch;
    const before = holdings();
    const error: unknown = await factory.spawn(launch, heard).then(
      () => 'it was started',
      (refusal: unknown) => refusal,
    );
    expect(error).toBeInstanceOf(SessionError);
    expect(holdings().children).toBe(before.children);
    expect(heard.exits).toEqual([]);
    return error as SessionError;
  }

  it.each<
    [string, SessionErrorCode, (path: (name: string) => string) => Partial<Record<keyof PtyLaunch, unknown>>]
  >([
    ['a shell that does not exist', 'INVALID_SHELL', () => ({ file: '/no/such/shell' })],
    ['a shell that is a directory', 'INVALID_SHELL', (path) => ({ file: path('.') })],
    ['a shell that may not be executed', 'INVALID_SHELL', (path) => ({ file: path('text') })],
    ['a shell behind a dangling link', 'INVALID_SHELL', (path) => ({ file: path('dangling') })],
    ['a shell without an absolute path', 'INVALID_SHELL', () => ({ file: 'sh' })],
    ['a shell with a NUL in its path', 'INVALID_SHELL', () => ({ file: '/bin/sh\0x' })],
    ['a shell that is no string', 'INVALID_SHELL', () => ({ file: 5 })],
    ['a directory that does not exist', 'INVALID_CWD', () => ({ cwd: '/no/such/directory' })],
    ['a directory that is a file', 'INVALID_CWD', (path) => ({ cwd: path('text') })],
    ['a directory without an absolute path', 'INVALID_CWD', () => ({ cwd: '.' })],
    ['a directory with a NUL in its path', 'INVALID_CWD', () => ({ cwd: '/tmp\0' })],
    ['an argument that is no string', 'SPAWN_FAILED', () => ({ args: ['-c', 5] })],
    ['an argument that is missing', 'SPAWN_FAILED', () => ({ args: new Array(2) })],
    ['an argument with a NUL in it', 'SPAWN_FAILED', () => ({ args: ['-c', 'echo \0'] })],
  ])('T16, T17, T21 · for %s is refused with a reason', async (_name, code, change) => {
    writeFileSync(shells.path('text'), 'text');
    symlinkSync('/no/such/file', shells.path('dangling'));
    const refusal = await refusalOf(change((name) => shells.path(name)));
    expect(refusal.code).toBe(code);
    expect(refusal.message).toMatch(/^[a-z][ -~]+[^.]$/);
  });

  it('T30 · names the path in a way that is safe to print', async () => {
    const refusal = await refusalOf({ file: '/bin/\x1b[31mred\x9b0m\u2028\u202e' });
    expect(refusal.message).toContain('"/bin/\\u001b[31mred\\u009b0m\\u2028\\u202e"');
  });

  it('for a limit of the machine is refused with its figures', async () => {
    const limits: Limit[] = [{ what: 'lawn chairs', used: 12, max: 20, needed: 9 }];
    const factory = new NodePtyFactory(
      () => ({}),
      () => Promise.resolve(limits),
    );
    const refusal = await refusalOf({}, factory);
    expect(refusal.code).toBe('SESSION_LIMIT');
    expect(refusal.message).toContain('lawn chairs');
    expect(refusal.message).toContain('12 of 20');
  });

  it('does not keep the next one from starting', async () => {
    const heard = new Recording();
    const refused = refusalOf({ file: '/no/such/shell' });
    const started = shells.sh('printf hello; exit 4', heard);
    await Promise.all([refused, started]);
    expect(await heard.untilEnded()).toEqual({ code: 4 });
  });

  it('T21 · is not started when its arguments change after they were checked', async () => {
    const args: unknown[] = ['-c', 'printf checked'];
    const heard = new Recording();
    const launch = { file: '/bin/sh', args, cwd: shells.home, size: DEFAULT_SIZE } as unknown as PtyLaunch;
    const spawned = shells.factory.spawn(launch, heard);
    args[1] = 5;
    await (await spawned, heard.untilEnded());
    expect(heard.text).toBe('checked');
  });

  it('passes the check of each of a burst before any of it is counted on', async () => {
    let free = 3;
    const factory = new NodePtyFactory(
      () => ({}),
      async () => {
        const limits = [{ what: 'slots', used: 3 - free, max: 3, needed: 1 }];
        // What was read is a little old when it is judged, as with any reading.
        await new Promise((turn) => setImmediate(turn));
        return limits;
      },
    );
    const launch = { file: '/bin/sh', args: ['-c', 'exec sleep 60'], cwd: shells.home, size: DEFAULT_SIZE };
    const burst = Array.from({ length: 10 }, () =>
      factory.spawn(launch, new Recording()).then((pty) => {
        free--;
        return pty;
      }),
    );
    const started = (await Promise.allSettled(burst)).flatMap((one) =>
      one.status === 'fulfilled' ? [one.value] : [],
    );
    await Promise.all(started.map((pty) => pty.close()));
    expect(started).toHaveLength(3);
  });

  describe('T17 · where sessions start within a root', () => {
    let root: string;
    let factory: NodePtyFactory;
    beforeEach(() => {
      root = realpathSync(shells.path('.'));
      mkdirSync(join(root, 'in/deep'), { recursive: true });
      mkdirSync(join(root, 'in-not'));
      symlinkSync('/', join(root, 'in/out'));
      symlinkSync(join(root, 'in/deep'), join(root, 'way-in'));
      writeFileSync(join(root, 'in/text'), 'text');
      factory = new NodePtyFactory(() => ({}), undefined, { cwdRoot: join(root, 'in') });
    });

    it.each(['in/out', 'in/out/tmp', 'in/deep/../..', 'in-not', '.', 'in/gone', 'in/text'])(
      'for %s is refused',
      async (cwd) => {
        const refusal = await refusalOf({ cwd: `${root}/${cwd}` }, factory);
        expect(refusal.code).toBe('INVALID_CWD');
      },
    );

    it('does not tell whether there is anything outside of it', async () => {
      const [there, gone] = [
        await refusalOf({ cwd: '/etc' }, factory),
        await refusalOf({ cwd: '/etx' }, factory),
      ];
      expect(there.message.replace('/etc', '/etx')).toBe(gone.message);
    });

    it.each(['in', 'in/deep', 'in/deep/..', 'way-in'])('for %s starts where that really is', async (cwd) => {
      const heard = new Recording();
      const launch = { file: '/bin/sh', args: ['-c', 'pwd -P'], cwd: `${root}/${cwd}`, size: DEFAULT_SIZE };
      await factory.spawn(launch, heard);
      await heard.untilEnded();
      expect(heard.text.trimEnd()).toBe(realpathSync(`${root}/${cwd}`));
    });
  });

  it('for a directory that may not be entered is refused', async () => {
    const closed = shells.path('closed');
    mkdirSync(closed);
    chmodSync(closed, 0o600);
    chmodSync(shells.home, 0o755);
    const programs = new Programs();
    try {
      // Root may enter any.
      const uid = process.getuid?.() === 0 ? NOBODY_ELSE : undefined;
      const { output } = await programs.run('start-in', { args: [closed], uid });
      expect(output).toMatch(/^INVALID_CWD: .*may not be entered/);
    } finally {
      programs.dispose();
    }
  });
});
