/** Port: finds bytes without code of ours looking at each of them. */
export interface ByteSearch {
  /** Position of the last `needle` that begins at or before `from`, anywhere unless told; -1 when there is none. */
  lastIndexOf(bytes: Uint8Array, needle: Uint8Array | number, from?: number): number;
}
