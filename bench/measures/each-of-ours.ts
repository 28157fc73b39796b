import { nameOf, OUR_PROTOCOLS, type OurProtocol } from '../clients/protocol.js';
import { type Figures, labelled } from '../harness/figures.js';
import { type Bench } from '../harness/measure.js';
import { rotated } from '../harness/statistics.js';

/** Measures each of our protocols that the server speaks, in an order that changes. */
export async function eachOfOurs(
  bench: Bench,
  repetition: number,
  run: (protocol: OurProtocol) => Promise<Figures>,
): Promise<Figures> {
  const spoken = OUR_PROTOCOLS.filter((protocol) => bench.protocols.includes(protocol));
  const found: Figures[] = [];
  for (const protocol of rotated(spoken, repetition)) {
    found.push(labelled(nameOf[protocol], await run(protocol)));
  }
  return Object.assign({}, ...found) as Figures;
}
