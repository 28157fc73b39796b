/**
 * Loaded into a server before its own code (`--require`): lets the memory hook tell, too, for how long what falls off the
 * log has been searched.
 */
import { join } from 'node:path';

// The built server's own module, of which there is one: not the bench's copy of it.
// eslint-disable-next-line @typescript-eslint/no-require-imports
const { nativeSearch } = require(join(__dirname, '../../../dist/sessions/native-search.js')) as {
  nativeSearch: { lastIndexOf: (...search: unknown[]) => number };
};

const { lastIndexOf } = nativeSearch;
const figures = { searchedMs: 0 };
(globalThis as { benchFigures?: object }).benchFigures = figures;

nativeSearch.lastIndexOf = (...search) => {
  const begun = performance.now();
  const found = lastIndexOf(...search);
  figures.searchedMs += performance.now() - begun;
  return found;
};
