import { type BenchClient } from './client.js';
import { BareClient } from './bare-client.js';
import { JsonClient } from './json-client.js';
import { type Protocol } from './protocol.js';
import { V2Client } from './v2-client.js';

/** @throws when the server does not speak the protocol */
export async function connect(protocol: Protocol, port: number): Promise<BenchClient> {
  switch (protocol) {
    case 'v2':
      return V2Client.connect(port);
    case 'json':
      return JsonClient.connect(port);
    case 'baseline':
      return new BareClient(port, 'binary');
    case 'baselineJson':
      return new BareClient(port, 'json');
  }
}
