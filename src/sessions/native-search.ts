import { type ByteSearch } from '../core/byte-search.js';

const { lastIndexOf } = Buffer.prototype as {
  readonly lastIndexOf: (this: Uint8Array, needle: Uint8Array | number, from: number) => number;
};

/**
 * Node's search. It hops from one last byte of the needle to the one before (`memrchr`): quick for needles that end in
 * something rare, whatever they begin with.
 */
export const nativeSearch: ByteSearch = {
  lastIndexOf(bytes, needle, from = bytes.length) {
    // To Buffer a negative position counts from the end.
    if (from < 0) return -1;
    // Called on the bytes as they are: a Buffer around them would cost as much as a short search.
    return lastIndexOf.call(bytes, needle, from);
  },
};
