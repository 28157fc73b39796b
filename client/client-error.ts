import { type ErrorReason } from '../src/protocol/messages.js';

/** The server's reasons, and two of the client's own: it is not connected; the session was detached meanwhile. */
export type FailureReason = ErrorReason | 'DISCONNECTED' | 'DETACHED';

/** What was asked for has not been done, as far as the client knows. `reason` is stable; the message is for people. */
export class RequestFailed extends Error {
  override readonly name = 'RequestFailed';

  constructor(
    readonly reason: FailureReason,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** The server broke the protocol, so nothing after it can be trusted: the connection is closed with 4002. */
export class ServerViolation extends Error {
  override readonly name = 'ServerViolation';
}
