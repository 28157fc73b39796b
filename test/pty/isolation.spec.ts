import { closeSync, openSync, symlinkSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { DEFAULT_SIZE } from '../../src/core/terminal-size.js';
import { type Pty } from '../../src/core/pty.js';
import { childEnvironment } from '../../src/pty/child-environment.js';
import { NodePtyFactory } from '../../src/pty/node-pty.factory.js';
import { Recording } from './support/recording.js';
import { lives, type Shell, Shells } from './support/shells.js';

/** For many processes one after another, on a machine that has other things to do. */
const MANY_MS = 90_000;

describe('real processes side by side', () => {
  let shells: Shells;
  let undo: (() => unknown)[];
  beforeEach(() => {
    shells = new Shells();
    undo = [];
  });
  afterEach(async () => {
    for (const step of undo.reverse()) await step();
    await shells.dispose();
  });

  it.each([
    ['without gaps between its descriptors', 0, 0],
    ['with a few gaps', 4, 40],
    ['with many gaps', 4, 600],
  ])('T20 · hold nothing but their own terminal of a server %s', async (_name, between, above) => {
    const server = await listening();
    undo.push(() => once(server.close(), 'close'));
    for (let count = 0; count < 5; count++) {
      const socket = await connected(server);
      undo.push(() => socket.destroy());
    }
    // Five terminals, one more above them, and gaps below, between and above: other things that are closed again.
    const others: number[] = [];
    for (let live = 0; live < 5; live++) {
      others.push(...openMany(between));
      await (await shells.sh('printf ready; exec cat')).heard.untilText('ready');
    }
    others.push(...openMany(above));
    await (await shells.sh('printf ready; exec cat')).heard.untilText('ready');
    others.forEach(closeSync);

    for (let next = 0; next < 3; next++) await expectNothingHeld(shells);
  });

  it(
    'T20 · hold nothing but their own terminal of a server that opens and closes files on other threads',
    async () => {
      // Terminals above the numbers that the files will have.
      const below = openMany(12);
      for (let live = 0; live < 25; live++) {
        await (await shells.sh('printf ready; exec cat')).heard.untilText('ready');
      }
      below.forEach(closeSync);
      let reading = true;
      undo.push(() => (reading = false));
      async function readOn(): Promise<void> {
        while (reading) await (await open('/dev/null')).close();
      }
      const readers = Array.from({ length: 12 }, readOn);
      for (let next = 0; next < 100; next++) await expectNothingHeld(shells);
      reading = false;
      await Promise.all(readers);
    },
    MANY_MS,
  );

  it.each(['rbash', 'sh', 'bash', '-bash', 'a=b', 'sp ace', '$(echo)'])(
    'run under the name of %j too',
    async (name) => {
      const shell = shells.path(name);
      symlinkSync('/bin/bash', shell);
      const { heard } = await shells.run(shell, ['-c', 'echo "<$0>"', 'its own name'], new Recording());
      expect(await heard.untilEnded()).toEqual({ code: 0 });
      expect(heard.text).toBe('<its own name>\r\n');
    },
  );

  it('T20 · hear of the end of their own terminal, in time to go by themselves, while another lives', async () => {
    const log = shells.path('hup');
    const a = await shells.sh(
      `trap 'echo HUP >${log}; exit 0' HUP; printf ready; while :; do sleep 0.01; done`,
    );
    const b = await shells.sh('printf ready; exec cat');
    await Promise.all([a.heard.untilText('ready'), b.heard.untilText('ready')]);

    await a.pty.close();

    expect(a.heard.exits).toEqual([{ code: 0 }]);
    expect(lives(b.pty.pid)).toBe(true);
    const { heard } = await shells.sh(`cat ${log}`);
    await heard.untilEnded();
    expect(heard.text).toContain('HUP');
  });

  it('each print into their own terminal only', async () => {
    const many = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        shells.sh(`for i in 1 2 3 4 5 6 7 8 9; do printf '<${index}>'; done`),
      ),
    );
    await Promise.all(many.map(({ heard }) => heard.untilEnded()));
    expect(many.map(({ heard }) => heard.text)).toEqual(many.map((_, index) => `<${index}>`.repeat(9)));
  });

  describe('see of the environment', () => {
    const server: NodeJS.ProcessEnv = {
      ...process.env,
      TREX_CANARY: 'canary',
      NODE_OPTIONS: '',
      LD_LIBRARY_PATH: '/',
      LC_TIME: 'C',
      TZ: 'UTC',
    };
    let ptys: Pty[];
    beforeEach(() => (ptys = []));
    afterEach(() => Promise.all(ptys.map((pty) => pty.close())));

    async function environmentSeen(command: string): Promise<string[]> {
      const account = { username: 'tester', homedir: shells.home };
      const factory = new NodePtyFactory(({ file, cwd }) =>
        childEnvironment({ ...server, HOME: shells.home }, account, file, cwd),
      );
      const heard = new Recording();
      const launch = { file: '/bin/sh', args: ['-c', command], cwd: shells.home, size: DEFAULT_SIZE };
      ptys.push(await factory.spawn(launch, heard));
      await heard.untilEnded();
      return heard.text.split(/\r\n|\0/).filter((line) => line !== '');
    }

    it.each([
      ['C', 'printf %s "$LC_ALL"'],
      ['xx_XX.UTF-8', 'printf %s "$LC_ALL"'],
    ])(
      'the locale they are given, %s, and nobody else speaks of it in their terminal',
      async (LC_ALL, command) => {
        server.LC_ALL = LC_ALL;
        expect(await environmentSeen(command)).toEqual([LC_ALL]);
      },
    );

    it.each(['exec env', 'cat /proc/self/environ'])(
      'T18, T19 · what a login would give them, and no more: %s',
      async (command) => {
        const lines = await environmentSeen(command);
        const allowed = 'TERM COLORTERM LANG HOME USER LOGNAME SHELL PATH TZ PWD OLDPWD SHLVL _'.split(' ');
        const strangers = lines
          .map((line) => line.split('=')[0]!)
          .filter((name) => !allowed.includes(name) && !name.startsWith('LC_'));
        expect(strangers).toEqual([]);
        expect(lines).toEqual(
          expect.arrayContaining([
            'TERM=xterm-256color',
            'COLORTERM=truecolor',
            'SHELL=/bin/sh',
            'TZ=UTC',
            `PWD=${shells.home}`,
          ]),
        );
        expect(lines.join()).not.toContain('canary');
      },
    );
  });

  it('have the size they are given, and learn of another', async () => {
    const shell: Shell = await shells.sh(
      `trap 'stty size; exit 0' WINCH; stty size; while :; do sleep 0.01; done`,
    );
    await shell.heard.untilText('24 80');
    shell.pty.resize({ columns: 1000, rows: 500 });
    await shell.heard.untilEnded();
    expect(shell.heard.text).toBe('24 80\r\n500 1000\r\n');
  });
});

async function expectNothingHeld(shells: Shells): Promise<void> {
  const { heard } = await shells.sh('ls -l /proc/self/fd');
  await heard.untilEnded();
  const held = [...heard.text.matchAll(/ (\d+) -> (\S+)/g)].map(([, number, target]) => ({
    number,
    target: target!,
  }));
  // The fourth is the directory, which ls itself has open.
  expect(held.map(({ number }) => number)).toEqual(['0', '1', '2', '3']);
  expect(held[3]!.target).toMatch(/^\/proc\/\d+\/fd$/);
  expect(new Set(held.slice(0, 3).map(({ target }) => target)).size).toBe(1);
}

function openMany(count: number): number[] {
  return Array.from({ length: count }, () => openSync('/dev/null', 'r'));
}

async function listening(): Promise<Server> {
  const server = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function connected(server: Server): Promise<Socket> {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port');
  const socket = connect(address.port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}
