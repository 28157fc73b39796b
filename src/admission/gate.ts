import { HttpException, Injectable, Logger, type NestMiddleware } from '@nestjs/common';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type Socket } from 'node:net';
import { AppConfig } from '../config/app-config.js';
import { Statistics } from '../core/statistics.js';
import { AccessTokens } from './access-token.js';
import {
  admit,
  type AdmissionRequest,
  type AdmissionRules,
  type Admitted,
  type Credentials,
  type Load,
  REFUSAL_REASONS,
  type RefusalReason,
  type Refused,
} from './admit.js';
import { isPageFile, LOGIN_PATH, OPEN_PATHS, PAGE_PATH, WEBSOCKET_PATH } from './doors.js';
import { parseHost, portOf, type Scheme } from './host-and-origin.js';
import { cookieName, readCookies, setCookie } from './login-cookie.js';
import { type Peer, TrustedProxies } from './peer.js';
import { type PeerUser, PeerUsers } from './peer-user.js';
import { WrongTokens } from './wrong-tokens.js';

/** More of a header than this helps nobody, and whoever is refused would choose how long a log line is. */
const LOGGED_CHARACTERS = 100;

/** One line tells of all refusals for the same reason in this time. */
const LOG_EVERY_MS = 60_000;

const ROOT = 0;

const BEARER = /^bearer +(\S+)$/i;
const BEARER_PROTOCOL = 'bearer.';

/** What pages of other origins that are allowed may do. */
const CORS_METHODS = 'GET, POST, PATCH, DELETE';
const CORS_HEADERS = 'Authorization, Content-Type';

/** The gate as the server's two doors use it: what `admit` decides on is gathered here. */
@Injectable()
export class Gate implements NestMiddleware<IncomingMessage, ServerResponse> {
  private readonly logger = new Logger(Gate.name);
  private readonly tokens: AccessTokens;
  private readonly proxies: TrustedProxies;
  private readonly wrongTokens = new WrongTokens();
  private readonly rules: AdmissionRules;
  /** Whether any user of this machine may connect, and no token tells them apart. */
  private readonly asksForUser: boolean;
  /** Of each TCP connection, once. */
  private readonly users = new WeakMap<Socket, Promise<PeerUser>>();
  /** What was let in, and whether it would be anywhere, and not only where everybody is. */
  private readonly admitted = new WeakMap<
    IncomingMessage,
    Admitted & { readonly isAuthenticated: boolean }
  >();
  /** WebSockets, by peer. */
  private readonly connections = new Map<string, number>();
  private readonly loggedAt = new Map<RefusalReason, { atMs: number; unsaid: number }>();

  constructor(
    config: AppConfig,
    private readonly peerUsers: PeerUsers,
    private readonly statistics: Statistics = new Statistics(),
  ) {
    statistics.refusals.gate.know(REFUSAL_REASONS);
    this.tokens = new AccessTokens(config);
    this.proxies = new TrustedProxies(config.trustedProxies);
    const { isPublic } = config;
    const isTokenRequired = this.tokens.areRequired;
    const mayAnybody = isPublic || config.auth === 'none';
    this.asksForUser = process.platform === 'linux' && !mayAnybody && !isTokenRequired;
    this.rules = {
      webSocketPath: WEBSOCKET_PATH,
      loginPath: LOGIN_PATH,
      openPaths: OPEN_PATHS,
      pagePath: PAGE_PATH,
      isPageFile,
      isPublic,
      isTokenRequired,
      allowedHosts: config.allowedHosts,
      allowedOrigins: config.allowedOrigins,
      allowedUsers: [ROOT, process.getuid?.() ?? ROOT, ...config.allowedUids],
      maxConnections: config.maxConnections,
      maxConnectionsPerPeer: config.maxConnectionsPerPeer,
    };
  }

  get isTokenRequired(): boolean {
    return this.tokens.areRequired;
  }

