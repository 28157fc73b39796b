import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** What whoever knows a token may do: everything, or list, attach and acknowledge. */
export type Access = 'full' | 'readOnly';

/** What a server lets in; without any, nobody needs one. */
export interface Tokens {
  readonly token?: string | undefined;
  readonly readOnlyToken?: string | undefined;
}

const TOKEN_BYTES = 32;

/** A fresh one: 256 bits, in 43 characters. */
export function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

const LOGIN = /^(?<access>full|readOnly)\.(?<until>\d{1,12})\.(?<seal>[\w-]{43})$/;

type Equal = (a: Uint8Array, b: Uint8Array) => boolean;

/** Whoever keeps a browser logged in for longer asks it to log in again. */
const LOGIN_SECONDS = 30 * 24 * 60 * 60;

/**
 * The tokens that a server lets in. They are kept as hashes, and compared as such, in a time that says nothing of how
 * much of a guess was right.
 */
export class AccessTokens {
  private readonly digests: readonly { readonly access: Access; readonly digest: Buffer }[];

  /** `equal`: compares two digests of the same length in constant time. */
  constructor(
    { token, readOnlyToken }: Tokens,
    private readonly equal: Equal = timingSafeEqual,
  ) {
    this.digests = [
      ...(token === undefined ? [] : [{ access: 'full', digest: digestOf(token) } as const]),
      ...(readOnlyToken === undefined
        ? []
        : [{ access: 'readOnly', digest: digestOf(readOnlyToken) } as const]),
    ];
  }

  /** Whether anybody is let in without one. */
  get areRequired(): boolean {
    return this.digests.length > 0;
  }

  accessOf(token: string): Access | undefined {
    const digest = digestOf(token);
    // All of them, whichever it is.
    const [match] = this.digests.filter((known) => this.equal(known.digest, digest));
    return match?.access;
  }

  /**
   * What a browser keeps instead of the token it was logged in with: it says until when, and nobody can make another.
   * `now`: seconds since 1970.
   */
  loginFor(access: Access, now: number): { readonly value: string; readonly seconds: number } {
    const said = `${access}.${now + LOGIN_SECONDS}`;
    return { value: `${said}.${this.sealOf(access, said)}`, seconds: LOGIN_SECONDS };
  }

  /** What a login that has not ended lets do. */
  accessOfLogin(value: string, now: number): Access | undefined {
    const { access, until, seal } = LOGIN.exec(value)?.groups ?? {};
    if (!isAccess(access) || seal === undefined || Number(until) <= now) return undefined;
    const expected = this.sealOf(access, `${access}.${until}`);
    return expected !== undefined && this.equal(digestOf(seal), digestOf(expected)) ? access : undefined;
  }

  /** With a token that is changed, all logins by it end. */
  private sealOf(access: Access, said: string): string | undefined {
    const key = this.digests.find((known) => known.access === access)?.digest;
    return key && createHmac('sha256', key).update(`trex login ${said}`).digest('base64url');
  }
}

function isAccess(text: string | undefined): text is Access {
  return text === 'full' || text === 'readOnly';
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
