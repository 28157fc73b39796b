import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installed } from './installed.js';
import { Program } from './program.js';
import { until } from './until.js';

/** Whose labels Prometheus adds, and a value; of a range more are not asked for. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The real one, which scrapes as its settings say. */
export class Prometheus {
  constructor(
    private readonly program: Program,
    private readonly folder: string,
  ) {}

  /** @throws when Prometheus finds the query wrong, with what it says */
  async query(query: string): Promise<Sample[]> {
    const { data } = (await this.get(`query?query=${encodeURIComponent(query)}`)) as Vector;
    return data.result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }));
  }

  /** By name of each rule, what it met when it was last looked at: `ok`, `err`, or `unknown` before that. */
  async rules(): Promise<Map<string, string>> {
    const { data } = (await this.get('rules')) as Rules;
    return new Map(data.groups.flatMap(({ rules }) => rules.map(({ name, health }) => [name, health])));
  }

  async stop(): Promise<void> {
    await this.program.kill();
    rmSync(this.folder, { recursive: true });
  }

  private async get(what: string): Promise<unknown> {
    const response = await fetch(`http://127.0.0.1:${this.port}/api/v1/${what}`);
    const body = await response.text();
    if (!response.ok) throw new Error(`${decodeURIComponent(what)}: ${body}`);
    return JSON.parse(body);
  }

  private get port(): number {
    return Number(/msg="Listening on".*? address=127\.0\.0\.1:(\d+)/.exec(this.program.stderr)?.[1]);
  }

  /** @throws with what it said, when it does not like its settings */
  async ready(): Promise<this> {
    // It says both in either order.
    const isReady = (): boolean =>
      this.port > 0 && this.program.stderr.includes('ready to receive web requests');
    await until(() => isReady() || this.program.exit !== undefined, 'Prometheus is ready');
    if (!isReady()) throw new Error(`Prometheus ended instead of getting ready:\n${this.program.stderr}`);
    return this;
  }
}

interface Vector {
  readonly data: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly value: readonly [seconds: number, value: string];
    }[];
  };
}

interface Rules {
  readonly data: {
    readonly groups: readonly {
      readonly rules: readonly { readonly name: string; readonly health: string }[];
    }[];
  };
}

/** Where it is installed by a package, the file and the folder are the system's unless it is told others. */
const ARGS = ['--config.file=prometheus.yml', '--storage.tsdb.path=data', '--web.listen-address=127.0.0.1:0'];

/** Starts Prometheus with such files, of which `prometheus.yml` is its settings; it is ended after the test. */
export function usePrometheus(): (files: Readonly<Record<string, string>>) => Promise<Prometheus> {
  const started: Prometheus[] = [];
  afterEach(async () => {
    for (const prometheus of started.splice(0)) await prometheus.stop();
  });
  return (files) => {
    const folder = mkdtempSync(join(tmpdir(), 'trex-prometheus-'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const program = new Program(
      spawn(installed('prometheus')!, ARGS, {
        cwd: folder,
        env: { PATH: process.env.PATH, HOME: folder },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
    const prometheus = new Prometheus(program, folder);
    started.push(prometheus);
    return prometheus.ready();
  };
}
