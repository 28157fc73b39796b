import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { useClientPackage } from '../client/client-package.js';
import { openApiPath } from '../support/openapi.js';
import { type Program, useProgram } from '../support/program.js';

const ROOT = resolve(__dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/clients.md'), 'utf8');
const EXAMPLE = /^```(?<language>bash|ts)\n(?<code>.*?)^```$.*?^```text\n(?<output>.*?)^```$/gms;
const GENERATE = /^npx openapi-typescript \S+ (?<options>.*)$/m;

const token = 'a'.repeat(43);
const readOnlyToken = 'b'.repeat(43);

const examples = Array.from(PAGE.matchAll(EXAMPLE), ({ groups, index }) => ({
  language: groups!.language!,
  code: groups!.code!,
  output: groups!.output!,
  title: Array.from(PAGE.slice(0, index).matchAll(/^#+ (.*)$/gm), ([, title]) => title!).at(-1)!,
}));

function under(...titles: readonly string[]): { code: string; output: string } {
  const its = examples.filter(({ title }) => titles.includes(title));
  const all = (part: 'code' | 'output'): string => its.map((example) => example[part]).join('');
  return { code: all('code'), output: all('output') };
}

/** Line ends aside, what is expected: `…` stands for anything in one line. */
function expectPrinted(printed: string, expected: string): void {
  const line = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '.*');
  const text = (of: string): string => of.replaceAll(/\n+/g, '\n').trim();
  expect(text(printed)).toMatch(new RegExp(`^${line(text(expected))}$`));
}

/** Uses what is generated as its reader would: each error is told by its code, and the compiler knows which there are. */
const ERRORS = `
import createClient from 'openapi-fetch';
import type { components, paths } from './trex-api.js';

const baseUrl = process.env.TREX!;
const as = (token: string) => createClient<paths>({ baseUrl, headers: { Authorization: \`Bearer \${token}\` } });
const api = as(process.env.TREX_TOKEN!);
const at = (id: string) => ({ params: { path: { id } } });

const unnamed = await api.PATCH('/api/sessions/{id}', { ...at('s1'), body: { name: '' } });
if (unnamed.error?.code === 'INVALID_NAME') {
  const status: 400 = unnamed.error.status;
  console.log(status, unnamed.error.code, unnamed.error.title);
}
// @ts-expect-error -- A name is text.
const numbered = await api.PATCH('/api/sessions/{id}', { ...at('s1'), body: { name: 1 } });
console.log(numbered.response.status, numbered.error?.code);
const huge = await api.PATCH('/api/sessions/{id}', { ...at('s1'), body: { name: 'x'.repeat(5000) } });
if (huge.error?.status === 413) console.log(huge.error.status, huge.error.code satisfies 'PAYLOAD_TOO_LARGE');

const missing = await api.DELETE('/api/sessions/{id}', at('s99'));
if (missing.error?.status === 404) {
  console.log(missing.error.status, missing.error.code satisfies 'SESSION_NOT_FOUND');
}
// @ts-expect-error -- The list has no name that could be wrong.
if ((await api.GET('/api/sessions')).error?.code === 'INVALID_NAME') console.log('never');

const looking = as(process.env.TREX_READ_ONLY_TOKEN!);
const { data: seen } = await looking.GET('/api/sessions/{id}', at('s1'));
// @ts-expect-error -- A title need not be there.
console.log(typeof (seen?.status satisfies 'connecting' | 'active' | 'exited' | undefined), (() => seen!.title.length).length);
const forbidden = await looking.PATCH('/api/sessions/{id}', { ...at('s1'), body: { name: 'a' } });
if (forbidden.error?.code === 'FORBIDDEN') console.log(forbidden.error.status satisfies 403, forbidden.error.detail);

const unready = await createClient<paths>({ baseUrl }).GET('/api/health/ready');
if (unready.error?.status === 503) console.log(unready.error.code satisfies 'SERVICE_UNAVAILABLE');

const stranger = as('wrong');
for (let count = 0; count < 1000; count++) {
  const { error, response } = await stranger.GET('/api/sessions');
  if (!error) throw new Error('it was let in');
  if (error.code === 'TOO_MANY_REQUESTS') {
    console.log(error.status satisfies 429, Number(response.headers.get('Retry-After')) > 0);
    break;
  } else if (count === 0 && error.code === 'UNAUTHORIZED') {
    console.log(error.status satisfies 401, response.headers.get('WWW-Authenticate'));
  }
}

/** Every code that REST has. */
type Code = components['schemas']['Problem']['code'];
'INTERNAL' satisfies Code;
// @ts-expect-error -- The WebSocket has that.
'INPUT_QUEUE_FULL' satisfies Code;

const left = await api.DELETE('/api/sessions/{id}', at('s1'));
console.log(left.response.status satisfies number, left.data satisfies undefined, left.error);
`;

const ERRORS_OUTPUT = `
400 INVALID_NAME Bad Request
400 INVALID_NAME
413 PAYLOAD_TOO_LARGE
404 SESSION_NOT_FOUND
string 0
403 refused: this token only reads
SERVICE_UNAVAILABLE
401 Bearer realm="trex"
429 true
204 undefined undefined
`;

/** What its reader may have set beside `strict`. */
const STRICTER = { noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true };

const MAKE_A_SESSION = /id=\$\(.*?^' .*?\)$/ms;

describe('docs/clients.md', () => {
  const start = useProgram();
  const packages = ['openapi-fetch', 'openapi-typescript-helpers', 'ws', '@types/ws', '@types/node'];
  const project = useClientPackage(packages);

  beforeAll(async () => {
    const { options } = GENERATE.exec(PAGE)!.groups!;
    const generator = join(ROOT, 'node_modules/openapi-typescript/bin/cli.js');
    await project().node([generator, openApiPath, ...options!.split(' ')]);
    project().write('package.json', '{ "type": "module" }');
    project().write('sessions.ts', under('A generated TypeScript client').code);
    project().write('errors.ts', ERRORS);
    await project().checkTypes(
      { module: 'nodenext', lib: ['es2023'], types: ['node'], noEmit: false, outDir: 'built', ...STRICTER },
      ['sessions.ts', 'errors.ts'],
    );
    mkdirSync(join(project().folder, '.config/trex'), { recursive: true });
    project().write('.config/trex/token', `${token}\n`);
  });

  async function bash(script: string, { port }: Program): Promise<string> {
    const env = { PATH: process.env.PATH, HOME: project().folder, PORT: String(port) };
    const run = promisify(execFile)('bash', ['-e', '-c', script], { cwd: project().folder, env });
    return (await run).stdout;
  }

  function node(file: string, { port }: Program, env: Record<string, string> = {}): Promise<string> {
    return project().node([`built/${file}.js`], { TREX: `http://127.0.0.1:${port}`, ...env });
  }

  const withCurl = spawnSync('curl', ['--version']).status === 0 ? it : it.skip;

  withCurl('has commands for curl that print what is said (if curl is there)', async () => {
    const server = await start().listening();
    const { code, output } = under('curl');
    expectPrinted(await bash(code, server), output);
  });

  withCurl('has commands for curl with a token that print what is said (if curl is there)', async () => {
    const server = await start([], { TREX_TOKEN: token }).listening();
    const { code: first } = examples[0]!;
    const { code, output } = under('With a token');
    expectPrinted(await bash(first + code, server), examples[0]!.output + output);
  });

  it('generates a client from what is committed that is what a server serves', async () => {
    const server = await start().listening();
    const served = await fetch(`http://127.0.0.1:${server.port}/api/openapi.json`);
    expect(await served.json()).toEqual(JSON.parse(readFileSync(openApiPath, 'utf8')));
  });

  it('has a generated client that prints what is said', async () => {
    const { output } = under('A generated TypeScript client');
    expectPrinted(await node('sessions', await start().listening()), output);
    const behindAToken = await start([], { TREX_TOKEN: token }).listening();
    expectPrinted(await node('sessions', behindAToken, { TREX_TOKEN: token }), output);
  });

  it('has a generated client whose errors are told apart by their code', async () => {
    const tokens = { TREX_TOKEN: token, TREX_READ_ONLY_TOKEN: readOnlyToken };
    const server = await start([], { ...tokens, TREX_MAX_SESSIONS: '1' }).listening();
    const [make] = MAKE_A_SESSION.exec(under('curl').code)!;
    await bash(make.replace('process.argv[1]', `process.argv[1], ["trex.v1", "bearer.${token}"]`), server);
    expectPrinted(await node('errors', server, tokens), ERRORS_OUTPUT);
  });
});
