import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const DEADLINE_MS = 20_000;
const SERVER_URL = /http:\/\/127\.0\.0\.1:\d+/;

/** The prompt of /bin/sh at the end of what it printed: `# ` for root, `$ ` for others. */
export const PROMPT = /(?:^|\n)([^\n]*[#$] )$/;

/**
 * Runs the built server with a home of its own and /bin/sh while `use` talks to it. What differs from machine to
 * machine (times, home, port) is written alike by `alike`. `soFar` says what to show when it takes too long.
 */
export async function withRealServer(use, soFar) {
  const home = mkdtempSync(join(tmpdir(), 'trex-docs-'));
  const server = spawn(process.execPath, ['dist/main.js'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, HOME: home, TREX_PORT: '0', TREX_SHELL: '/bin/sh' },
  });
  const deadline = setTimeout(() => {
    console.error(`not within ${DEADLINE_MS} ms; so far:\n${soFar()}`);
    server.kill('SIGKILL');
    process.exit(1);
  }, DEADLINE_MS);
  const alike = (text) =>
    text
      .replaceAll(home, '/home/you')
      .replace(SERVER_URL, 'http://127.0.0.1:3000')
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '2026-…Z');
  try {
    const started = await startUpMessage(server);
    const [url] = SERVER_URL.exec(started);
    await use({ url, started, alike });
    server.kill('SIGTERM');
    const code = await new Promise((resolve) => server.once('exit', resolve));
    if (code !== 0) throw new Error(`the server ended with ${code}`);
  } finally {
    clearTimeout(deadline);
    server.kill('SIGKILL');
    rmSync(home, { recursive: true, force: true });
  }
}

/** What the log says of where it listens: the part that its line for a program and its text for a person share. */
async function startUpMessage(server) {
  for await (const line of createInterface({ input: server.stdout })) {
    const { msg } = JSON.parse(line);
    if (SERVER_URL.test(msg)) {
      server.stdout.resume();
      return msg;
    }
  }
  throw new Error('the server did not start');
}
