import { type DecodeText } from '../core/decode-text.js';

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Node's decoder. */
export const nativeText: DecodeText = (bytes) => decoder.decode(bytes);
