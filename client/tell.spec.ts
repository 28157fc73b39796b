import { tell } from './tell.js';

describe('telling an application', () => {
  it('happens at once', () => {
    let told = false;
    void tell(() => {
      told = true;
    });
    expect(told).toBe(true);
  });

  it('goes on when its handler throws, which the platform is left to report', async () => {
    const failure = new Error('a bug in the application');
    const told = tell(() => {
      throw failure;
    });
    await expect(told).rejects.toBe(failure);
  });
});
