import { execFile, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { useTestBed } from './support/test-bed.js';

const ROOT = resolve(__dirname, '..');

interface Ended {
  readonly code: number;
  readonly said: string;
}

function run(
  program: string,
  args: readonly string[],
  env: Record<string, string> = {},
  cwd = ROOT,
): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { cwd, env: { PATH: process.env.PATH, ...env } };
    const child = execFile(program, args, options, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, said: stdout + stderr }),
    );
  });
}

function text(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

describe('the health check of the container', () => {
  const bed = useTestBed();
  const check = (port: number): Promise<Ended> =>
    run(process.execPath, ['deploy/healthcheck.mjs'], { TREX_PORT: String(port) });

  it('is content with a server that is alive, and needs no token', async () => {
    const { port } = await bed.serve({ token: 't'.repeat(43) });

    expect(await check(port)).toEqual({ code: 0, said: '' });
  });

  it('is not content with another answer, or with none', async () => {
    const server = createServer((_request, response) => response.writeHead(503).end('busy'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;

    expect(await check(port)).toEqual({ code: 1, said: 'not healthy: it answers 503\n' });
    await new Promise((resolve) => server.close(resolve));
    expect(await check(port)).toEqual({ code: 1, said: expect.stringContaining('ECONNREFUSED') as string });
  });
});

describe('the Dockerfile', () => {
  it('runs on a Node that is supported, and copies what is not ignored', () => {
    const [, major] = /^ARG BASE=node:(\d+)-/m.exec(text('Dockerfile'))!;
    const { engines } = JSON.parse(text('package.json')) as { engines: { node: string } };
    const [, from, below] = /^>=(\d+)[.\d]* <(\d+)$/.exec(engines.node)!;

    expect(Number(major)).toBeGreaterThanOrEqual(Number(from));
    expect(Number(major)).toBeLessThan(Number(below));
    const copied = [...text('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, all]) =>
      all!.split(' '),
    );
    const kept = text('.dockerignore')
      .split('\n')
      .flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []));
    expect(kept).toEqual(expect.arrayContaining(copied.filter((path) => path !== '.')));
  });
});

describe('what an image is built from', () => {
  it('is enough to build it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'trex-image-'));
    try {
      const kept = text('.dockerignore')
        .split('\n')
        .flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []));
      for (const path of kept) cpSync(join(ROOT, path), join(folder, path), { recursive: true });
      symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
      const { code, said } = await run('npm', ['run', 'build', '--silent'], {}, folder);
      expect([code, said]).toEqual([0, expect.stringContaining('index.html')]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the systemd unit', () => {
  const isThere = spawnSync('systemd-analyze', ['--version']).status === 0;

  (isThere ? it : it.skip)(
    'is one in which systemd finds nothing to complain of (if systemd-analyze is there)',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'trex-unit-'));
      const verify = ['verify', '--user', '--man=no', 'deploy/trex.service'];
      const ended = await run('systemd-analyze', verify, { HOME: folder, XDG_RUNTIME_DIR: folder });
      rmSync(folder, { recursive: true });

      expect(ended).toEqual({ code: 0, said: '' });
    },
  );
});
