/** JSON text frames, as existing clients speak; also spoken when a client offers no protocol. */
export const JSON_PROTOCOL = 'trex.v1';

/** A client may carry its token among the subprotocols it offers: it is no protocol and never answered. */
const BEARER_PREFIX = 'bearer.';

/** `'none'`: speak JSON without naming it · `'unknown'`: the client speaks nothing we do. */
export type ProtocolChoice = typeof JSON_PROTOCOL | 'none' | 'unknown';

/** Chooses from what a client offers in `Sec-WebSocket-Protocol` (RFC 6455, 4.2.2). */
export function chooseSubprotocol(header: string | undefined): ProtocolChoice {
  const offered = (header ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && !name.startsWith(BEARER_PREFIX));
  if (offered.length === 0) return 'none';
  return offered.includes(JSON_PROTOCOL) ? JSON_PROTOCOL : 'unknown';
}
