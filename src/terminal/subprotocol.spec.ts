import { chooseSubprotocol } from './subprotocol.js';

describe('the subprotocol', () => {
  it.each([
    [undefined, 'none'],
    ['', 'none'],
    ['trex.v1', 'trex.v1'],
    ['future.v9, trex.v1', 'trex.v1'],
    ['bearer.secret, trex.v1', 'trex.v1'],
    ['bearer.secret', 'none'],
    ['future.v9', 'unknown'],
    ['future.v9, bearer.secret', 'unknown'],
    ['TREX.V1', 'unknown'],
  ])('for an offer of %p is %p', (offered, chosen) => {
    expect(chooseSubprotocol(offered)).toBe(chosen);
  });
});
