import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { transformFileSync } from '@swc/core';
import { type Shell, Shells } from '../pty/support/shells.js';
import { useTestBed } from '../support/test-bed.js';
import { until } from '../support/until.js';

const ROOT = resolve(__dirname, '../..');
/** As after `su`, which lets write to the terminal of whoever it was asked by, and not open it. */
const AS_NOBODY = 'setpriv --reuid=65534 --regid=65534 --clear-groups';
/** Of a kilobyte each: far more than any pipe holds. */
const FLOOD = 10_000;

/**
 * A process that, once told to, logs as many lines as it was asked for, lets its timers run, and then says on standard
 * error that it is still there. It ends when its input does.
 */
const PROGRAM = `
const { standardLogger } = require('./observability/logger.js');
const logger = standardLogger('info');
process.stdin.once('data', () => {
  for (let i = 0; i < Number(process.argv[2]); i++) logger.log({ i, msg: 'x'.repeat(1000) });
  logger.fatal('still here');
  setTimeout(() => process.stderr.write('still here\\n'), 200);
});
`;

/** Before anything else, so that it looks for leaks when all else is over. */
useTestBed();
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'trex-log-'));
  chmodSync(folder, 0o755);
  for (const room of ['observability', 'config']) compile(room, folder);
  writeFileSync(join(folder, 'program.js'), PROGRAM);
});

afterAll(() => rmSync(folder, { recursive: true }));

describe('a server whose log cannot be written', () => {
  const running = new Set<ChildProcess>();

  afterEach(() => {
    for (const child of running) child.kill('SIGKILL');
    running.clear();
  });

  function start(stdout: 'pipe' | number, lines = FLOOD): ChildProcess {
    const env = { ...process.env, NODE_PATH: join(ROOT, 'node_modules') };
    const child = spawn(process.execPath, [join(folder, 'program.js'), String(lines)], {
      env,
      stdio: ['pipe', stdout, 'pipe'],
    });
    running.add(child);
    return child;
  }

  /** Lets it log, waits for its sign of life, and for its end. */
  async function logsAndLives(child: ChildProcess): Promise<void> {
    child.stdin!.write('go\n');
    const [sign] = (await once(child.stderr!, 'data')) as [Buffer];
    expect(sign.toString()).toBe('still here\n');
    child.stdin!.end();
    expect(await once(child, 'exit')).toEqual([0, null]);
  }

  it('goes on when the disk is full', async () => {
    const full = openSync('/dev/full', 'w');
    try {
      await logsAndLives(start(full));
    } finally {
      closeSync(full);
    }
  });

  it('goes on when nobody is at the other end of the pipe', async () => {
    const child = start('pipe');
    child.stdout!.destroy();
    await once(child.stdout!, 'close');

    await logsAndLives(child);
  });

  it('goes on, and ends when it should, while the reader of the pipe has stopped', async () => {
    const child = start('pipe');
    child.stdout!.pause();

    await logsAndLives(child);
  });

  it('loses nothing to a reader that is slower than a burst', async () => {
    const child = start('pipe', 900);
    child.stdin!.write('go\n');

    const numbers: unknown[] = [];
    for await (const line of createInterface(child.stdout!)) {
      numbers.push((JSON.parse(line) as { i?: number }).i);
      if (numbers.length === 901) break;
    }

    expect(numbers).toEqual([...Array(900).keys(), undefined]);
    child.stdin!.end();
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});

describe('a server whose log goes to a terminal', () => {
  let sign = '';
  let shells: Shells;

  beforeEach(() => {
    shells = new Shells();
    sign = join(folder, 'sign');
    writeFileSync(sign, '');
  });

  afterEach(() => shells.dispose());

  const stopped: [how: string, stop: (shell: Shell) => void, keys: string, as: string][] = [
    ['is stopped with Ctrl-S', () => undefined, '\x13', ''],
    ['is shown by nobody', ({ pty }) => pty.pause(), '', ''],
  ];
  if (mayBeNobody()) stopped.push(['is another user’s, and stopped', () => undefined, '\x13', AS_NOBODY]);

  it.each(stopped)('goes on while that %s, and tells the rest when it can', async (_, stop, keys, as) => {
    // The shell waits for it with the same terminal in its hands. Its sign of life goes elsewhere.
    const program = `${as} ${process.execPath} ${join(folder, 'program.js')} 300 2>${sign}`;
    const env = `NODE_PATH=${join(ROOT, 'node_modules')}`;
    // Here any key would undo a Ctrl-S, unlike in most terminals.
    const shell = await shells.sh(`stty -ixany; echo ready; ${env} ${program}; echo "ended: $?"`);
    const { pty, heard } = shell;
    await heard.untilText('ready');

    stop(shell);
    pty.write(Buffer.from(`${keys}go\n`));
    await until(() => readFileSync(sign, 'utf8') === 'still here\n', 'it is still there');
    expect(heard.text.includes('still here')).toBe(false);
    for (const fd of [0, 1, 2]) expect(isNonBlocking(pty.pid, fd)).toBe(false);
    pty.resume();
    pty.write(Buffer.from('\x11'));

    await heard.untilText('still here');
    expect(heard.text.match(/\{"i":\d+\}/g)).toEqual(Array.from({ length: 300 }, (__, i) => `{"i":${i}}`));
    pty.write(Buffer.from('\x04'));
    await heard.untilText('ended: 0');
  });
});

/** Whether writing to what a process has open may fail for want of room: a matter of the opened file, not the process. */
function isNonBlocking(pid: number, fd: number): boolean {
  const [, flags] = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))!;
  return (parseInt(flags!, 8) & constants.O_NONBLOCK) !== 0;
}

/** Only root may become somebody else, who may not be let into every folder. */
function mayBeNobody(): boolean {
  const [command, ...args] = `${AS_NOBODY} ${process.execPath} -e 0`.split(' ');
  return process.getuid?.() === 0 && spawnSync(command!, args).status === 0;
}

/** Compiles a folder of the source, so that a process of its own can run it. */
function compile(room: string, target: string): void {
  mkdirSync(join(target, room));
  for (const name of readdirSync(join(ROOT, 'src', room))) {
    if (!name.endsWith('.ts') || name.endsWith('.spec.ts')) continue;
    const { code } = transformFileSync(join(ROOT, 'src', room, name), {
      swcrc: false,
      module: { type: 'commonjs' },
      jsc: {
        target: 'es2023',
        parser: { syntax: 'typescript', decorators: true },
        transform: { legacyDecorator: true, decoratorMetadata: true },
      },
    });
    writeFileSync(join(target, room, name.replace(/\.ts$/, '.js')), code);
  }
}
