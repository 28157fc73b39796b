import { type Scheme } from './host-and-origin.js';

/**
 * Cookies do not know ports: the name says whose this is. Over TLS a browser takes it only from this very host, and gives
 * it to no other (`__Host-`, RFC 6265bis, 4.1.3.2).
 */
export function cookieName(port: number, scheme: Scheme): string {
  return `${scheme === 'https' ? '__Host-' : ''}trex-${port}`;
}

/** A `Set-Cookie` that no script can read, and that no other site's page makes a browser send. */
export function setCookie(name: string, value: string, seconds: number, scheme: Scheme): string {
  const secure = scheme === 'https' ? '; Secure' : '';
  return `${name}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`;
}

/** The values of a cookie in `Cookie` headers. */
export function readCookies(headers: readonly string[], name: string): string[] {
  return headers
    .flatMap((header) => header.split(';'))
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
}
