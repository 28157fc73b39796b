import { shortenPath } from './paths.js';

describe('a path', () => {
  it.each([
    ['/home/you', 20, '/home/you'],
    ['/home/you/projects/trex/src', 20, '…/projects/trex/src'],
    ['/home/you/projects/trex/src', 19, '…/projects/trex/src'],
    ['/home/you/projects/trex/src', 18, '…/trex/src'],
    ['/one-name-that-is-much-too-long', 10, '…-too-long'],
    ['/', 5, '/'],
    ['', 5, ''],
  ])('%s in %i characters is %s', (path, most, short) => {
    expect(shortenPath(path, most)).toBe(short);
    expect(Array.from(short).length).toBeLessThanOrEqual(most);
  });

  it('is measured in characters', () => {
    expect(shortenPath('/😀😀😀/😀😀', 6)).toBe('…/😀😀');
  });
});
