import { type ErrorMessage, RequestFailed } from '../client/trex-client.js';
import { shown } from './shown.js';

/** The command could not do what it was asked for: a sentence that says what to do, without the control characters of others. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';

  /** `code`: the server's, for programs. */
  constructor(
    message: string,
    readonly code?: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
  }
}

/** What the server says in fewer words than a person needs who sees neither its page nor its documents. */
const sentences: Readonly<Record<string, string>> = {
  SESSION_NOT_FOUND: 'there is no such session: see `trex ls`',
  READ_ONLY: 'refused: this token only reads',
};

/** The server's refusal as a failure of the command; what is none stays as it is. */
export function failureOf(error: unknown): Error {
  if (!(error instanceof RequestFailed)) return error as Error;
  const { reason, message } = error;
  return new CommandFailed(sentences[reason] ?? shown(message), reason, { cause: error });
}

/** `why`: what the server said of it. */
export function startFailure(why: ErrorMessage | undefined): CommandFailed {
  const said = shown(why?.error ?? 'its process has failed');
  return new CommandFailed(`the session could not start: ${said}`, why?.reason);
}
