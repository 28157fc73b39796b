import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createNetServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type CommandBlock, commandBlocks } from '../support/command-blocks.js';
import { type Program, useProgram } from '../support/program.js';

const ROOT = resolve(__dirname, '../..');
const PORT = '3000';

/** Pages whose commands another test runs. */
const RUN_ELSEWHERE: Readonly<Record<string, string>> = {
  'docs/clients.md': 'its own test runs them with the clients that it makes',
};

const pages = ['README.md', 'SECURITY.md', 'CONTRIBUTING.md', ...documents()]
  .map((path) => ({ path, blocks: commandBlocks(readFileSync(join(ROOT, path), 'utf8')) }))
  .filter(({ blocks }) => blocks.length > 0);

function documents(): string[] {
  return readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`);
}

interface Ended {
  readonly code: number;
  readonly said: string;
}

function bash(args: readonly string[], cwd: string, env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { cwd, env: { PATH: process.env.PATH, ...env }, timeout: 20_000 };
    const child = execFile('bash', args, options, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, said: stdout + stderr }),
    );
  });
}

/**
 * The commands that a person has after the installation: `trex`, and what `npm` does in a checkout once it has built. They hand
 * on what they are told: a server that they start is the test's, and ends with it.
 */
const COMMAND = `#!${process.execPath}
const { request } = require('node:http');
const [, path, ...args] = process.argv;
const { DOCUMENTS_SOCKET: socketPath, ...env } = process.env;
const asking = request({ socketPath, method: 'POST' }, (answer) => {
  answer.pipe(answer.statusCode === 200 ? process.stdout : process.stderr);
  process.exitCode = answer.statusCode === 200 ? 0 : 1;
});
asking.end(JSON.stringify({ name: path.split('/').at(-1), args, env }));
`;

interface Asked {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: Record<string, string>;
}

/** What is to be run for `trex …`, `npm run -s token …` and `npm start …`. */
function argumentsOf({ name, args }: Asked): readonly string[] {
  if (name === 'trex') return args;
  const [command, ...more] = args.filter((arg) => arg !== '-s' && arg !== '--');
  if (command === 'start') return ['serve', ...more];
  if (command === 'run' && more[0] === 'token') return more;
  throw new Error(`npm ${args.join(' ')}: mark what installs or builds as not run`);
}

describe('the commands in the documents', () => {
  const start = useProgram();
  let folder: string;
  let port: number;
  let server: Program | undefined;
  let asked: ReturnType<typeof createServer>;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'trex-commands-'));
    port = await freePort();
    for (const name of ['bin', 'home', 'work']) mkdirSync(join(folder, name));
    for (const name of ['trex', 'npm']) {
      writeFileSync(join(folder, 'bin', name), COMMAND);
      chmodSync(join(folder, 'bin', name), 0o755);
    }
    asked = createServer((request, response) => void answer(request, response)).listen(
      join(folder, 'socket'),
    );
    await once(asked, 'listening');
  });
  afterEach(async () => {
    await server?.kill();
    server = undefined;
    asked.close();
    rmSync(folder, { recursive: true });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      let body = '';
      for await (const piece of request.setEncoding('utf8')) body += piece as string;
      const told = JSON.parse(body) as Asked;
      const args = argumentsOf(told);
      response.end(
        args.length === 0 || args[0] === 'serve' ? await serve(args, told.env) : await run(args, told.env),
      );
    } catch (error) {
      response.writeHead(500).end(`${String(error)}\n`);
    }
  }

  /** In place of the one that was there. It listens on the loopback, whatever it is told. */
  async function serve(args: readonly string[], env: Record<string, string>): Promise<string> {
    await server?.kill();
    server = await start(args, { ...env, TREX_HOST: '127.0.0.1', TREX_PORT: String(port) }).listening();
    return server.stdout;
  }

  async function run(args: readonly string[], env: Record<string, string>): Promise<string> {
    const program = start(args, env);
    if ((await program.ended()) !== 0) throw new Error(program.stderr);
    return program.stdout;
  }

  async function runBlock({ script }: CommandBlock): Promise<Ended> {
    const env = {
      PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
      HOME: join(folder, 'home'),
      DOCUMENTS_SOCKET: join(folder, 'socket'),
    };
    if (!server && script.includes(PORT)) await serve([], env);
    const here = script.replaceAll(PORT, String(port));
    return bash(['-euo', 'pipefail', '-c', here], join(folder, 'work'), env);
  }

  it('are found', () => {
    const all = pages.flatMap(({ blocks }) => blocks);
    expect(all.filter(({ notRun }) => notRun === undefined).length).toBeGreaterThan(5);
    expect(
      commandBlocks('Text\n\n<!-- not run: why -->\n\n    a\n\n    b\n\n```console\n$ c\nd\n```\n'),
    ).toEqual([
      { line: 5, script: 'a\n\nb', notRun: 'why' },
      { line: 10, script: 'c' },
    ]);
  });

  it.each(pages)('of $path: each is one to a shell', async ({ path, blocks }) => {
    for (const { line, script } of blocks) {
      expect([path, line, await bash(['-nc', script], ROOT)]).toEqual([path, line, { code: 0, said: '' }]);
    }
  });

  const toRun = pages
    .map(({ path, blocks }) => ({ path, blocks: blocks.filter(({ notRun }) => notRun === undefined) }))
    .filter(({ path, blocks }) => blocks.length > 0 && RUN_ELSEWHERE[path] === undefined);

  it.each(toRun)(
    'of $path: each does what it should, or says why it is not run',
    async ({ path, blocks }) => {
      for (const block of blocks) {
        const { code, said } = await runBlock(block);
        expect([path, block.line, code, code === 0 ? '' : said]).toEqual([path, block.line, 0, '']);
      }
    },
  );
});

async function freePort(): Promise<number> {
  const server = createNetServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
