import { readFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { readProcesses } from '../../src/pty/process-table.js';
import { Recording } from './support/recording.js';
import { holdings, lives, type Shell, Shells } from './support/shells.js';

/** Until the last job has stopped. `wait` would return then, and the shell end by itself. */
const STOPPED = `until grep -q '^State:.T' /proc/$!/status; do sleep 0.01; done`;

/** What closing promises, whatever the processes do. */
const CLOSED_WITHIN_MS = 3000;

/** For many processes one after another, on a machine that has other things to do. */
const MANY_MS = 90_000;

describe('T42: closing a real terminal', () => {
  let shells: Shells;
  beforeEach(() => (shells = new Shells()));
  afterEach(() => shells.dispose());

  /** Starts a script that prints the pids of everyone in it and `ready`. */
  async function family(script: string): Promise<{ shell: Shell; pids: number[] }> {
    const shell = await shells.sh(script);
    await shell.heard.untilText('ready');
    const pids = [shell.pty.pid, ...(shell.heard.text.match(/\d+/g) ?? []).map(Number)];
    expect(pids.filter(lives)).toEqual(pids);
    return { shell, pids };
  }

  async function closed({ pty }: Shell): Promise<number> {
    const began = performance.now();
    await pty.close();
    return performance.now() - began;
  }

  it.each([
    ['a shell that goes when asked', 'printf ready; while :; do sleep 0.01; done', 'SIGHUP'],
    [
      'a shell that ignores every polite signal',
      `trap '' HUP TERM INT; printf ready; while :; do sleep 0.01; done`,
      'SIGKILL',
    ],
    [
      'a shell whose child ignores them',
      `(trap '' HUP TERM; printf "$(sh -c 'echo $PPID') ready"; while :; do sleep 0.01; done)`,
      'SIGHUP',
    ],
    ['a stopped shell', 'printf ready; kill -STOP $$; sleep 60', 'SIGHUP'],
    [
      'a stopped shell that ignores them',
      `trap '' HUP TERM; printf ready; kill -STOP $$; sleep 60`,
      'SIGKILL',
    ],
    [
      'nohup jobs',
      'nohup sleep 60 >/dev/null 2>&1 & a=$!; nohup sleep 61 >/dev/null 2>&1 & printf "$a $! ready"; wait',
      'SIGHUP',
    ],
    [
      'background jobs with groups of their own',
      'set -m; sleep 60 & a=$!; sleep 61 & printf "$a $! ready"; wait',
      'SIGHUP',
    ],
    [
      'stopped background jobs',
      `set -m; (trap '' HUP; kill -STOP $(sh -c 'echo $PPID'); sleep 60) & ${STOPPED}; printf "$! ready"; while :; do sleep 0.01; done`,
      'SIGHUP',
    ],
    [
      'jobs that have no terminal left',
      `(trap '' HUP; exec sleep 60 </dev/null >/dev/null 2>&1) & printf "$! ready"; wait`,
      'SIGHUP',
    ],
  ])('ends %s', async (_name, script, signal) => {
    const { shell, pids } = await family(script);
    expect(await closed(shell)).toBeLessThan(CLOSED_WITHIN_MS);
    expect(pids.filter(lives)).toEqual([]);
    expect(shell.heard.exits).toEqual([expect.objectContaining({ signal })]);
  });

  it('lets a stopped job tidy up although its shell stays', async () => {
    const log = shells.path('tidied');
    const { shell } = await family(
      `(trap 'echo tidied >${log}; exit 0' HUP; printf "$(sh -c 'kill -STOP $PPID; echo $PPID') "; while :; do sleep 0.01; done) & ` +
        `trap '' HUP; ${STOPPED}; printf "$! ready"; while :; do sleep 0.01; done`,
    );
    expect(await closed(shell)).toBeLessThan(CLOSED_WITHIN_MS);
    expect(readFileSync(log, 'utf8')).toBe('tidied\n');
  });

  it('ends processes that multiply while they are being ended', async () => {
    const { shell } = await family(
      `trap '' HUP TERM; f() { (trap '' HUP; sleep 0.02; f) & }; f; f; f; printf ready; while :; do sleep 0.01; done`,
    );
    expect(await closed(shell)).toBeLessThan(CLOSED_WITHIN_MS);
    const left = (await readProcesses()).filter(({ session }) => session === shell.pty.pid);
    expect(left).toEqual([]);
  });

  it(
    'ends a process that was started this very moment',
    async () => {
      for (let trial = 0; trial < 5; trial++) {
        const newborn = await Promise.all(
          Array.from({ length: 8 }, () => shells.sh(`trap '' HUP; sleep 60`)),
        );
        await Promise.all(newborn.map(({ pty }) => pty.close()));
        expect(newborn.filter(({ pty }) => lives(pty.pid))).toEqual([]);
        expect(newborn.map(({ heard }) => heard.exits.length)).toEqual(newborn.map(() => 1));
      }
    },
    MANY_MS,
  );

  it('ends what a shell that has ended left behind, as long as the end has not been told', async () => {
    const { shell, pids } = await family(`trap '' HUP; sleep 60 & printf "$! ready"; read -r line; exit 3`);
    shell.pty.pause();
    shell.pty.write(Buffer.from('\n'));
    const { heard } = await shells.sh(`while kill -0 ${shell.pty.pid} 2>/dev/null; do sleep 0.01; done`);
    await heard.untilEnded();
    expect(await closed(shell)).toBeLessThan(CLOSED_WITHIN_MS);
    expect(shell.heard.exits).toEqual([{ code: 3 }]);
    expect(pids.filter(lives)).toEqual([]);
  });

  it('leaves alone what a shell that ended by itself has left behind', async () => {
    const shell = await shells.sh(`trap '' HUP; sleep 60 >/dev/null 2>&1 </dev/null & printf "$! "; exit 0`);
    const survivor = await shells.adopt(shell);
    await shell.heard.untilEnded();
    await shell.pty.close();
    expect(lives(survivor)).toBe(true);
  });

  it('drops what has not been told, and says nothing after the end', async () => {
    const { shell } = await family('printf ready; while :; do printf xxxxxxxxxxxxxxxx; done');
    const closing = shell.pty.close();
    const told = shell.heard.bytes;
    shell.pty.resume();
    await closing;
    expect(shell.heard.bytes).toBe(told);
    expect(shell.heard.exits).toEqual([{ code: 129, signal: 'SIGHUP' }]);
  });

  it('is one closing, however often it is asked for and from wherever', async () => {
    const heard = new Recording(() => void shell.pty.close());
    const shell: Shell = await shells.sh('printf ready; while :; do sleep 0.01; done', heard);
    await heard.untilText('ready');
    await Promise.all([shell.pty.close(), shell.pty.close()]);
    await shell.pty.close();
    expect(heard.exits).toHaveLength(1);
    expect(shell.pty.write(Buffer.from('x'))).toBe(0);
    shell.pty.resize({ columns: 5, rows: 5 });
    shell.pty.pause();
    shell.pty.resume();
  });

  it(
    'of a hundred at once is as quick as one',
    async () => {
      const many = await Promise.all(
        Array.from({ length: 100 }, () => shells.sh('printf ready; exec sleep 60')),
      );
      await Promise.all(many.map(({ heard }) => heard.untilText('ready')));
      const began = performance.now();
      await Promise.all(many.map(({ pty }) => pty.close()));
      expect(performance.now() - began).toBeLessThan(CLOSED_WITHIN_MS);
      expect(many.filter(({ pty }) => lives(pty.pid))).toEqual([]);
    },
    MANY_MS,
  );

  it.each([
    ['closing', 'printf ready; exec cat', (shell: Shell): Promise<unknown> => shell.pty.close()],
    [
      'ending by itself',
      'printf ready; exit 3',
      (shell: Shell): Promise<unknown> => shell.heard.untilEnded(),
    ],
  ])(
    'after 200 times %s nothing is left',
    async (_name, script, over) => {
      async function cycle(): Promise<void> {
        const shell = await shells.sh(script);
        await shell.heard.untilText('ready');
        await over(shell);
        expect(shell.heard.exits).toHaveLength(1);
      }
      // What Node opens once and keeps, such as its pool of threads, is there after the first.
      for (let warm = 0; warm < 3; warm++) await cycle();
      await settled();
      const before = holdings();
      for (let cycles = 0; cycles < 200; cycles += 10) await Promise.all(Array.from({ length: 10 }, cycle));
      await settled();
      expect(holdings()).toEqual(before);
    },
    MANY_MS,
  );
});

/** The thread that waits for a process goes a moment after it has told of the end. */
async function settled(): Promise<void> {
  let last = '';
  const deadline = performance.now() + 2000;
  for (let same = 0; same < 200 && performance.now() < deadline; same++) {
    const now = JSON.stringify(holdings());
    if (now !== last) same = 0;
    last = now;
    await nextTurn();
  }
}
