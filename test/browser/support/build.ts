/**
 * Before the first of the tests in a browser: finds the browser, and builds the server with its page once for all of them.
 * Imports no file of the house: jest runs it outside of what its tests are run in.
 */
import { execFile } from 'node:child_process';
import { accessSync, constants, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const ROOT = resolve(__dirname, '../../..');
const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

export default async function build(): Promise<void> {
  const browser = findBrowser();
  if (browser === undefined) return tellMissing();
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'trex-page-')));
  try {
    await buildInto(folder);
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw error;
  }
  // How jest's parts tell each other anything: the tests may run in processes of their own.
  process.env.TREX_TEST_BROWSER = browser;
  process.env.TREX_TEST_BUILD = folder;
}

function findBrowser(): string | undefined {
  const folders = ['/usr/bin', ...(process.env.PATH ?? '').split(':')].filter((folder) => folder !== '');
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function tellMissing(): void {
  const missing = `no browser is installed (${NAMES.join(', ')})`;
  if (process.env.TREX_REQUIRE_BROWSER === '1')
    throw new Error(`${missing}, and TREX_REQUIRE_BROWSER=1 says that one is`);
  process.stderr.write(`\n${missing}: test/browser is skipped (see CONTRIBUTING.md)\n`);
}

/** As `npm run build` does, beside each other: the server looks for its page there. */
async function buildInto(folder: string): Promise<void> {
  const run = (script: string, ...args: string[]): Promise<unknown> =>
    promisify(execFile)(process.execPath, [join(ROOT, script), ...args], { cwd: ROOT });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const server = ['-p', 'tsconfig.build.json', '--outDir', join(folder, 'dist'), '--incremental', 'false'];
  await run('node_modules/typescript/bin/tsc', ...server);
  await run('scripts/build-page.mjs', '--out', join(folder, 'dist-page'));
}
