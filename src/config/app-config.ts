/** Everything that can be set, checked once at the start. */
export abstract class AppConfig {
  /** Address to listen on. */
  abstract readonly host: string;
  /** Whether others than this machine's own programs can reach it there. */
  abstract readonly isPublic: boolean;
  /** TCP port; 0 takes any free one. */
  abstract readonly port: number;
  /** Where the built page is that browsers are shown; without one, the API is served alone. */
  abstract readonly pageFolder?: string | undefined;
  /** Absolute path of the shell a session runs unless it asks for another. */
  abstract readonly shell: string;
  /** Absolute paths of the shells a client may ask for; holds `shell`. */
  abstract readonly shells: readonly string[];
  /** Where a shell starts unless its session asks for another directory. */
  abstract readonly cwd: string;
  /** Real path of the directory that sessions may ask to start in, and below it; without one, anywhere. */
  abstract readonly cwdRoot?: string | undefined;
  /** How many sessions may run at once; as many ended ones are remembered. */
  abstract readonly maxSessions: number;
  /** Connections that may view one session at once. */
  abstract readonly maxViewers: number;
  /** How long an ended session is kept after its last viewer has left. */
  abstract readonly exitedLingerSeconds: number;
  /** How long a client of `trex.v2` whose connection was lost may come back; its sessions are kept meanwhile. */
  abstract readonly resumeSeconds: number;
  /** How long no output is lost to it meanwhile. */
  abstract readonly resumeHoldSeconds: number;
  /** How long a persistent session runs on that nobody views; 0: for ever. */
  abstract readonly detachedSeconds: number;
  /** Newest output kept per session. */
  abstract readonly logBytes: number;
  /** `none`: whoever reaches it is let in without a token. */
  abstract readonly auth: 'auto' | 'none';
  /** Lets do everything. Without one, only users of this machine are let in. */
  abstract readonly token?: string | undefined;
  /** Lets list, attach and acknowledge. */
  abstract readonly readOnlyToken?: string | undefined;
  /** Names, besides the loopback's own, under which it is reached: `name` or `name:port`. */
  abstract readonly allowedHosts: readonly string[];
  /** Origins, besides the server's own, whose pages may use it. */
  abstract readonly allowedOrigins: readonly string[];
  /** Users of this machine, besides the server's own and root, who need no token. */
  abstract readonly allowedUids: readonly number[];
  /** Proxies whose word on whom they speak for is taken: addresses, or networks as `10.0.0.0/8`. */
  abstract readonly trustedProxies: readonly string[];
  /** WebSockets at once. */
  abstract readonly maxConnections: number;
  /** WebSockets at once from one address. */
  abstract readonly maxConnectionsPerPeer: number;
  /** Running sessions that a connection's client may own; 0: as many as there may be. */
  abstract readonly maxSessionsPerConnection: number;
  /** Sessions that a connection may create at once, and then each second. */
  abstract readonly createBurst: number;
  abstract readonly createRate: number;
  /** Control messages that a connection may send at once, and then each second. */
  abstract readonly messageBurst: number;
  abstract readonly messageRate: number;
  /** Largest message to the server. */
  abstract readonly maxMessageBytes: number;
  /** Largest size of a terminal, in cells. */
  abstract readonly maxColumns: number;
  abstract readonly maxRows: number;
  /** Input that waits for the process, per session; holds one message. */
  abstract readonly inputQueueBytes: number;
  /** The same, in all sessions together. */
  abstract readonly inputTotalBytes: number;
  /** Most output on its way to one client that acknowledges what it has consumed. */
  abstract readonly maxWindowBytes: number;
  /** Most output in the socket of one client. */
  abstract readonly socketBufferBytes: number;
  /** How often a client is pinged, and how long nothing may come from it. */
  abstract readonly pingSeconds: number;
  abstract readonly deadSeconds: number;
  /** How long a request's head may take, and the whole of it. */
  abstract readonly headersSeconds: number;
  abstract readonly requestSeconds: number;
  /** How long a connection may wait for its next request. */
  abstract readonly keepAliveSeconds: number;
  /** How large a request's head may be. */
  abstract readonly maxHeaderBytes: number;
  /** How long a process has, after its hang-up, to end by itself. */
  abstract readonly killSeconds: number;
  /** How long all of the server may take to stop; longer than `killSeconds`. */
  abstract readonly shutdownSeconds: number;
  /** Whether metrics can be asked for at `/metrics`. */
  abstract readonly metrics: boolean;
  abstract readonly logLevel: LogLevel;
}

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
