/** sysexits(3) */
export const EXIT = { ok: 0, failure: 1, usage: 64, config: 78 };

/** As docker's and env's: a session's own code is hardly ever this one. */
const NO_SESSIONS_CODE = 125;

/** What a command ends with that fails: of one that ends with the code of its session, nothing that is taken for that. */
export function failureCode(command: string | undefined): number {
  return command === 'new' || command === 'attach' ? NO_SESSIONS_CODE : EXIT.failure;
}
