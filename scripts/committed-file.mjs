import { readFileSync, writeFileSync } from 'node:fs';

/**
 * For files that are generated and committed: `--write` writes `text` to `path`, `--check` ends with 1 when what is
 * committed is not `text`.
 */
export function writeOrCheck(path, text, command) {
  if (process.argv.includes('--write')) {
    writeFileSync(path, text);
    return;
  }
  if (read(path) === text) return;
  console.error(`${path} is stale: run \`${command}\` and commit what changes`);
  const [was, is] = [read(path), text].map((one) => one.split('\n'));
  const at = is.findIndex((line, number) => line !== was[number]);
  if (at >= 0) console.error(`line ${at + 1}\n- ${was[at] ?? ''}\n+ ${is[at]}`);
  process.exitCode = 1;
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
