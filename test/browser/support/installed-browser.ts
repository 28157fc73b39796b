import { join } from 'node:path';
import { mayExecute } from '../../support/installed';

/** By which names a browser is looked for that the page is tried in. */
export const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome'];

/** @returns its path */
export function installedBrowser(): string | undefined {
  const folders = ['/usr/bin', ...(process.env.PATH ?? '').split(':')].filter((folder) => folder !== '');
  return BROWSERS.flatMap((name) => folders.map((folder) => join(folder, name))).find(mayExecute);
}
