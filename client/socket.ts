/** What the client needs of a WebSocket that was offered {@link subprotocols}. Those of browsers, of Node and of `ws` have it. */
export interface Socket {
  /** Set to `arraybuffer`. */
  binaryType: string;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code: number, reason: string): void;
  addEventListener(type: 'open', listener: () => void): void;
  addEventListener(type: 'error', listener: (event: { readonly error?: unknown }) => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(
    type: 'close',
    listener: (event: { readonly code: number; readonly reason: string }) => void,
  ): void;
}

/** What the client speaks. */
export const SUBPROTOCOL = 'trex.v2';

/** What a WebSocket to the server is to offer: what the client speaks, and the token, where the server asks for one. */
export function subprotocols(token?: string): string[] {
  return token === undefined ? [SUBPROTOCOL] : [SUBPROTOCOL, `bearer.${token}`];
}
