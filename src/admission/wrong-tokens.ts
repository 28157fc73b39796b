import { RateLimit } from './rate-limit.js';

const PER_MINUTE = 10;

/** Peers that are remembered: more would be an attack on our memory. */
const MOST_PEERS = 10_000;

/** How often each peer shows a wrong token. A right one is never made to wait: it needs no guessing. */
export class WrongTokens {
  private readonly peers = new Map<string, RateLimit>();

  /** It has shown one. @returns for how many seconds it may show no other, if it has shown too many */
  count(peer: string, nowMs: number): number | undefined {
    const limit = this.peers.get(peer) ?? new RateLimit(PER_MINUTE, PER_MINUTE / 60);
    this.peers.delete(peer);
    this.peers.set(peer, limit);
    const [oldest] = this.peers.keys();
    if (this.peers.size > MOST_PEERS && oldest !== undefined) this.peers.delete(oldest);
    return limit.take(nowMs) ? undefined : Math.ceil(limit.waitMs(nowMs) / 1000);
  }
}
