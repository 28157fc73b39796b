import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const ROOT = resolve(__dirname, '../..');

/** For whoever is the first to need it. */
export const BUILD_MS = 120_000;

/** What `npm run build` builds, each beside the other: the server looks for its page there, and its command line for its commands. */
const parts = {
  server: {
    folder: 'dist',
    script: 'node_modules/typescript/bin/tsc',
    args: ['-p', 'tsconfig.build.json', '--incremental', 'false', '--outDir'],
  },
  page: { folder: 'dist-page', script: 'scripts/build-page.mjs', args: ['--out'] },
  cli: { folder: 'dist-cli', script: 'scripts/build-cli.mjs', args: ['--out'] },
};

/** Where it is built into, for all tests of one run: made and removed by build-folder.ts. */
export function builtFolder(): string {
  const folder = process.env.TREX_TEST_BUILD;
  if (folder === undefined) throw new Error('this project of jest.config.js has no folder to build into');
  return folder;
}

/** Builds one of them, unless it has been. Whole or not at all: other tests may be building it, too. */
export async function build(part: keyof typeof parts): Promise<void> {
  const { folder, script, args } = parts[part];
  const built = join(builtFolder(), folder);
  if (existsSync(built)) return;
  const building = mkdtempSync(`${built}-`);
  await promisify(execFile)(process.execPath, [join(ROOT, script), ...args, building], { cwd: ROOT });
  try {
    renameSync(building, built);
  } catch (error) {
    if (!existsSync(built)) throw error;
    rmSync(building, { recursive: true });
  }
}
