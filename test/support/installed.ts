import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where programs are that not everybody has in the path. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Where a program is installed, if it is. */
export function installed(program: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...SYSTEM_FOLDERS];
  return folders.map((folder) => join(folder, program)).find(mayExecute);
}

/**
 * In place of the tests of a program that is not installed: told where somebody sees it; a failure where somebody says,
 * by a variable of the environment, that it is.
 */
export function isMissing(program: string, required: string): void {
  if (process.env[required] === '1') {
    it('is installed', () => {
      throw new Error(`${program} is not installed, and ${required}=1 says that it is`);
    });
    return;
  }
  process.stderr.write(
    `\n${program} is not installed: what is tested with it is skipped (see CONTRIBUTING.md)\n`,
  );
  it.skip('is not installed', () => undefined);
}

/** Whether that is a file which this user may run. */
export function mayExecute(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
