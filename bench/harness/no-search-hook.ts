/** Loaded into a server before its own code (`--require`): what falls off the log is not searched. */
import { join } from 'node:path';

// The built server's own module, of which there is one: not the bench's copy of it.
// eslint-disable-next-line @typescript-eslint/no-require-imports
const { nativeSearch } = require(join(__dirname, '../../../dist/sessions/native-search.js')) as {
  nativeSearch: { lastIndexOf: () => number };
};

nativeSearch.lastIndexOf = () => -1;
