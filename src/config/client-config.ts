import { ConfigError } from './config-error.js';
import { type Environment, mustBe, readSetting, secret, unknownNames } from './environment.js';
import { type Machine, UNREADABLE } from './machine.js';
import { isLoopback, type Setting, settings } from './settings.js';
import { tokenPath } from './token-path.js';

/** What the commands need to know that ask a running server. */
export interface ClientConfig {
  /** Without a slash at the end. */
  readonly url: string;
  readonly token?: string;
  /** Whether nobody set the token: `trex token` has left it where it is found. */
  readonly isTokenFound: boolean;
}

/** Addresses to listen on at which nobody is reached, and what to ask instead. */
const REACHED_AT: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/**
 * Finds the server, and what it is to be shown: the token that is set, or else the one that `trex token` has written. That
 * was written for a server of this machine, and is shown to no other.
 * @param asked the address that was asked for on the command line, instead of the one that is set
 * @throws {ConfigError}
 */
export function readClientConfig(env: Environment, machine: Machine, asked?: string): ClientConfig {
  const problems = unknownNames(env);
  const read = <T>(setting: Setting<T>): T => readSetting(setting, env, machine, problems);
  const said = asked === undefined ? read(settings.url) : parsedUrl(asked, problems);
  const url = said ?? addressOf(read(settings.host), read(settings.port));
  const told = secret(read(settings.token), settings.tokenFile, read(settings.tokenFile), machine, problems);
  const found = told === undefined && isOfThisMachine(url) ? writtenToken(env, machine, problems) : undefined;
  const token = told ?? found;
  if (problems.length > 0) throw new ConfigError(problems);
  return { url, ...(token !== undefined && { token }), isTokenFound: found !== undefined };
}

function parsedUrl(text: string, problems: string[]): string | undefined {
  const parsed = settings.url.parse(text);
  if ('value' in parsed) return parsed.value;
  problems.push(mustBe({ name: '--url' }, settings.url.accepts, parsed.refused));
  return undefined;
}

function addressOf(host: string, port: number): string {
  const name = REACHED_AT[host] ?? host;
  // The server that took any free port said which.
  return `http://${name.includes(':') ? `[${name}]` : name}:${port === 0 ? settings.port.byDefault : port}`;
}

/** Whether it is on the loopback. */
export function isOfThisMachine(url: string): boolean {
  return isLoopback(new URL(url).hostname.replace(/^\[|\]$/g, ''));
}

function writtenToken(env: Environment, machine: Machine, problems: string[]): string | undefined {
  const path = tokenPath(false, env, machine.home);
  const file = machine.readSecret(path);
  if ('refused' in file && file.refused === UNREADABLE) return undefined;
  return secret(undefined, settings.tokenFile, path, machine, problems);
}
