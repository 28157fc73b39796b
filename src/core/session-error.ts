/** Every refusal a session or the registry may give. The names are part of the interface: clients act on them. */
export type SessionErrorCode =
  | 'INVALID_SIZE'
  | 'INVALID_SHELL'
  | 'INVALID_CWD'
  | 'INVALID_NAME'
  | 'SESSION_NOT_FOUND'
  | 'SESSION_ENDED'
  | 'SESSION_LIMIT'
  | 'READ_ONLY'
  | 'BAD_OFFSET'
  | 'BAD_INPUT_OFFSET'
  | 'INPUT_QUEUE_FULL'
  | 'SPAWN_FAILED'
  | 'CLOSE_TIMEOUT';

/**
 * An expected refusal. `code` is stable; the message is a sentence a person can act on and holds no secret, so both
 * may be shown to a client. Nothing has been half-done when it is thrown.
 */
export class SessionError extends Error {
  constructor(
    readonly code: SessionErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'SessionError';
  }
}
