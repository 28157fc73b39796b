import { Logger } from '@nestjs/common';
import { SessionError } from '../core/session-error.js';
import { type ErrorMessage } from '../protocol/messages.js';
import { type MessageReference, ProtocolError } from '../protocol/protocol-error.js';
import { InputRefusal } from './typed-input.js';

const logger = new Logger('TerminalError');

/**
 * How an error is told to a client, and logged; a bug is logged whole and told without detail. `meant`: the session that a
 * message is about which names none.
 */
export function errorMessage(error: unknown, about: MessageReference = {}, meant?: string): ErrorMessage {
  if (error instanceof ProtocolError) return refusal(error, { ...about, ...error.about }, meant);
  if (error instanceof SessionError) return refusal(error, about, meant);
  logger.error({ ...recordOf(about, meant), err: error, msg: 'a message met a bug' });
  return { type: 'error', ...about, reason: 'INTERNAL', error: 'something went wrong in the server' };
}

/** What a refusal says is short and repeats nothing of what was typed, so it may be logged as it is. */
function refusal(
  error: ProtocolError | SessionError,
  about: MessageReference,
  meant: string | undefined,
): ErrorMessage {
  const { code: reason, message } = error;
  logger.debug({ ...recordOf(about, meant), reason, msg: message });
  const inputOffset = error instanceof InputRefusal ? error.inputOffset : undefined;
  return { type: 'error', ...about, reason, error: message, inputOffset };
}

function recordOf(about: MessageReference, meant: string | undefined): MessageReference {
  return { ...about, sessionId: about.sessionId ?? meant };
}
