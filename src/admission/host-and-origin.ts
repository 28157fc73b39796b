import { isIP, isIPv4 } from 'node:net';

/** The host that a request names. */
export interface RequestHost {
  /** Lower case; brackets kept: `localhost`, `127.0.0.1`, `[::1]`. */
  readonly name: string;
  /** 0: the scheme's own. */
  readonly port: number;
}

export type Scheme = 'http' | 'https';

const DEFAULT_PORT: Record<Scheme, number> = { http: 80, https: 443 };

/** A name has at most 253 characters, and a port five. */
const MAX_HOST = 260;

const HOST = /^(?<name>[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\])(?::(?<port>[1-9]\d{0,4}))?$/i;

/** Addresses that mean any, or none: no server is there by that name. */
const UNSPECIFIED = ['0.0.0.0', '[::]'];

/** Reads a `Host` header (RFC 9110, 7.2) whole: no user, no path, no list, no dot at the end. */
export function parseHost(header: string): RequestHost | undefined {
  const { name, port } = (header.length > MAX_HOST ? undefined : HOST.exec(header)?.groups) ?? {};
  if (name === undefined || Number(port ?? 0) > 65_535) return undefined;
  return { name: name.toLowerCase(), port: Number(port ?? 0) };
}

/** `localhost`, an address in 127.0.0.0/8 or `::1`, each as everybody writes it: whatever else leads here may be a trick. */
export function isLoopbackName(name: string): boolean {
  return name === 'localhost' || name === '[::1]' || (isIPv4(name) && name.startsWith('127.'));
}

/** An address, not a name that somebody else answers for. */
export function isAddress(name: string): boolean {
  const plain = name.startsWith('[') ? name.slice(1, -1) : name;
  return isIP(plain) === (name.startsWith('[') ? 6 : 4) && !UNSPECIFIED.includes(name);
}

/** The origin (RFC 6454) of the pages this server itself serves under `host`, as a browser writes it. */
export function originOf(host: RequestHost, scheme: Scheme): string {
  const port = portOf(host, scheme);
  return `${scheme}://${host.name}${port === DEFAULT_PORT[scheme] ? '' : `:${port}`}`;
}

/** The port that is meant, named or not. */
export function portOf({ port }: RequestHost, scheme: Scheme): number {
  return port === 0 ? DEFAULT_PORT[scheme] : port;
}

/** An entry of the hosts that are let in, `name` or `name:port`, is this host. */
export function isListed(host: RequestHost, hosts: readonly string[], scheme: Scheme): boolean {
  return hosts.includes(host.name) || hosts.includes(`${host.name}:${portOf(host, scheme)}`);
}
