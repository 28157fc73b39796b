import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** By which names a browser is looked for that the page is tried in. */
export const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome'];

/** @returns its path */
export function installedBrowser(): string | undefined {
  const folders = ['/usr/bin', ...(process.env.PATH ?? '').split(':')].filter((folder) => folder !== '');
  return BROWSERS.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
