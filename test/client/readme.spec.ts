import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { useProgram } from '../support/program.js';
import { useClientPackage } from './client-package.js';

const README = readFileSync(resolve(__dirname, '../../client/README.md'), 'utf8');
const EXAMPLE = /^```js\n(?<code>.*?)^```$.*?^```text\n(?<output>.*?)^```$/gms;
const PAGE = /^```ts\n(?<code>.*?)^```$/ms;
const TITLE = /^## (.*)$/gm;
const TOKENS = { TREX_TOKEN: 'a'.repeat(43), TREX_READ_ONLY_TOKEN: 'b'.repeat(43) };

interface Example {
  readonly title: string;
  readonly code: string;
  /** What it prints: `…` stands for any lines. */
  readonly output: string;
}

const examples: Example[] = Array.from(README.matchAll(EXAMPLE), ({ groups, index }) => ({
  title: Array.from(README.slice(0, index).matchAll(TITLE), ([, title]) => title!).at(-1)!,
  code: groups!.code!,
  output: groups!.output!,
}));
const page = PAGE.exec(README)!.groups!.code!;

/** What a person reads: without the sequences that steer a terminal. */
function lines(text: string): string[] {
  return (
    text
      // eslint-disable-next-line no-control-regex -- They begin with a control character.
      .replaceAll(/\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[=>])/g, '')
      .split('\n')
      .map((line) => line.replaceAll('\r', '').trimEnd())
      .filter((line) => line !== '')
  );
}

function expectLines(printed: string, expected: string): void {
  const literal = (line: string): string => line.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const pattern = lines(expected).map((line) => (line === '…' ? '(?:.*\n)*' : `${literal(line)}\n`));
  expect(`${lines(printed).join('\n')}\n`).toMatch(new RegExp(`^${pattern.join('')}$`));
}

describe('what README.md of the client says', () => {
  const start = useProgram();
  const packages = ['ws', '@types/ws', '@types/node', '@xterm/xterm', '@xterm/addon-fit'];
  const project = useClientPackage(packages);

  async function printed(code: string, args: readonly string[] = []): Promise<string> {
    const server = await start([], code.includes('TREX_TOKEN') ? TOKENS : {}).listening();
    project().write('example.mjs', code.replaceAll('127.0.0.1:3000', `127.0.0.1:${server.port}`));
    return project().node([...args, 'example.mjs'], { TREX_TOKEN: TOKENS.TREX_READ_ONLY_TOKEN });
  }

  it('has an example for each thing', () => {
    expect(examples.map(({ title }) => title)).toEqual([
      'A command and its output',
      'The list of sessions',
      'A connection that is lost',
      'A token, and looking on',
    ]);
  });

  it.each(examples)('$title: the example prints what is said', async ({ code, output }) => {
    expectLines(await printed(code), output);
  });

  it('runs with the WebSocket of the platform, too', async () => {
    const { code, output } = examples.find(({ title }) => title === 'A connection that is lost')!;
    const its = code.replace(/^import .* from 'ws';.*\n/m, '');
    expect(its).not.toBe(code);
    const isThere = Number(process.versions.node.split('.')[0]) >= 22;
    expectLines(await printed(its, isThere ? [] : ['--experimental-websocket']), output);
  });

  it('has types in every example', async () => {
    project().write('package.json', '{ "type": "module" }');
    const files = examples.map(({ code }, index) => {
      const name = `example-${index}.mjs`;
      project().write(name, code);
      return name;
    });
    const options = { allowJs: true, checkJs: true, module: 'nodenext', lib: ['es2022'], types: ['node'] };
    await project().checkTypes(options, files);
    project().write('page.ts', page);
    const dom = { module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom'], types: [] };
    await project().checkTypes(dom, ['page.ts']);
  });

  it('bundles for a browser', async () => {
    project().write('page.ts', page);
    const out = join(project().folder, 'out');
    const args = ['page.ts', '--bundle', '--format=esm', '--platform=browser', `--outdir=${out}`];
    // As a process of its own: within this one it would leave one behind, in which to build faster the next time.
    await promisify(execFile)(resolve('node_modules/.bin/esbuild'), args, { cwd: project().folder });
    expect(readdirSync(out).sort()).toEqual(['page.css', 'page.js']);
  });
});
