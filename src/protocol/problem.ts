/** An error as HTTP tells it: RFC 9457 problem details, with our stable `code`. */
export interface Problem {
  /** `about:blank`: the status says what kind of problem it is. */
  readonly type: 'about:blank';
  /** The status in words. */
  readonly title: string;
  readonly status: number;
  /** A sentence a person can act on. */
  readonly detail: string;
  readonly code: string;
}

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

export function problem(status: number, title: string, code: string, detail: string): Problem {
  return { type: 'about:blank', title, status, detail, code };
}

/** `Not Found` → `NOT_FOUND`: the code of a problem that has none of its own. */
export function codeOfTitle(title: string): string {
  return title.toUpperCase().replaceAll(/[^A-Z]+/g, '_');
}
