import { connect } from '../clients/connect.js';
import {
  baselineOf,
  nameOf,
  OUR_PROTOCOLS,
  type OurProtocol,
  pairName,
  type Protocol,
  PROTOCOLS,
} from '../clients/protocol.js';
import { Terminal } from '../clients/terminal.js';
import { type Figures, labelled, ratios } from '../harness/figures.js';
import { type Bench, type Goal, type Measure } from '../harness/measure.js';
import { cpuSeconds } from '../harness/process-usage.js';
import { type Target } from '../harness/server-process.js';
import { rotated } from '../harness/statistics.js';
import { FILE_KINDS, type FileKind, type WorkloadFile } from '../harness/workload.js';

const PRINT_MS = 120_000;

/** How often the file is printed before: until what a flood runs through is compiled. See README.md, "Method". */
const WARM_UP_TIMES = 3;

/** CPU is told for so much. */
const PER_MEGABYTES = 100;

/** Prints the file, as fast as it can be read. @throws when not exactly its bytes come */
export async function client(
  target: Target,
  { path, printedBytes }: WorkloadFile,
  times = 1,
): Promise<Figures> {
  const terminal = await Terminal.open(await connect(target.protocol, target.port));
  const { screen } = terminal;
  const print = (howOften: number): string => `cat ${`${path} `.repeat(howOften)}`;
  await terminal.run(
    `read go; ${print(WARM_UP_TIMES)}; printf WARM; read go; ${print(times)}; printf DONE; read stay`,
  );
  const warm = screen.shows('WARM', PRINT_MS);
  terminal.type('\n');
  await warm;
  const begun = screen.end;
  const expected = printedBytes * times + 'DONE'.length;
  const before = usage(target);
  terminal.type('\n');
  await screen.reaches(begun + expected, PRINT_MS);
  const after = usage(target);
  if (screen.end - begun !== expected || !screen.tail.endsWith('DONE')) {
    throw new Error(`${screen.end - begun} bytes came instead of ${expected}`);
  }
  const megabytes = expected / 1e6;
  const portions = megabytes / PER_MEGABYTES;
  return {
    'MB/s': megabytes / (after.seconds - before.seconds),
    'server CPU': (after.server - before.server) / portions,
    'client CPU': (after.client - before.client) / portions,
  };
}

function usage({ pid }: Target): { seconds: number; server: number; client: number } {
  const { user, system } = process.cpuUsage();
  return { seconds: performance.now() / 1000, server: cpuSeconds(pid), client: (user + system) / 1e6 };
}

const goals: Record<OurProtocol, Record<string, Goal>> = {
  v2: { 'MB/s': { atLeast: 1 }, 'server CPU': { atMost: 0.95 }, 'client CPU': { atMost: 0.75 } },
  json: { 'MB/s': { atLeast: 1 }, 'server CPU': { atMost: 1 }, 'client CPU': { atMost: 0.75 } },
};

export const throughput: Measure = {
  name: 'throughput',
  about:
    'One session prints 100 MB, after 300 to warm up, to a client that reads as fast as it can. CPU in seconds per 100 MB. With “:”, ratios within a repetition.',
  repetitions: 15,
  rows: FILE_KINDS.flatMap((file) => [
    ...OUR_PROTOCOLS.flatMap((protocol) =>
      Object.entries(goals[protocol]).map(([figure, goal]) => ({
        figure: `${file}, ${pairName(protocol)}, ${figure}`,
        goal,
      })),
    ),
    ...[...PROTOCOLS.map((protocol) => nameOf[protocol]), 'kernel'].flatMap((name) =>
      Object.keys(goals.v2).map((figure) => ({ figure: `${file}, ${name}, ${figure}` })),
    ),
  ]),

  async repeat(bench, repetition) {
    const figures: Figures[] = [];
    for (const file of FILE_KINDS) figures.push(labelled(file, await repeatFile(bench, file, repetition)));
    return Object.assign({}, ...figures) as Figures;
  },
};

async function repeatFile(bench: Bench, file: FileKind, repetition: number): Promise<Figures> {
  const found: Partial<Record<Protocol, Figures>> = {};
  for (const protocol of rotated(bench.protocols, repetition)) {
    found[protocol] = await bench.run(throughput.name, protocol, bench.workload[file]);
  }
  const limit = bench.limit?.read(bench.workload[file].path);
  return Object.assign(
    limit ? labelled('kernel', limit) : {},
    ...PROTOCOLS.map((protocol) => labelled(nameOf[protocol], found[protocol] ?? {})),
    ...OUR_PROTOCOLS.map((protocol) =>
      labelled(pairName(protocol), ratios(found[protocol], found[baselineOf[protocol]])),
    ),
  ) as Figures;
}
