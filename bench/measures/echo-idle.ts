import { connect } from '../clients/connect.js';
import { ECHO, echoes, latency, warmUp } from '../clients/echo.js';
import {
  baselineOf,
  nameOf,
  OUR_PROTOCOLS,
  pairName,
  type Protocol,
  PROTOCOLS,
} from '../clients/protocol.js';
import { Terminal } from '../clients/terminal.js';
import { type Figures, labelled, ratios } from '../harness/figures.js';
import { type Measure } from '../harness/measure.js';
import { type Target } from '../harness/server-process.js';
import { rotated } from '../harness/statistics.js';

const KEYS = 300;
const WARM_UP_KEYS = 3000;

/** Types into a session where nothing else goes on. */
export async function client({ protocol, port }: Target): Promise<Figures> {
  const terminal = await Terminal.open(await connect(protocol, port));
  await terminal.run(ECHO);
  await warmUp(terminal, WARM_UP_KEYS);
  const [found] = await echoes([terminal], KEYS);
  return latency(found);
}

export const echoIdle: Measure = {
  name: 'echo-idle',
  about: 'From a key to its echo in ms, nothing else going on. With “:”, ratios within a repetition.',
  repetitions: 15,
  rows: [
    ...OUR_PROTOCOLS.map((protocol) => ({ figure: `${pairName(protocol)}, p50`, goal: { atMost: 1 } })),
    ...PROTOCOLS.flatMap((protocol) =>
      ['p50', 'p99'].map((share) => ({ figure: `${nameOf[protocol]}, ${share}` })),
    ),
  ],

  async repeat(bench, repetition) {
    const found: Partial<Record<Protocol, Figures>> = {};
    for (const protocol of rotated(bench.protocols, repetition)) {
      found[protocol] = await bench.run(echoIdle.name, protocol);
    }
    return Object.assign(
      {},
      ...PROTOCOLS.map((protocol) => labelled(nameOf[protocol], found[protocol] ?? {})),
      ...OUR_PROTOCOLS.map((protocol) =>
        labelled(pairName(protocol), ratios(found[protocol], found[baselineOf[protocol]])),
      ),
    ) as Figures;
  },
};
