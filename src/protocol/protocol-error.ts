/** What can be wrong with a message itself, before any session is asked. */
export type ProtocolErrorCode =
  | 'BAD_JSON'
  | 'BAD_MESSAGE'
  | 'UNKNOWN_TYPE'
  | 'INVALID_SIZE'
  | 'INVALID_CWD'
  | 'INVALID_SHELL'
  | 'BAD_OFFSET'
  | 'HELLO_REQUIRED'
  | 'RATE_LIMITED';

/** Says which message an error answers, as far as it could be read. */
export interface MessageReference {
  readonly sessionId?: string;
  readonly requestId?: string;
}

/** A message that cannot be taken. `code` is stable; the message is a sentence for whoever wrote the client. */
export class ProtocolError extends Error {
  constructor(
    readonly code: ProtocolErrorCode,
    message: string,
    readonly about: MessageReference = {},
  ) {
    super(message);
    this.name = 'ProtocolError';
  }
}
