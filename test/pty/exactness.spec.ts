import fc from 'fast-check';
import { writeFileSync } from 'node:fs';
import { type ProcessExit } from '../../src/core/pty.js';
import { Recording } from './support/recording.js';
import { lives, pattern, type Shell, Shells } from './support/shells.js';

const KIB = 1024;
const RUNS = 100;

describe('a real process whose output ends', () => {
  let shells: Shells;
  beforeEach(() => (shells = new Shells()));
  afterEach(() => shells.dispose());

  function fileOf(bytes: number): { path: string; content: Buffer } {
    const path = shells.path(`${bytes}.txt`);
    const content = pattern(bytes);
    writeFileSync(path, content);
    return { path, content };
  }

  function expectWhole({ heard }: Shell, content: Buffer, exit: ProcessExit): void {
    // Lengths first: a difference of a megabyte is not worth printing.
    expect(heard.bytes).toBe(content.length);
    expect(heard.all.equals(content)).toBe(true);
    expect(heard.exits).toEqual([exit]);
    expect(heard.bytesAtEnd).toBe(content.length);
  }

  /** Enough at a time to keep two cores busy, few enough that each is told by itself. */
  async function repeat(runs: number, atOnce: number, run: () => Promise<void>): Promise<void> {
    for (let done = 0; done < runs; done += atOnce) await Promise.all(Array.from({ length: atOnce }, run));
  }

  describe.each([4 * KIB, 20 * KIB, 64 * KIB, 1024 * KIB])('after %i bytes', (bytes) => {
    it('tells every byte, then the code of a shell that exits', async () => {
      const { path, content } = fileOf(bytes);
      await repeat(RUNS, 1, async () => {
        const shell = await shells.sh(`cat ${path}; exit 3`);
        await shell.heard.untilEnded();
        expectWhole(shell, content, { code: 3 });
      });
    }, 90_000);

    it('tells every byte of a process that exits at once, several at a time', async () => {
      const { path, content } = fileOf(bytes);
      await repeat(RUNS, 5, async () => {
        const shell = await shells.sh(`exec cat ${path}`);
        await shell.heard.untilEnded();
        expectWhole(shell, content, { code: 0 });
      });
    }, 90_000);

    it('waits with the rest and the end while paused', async () => {
      const { path, content } = fileOf(bytes);
      await repeat(RUNS, 10, async () => {
        let paused = false;
        let toldWhilePaused = 0;
        const heard = new Recording(() => {
          if (paused) toldWhilePaused++;
          shell.pty.pause();
          paused = true;
        });
        const shell: Shell = await shells.sh(`cat ${path}; exit 3`, heard);
        await heard.until(() => heard.bytes > 0, 'the first bytes come');
        // What is small enough for the kernel is printed and its shell reaped while nobody reads.
        if (bytes <= 4 * KIB) await untilGone(shells, shell.pty.pid);
        expect(heard.exits).toEqual([]);
        while (heard.exits.length === 0) {
          const before = heard.bytes;
          paused = false;
          shell.pty.resume();
          await heard.until(() => heard.bytes > before || heard.exits.length > 0, 'it goes on');
        }
        expectWhole(shell, content, { code: 3 });
        expect(toldWhilePaused).toBe(0);
      });
    }, 90_000);
  });

  it('says nothing while paused but what was on its way', async () => {
    const heard = new Recording(() => shell.pty.pause());
    const shell: Shell = await shells.sh('while :; do printf 0123456789abcdef; done', heard);
    await heard.until(() => heard.bytes > 0, 'the first bytes come');
    const told = heard.bytes;
    await otherWork(shells);
    expect(heard.bytes - told).toBeLessThanOrEqual(2 * 64 * KIB);
    const settled = heard.bytes;
    await otherWork(shells);
    expect(heard.bytes).toBe(settled);
  });

  it('takes pausing and resuming at random without losing a byte', async () => {
    const { path, content } = fileOf(200 * KIB);
    // How long the pause after each piece is; the property's report names the seed.
    const pauses = fc.infiniteStream(fc.option(fc.nat(30), { freq: 1 }));
    await fc.assert(
      fc.asyncProperty(pauses, async (pauseMs) => {
        const heard = new Recording(() => {
          const { value: ms } = pauseMs.next() as IteratorYieldResult<number | null>;
          if (ms === null) return;
          shell.pty.pause();
          setTimeout(() => shell.pty.resume(), ms);
        });
        const shell: Shell = await shells.sh(`exec cat ${path}`, heard);
        await heard.untilEnded();
        expectWhole(shell, content, { code: 0 });
      }),
      { numRuns: 40, endOnFailure: true },
    );
  }, 90_000);

  it('tells every byte of a process that a signal ends, and which signal', async () => {
    const { path, content } = fileOf(20 * KIB);
    await repeat(RUNS / 2, 5, async () => {
      const shell = await shells.sh(`cat ${path}; kill -9 $$`);
      await shell.heard.untilEnded();
      expectWhole(shell, content, { code: 137, signal: 'SIGKILL' });
    });
  }, 90_000);

  it('tells what was printed although the event loop was busy when the process ended', async () => {
    const { path, content } = fileOf(20 * KIB);
    for (let run = 0; run < 5; run++) {
      const heard = new Recording(() => {
        if (heard.bytes > 12 * KIB && heard.bytes < 18 * KIB) block(300);
      });
      const shell = await shells.sh(`cat ${path}; exit 3`, heard);
      await heard.untilEnded();
      expectWhole(shell, content, { code: 3 });
    }
  });

  it('tells what a survivor prints until it has been quiet, and leaves it alone', async () => {
    const fifo = shells.path('go');
    const shell = await shells.sh(
      `mkfifo ${fifo}; trap '' HUP; (read -r line <${fifo}; printf after; exec sleep 60) & printf "$! before "; echo >${fifo}; exit 3`,
    );
    const survivor = await shells.adopt(shell);
    expect(await shell.heard.untilEnded()).toEqual({ code: 3 });
    expect(shell.heard.text).toMatch(/^\d+ before after$/);
    expect(lives(survivor)).toBe(true);
  });

  it('stops listening to a survivor that never stops talking, after two seconds of reading', async () => {
    const shell = await shells.sh(
      `trap '' HUP; (while :; do printf x; sleep 0.05; done) & printf "$! "; exit 3`,
    );
    const began = performance.now();
    const survivor = await shells.adopt(shell);
    expect(await shell.heard.untilEnded()).toEqual({ code: 3 });
    expect(performance.now() - began).toBeGreaterThan(1900);
    expect(lives(survivor)).toBe(true);
  });

  it('stops listening to one that prints as fast as it can, although there is a pause after each piece', async () => {
    const fifo = shells.path('go');
    const heard = new Recording(() => {
      // Time that counts as listening, and then enough for the terminal to be full again.
      block(50);
      shell.pty.pause();
      setTimeout(() => shell.pty.resume(), 5);
    });
    const shell: Shell = await shells.sh(
      `mkfifo ${fifo}; trap '' HUP; (read -r line <${fifo}; exec yes) & printf "$! "; echo >${fifo}; exit 3`,
      heard,
    );
    await shells.adopt(shell);
    expect(await heard.untilEnded(30_000)).toEqual({ code: 3 });
  });

  it('does not end while paused, however quiet its survivors are', async () => {
    const shell = await shells.sh(`trap '' HUP; sleep 30 & printf "$! done"; read -r line; exit 3`);
    await shells.adopt(shell);
    await shell.heard.untilText('done');
    shell.pty.pause();
    shell.pty.write(Buffer.from('\n'));
    await untilGone(shells, shell.pty.pid);
    await until(600, shells);
    expect(shell.heard.exits).toEqual([]);
    shell.pty.resume();
    expect(await shell.heard.untilEnded()).toEqual({ code: 3 });
  });

  it('stops waiting for survivors to be quiet while paused', async () => {
    const shell = await shells.sh(
      `trap '' HUP; (while :; do printf x; sleep 0.05; done) & printf "$! "; exit 3`,
    );
    const { heard } = shell;
    await shells.adopt(shell);
    await untilGone(shells, shell.pty.pid);
    const before = heard.bytes;
    await heard.until(() => heard.bytes > before, 'a survivor goes on printing');
    shell.pty.pause();
    const told = heard.bytes;
    await until(600, shells);
    expect([heard.bytes, heard.exits.length]).toEqual([told, 0]);
    shell.pty.resume();
    expect(await heard.untilEnded()).toEqual({ code: 3 });
  });

  it('keeps the terminal of a process that has closed it, and hears it when it is opened again', async () => {
    const shell = await shells.sh(
      'printf one; exec </dev/null >/dev/null 2>&1; sleep 0.3; printf two >/dev/tty; sleep 0.3; exec >/dev/tty; printf three; exit 5',
    );
    expect(await shell.heard.untilEnded()).toEqual({ code: 5 });
    expect(shell.heard.text).toBe('onetwothree');
  });

  it('says nothing before whoever asked for the process has it', async () => {
    let hasIt = false;
    const early: number[] = [];
    const heard = new Recording((bytes) => hasIt || early.push(bytes.length));
    await shells.sh('printf hello', heard);
    hasIt = true;
    await heard.untilEnded();
    expect(early).toEqual([]);
    expect(heard.text).toBe('hello');
  });
});

function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

/** Lets the machine do something else that takes a few turns of the event loop. */
async function otherWork(shells: Shells): Promise<void> {
  const { heard } = await shells.sh('printf other');
  await heard.untilEnded();
}

/** Until `ms` have passed, by the clock of another process. */
async function until(ms: number, shells: Shells): Promise<void> {
  const { heard } = await shells.sh(`sleep ${ms / 1000}`);
  await heard.untilEnded();
}

/** Until the shell's end has been seen by another process, which watches it as its own terminal cannot. */
async function untilGone(shells: Shells, pid: number): Promise<void> {
  const { heard } = await shells.sh(`while kill -0 ${pid} 2>/dev/null; do sleep 0.01; done`);
  await heard.untilEnded();
}
