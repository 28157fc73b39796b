/** Where the WebSocket is. */
export const WEBSOCKET_PATH = '/ws';

/** Where a browser trades a token for a cookie. */
export const LOGIN_PATH = '/api/auth';

/** What anybody may read who gets as far as that: whether the server lives, and whether it asks for a token. */
export const OPEN_PATHS: readonly string[] = ['/api/health', '/api/auth/enabled'];
