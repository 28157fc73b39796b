/**
 * Before the first of the tests in a browser: finds the browser, and makes the folder to build into. Jest runs it outside of
 * what its tests are run in.
 */
import makeFolder from '../../support/build-folder';
import { BROWSERS, installedBrowser } from './installed-browser';

export default function prepare(): void {
  // Also where all is skipped: what is started is looked for there before that is known.
  makeFolder();
  const browser = installedBrowser();
  if (browser === undefined) return tellMissing();
  process.env.TREX_TEST_BROWSER = browser;
}

function tellMissing(): void {
  const missing = `no browser is installed (${BROWSERS.join(', ')})`;
  if (process.env.TREX_REQUIRE_BROWSER === '1')
    throw new Error(`${missing}, and TREX_REQUIRE_BROWSER=1 says that one is`);
  process.stderr.write(`\n${missing}: test/browser is skipped (see CONTRIBUTING.md)\n`);
}
