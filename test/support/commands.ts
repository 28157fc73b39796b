import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type Shell, Shells } from '../pty/support/shells.js';
import { build, BUILD_MS } from './build.js';
import { type Program, useProgram } from './program.js';
import { until } from './until.js';

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Commands {
  /** The program that has them. */
  readonly main: string;
  /** Where they find what is theirs; new for each test. */
  readonly home: string;
  readonly path: (name: string) => string;
  /** Where a server is that runs with these settings. */
  readonly serve: (env?: Record<string, string>) => Promise<{ server: Program; url: string }>;
  /** Where something else answers; ended behind the test. */
  readonly answer: (listener: RequestListener) => Promise<{ server: Server; url: string }>;
  /** Runs one to its end, on pipes. */
  readonly trex: (args: readonly string[], env?: Record<string, string>, input?: string) => Promise<Ran>;
  /** Runs a script in a terminal of its own, in which `$TREX` is the program. */
  readonly inShell: (script: string) => Promise<Shell>;
  /** Runs one in a terminal of its own, with a shell around it that tells how it ended, and of the terminal. */
  readonly inTerminal: (args: readonly string[], before?: string) => Promise<Shell>;
  /** A session of a plain shell, which has started. @returns its id */
  readonly newSession: (url: string) => Promise<string>;
  /** The ids of all sessions. */
  readonly listed: (url: string) => Promise<readonly string[]>;
}

/** The commands that ask a running server, run as they are by people and scripts, with a home of their own. */
export function useCommands(): Commands {
  const start = useProgram();
  beforeAll(() => build('cli'), BUILD_MS);
  let shells: Shells;
  const others: Server[] = [];
  beforeEach(() => {
    shells = new Shells();
  });
  afterEach(async () => {
    await shells.dispose();
    await Promise.all(
      others.splice(0).map((server) => {
        const closed = once(server, 'close');
        server.close();
        server.closeAllConnections();
        return closed;
      }),
    );
  });

  const commands: Commands = {
    get main() {
      return start.main();
    },
    get home() {
      return shells.home;
    },
    path: (name) => shells.path(name),
    async serve(env = {}) {
      const server = await start([], env).listening();
      return { server, url: `http://127.0.0.1:${server.port}` };
    },
    async answer(listener) {
      const server = createServer(listener);
      others.push(server);
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
    },
    async trex(args, env = {}, input = '') {
      const child = spawn(process.execPath, [start.main(), ...args], {
        env: { PATH: process.env.PATH, HOME: shells.home, ...env },
      });
      let stdout = '';
      let stderr = '';
      child.stdout.setEncoding('utf8').on('data', (text) => (stdout += String(text)));
      child.stderr.setEncoding('utf8').on('data', (text) => (stderr += String(text)));
      child.stdin.end(input);
      const [code] = (await once(child, 'close')) as [number | null];
      return { code, stdout, stderr };
    },
    inShell: (script) => shells.sh(`trex() { '${process.execPath}' '${start.main()}' "$@"; }; ${script}`),
    inTerminal(args, before = '') {
      const command = [process.execPath, start.main(), ...args].map((word) => `'${word}'`).join(' ');
      return shells.sh(`${before} ${command}; echo "code=$?"; stty -a | tr '\\n' ' '; echo end`);
    },
    async newSession(url) {
      const { code, stdout } = await commands.trex(['new', '-d', '--url', url, '--shell', 'sh']);
      expect(code).toBe(0);
      return stdout.trim();
    },
    async listed(url) {
      const { stdout } = await commands.trex(['ls', '--json', '--url', url]);
      return (JSON.parse(stdout) as { id: string }[]).map(({ id }) => id);
    },
  };
  return commands;
}

/** Types into the terminal that a command runs in. */
export function type({ pty }: Shell, text: string): void {
  pty.write(Buffer.from(text));
}

/** Waits for the server's only session to wait for whoever views it; the server has to have `TREX_METRICS=on`. */
export function untilPaused(url: string): Promise<void> {
  const isPaused = async (): Promise<boolean> =>
    /^trex_session_paused(\{.*\})? 1$/m.test(await (await fetch(`${url}/metrics`)).text());
  return until(isPaused, 'the session is paused');
}
