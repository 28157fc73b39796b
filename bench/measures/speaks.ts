import { connect } from '../clients/connect.js';
import { type Figures } from '../harness/figures.js';
import { type Target } from '../harness/server-process.js';

/** Not a measure: whether a server speaks a protocol at all. @throws what it answers instead */
export async function client({ protocol, port }: Target): Promise<Figures> {
  await connect(protocol, port);
  return {};
}
