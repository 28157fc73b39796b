/** JSON text frames, as existing clients speak; also spoken when a client offers no protocol. */
export const JSON_PROTOCOL = 'trex.v1';

/** JSON for control, binary frames for terminal bytes. */
export const FRAMES_PROTOCOL = 'trex.v2';

export type Protocol = typeof JSON_PROTOCOL | typeof FRAMES_PROTOCOL;

/** The better one first. */
export const PROTOCOLS: readonly Protocol[] = [FRAMES_PROTOCOL, JSON_PROTOCOL];

/** A client may carry its token among the subprotocols it offers: it is no protocol and never answered. */
const BEARER_PREFIX = 'bearer.';

/** `'none'`: speak JSON without naming it · `'unknown'`: the client speaks nothing we do. */
export type ProtocolChoice = Protocol | 'none' | 'unknown';

/** Chooses from what a client offers in `Sec-WebSocket-Protocol` (RFC 6455, 4.2.2). */
export function chooseSubprotocol(header: string | undefined): ProtocolChoice {
  const offered = (header ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && !name.startsWith(BEARER_PREFIX));
  if (offered.length === 0) return 'none';
  return PROTOCOLS.find((protocol) => offered.includes(protocol)) ?? 'unknown';
}
