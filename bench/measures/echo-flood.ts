import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '../clients/connect.js';
import { ECHO, echoes, latency } from '../clients/echo.js';
import { nameOf, OUR_PROTOCOLS } from '../clients/protocol.js';
import { Terminal } from '../clients/terminal.js';
import { type Figures, labelled } from '../harness/figures.js';
import { type Measure } from '../harness/measure.js';
import { type Target } from '../harness/server-process.js';
import { type WorkloadFile } from '../harness/workload.js';
import { eachOfOurs } from './each-of-ours.js';

const KEYS = 300;
const WARM_UP_MS = 500;

/** Types by turns into a session on the flood's connection, and into one on a connection of its own. */
export async function client({ protocol, port }: Target, { path }: WorkloadFile): Promise<Figures> {
  const flooded = await connect(protocol, port);
  const flood = await Terminal.open(flooded);
  const same = await Terminal.open(flooded);
  const other = await Terminal.open(await connect(protocol, port));
  await same.run(ECHO);
  await other.run(ECHO);
  await flood.run(`while cat ${path}; do :; done`);
  await delay(WARM_UP_MS);
  const [begun, before] = [performance.now(), flood.screen.end];
  const [onSame, onOther] = (await echoes([same, other], KEYS)).map(latency);
  return {
    ...labelled('same connection', onSame ?? {}),
    ...labelled('other connection', onOther ?? {}),
    'same : other connection, p99': (onSame?.p99 ?? NaN) / (onOther?.p99 ?? NaN),
    'flood MB/s': (flood.screen.end - before) / 1000 / (performance.now() - begun),
  };
}

export const echoFlood: Measure = {
  name: 'echo-flood',
  about:
    'From a key to its echo in ms while another session floods a client that reads as fast as it can: keys by turns into a session on the flood’s connection and into one on another connection of the same client.',
  repetitions: 15,
  rows: OUR_PROTOCOLS.flatMap((protocol) => {
    const name = nameOf[protocol];
    return [
      { figure: `${name}, same : other connection, p99`, goal: { atMost: 1.5 } },
      ...['same', 'other'].flatMap((which) =>
        ['p50', 'p99'].map((share) => ({ figure: `${name}, ${which} connection, ${share}` })),
      ),
      { figure: `${name}, flood MB/s` },
    ];
  }),

  repeat: (bench, repetition) =>
    eachOfOurs(bench, repetition, (protocol) => bench.run('echo-flood', protocol, bench.workload.plain)),
};
