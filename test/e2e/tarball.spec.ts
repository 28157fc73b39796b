import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { build, BUILD_MS, builtFolder } from '../support/build.js';
import { floodWithPings } from '../support/ping-flood.js';
import { useBuiltProgram } from '../support/program.js';
import { useTestBed } from '../support/test-bed.js';
import { until } from '../support/until.js';

const ROOT = resolve(__dirname, '../..');
const run = promisify(execFile);

const BUILT = ['dist', 'dist-page', 'dist-cli'];
const BESIDE = [
  ...['ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE', 'README.md', 'SECURITY.md'],
  ...['Caddyfile', 'grafana-dashboard.json', 'nginx.conf', 'trex.service'].map((name) => `deploy/${name}`),
  ...['client/README.md', 'package.json'],
  ...filesBelow(join(ROOT, 'docs')).map((path) => relative(ROOT, path)),
];
/** What the README leads to and a package has not. */
const IN_THE_REPOSITORY = ['test/data-path.spec.ts'];
/** Of no package, and too much to copy. */
const LEFT_OUT = ['.git', '.cache', 'node_modules', 'coverage'];

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version: string; readonly dev?: boolean }>>;
}

const lock = json(join(ROOT, 'package-lock.json')) as unknown as Lock;
const production = Object.keys(lock.packages).filter((path) => path !== '' && !lock.packages[path]!.dev);

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'trex-tarball-')));
const installed = join(folder, 'installed/node_modules/trex');
const start = useBuiltProgram(afterEach, join(installed, 'dist/main.js'));
const bed = useTestBed();
let packed: string[];

beforeAll(async () => {
  await Promise.all([build('server'), build('page'), build('cli')]);
  const tarball = await pack(join(folder, 'project'));
  await install(tarball);
}, BUILD_MS);

afterAll(() => rmSync(folder, { recursive: true }));

/**
 * In a copy, with what is built for the tests: others may be looking at the project itself. That its packages are packed as
 * well takes too long for here: scripts/verify-tarball.sh does it.
 */
async function pack(project: string): Promise<string> {
  const isCopied = (path: string): boolean => !LEFT_OUT.includes(path) && !/^dist(-\w+)?$/.test(path);
  cpSync(ROOT, project, { recursive: true, filter: (path) => isCopied(relative(ROOT, path)) });
  for (const part of BUILT) cpSync(join(builtFolder(), part), join(project, part), { recursive: true });
  writeFileSync(join(project, 'dist/.tsbuildinfo'), '{}');
  const npm = ['pack', '--json', '--offline', '--ignore-scripts'];
  const { stdout } = await run('npm', npm, { cwd: project });
  const [{ filename, files }] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  packed = files.map(({ path }) => path).sort();
  return join(project, filename);
}

/** Without a network: beside it, and not within, are the packages for production that are installed here, and no other. */
async function install(tarball: string): Promise<void> {
  mkdirSync(installed, { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
  for (const path of production.filter((path) => path.lastIndexOf('node_modules/') === 0)) {
    const link = join(folder, 'installed', path);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(ROOT, path), link);
  }
}

function filesBelow(path: string): string[] {
  const all = readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => join(path, name));
  return all.filter((one) => statSync(one).isFile());
}

function json(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
}

describe('the package', () => {
  it('holds what is built, what there is to read about it, and nothing else', () => {
    const built = BUILT.flatMap((part) => filesBelow(join(builtFolder(), part)));

    expect(packed).toEqual([...built.map((path) => relative(builtFolder(), path)), ...BESIDE].sort());
    expect(packed.filter((path) => /\.(spec\.|ts$)|^(src|test|page|cli|bench|scripts)\//.test(path))).toEqual(
      [],
    );
  });

  it('holds what its README leads to', () => {
    const readme = readFileSync(join(installed, 'README.md'), 'utf8');
    const led = Array.from(readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g), ([, path]) => path!);
    expect(led.length).toBeGreaterThan(10);
    expect(led.filter((path) => !packed.includes(path) && !IN_THE_REPOSITORY.includes(path))).toEqual([]);
  });

  it('brings a command that Node runs', () => {
    const { bin, ...manifest } = json(join(installed, 'package.json'));
    expect(bin).toEqual({ trex: 'dist/main.js' });
    expect(manifest).not.toHaveProperty('private');
    expect(readFileSync(join(installed, 'dist/main.js'), 'utf8')).toMatch(/^#!\/usr\/bin\/env -S node /);
  });

  it('brings all packages it needs: npm would take others than those that were tested', () => {
    const { dependencies, bundleDependencies } = json(join(ROOT, 'package.json'));
    expect(bundleDependencies).toEqual(Object.keys(dependencies as object));
  });
});

describe('the package, installed', () => {
  it('serves its page and its sessions with the WebSockets it names, which no flood of pings fills', async () => {
    const hook = join(folder, 'hook.cjs');
    writeFileSync(
      hook,
      `process.once('SIGUSR2', () => {
         const loaded = Object.keys(require.cache);
         const libraries = loaded.filter((path) => /\\/ws\\/lib\\/websocket-server\\.js$/.test(path));
         process.stderr.write(JSON.stringify({ libraries, outside: loaded.filter((path) => !path.startsWith(${JSON.stringify(
           join(folder, 'installed/'),
         )}) && path !== __filename) }) + '\\n');
       });`,
    );
    // Packages are where they are linked: what development has beside them is not found.
    const options = `--preserve-symlinks --require=${hook}`;
    const program = await start(['serve'], { NODE_OPTIONS: options }).listening();
    const client = await bed.connect(program);

    const sessionId = await client.create();
    client.send({ type: 'input', sessionId, data: 'echo h""ello\r' });
    await client.untilOutput(sessionId, 'hello');
    const page = await fetch(`http://127.0.0.1:${program.port}/`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    await page.text();

    const asked = ['ls', '--url', `http://127.0.0.1:${program.port}`];
    const { stdout } = await run(process.execPath, [join(installed, 'dist/main.js'), ...asked], {
      env: { PATH: process.env.PATH, HOME: folder },
    });
    expect(stdout).toMatch(new RegExp(`^ID .*\n${sessionId} .*\n$`));

    program.signal('SIGUSR2');
    await until(() => program.stderr.endsWith('\n'), 'it has told what it loaded');
    const { libraries, outside } = JSON.parse(program.stderr) as Record<'libraries' | 'outside', string[]>;
    const ws = join(folder, 'installed/node_modules/ws');
    expect(libraries).toEqual([join(ws, 'lib/websocket-server.js')]);
    expect(json(join(ws, 'package.json')).version).toBe(lock.packages['node_modules/ws']!.version);
    expect(outside).toEqual([]);

    await floodWithPings(program.port);
    await client.sync();
  });
});