  /** Whether a request that was let in needs no token, or has shown one. */
  isAuthenticated(request: IncomingMessage): boolean {
    return this.admitted.get(request)?.isAuthenticated === true;
  }

  /** Logs and counts what it refuses: to be asked once per request. A WebSocket that it lets in counts until its socket closes. */
  async decide(request: IncomingMessage, isUpgrade: boolean): Promise<Admitted | Refused> {
    const peer = this.peerOf(request);
    const { headersDistinct: headers, method = '', url: target = '' } = request;
    const facts = {
      isUpgrade,
      method,
      target,
      hosts: headers.host ?? [],
      origins: headers.origin ?? [],
      fetchSites: headers['sec-fetch-site'] ?? [],
      fetchModes: headers['sec-fetch-mode'] ?? [],
      fetchDestinations: headers['sec-fetch-dest'] ?? [],
      scheme: peer.scheme,
      credentials: this.credentialsOf(request, peer),
    };
    const decide = (user: AdmissionRequest['user']): ReturnType<typeof admit> =>
      admit({ ...facts, user, load: this.loadBy(peer) }, this.rules);
    let decision = decide(this.asksForUser ? 'unasked' : undefined);
    if (decision === 'askForUser') decision = decide(await this.userOf(request.socket));
    if (decision === 'askForUser') throw new Error('the user has been asked for');
    if ('status' in decision) {
      this.statistics.refusals.gate.add(decision.reason);
      this.log(request, decision);
    } else {
      const isAuthenticated = !this.tokens.areRequired || facts.credentials.access !== undefined;
      this.admitted.set(request, { ...decision, isAuthenticated });
      if (isUpgrade) this.count(peer.name, request.socket);
    }
    return decision;
  }

  /** REST's door. */
  async use(
    request: IncomingMessage,
    response: ServerResponse,
    next: (error?: unknown) => void,
  ): Promise<void> {
    const decision = await this.decide(request, false);
    if (this.rules.allowedOrigins.length > 0) response.setHeader('Vary', 'Origin');
    const [origin = ''] = request.headersDistinct.origin ?? [];
    if (this.rules.allowedOrigins.includes(origin)) invite(request, response, origin);
    if ('status' in decision) {
      for (const [name, value] of Object.entries(decision.headers ?? {})) response.setHeader(name, value);
      // As at the other door: who goes on has to come anew.
      response.setHeader('Connection', 'close');
      next(new HttpException(decision.detail, decision.status));
      return;
    }
    next();
  }

  /** The `Set-Cookie` with which a browser stays logged in that has shown a token; none where none is needed. */
  login(request: IncomingMessage): string | undefined {
    const access = this.admitted.get(request)?.access;
    if (!this.tokens.areRequired || access === undefined) return undefined;
    const { value, seconds } = this.tokens.loginFor(access, nowSeconds());
    return this.cookie(request, value, seconds);
  }

  /** The `Set-Cookie` with which a browser forgets. */
  logout(request: IncomingMessage): string {
    return this.cookie(request, '', 0);
  }

  private cookie(request: IncomingMessage, value: string, seconds: number): string {
    const { scheme } = this.peerOf(request);
    return setCookie(cookieNameFor(request, scheme), value, seconds, scheme);
  }

  private credentialsOf(request: IncomingMessage, peer: Peer): Credentials {
    if (!this.tokens.areRequired) return { areShown: false, isCookie: false };
    const { headersDistinct: headers } = request;
    const shown = [
      // Other schemes are for others, as for a proxy that asks for a password.
      ...(headers.authorization ?? []).flatMap((value) => BEARER.exec(value)?.[1] ?? []),
      ...(headers['sec-websocket-protocol'] ?? [])
        .flatMap((value) => value.split(','))
        .map((name) => name.trim())
        .filter((name) => name.startsWith(BEARER_PROTOCOL))
        .map((name) => name.slice(BEARER_PROTOCOL.length)),
    ];
    const areShown = shown.length > 0;
    const cookies = areShown ? [] : readCookies(headers.cookie ?? [], cookieNameFor(request, peer.scheme));
    const [access] = areShown
      ? shown.map((token) => this.tokens.accessOf(token))
      : cookies.flatMap((value) => this.tokens.accessOfLogin(value, nowSeconds()) ?? []);
    const isCookie = !areShown && cookies.length > 0;
    if (access !== undefined || !areShown) return { areShown, access, isCookie };
    return {
      areShown,
      isCookie,
      retryAfterSeconds: this.wrongTokens.count(peer.name, performance.now()),
    };
  }

