import { connect } from '../clients/connect.js';
import { Terminal } from '../clients/terminal.js';
import { type Figures } from '../harness/figures.js';
import { type Measure } from '../harness/measure.js';
import { type Target } from '../harness/server-process.js';
import { rotated } from '../harness/statistics.js';
import { type WorkloadFile } from '../harness/workload.js';

const PRINT_MS = 150_000;
const MANY = 8;

interface Given {
  readonly viewers: number;
  readonly file: WorkloadFile;
}

/** Every viewer on a connection of its own. @throws when one of them does not get exactly the file's bytes */
export async function client({ protocol, port }: Target, { viewers, file }: Given): Promise<Figures> {
  const first = await Terminal.open(await connect(protocol, port));
  await first.run(`read go; cat ${file.path}; printf DONE; read stay`);
  const all = [first];
  while (all.length < viewers) all.push(await Terminal.attach(await connect(protocol, port), first.id));
  const end = first.screen.end + file.printedBytes + 'DONE'.length;
  const begun = performance.now();
  first.type('\n');
  await Promise.all(all.map(({ screen }) => screen.reaches(end, PRINT_MS)));
  const seconds = (performance.now() - begun) / 1000;
  for (const { screen } of all) {
    if (screen.end !== end || !screen.tail.endsWith('DONE')) {
      throw new Error(`a viewer is at ${screen.end} instead of ${end}`);
    }
  }
  return { 'MB/s': (viewers * file.printedBytes) / 1e6 / seconds };
}

export const viewers: Measure = {
  name: 'viewers',
  about: `One session prints 100 MB to ${MANY} viewers in one process, and to one: what all of them together get. Each gets every byte, or the repetition fails.`,
  repetitions: 15,
  rows: [
    { figure: `v2, ${MANY} viewers : 1 viewer`, goal: { atLeast: 3 } },
    { figure: 'v2, 1 viewer, MB/s' },
    { figure: `v2, ${MANY} viewers, MB/s` },
  ],

  async repeat(bench, repetition): Promise<Figures> {
    if (!bench.protocols.includes('v2')) return {};
    const found: Record<number, number> = {};
    for (const count of rotated([1, MANY], repetition)) {
      const given: Given = { viewers: count, file: bench.workload.plain };
      found[count] = (await bench.run('viewers', 'v2', given))['MB/s'] ?? NaN;
    }
    const [one = NaN, many = NaN] = [found[1], found[MANY]];
    return {
      [`v2, ${MANY} viewers : 1 viewer`]: many / one,
      'v2, 1 viewer, MB/s': one,
      [`v2, ${MANY} viewers, MB/s`]: many,
    };
  },
};
