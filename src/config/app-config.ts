/** Everything that can be set, checked once at the start. */
export abstract class AppConfig {
  /** Address to listen on: a loopback name or address. */
  abstract readonly host: string;
  /** TCP port; 0 takes any free one. */
  abstract readonly port: number;
  /** Absolute path of the shell a session runs unless it asks for another. */
  abstract readonly shell: string;
  /** Absolute paths of the shells a client may ask for; holds `shell`. */
  abstract readonly shells: readonly string[];
  /** Where a shell starts unless its session asks for another directory. */
  abstract readonly cwd: string;
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
  /** Origins, besides the server's own, whose pages may use it. */
  abstract readonly allowedOrigins: readonly string[];
  abstract readonly logLevel: LogLevel;
}

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
