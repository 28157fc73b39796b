import { DEFAULT_DETACH_KEYS, parseDetachKeys } from './detach-keys.js';
import { UsageError } from './usage-error.js';

describe('parseDetachKeys', () => {
  it.each([
    [DEFAULT_DETACH_KEYS, [0x1c]],
    ['ctrl-p,ctrl-q', [0x10, 0x11]],
    ['ctrl-A,d', [0x01, 0x64]],
    ['ctrl-@', [0]],
    ['ctrl-],~', [0x1d, 0x7e]],
    ['none', []],
  ])('reads %s', (text, bytes) => {
    expect(parseDetachKeys(text)).toEqual(bytes);
  });

  it.each(['', ',', 'ctrl-', 'ctrl-1', 'ctrl-ab', 'alt-x', 'dd', 'é', ' ', 'none,a'])(
    'refuses %j',
    (text) => {
      expect(() => parseDetachKeys(text)).toThrow(UsageError);
    },
  );
});
