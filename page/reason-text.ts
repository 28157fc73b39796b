import { type FailureReason, RequestFailed } from '../client/client-error.js';
import { Refused } from './api.js';

/** What to do about it, where that can be said. */
const ADVICE: Record<string, string> = {
  SESSION_LIMIT: 'Close a session that is not needed any more, and try again.',
  RATE_LIMITED: 'Wait a second, and try again.',
  INVALID_CWD: 'Its directory is not there any more: start a new session instead.',
  INVALID_SHELL: 'Its shell may not be used any more: start a new session instead.',
  DISCONNECTED: 'There is no connection to the server just now.',
  READ_ONLY: 'You may only watch here.',
  CLOSE_TIMEOUT: 'Its program cannot be ended just now; the server goes on trying.',
  UNAUTHORIZED: 'You are not logged in any more: load the page anew.',
};

/** A sentence or two for people: what failed, the server's words, and what to do. */
export function reasonText(error: unknown, what: string): string {
  if (error instanceof RequestFailed) return sentence(what, error.message, error.reason);
  if (error instanceof Refused) return sentence(what, error.message, error.code);
  return `${what}: the server does not answer.`;
}

/** Why a session that goes on could not be gone on with; nothing for one that does not. */
export function lossText(reason: FailureReason): string | undefined {
  if (reason === 'SESSION_NOT_FOUND' || reason === 'SESSION_ENDED') return undefined;
  if (reason === 'SESSION_LIMIT') return 'as many look at it as may, while this page was away';
  return `the server refused to go on with it (${reason})`;
}

function sentence(what: string, message: string, code: string): string {
  const advice = ADVICE[code];
  return `${what}: ${message}.${advice === undefined ? '' : ` ${advice}`}`;
}
