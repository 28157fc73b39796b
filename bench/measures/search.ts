import { join } from 'node:path';
import { type Figures, labelled } from '../harness/figures.js';
import { type Measure } from '../harness/measure.js';
import { cpuSeconds, searchedMs } from '../harness/process-usage.js';
import { type Target } from '../harness/server-process.js';
import { FILE_KINDS, type WorkloadFile } from '../harness/workload.js';
import { client as flood } from './throughput.js';

const HOOK = join(__dirname, '../harness/search-hook.js');

/** The same flood as of `throughput`, from the start of the server on. */
export async function client(target: Target, file: WorkloadFile): Promise<Figures> {
  await flood(target, file);
  const cpuMs = cpuSeconds(target.pid) * 1000;
  return { 'share of server CPU': (await searchedMs(target)) / cpuMs };
}

export const search: Measure = {
  name: 'search',
  about:
    'What looking for titles and directories in the output, and for terminal modes in what of it falls off the log, costs during `throughput` of v2: the time in it by the server’s processor time. Timing it is counted, too.',
  repetitions: 5,
  rows: FILE_KINDS.map((file) => ({ figure: `${file}, share of server CPU`, goal: { atMost: 0.05 } })),

  async repeat(bench) {
    const figures: Figures[] = [];
    for (const file of FILE_KINDS) {
      figures.push(labelled(file, await bench.run('search', 'v2', bench.workload[file], [HOOK])));
    }
    return Object.assign({}, ...figures) as Figures;
  },
};
