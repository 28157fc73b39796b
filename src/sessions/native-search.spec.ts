import { nativeSearch } from './native-search.js';

describe('the native search', () => {
  const bytes = Uint8Array.of(1, 2, 3, 1, 2);

  it('finds the last place of a byte and of a needle', () => {
    expect(nativeSearch.lastIndexOf(bytes, 1)).toBe(3);
    expect(nativeSearch.lastIndexOf(bytes, Uint8Array.of(1, 2))).toBe(3);
    expect(nativeSearch.lastIndexOf(bytes, 9)).toBe(-1);
    expect(nativeSearch.lastIndexOf(new Uint8Array(), 1)).toBe(-1);
  });

  it('finds what begins at or before a position', () => {
    expect(nativeSearch.lastIndexOf(bytes, Uint8Array.of(1, 2), 3)).toBe(3);
    expect(nativeSearch.lastIndexOf(bytes, Uint8Array.of(1, 2), 2)).toBe(0);
    expect(nativeSearch.lastIndexOf(bytes, 1, -1)).toBe(-1);
  });

  it('searches only the part it is given', () => {
    expect(nativeSearch.lastIndexOf(bytes.subarray(1, 3), 1)).toBe(-1);
    expect(nativeSearch.lastIndexOf(bytes.subarray(1, 4), 1)).toBe(2);
  });
});
