/** What the client needs of a WebSocket that speaks {@link SUBPROTOCOL}. The browser's and that of `ws` have it. */
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

/** To be offered to the server as the WebSocket's only subprotocol. */
export const SUBPROTOCOL = 'trex.v2';
