import { type Access } from './access-token.js';
import { isAddress, isListed, isLoopbackName, originOf, parseHost, type Scheme } from './host-and-origin.js';
import { type PeerUser } from './peer-user.js';

/** What the gate looks at. Of a header, all values in the order they came. */
export interface AdmissionRequest {
  /** Whether it asks for the WebSocket. */
  readonly isUpgrade: boolean;
  readonly method: string;
  /** As the request line has it. */
  readonly target: string;
  readonly hosts: readonly string[];
  readonly origins: readonly string[];
  /** `Sec-Fetch-Site`: how far from this server the page is that asks. */
  readonly fetchSites: readonly string[];
  /** `Sec-Fetch-Mode` and `Sec-Fetch-Dest`: what for. */
  readonly fetchModes: readonly string[];
  readonly fetchDestinations: readonly string[];
  /** How the client came: over TLS, as far as a proxy that is believed says. */
  readonly scheme: Scheme;
  /**
   * The user at the other end. `unasked`: to find out takes a while, and is not worth it for whoever is refused anyway.
   * Without it, that is not looked at: a token is asked for, or whoever reaches the server is to be let in.
   */
  readonly user?: PeerUser | 'unasked';
  readonly credentials: Credentials;
  readonly load: Load;
}

/** What a request shows of a token. */
export interface Credentials {
  /** Whether it shows any. */
  readonly areShown: boolean;
  /** What they let do; missing when they are wrong. */
  readonly access?: Access;
  /** Whether they are a browser's cookie, which it sends whoever asks for the request. */
  readonly isCookie: boolean;
  /** Whether this peer has shown too many wrong ones: it has to wait so many seconds. */
  readonly retryAfterSeconds?: number;
}

/** How much is there already. */
export interface Load {
  readonly connections: number;
  /** Of the same peer. */
  readonly peerConnections: number;
}

export interface AdmissionRules {
  /** Where the WebSocket is. */
  readonly webSocketPath: string;
  /** Whether the server listens where others than this machine's programs can reach it. */
  readonly isPublic: boolean;
  /** Names, besides the loopback's own, under which it is reached: `name` or `name:port`. */
  readonly allowedHosts: readonly string[];
  /** Origins, besides the server's own, whose pages are let in. Compared whole, as a browser writes them. */
  readonly allowedOrigins: readonly string[];
  /** Users of this machine who are let in without a token. */
  readonly allowedUsers: readonly number[];
  readonly isTokenRequired: boolean;
  /** Open without a token: reading these paths. */
  readonly openPaths: readonly string[];
  /** Where the page is, to which links of other sites may lead; open, and so are the files it is made of. */
  readonly pagePath: string;
  readonly isPageFile: (path: string) => boolean;
  /** Where a browser trades its token for a cookie, whatever the token lets do, and where anybody may log out. */
  readonly loginPath: string;
  readonly maxConnections: number;
  readonly maxConnectionsPerPeer: number;
}

/** Come in. */
export interface Admitted {
  readonly access: Access;
}

