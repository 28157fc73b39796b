import { ConfigError } from './config-error.js';

describe('ConfigError', () => {
  it('tells every problem, one by one and in one line', () => {
    const error = new ConfigError(['A is missing', 'B must be 1']);

    expect(error.problems).toEqual(['A is missing', 'B must be 1']);
    expect(error.message).toBe('A is missing; B must be 1');
  });
});
