/** Where the WebSocket is. */
export const WEBSOCKET_PATH = '/ws';

/** Where a browser trades a token for a cookie. */
export const LOGIN_PATH = '/api/auth';

/** Where metrics are, where there are any. */
export const METRICS_PATH = '/metrics';

/** Where the page is. A link on any other page may lead there. */
export const PAGE_PATH = '/';

const PAGE_FILE = /^\/(assets\/)?[A-Za-z0-9][\w-]*(\.[A-Za-z0-9][\w-]*)+$/;

/**
 * What the page is made of: `/icon.svg`, `/assets/main-4F2A.js`. Like the page itself it is the same text for everybody, who
 * may read it before anybody has logged in.
 */
export function isPageFile(path: string): boolean {
  return PAGE_FILE.test(path);
}

/**
 * What anybody may read who gets as far as that: whether the server lives, whether it is ready for more, and whether it asks
 * for a token.
 */
export const OPEN_PATHS: readonly string[] = ['/api/health', '/api/health/ready', '/api/auth/enabled'];
