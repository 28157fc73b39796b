import { originOf, parseLoopbackHost } from './host-and-origin.js';

/** What the gate looks at; the values of a header in the order they came. */
export interface AdmissionRequest {
  readonly hosts: readonly string[];
  readonly origins: readonly string[];
}

export interface AdmissionRules {
  /** Origins, besides the server's own, whose pages are let in. Compared whole, as a browser writes them. */
  readonly allowedOrigins: readonly string[];
}

/** `undefined`: come in. Otherwise why not, in a sentence. */
export type Refusal = string | undefined;

/**
 * The one gate: REST and the WebSocket upgrade both ask it, before anything else of a request is looked at. A web page
 * can make its visitor's browser send requests here; what it cannot do is forge `Host` and `Origin`.
 */
export function admit({ hosts, origins }: AdmissionRequest, { allowedOrigins }: AdmissionRules): Refusal {
  const [host] = hosts.length === 1 ? hosts.map(parseLoopbackHost) : [];
  if (!host) return 'refused: the Host header must name the loopback interface, as localhost or 127.0.0.1 do';
  if (origins.length === 0) return undefined;
  const [origin] = origins;
  const isAllowed =
    origins.length === 1 && (origin === originOf(host) || allowedOrigins.some((one) => one === origin));
  return isAllowed
    ? undefined
    : 'refused: pages of this origin may not use this server; see TREX_ALLOWED_ORIGINS';
}
