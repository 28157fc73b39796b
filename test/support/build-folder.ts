/**
 * Before the first test: makes the folder into which those that need it build the program, once for all of them. Imports no
 * file of the house: jest runs it outside of what its tests are run in.
 */
import { mkdtempSync, realpathSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export default function makeFolder(): void {
  if (process.env.TREX_TEST_BUILD !== undefined) return;
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'trex-built-')));
  symlinkSync(resolve(__dirname, '../../node_modules'), join(folder, 'node_modules'));
  // How jest's parts tell each other anything: the tests may run in processes of their own.
  process.env.TREX_TEST_BUILD = folder;
}
