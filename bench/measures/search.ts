import { join } from 'node:path';
import { type Figures, labelled, ratios } from '../harness/figures.js';
import { type Measure } from '../harness/measure.js';
import { rotated } from '../harness/statistics.js';
import { FILE_KINDS } from '../harness/workload.js';

export { client } from './throughput.js';

/** What is loaded into the server. */
const HOOKS = { searching: [], not: [join(__dirname, '../harness/no-search-hook.js')] } as const;
const VARIANTS = ['searching', 'not'] as const;
const FIGURES = { 'server CPU': { atMost: 1.05 }, 'MB/s': undefined };

export const search: Measure = {
  name: 'search',
  about:
    'What looking for terminal modes in the output that falls off the log costs: `throughput` of v2 to the same of a server that does not look.',
  repetitions: 15,
  rows: FILE_KINDS.flatMap((file) =>
    Object.entries(FIGURES).map(([figure, goal]) => ({ figure: `${file}, ${figure}`, goal })),
  ),

  async repeat(bench, repetition) {
    const figures: Figures[] = [];
    for (const file of FILE_KINDS) {
      const found: Partial<Record<keyof typeof HOOKS, Figures>> = {};
      for (const variant of rotated(VARIANTS, repetition)) {
        found[variant] = await bench.run('search', 'v2', bench.workload[file], HOOKS[variant]);
      }
      figures.push(labelled(file, ratios(found.searching, found.not)));
    }
    return Object.assign({}, ...figures) as Figures;
  },
};