export const REFUSAL_REASONS = [
  'BAD_TARGET',
  'NO_WEBSOCKET_HERE',
  'HOST_NOT_ALLOWED',
  'ORIGIN_NOT_ALLOWED',
  'USER_NOT_ALLOWED',
  'CLIENT_GONE',
  'TOKEN_REQUIRED',
  'WRONG_TOKEN',
  'TOO_MANY_WRONG_TOKENS',
  'COOKIE_WITHOUT_ORIGIN',
  'READ_ONLY',
  'CONNECTION_LIMIT',
  'PEER_CONNECTION_LIMIT',
] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** Why not, as HTTP tells it. */
export interface Refused {
  /** For programs that count. */
  readonly reason: RefusalReason;
  readonly status: 400 | 401 | 403 | 404 | 429 | 503;
  /** A sentence. */
  readonly detail: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Longer than any path of this server can be. */
const MAX_TARGET = 2048;

const READING = ['GET', 'HEAD', 'OPTIONS'];

/**
 * The one gate: REST and the WebSocket's upgrade both ask it, before anything else of a request is looked at. Each check
 * says why it refuses, or nothing; who passes all of them comes in. A web page can make its visitor's browser send
 * requests here; what it cannot do is forge `Host`, `Origin` and `Sec-Fetch-Site`.
 * @returns `askForUser` when that is what it depends on, and nobody has asked
 */
export function admit(request: AdmissionRequest, rules: AdmissionRules): Admitted | Refused | 'askForUser' {
  const refused = refuseTarget(request, rules) ?? refuseHost(request, rules) ?? refuseOrigin(request, rules);
  if (refused) return refused;
  if (request.user === 'unasked') return 'askForUser';
  const unwelcome = refuseUser(request, rules) ?? refuseToken(request, rules) ?? refuseLoad(request, rules);
  if (unwelcome) return unwelcome;
  // What is open to everybody is there to be read.
  return { access: rules.isTokenRequired ? (request.credentials.access ?? 'readOnly') : 'full' };
}

type Check = (request: AdmissionRequest, rules: AdmissionRules) => Refused | undefined;

/** A path, as a client of this server writes it; where two readers could see two different ones, nobody reads on. */
const refuseTarget: Check = ({ isUpgrade, target }, { webSocketPath }) => {
  const path = pathOf(target);
  const isPlain = target.length <= MAX_TARGET && /^\/[\x21\x22\x24-\x5b\x5d-\x7e]*$/.test(target);
  if (!isPlain)
    return {
      reason: 'BAD_TARGET',
      status: 400,
      detail: `the target must be a path, of at most ${MAX_TARGET} characters`,
    };
  if (isUpgrade && path !== webSocketPath) {
    return { reason: 'NO_WEBSOCKET_HERE', status: 404, detail: `the WebSocket is at ${webSocketPath}` };
  }
  return undefined;
};

/** A name that leads here may be an attacker's, made to (DNS rebinding): only those that are known are answered to. */
const refuseHost: Check = ({ hosts, scheme }, { isPublic, allowedHosts }) => {
  const [host] = hosts.length === 1 ? hosts.map(parseHost) : [];
  const isKnown =
    host &&
    (isLoopbackName(host.name) || (isPublic && isAddress(host.name)) || isListed(host, allowedHosts, scheme));
  if (isKnown) return undefined;
  return {
    reason: 'HOST_NOT_ALLOWED',
    status: 403,
    detail: isPublic
      ? 'refused: the Host header must be an address, or a name of TREX_ALLOWED_HOSTS'
      : 'refused: the Host header must name the loopback interface, as localhost or 127.0.0.1 do; see TREX_ALLOWED_HOSTS',
  };
};

const refuseOrigin: Check = (request, { allowedOrigins, pagePath }) => {
  const { hosts, origins, fetchSites, scheme } = request;
  const [origin] = origins;
  const host = parseHost(hosts[0] ?? '');
  const isListedOrigin = origins.length === 1 && allowedOrigins.includes(origin!);
  const isOwn = origins.length === 1 && host !== undefined && origin === originOf(host, scheme);
  // Another port of this machine is the same site, and another program.
  const isNear = fetchSites.every((site) => site === 'same-origin' || site === 'none');
  if (isListedOrigin || (isNear && fetchSites.length <= 1 && (isOwn || origins.length === 0)))
    return undefined;
  if (isLink(request) && pathOf(request.target) === pagePath) return undefined;
  return {
    reason: 'ORIGIN_NOT_ALLOWED',
    status: 403,
    detail: 'refused: pages of this origin may not use this server; see TREX_ALLOWED_ORIGINS',
  };
};

/**
 * Whether another site's page leads its visitor here, in a window that becomes ours: it can neither read the answer nor
 * frame it, and what it has chosen is the address.
 */
function isLink({
  isUpgrade,
  method,
  origins,
  fetchSites,
  fetchModes,
  fetchDestinations,
}: AdmissionRequest): boolean {
  const [site = '', ...more] = fetchSites;
  return (
    !isUpgrade &&
    ['GET', 'HEAD'].includes(method) &&
    origins.length === 0 &&
    ['cross-site', 'same-site'].includes(site) &&
    more.length === 0 &&
    fetchModes.join() === 'navigate' &&
    fetchDestinations.join() === 'document'
  );
}

/** Every user of a machine may connect to its loopback. */
const refuseUser: Check = ({ user }, { allowedUsers }) => {
  if (user === undefined || (typeof user === 'number' && allowedUsers.includes(user))) return undefined;
  if (user === 'gone') {
    return {
      reason: 'CLIENT_GONE',
      status: 403,
      detail: 'refused: the connection was closed at the other end before it was known whose it is',
    };
  }
  return {
    reason: 'USER_NOT_ALLOWED',
    status: 403,
    detail:
      'refused: only the user that runs this server and root may use it without a token; see TREX_ALLOWED_UIDS and TREX_TOKEN_FILE',
  };
};

const refuseToken: Check = (request, rules): Refused | undefined => {
  const { isTokenRequired, openPaths, loginPath, pagePath, isPageFile } = rules;
  const { isUpgrade, method, target, origins, credentials } = request;
  const path = pathOf(target);
  // A browser asks without credentials whether it may ask with them.
  const isOpen =
    method === 'OPTIONS' ||
    (READING.includes(method) && (openPaths.includes(path) || path === pagePath || isPageFile(path))) ||
    (method === 'DELETE' && path === loginPath);
  if (!isTokenRequired || (isOpen && !isUpgrade)) return undefined;
  const { areShown, access, isCookie, retryAfterSeconds } = credentials;
  if (access === undefined) {
    if (areShown && retryAfterSeconds !== undefined) {
      return {
        reason: 'TOO_MANY_WRONG_TOKENS',
        status: 429,
        detail: 'refused: too many wrong tokens; wait before the next',
        headers: { 'Retry-After': String(retryAfterSeconds) },
      };
    }
    return {
      reason: areShown ? 'WRONG_TOKEN' : 'TOKEN_REQUIRED',
      status: 401,
      detail: 'refused: a token is needed, as `Authorization: Bearer` or in the subprotocol `bearer.TOKEN`',
      headers: { 'WWW-Authenticate': 'Bearer realm="trex"' },
    };
  }
  const isReading = READING.includes(method) && !isUpgrade;
  // A browser that says of no page that it asks cannot be told from one that was made to.
  if (isCookie && origins.length === 0 && !isReading) {
    return {
      reason: 'COOKIE_WITHOUT_ORIGIN',
      status: 403,
      detail: 'refused: with a cookie, the Origin header must say which page asks',
    };
  }
  if (access === 'readOnly' && !isReading && !isUpgrade && path !== loginPath) {
    return { reason: 'READ_ONLY', status: 403, detail: 'refused: this token only reads' };
  }
  return undefined;
};

const refuseLoad: Check = ({ isUpgrade, load }, { maxConnections, maxConnectionsPerPeer }) => {
  if (!isUpgrade) return undefined;
  if (load.connections >= maxConnections) {
    return {
      reason: 'CONNECTION_LIMIT',
      status: 503,
      detail: `there are ${load.connections} connections, as many as are allowed`,
    };
  }
  if (load.peerConnections >= maxConnectionsPerPeer) {
    return {
      reason: 'PEER_CONNECTION_LIMIT',
      status: 503,
      detail: `there are ${load.peerConnections} connections from this address, as many as are allowed`,
    };
  }
  return undefined;
};

function pathOf(target: string): string {
  return target.split('?', 1)[0]!;
}
