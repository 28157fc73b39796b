/** Runs the measures, each repetition with fresh servers and clients, and prints their tables; see README.md. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { nameOf, PROTOCOLS, type Protocol } from './clients/protocol.js';
import { withUs } from './harness/children.js';
import { runClient } from './harness/client-process.js';
import { type Figures } from './harness/figures.js';
import { type Bench, type Measure } from './harness/measure.js';
import { reachesAll, report } from './harness/report.js';
import { ServerProcess } from './harness/server-process.js';
import { writeWorkload } from './harness/workload.js';
import { KernelLimit } from './limit/limit.js';
import { measures } from './measures/table.js';

const RUN_MS = 180_000;
const REGISTRY = 'registry';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    repetitions: { type: 'string' },
    megabytes: { type: 'string', default: '100' },
  },
});
const only = options.only.flatMap((text) => text.split(','));

async function main(): Promise<void> {
  const names = [REGISTRY, ...measures.map(({ name }) => name)];
  const unknown = only.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new Error(`there is no ${unknown.join(', ')}; there are ${names.join(', ')}`);
  console.log(`Node ${process.versions.node}, ${availableParallelism()} × ${cpus()[0]?.model}`);
  const chosen = measures.filter(({ name }) => isChosen(name));
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'trex-bench-')));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  if (isChosen(REGISTRY)) await once(withUs(fork(join(__dirname, 'registry.js'))), 'exit');
  if (chosen.length === 0) return;
  const run = runIn(folder);
  const bench: Bench = {
    protocols: await spoken(run),
    workload: writeWorkload(folder, Number(options.megabytes) * 1e6),
    limit: KernelLimit.compile(folder),
    run,
  };
  if (!bench.limit) console.log("Without a C compiler, the kernel's limit is not measured.");
  for (const measure of chosen) {
    const found = await repeated(measure, bench);
    console.log(report(measure, found));
    if (measure.mustReach && !reachesAll(measure, found)) process.exitCode = 1;
  }
}

function isChosen(name: string): boolean {
  return only.length === 0 || only.includes(name);
}

function runIn(folder: string): Bench['run'] {
  return async (measure, protocol, given, hooks, settings) => {
    const server = await ServerProcess.start(protocol, folder, hooks, settings);
    try {
      return await runClient(measure, server.target, given, RUN_MS);
    } finally {
      await server.stop();
    }
  };
}

async function spoken(run: Bench['run']): Promise<Protocol[]> {
  const found: Protocol[] = [];
  for (const protocol of PROTOCOLS) {
    try {
      await run('speaks', protocol, {});
      found.push(protocol);
    } catch (error) {
      console.log(
        `${nameOf[protocol]} is left out, its server does not speak it: ${(error as Error).message}.`,
      );
    }
  }
  return found;
}

/** A repetition that fails is told and left out, and makes the whole run fail in the end. */
async function repeated(measure: Measure, bench: Bench): Promise<Figures[]> {
  const found: Figures[] = [];
  const repetitions = Number(options.repetitions ?? measure.repetitions);
  for (let repetition = 0; repetition < repetitions; repetition++) {
    process.stderr.write(`${measure.name} ${repetition + 1}/${repetitions}\n`);
    try {
      found.push(await measure.repeat(bench, repetition));
    } catch (error) {
      process.exitCode = 1;
      console.log(`${measure.name}, repetition ${repetition + 1} failed: ${(error as Error).message}`);
    }
  }
  return found;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
