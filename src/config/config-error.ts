/** The server cannot start as it is configured. Holds every problem, so that one look is enough to mend them all. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join('; '));
    this.name = 'ConfigError';
  }
}
