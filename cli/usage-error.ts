/** What was typed on the command line means nothing. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
