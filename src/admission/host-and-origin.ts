/** The host a request names, as far as it may be let in: a loopback name and a port. */
export interface LoopbackHost {
  /** Lower case; brackets kept: `localhost`, `127.0.0.1`, `[::1]`. */
  readonly name: string;
  readonly port: number;
}

const HTTP_PORT = 80;

const LOOPBACK_HOST =
  /^(?<name>localhost|127\.(?:\d{1,3})\.(?:\d{1,3})\.(?:\d{1,3})|\[::1\])(?::(?<port>[1-9]\d{0,4}))?$/i;

/**
 * Reads a `Host` header (RFC 9110, 7.2) and refuses every name but the loopback's own: whatever else resolves to this
 * machine may be an attacker's name that was made to (DNS rebinding). The whole value must match: no prefix, no other
 * way to write an address.
 */
export function parseLoopbackHost(header: string): LoopbackHost | undefined {
  const { name, port } = LOOPBACK_HOST.exec(header)?.groups ?? {};
  if (!name?.split('.').every(isCanonicalPart)) return undefined;
  const number = port === undefined ? HTTP_PORT : Number(port);
  return number <= 65_535 ? { name: name.toLowerCase(), port: number } : undefined;
}

/** The origin (RFC 6454) of the pages this server itself serves under `host`, as a browser writes it. */
export function originOf(host: LoopbackHost): string {
  return host.port === HTTP_PORT ? `http://${host.name}` : `http://${host.name}:${host.port}`;
}

/** Numbers of an address as everybody reads them: at most 255, no leading zero (octal to some). */
function isCanonicalPart(part: string): boolean {
  return !/^\d/.test(part) || (Number(part) <= 255 && String(Number(part)) === part);
}
