/**
 * Before the first of the tests in a browser: finds the browser, and makes the folder to build into. Jest runs it outside of
 * what its tests are run in.
 */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import makeFolder from '../../support/build-folder';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

export default function prepare(): void {
  const browser = findBrowser();
  if (browser === undefined) return tellMissing();
  process.env.TREX_TEST_BROWSER = browser;
  makeFolder();
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
