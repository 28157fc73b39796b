import { transformFileSync } from '@swc/core';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { build, BUILD_MS, builtFolder } from '../support/build.js';
import { type Outcome } from './run-scenario.js';

/** As `--list` tells them. */
const QUICK = [
  'L1',
  'L3-short',
  'L4',
  'L5',
  'L6-small',
  'R01',
  'R02-silent',
  'R03',
  'R04-small',
  'R04-twice',
  'R05',
  'R08-full',
  'R11-resets',
  'R12',
  'R13',
];

/** Of which the runner is a part, and what it runs; it has a process of its own, in which nothing else is measured. */
const FOLDERS = ['bench', 'client', 'src', 'test/reliability', 'test/support'];
const ROOT = resolve(__dirname, '../..');
const OVER_MS = 120_000;

const runner = (): string => join(builtFolder(), 'reliability/test/reliability/main.js');

beforeAll(async () => {
  await build('server');
  if (!existsSync(runner())) for (const folder of FOLDERS) compile(folder);
}, BUILD_MS);

describe('the reliability suite, in short:', () => {
  it.each(QUICK)('%s', async (name) => {
    const json = join(builtFolder(), `reliability/${name}.json`);
    const said = await run('--only', name, '--json', json);

    if (!existsSync(json)) throw new Error(`it has not come to an end: ${said}`);
    const { outcomes } = JSON.parse(readFileSync(json, 'utf8')) as { outcomes: Outcome[] };
    expect(outcomes.map((one) => ({ name: one.name, problems: one.problems, said }))).toEqual([
      { name, problems: [], said },
    ]);
  });

  it('is all there', async () => {
    expect((await run('--list')).trim().split('\n')).toEqual(QUICK);
  });
});

/** @returns what it said; its own verdict is in what it wrote */
function run(...args: string[]): Promise<string> {
  return new Promise((done) => {
    execFile(
      process.execPath,
      ['--enable-source-maps', runner(), '--tier', 'quick', ...args],
      {
        cwd: builtFolder(),
        env: { ...process.env, RELIABILITY_SERVER: join(builtFolder(), 'dist/main.js') },
        timeout: OVER_MS,
      },
      (_error, stdout, stderr) => done(stdout + stderr),
    );
  });
}

function compile(folder: string): void {
  for (const name of readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts') || name.endsWith('.spec.ts')) continue;
    const { code } = transformFileSync(join(ROOT, folder, name), {
      swcrc: false,
      sourceMaps: 'inline',
      module: { type: 'commonjs', ignoreDynamic: true },
      jsc: {
        target: 'es2023',
        parser: { syntax: 'typescript', decorators: true },
        transform: { legacyDecorator: true, decoratorMetadata: true },
      },
    });
    const target = join(builtFolder(), 'reliability', folder, name.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, code);
  }
}
