/** Port: UTF-8 → text; what is none reads U+FFFD. */
export type DecodeText = (bytes: Uint8Array) => string;
