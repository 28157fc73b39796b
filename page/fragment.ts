import { SESSION_ID } from '../src/protocol/session-id.js';

/** What the part of the address behind `#` asks for: `#session=s3&readonly&token=…`. */
export interface Fragment {
  readonly session?: string;
  /** Only watch. */
  readonly isReadOnly: boolean;
  /** Lets in, once; it does not stay in the address. */
  readonly token?: string;
}

/** Whatever is not understood is passed over: an address is anybody's text. */
export function parseFragment(hash: string): Fragment {
  const fields = new Map<string, string>();
  for (const part of hash.replace(/^#/, '').split('&')) {
    const [name = '', ...value] = part.split('=');
    fields.set(name, decode(value.join('=')));
  }
  const session = fields.get('session');
  const token = fields.get('token');
  return {
    ...(session !== undefined && SESSION_ID.test(session) && { session }),
    isReadOnly: fields.has('readonly') && !['0', 'false'].includes(fields.get('readonly') ?? ''),
    ...(token && { token }),
  };
}

export function formatFragment({ session, isReadOnly, token }: Fragment): string {
  const parts = [
    ...(session === undefined ? [] : [`session=${encodeURIComponent(session)}`]),
    ...(isReadOnly ? ['readonly'] : []),
    ...(token === undefined ? [] : [`token=${encodeURIComponent(token)}`]),
  ];
  return parts.length > 0 ? `#${parts.join('&')}` : '';
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A lone `%`: taken as it is.
    return text;
  }
}
