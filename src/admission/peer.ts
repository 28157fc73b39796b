import { BlockList, isIP, isIPv4 } from 'node:net';
import { type Scheme } from './host-and-origin.js';
import { groupsOf, unmapped } from './ip-address.js';

/** What a proxy says of the client it speaks for. */
export interface Forwarded {
  /** `X-Forwarded-For`: the client, and each proxy that it came through, the last one last. */
  readonly addresses: readonly string[];
  /** `X-Forwarded-Proto`, the last one last. */
  readonly schemes: readonly string[];
}

/** Where a request comes from, as far as those are believed who say so. */
export interface Peer {
  /** An address; of IPv6 the network of 64 bits, which one machine has for itself. */
  readonly name: string;
  readonly scheme: Scheme;
}

/** Proxies whose word is taken: addresses, or networks as `10.0.0.0/8`. */
export class TrustedProxies {
  private readonly list = new BlockList();

  constructor(entries: readonly string[]) {
    for (const entry of entries) {
      const [address = '', prefix] = entry.split('/');
      const family = isIPv4(address) ? 'ipv4' : 'ipv6';
      if (prefix === undefined) this.list.addAddress(address, family);
      else this.list.addSubnet(address, Number(prefix), family);
    }
  }

  /** Who it is that asks: the last one that no trusted proxy is. Whoever is not trusted may say what they like. */
  peerOf(remoteAddress: string, { addresses, schemes }: Forwarded): Peer {
    let name = unmapped(remoteAddress);
    if (!this.has(name)) return { name: networkOf(name), scheme: 'http' };
    for (const address of addresses.toReversed().map(unmapped)) {
      if (isIP(address) === 0) break;
      name = address;
      if (!this.has(name)) break;
    }
    return { name: networkOf(name), scheme: schemes.at(-1) === 'https' ? 'https' : 'http' };
  }

  private has(address: string): boolean {
    return isIP(address) !== 0 && this.list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
  }
}

function networkOf(address: string): string {
  return isIP(address) === 6 ? `${groupsOf(address).slice(0, 4).join(':')}::/64` : address;
}
