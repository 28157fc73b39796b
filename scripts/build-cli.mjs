/**
 * Builds the commands that ask a running server from cli/ into dist-cli/ (`npm run build:cli`), or into the directory that
 * `--out` names: one file, with the client library and what it uses of the server's sources, so that it starts at once.
 */
import { build } from 'esbuild';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const root = resolve(import.meta.dirname, '..');
const { values: options } = parseArgs({ options: { out: { type: 'string', default: 'dist-cli' } } });

await build({
  absWorkingDir: root,
  entryPoints: ['cli/run.ts'],
  outfile: join(resolve(root, options.out), 'run.js'),
  tsconfig: join(root, 'tsconfig.json'),
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  charset: 'utf8',
  external: ['ws'],
  logLevel: 'warning',
});
