import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type ClientRequest, type IncomingMessage, request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { connect as connectSecurely, type TLSSocket } from 'node:tls';
import { type ClientOptions } from 'ws';
import { selfSigned } from './certificate.js';
import { installed } from './installed.js';
import { Program } from './program.js';
import { type Answer } from './test-server.js';
import { PATIENCE_MS, until } from './until.js';

const ROOT = resolve(__dirname, '../..');

/** The name in the files of `deploy/`. */
export const PROXY_NAME = 'trex.example.com';

/** Of the loopback, and nobody else's: a port that is free there stays free until the proxy listens on it. */
const PROXY_ADDRESS = '127.0.0.77';

/** As whom a proxy runs where the tests are root's: as another user than the server, as is usual. */
export const PROXY_UID = 65_534;

/** What differs between the machine that a file of `deploy/` is written for and this one. */
interface Place {
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly serverPort: number;
  readonly hasIPv6: boolean;
}

/** A proxy that people put in front of the server. */
export interface ProxyKind {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  /** The file in `deploy/`. */
  readonly file: string;
  /** All it is started with, by name, in the folder that it runs in; made from the shipped file and nothing like it. */
  files(shipped: string, place: Place): Readonly<Record<string, string>>;
}

export const nginx: ProxyKind = {
  name: 'nginx',
  program: 'nginx',
  // By itself it would write to the system's log.
  args: ['-e', 'stderr', '-p', '.', '-c', 'nginx.conf'],
  file: 'deploy/nginx.conf',
  files: (shipped, { httpPort, httpsPort, serverPort, hasIPv6 }) => ({
    // One process, so that nothing of it is left when that is killed.
    'nginx.conf': `
      daemon off;
      master_process off;
      pid nginx.pid;
      error_log stderr;
      events {}
      http {
        access_log off;
        client_body_temp_path body;
        proxy_temp_path proxy;
        fastcgi_temp_path fastcgi;
        uwsgi_temp_path uwsgi;
        scgi_temp_path scgi;
        include trex.conf;
      }`,
    'trex.conf': replaced(shipped, [
      [/listen 80;/, `listen ${PROXY_ADDRESS}:${httpPort};`],
      [/listen 443 ssl;/, `listen ${PROXY_ADDRESS}:${httpsPort} ssl;`],
      [/listen \[::\]:80;/, hasIPv6 ? `listen [::1]:${httpPort};` : ''],
      [/listen \[::\]:443 ssl;/, hasIPv6 ? `listen [::1]:${httpsPort} ssl;` : ''],
      [/(ssl_certificate +)\/\S+;/, '$1certificate.pem;'],
      [/(ssl_certificate_key +)\/\S+;/, '$1key.pem;'],
      [/127\.0\.0\.1:3000/, `127.0.0.1:${serverPort}`],
    ]),
  }),
};

export const caddy: ProxyKind = {
  name: 'Caddy',
  program: 'caddy',
  args: ['run', '--config', 'Caddyfile', '--adapter', 'caddyfile'],
  file: 'deploy/Caddyfile',
  files: (shipped, { httpPort, httpsPort, serverPort }) => ({
    Caddyfile: `
      {
        admin off
        default_bind ${PROXY_ADDRESS}
        http_port ${httpPort}
        https_port ${httpsPort}
      }
      import trex.caddy`,
    'trex.caddy': replaced(shipped, [
      // It would ask for a certificate: it is given one, as the file says it may be.
      [/# tls \/\S+ \/\S+/, 'tls certificate.pem key.pem'],
      [/127\.0\.0\.1:3000/, `127.0.0.1:${serverPort}`],
    ]),
  }),
};

/** The text of the file in `deploy/`. */
export function shippedFile({ file }: ProxyKind): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

interface Asked {
  readonly headers?: Readonly<Record<string, string>>;
  /** The client's address. */
  readonly from?: string;
}

/** A proxy in front of a server, with its clients' ways in. */
export class RunningProxy {
  constructor(
    private readonly place: Place,
    /** Whom clients trust. */
    private readonly certificate: string,
  ) {}

  /** One request over HTTPS, on a connection of its own, to the proxy's name unless a header says another. */
  request(method: string, path: string, { headers, from = '127.0.0.1' }: Asked = {}): Promise<Answer> {
    return answerTo(
      secureRequest({
        host: PROXY_ADDRESS,
        port: this.place.httpsPort,
        servername: PROXY_NAME,
        ca: this.certificate,
        localAddress: from,
        method,
        path,
        headers: { Host: PROXY_NAME, ...headers },
        agent: false,
      }),
    );
  }

  /** The answer to a WebSocket's handshake; one that succeeds ends there. */
  handshake(asked: Asked = {}, path = '/ws'): Promise<Answer> {
    return this.request('GET', path, { ...asked, headers: { ...HANDSHAKE, ...asked.headers } });
  }

  /** One request in clear text. */
  plainRequest(method: string, path: string, headers: Record<string, string> = {}): Promise<Answer> {
    const port = this.place.httpPort;
    const options = { host: PROXY_ADDRESS, port, method, path, agent: false };
    return answerTo(plainRequest({ ...options, headers: { Host: PROXY_NAME, ...headers } }));
  }

  /** What a WebSocket needs to come over HTTPS. */
  webSocket({ headers, from = '127.0.0.1' }: Asked = {}): ClientOptions {
    return {
      headers: { Host: PROXY_NAME, ...headers },
      createConnection: (): TLSSocket =>
        connectSecurely({
          socket: connect({ host: PROXY_ADDRESS, port: this.place.httpsPort, localAddress: from }),
          servername: PROXY_NAME,
          ca: this.certificate,
        }),
    };
  }
}

const HANDSHAKE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dHJleCB0cmV4IHRyZXggdA==',
};

