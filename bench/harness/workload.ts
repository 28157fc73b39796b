import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from './statistics.js';

export const FILE_KINDS = ['plain', 'colour'] as const;
export type FileKind = (typeof FILE_KINDS)[number];

export interface WorkloadFile {
  readonly path: string;
  /** What a terminal makes of it: every line feed becomes two bytes. */
  readonly printedBytes: number;
}

export type Workload = Readonly<Record<FileKind, WorkloadFile>>;

const BLOCK_BYTES = 1_000_000;

/** Writes the two files that are printed: about so many bytes each, whole lines, the same in every run. */
export function writeWorkload(folder: string, bytes: number): Workload {
  return {
    plain: writeFile(join(folder, 'plain.log'), plainLine, bytes),
    colour: writeFile(join(folder, 'colour.log'), colourLine, bytes),
  };
}

export type Random = () => number;

/** Writes about so many bytes, whole lines, the same in every run. */
export function writeFile(
  path: string,
  line: (n: number, random: Random) => string,
  bytes: number,
): WorkloadFile {
  const random = seededRandom(4711);
  let block = '';
  let lines = 0;
  while (block.length < Math.min(BLOCK_BYTES, bytes)) block += line(lines++, random);
  const data = Buffer.from(block);
  const blocks = Math.max(1, Math.round(bytes / data.length));
  const file = openSync(path, 'w');
  for (let n = 0; n < blocks; n++) writeSync(file, data);
  closeSync(file);
  return { path, printedBytes: (data.length + lines) * blocks };
}

export function plainLine(n: number, random: Random): string {
  const time = new Date(Date.UTC(2026, 0, 1) + n * 137).toISOString();
  const level = pick(random, ['DEBUG', 'INFO ', 'INFO ', 'INFO ', 'WARN ', 'ERROR']);
  const request = Math.floor(random() * 1e9).toString(36);
  const route = pick(random, ['/api/items', '/api/orders/4711/lines', '/health', '/api/users/me']);
  const took = Math.floor(random() * 900);
  return `${time} ${level} [worker-${n % 8}] request=${request} GET ${route} status=200 took=${took}ms\n`;
}

function colourLine(n: number, random: Random): string {
  const colour = 16 + Math.floor(random() * 216);
  const mark = pick(random, ['✓', '✗', '→', '…', '🚀', '你好', 'größer', '│ ├── └──']);
  const file = `src/${pick(random, ['core', 'wíre', 'pty'])}/${Math.floor(random() * 1e6).toString(36)}.ts`;
  const bar = '█'.repeat(1 + Math.floor(random() * 12));
  return `\x1b[38;5;${colour}m${mark}\x1b[0m \x1b[1m${file}\x1b[22m:\x1b[33m${n}\x1b[39m \x1b[2m${bar}\x1b[0m \x1b[32m+${n % 90}\x1b[0m \x1b[31m-${n % 40}\x1b[0m\n`;
}

function pick(random: Random, choices: readonly string[]): string {
  return choices[Math.floor(random() * choices.length)] ?? '';
}