  private loadBy({ name }: Peer): Load {
    const connections = Array.from(this.connections.values()).reduce((sum, count) => sum + count, 0);
    return { connections, peerConnections: this.connections.get(name) ?? 0 };
  }

  private peerOf({ socket, headersDistinct: headers }: IncomingMessage): Peer {
    return this.proxies.peerOf(socket.remoteAddress ?? '', {
      addresses: listIn(headers['x-forwarded-for']),
      schemes: listIn(headers['x-forwarded-proto']),
    });
  }

  private async userOf(socket: Socket): Promise<PeerUser> {
    let found = this.users.get(socket);
    if (!found) {
      const { remoteAddress, remotePort = 0, localAddress = '', localPort = 0 } = socket;
      // Of a connection that was reset there is no address any more, even before its end is told.
      if (remoteAddress === undefined) return 'gone';
      found = this.peerUsers.userOf(
        { address: remoteAddress, port: remotePort },
        { address: localAddress, port: localPort },
      );
      this.users.set(socket, found);
    }
    const user = await found;
    // Of a connection that has gone meanwhile, somebody else's may have taken the place.
    return socket.destroyed ? 'gone' : user;
  }

  private count(peer: string, socket: Socket): void {
    this.connections.set(peer, (this.connections.get(peer) ?? 0) + 1);
    socket.once('close', () => {
      const left = (this.connections.get(peer) ?? 1) - 1;
      if (left > 0) this.connections.set(peer, left);
      else this.connections.delete(peer);
    });
  }

  /** The first refusal for each reason at once, and then at most a line a minute: whoever is refused may go on for ever. */
  private log(
    { headersDistinct: { host = [], origin = [] } }: IncomingMessage,
    { reason, detail }: Refused,
  ): void {
    const nowMs = performance.now();
    const last = this.loggedAt.get(reason);
    if (last && nowMs - last.atMs < LOG_EVERY_MS) {
      last.unsaid += 1;
      return;
    }
    this.loggedAt.set(reason, { atMs: nowMs, unsaid: 0 });
    const more = last?.unsaid ? { more: last.unsaid } : {};
    const record = { reason, host: shown(host), origin: shown(origin), ...more, msg: detail };
    // Any client may hang up: nobody has to do anything about it.
    if (reason === 'CLIENT_GONE') this.logger.debug(record);
    else this.logger.warn(record);
  }
}

/** Lets pages of an allowed origin read the answer (the Fetch standard, 3.2). */
function invite({ method, headers }: IncomingMessage, response: ServerResponse, origin: string): void {
  response.setHeader('Access-Control-Allow-Origin', origin);
  if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) return;
  response.setHeader('Access-Control-Allow-Methods', CORS_METHODS);
  response.setHeader('Access-Control-Allow-Headers', CORS_HEADERS);
}

function cookieNameFor({ headers }: IncomingMessage, scheme: Scheme): string {
  return cookieName(portOf(parseHost(headers.host ?? '') ?? { name: '', port: 0 }, scheme), scheme);
}

function listIn(headers: readonly string[] = []): string[] {
  return headers.flatMap((header) => header.split(',')).map((item) => item.trim());
}

function shown(values: readonly string[]): string {
  return values.join(', ').slice(0, LOGGED_CHARACTERS);
}

/** Logins outlive a process: they count in the wall's time. */
function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