/** Puts a proxy in front of a server, as its file in `deploy/` says; it is ended, and its folder removed, after the test. */
export function useProxy(kind: ProxyKind): (server: { readonly port: number }) => Promise<RunningProxy> {
  const started: { readonly program: Program; readonly folder: string }[] = [];
  afterEach(async () => {
    for (const { program, folder } of started.splice(0)) {
      await program.kill();
      rmSync(folder, { recursive: true });
    }
  });
  return async ({ port: serverPort }) => {
    const [httpPort, httpsPort] = await freePorts();
    const place = { httpPort, httpsPort, serverPort, hasIPv6: hasIPv6() };
    const { certificate, key } = selfSigned(PROXY_NAME);
    const files = { ...kind.files(shippedFile(kind), place), 'certificate.pem': certificate, 'key.pem': key };
    const { folder, user } = folderWith(files);
    const env = { PATH: process.env.PATH, HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder };
    const program = new Program(
      spawn(installed(kind.program)!, kind.args, {
        cwd: folder,
        env,
        ...user,
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
    started.push({ program, folder });
    await until(
      async () => program.exit !== undefined || ((await listens(httpPort)) && (await listens(httpsPort))),
      `${kind.name} listens`,
    ).catch((error: Error) => {
      throw new Error(`${error.message}; it said:\n${program.stderr}`);
    });
    if (program.exit) throw new Error(`${kind.name} ended instead of listening:\n${program.stderr}`);
    return new RunningProxy(place, certificate);
  };
}

/** @throws when a pattern is not there: the file is another than the one that the test knows how to move */
function replaced(text: string, pairs: readonly (readonly [pattern: RegExp, by: string])[]): string {
  return pairs.reduce((before, [pattern, by]) => {
    if (!pattern.test(before)) throw new Error(`the shipped file has no ${String(pattern)}`);
    return before.replace(pattern, by);
  }, text);
}

/** A folder that the proxy owns. */
function folderWith(files: Readonly<Record<string, string>>): {
  readonly folder: string;
  readonly user: { readonly uid?: number; readonly gid?: number };
} {
  const folder = mkdtempSync(join(tmpdir(), 'trex-proxy-'));
  const user = process.getuid?.() === 0 ? { uid: PROXY_UID, gid: PROXY_UID } : {};
  const paths = Object.entries(files).map(([name, text]) => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  });
  if (user.uid !== undefined) for (const path of [folder, ...paths]) chownSync(path, user.uid, user.gid);
  return { folder, user };
}

async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()] as const;
  const ports = servers.map(async (server) => {
    await once(server.listen(0, PROXY_ADDRESS), 'listening');
    return (server.address() as AddressInfo).port;
  });
  const [first, second] = await Promise.all(ports);
  await Promise.all(servers.map((server: Server) => once(server.close(), 'close')));
  return [first!, second!];
}

async function listens(port: number): Promise<boolean> {
  const socket: Socket = connect(port, PROXY_ADDRESS);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    // Not yet.
    return false;
  } finally {
    socket.destroy();
  }
}

async function answerTo(sent: ClientRequest): Promise<Answer> {
  sent.setTimeout(PATIENCE_MS, () => sent.destroy(new Error(`no answer within ${PATIENCE_MS} ms`)));
  sent.end();
  const response = await new Promise<IncomingMessage>((answered, failed) => {
    sent.once('response', answered);
    sent.once('upgrade', (upgraded, socket: Socket) => {
      socket.destroy();
      answered(upgraded);
    });
    sent.once('error', failed);
  });
  response.setEncoding('utf8');
  let body = '';
  // An upgrade has none, and never ends.
  if (response.statusCode !== 101) for await (const text of response) body += text as string;
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}

function hasIPv6(): boolean {
  return Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));
}
