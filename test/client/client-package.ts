import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const ROOT = resolve(__dirname, '../..');
const BUILD_MS = 120_000;
const RUN_MS = 60_000;

const run = promisify(execFile);

/** A project of somebody's that has installed the package, and knows nothing of its sources. */
export class Project {
  constructor(readonly folder: string) {}

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  /** Runs a file of it. @returns what it printed. @throws what it printed, unless it ends well and in time */
  async node(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
    const options = { cwd: this.folder, env: { PATH: process.env.PATH, ...env }, timeout: RUN_MS };
    const { stdout } = await run(process.execPath, args, options).catch(
      ({ message, stdout }: { message: string; stdout: string }) => {
        throw new Error(`${message}\n${stdout}`);
      },
    );
    return stdout;
  }

  /** Checks types strictly. @throws what is wrong */
  async checkTypes(options: object, files: readonly string[]): Promise<void> {
    const compilerOptions = { strict: true, skipLibCheck: true, noEmit: true, target: 'es2022', ...options };
    this.write('tsconfig.json', JSON.stringify({ compilerOptions, files }));
    await this.node([join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.']);
  }
}

/** Builds the package once for the surrounding `describe`, and installs it with others into a project. */
export function useClientPackage(packages: readonly string[]): () => Project {
  let project: Project;
  beforeAll(async () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'trex-client-')));
    project = new Project(folder);
    const modules = join(folder, 'node_modules');
    const out = join(modules, 'trex-client');
    await run(process.execPath, [join(ROOT, 'scripts/build-client.mjs'), '--out', out], { cwd: folder });
    for (const name of packages) {
      mkdirSync(dirname(join(modules, name)), { recursive: true });
      symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
    }
  }, BUILD_MS);
  afterAll(() => rmSync(project.folder, { recursive: true }));
  return () => project;
}
