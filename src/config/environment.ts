import { closest } from 'fastest-levenshtein';
import { join } from 'node:path';
import { type AppConfig } from './app-config.js';
import { ConfigError } from './config-error.js';
import { type Machine } from './machine.js';
import { isWithin } from './paths.js';
import { isLoopback, isToken, type Setting, settings, TOKEN_FORM } from './settings.js';
import { allowedShells, defaultShell, findShell } from './shells.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where `npm run build` leaves the page: beside the folder that this code runs from, which is `src` or `dist`. */
export const BUILT_PAGE = join(__dirname, '../../dist-page');

/** More of a text than this helps nobody find it. */
const QUOTED_CHARACTERS = 80;

const NO_SHELL =
  'TREX_SHELL must be an absolute path: no shell was found in /etc/shells or in the usual places';

const knownNames: readonly string[] = Object.values(settings).map(({ name }) => name);

/**
 * Turns the environment into a configuration.
 * @throws {ConfigError} with every problem there is; never with the first one only.
 */
export function readEnvironment(env: Environment, machine: Machine): AppConfig {
  const problems = unknownNames(env);
  const read = <T>(setting: Setting<T>): T => readSetting(setting, env, machine, problems);

  const asked = read(settings.shell);
  const shells = allowedShells(machine, executables(read(settings.shells), machine, problems), asked);
  const host = read(settings.host);
  const cwdRoot = directory(settings.cwdRoot, read(settings.cwdRoot), machine, problems);
  const config: AppConfig = {
    host,
    isPublic: !isLoopback(host),
    port: read(settings.port),
    pageFolder: read(settings.page) === 'on' ? BUILT_PAGE : undefined,
    shell: chooseShell(asked, shells, env, machine, problems),
    shells,
    cwd: startingPlace(read(settings.cwd), (env[settings.cwd.name] ?? '') !== '', cwdRoot, machine, problems),
    cwdRoot,
    maxSessions: read(settings.maxSessions),
    maxViewers: read(settings.maxViewers),
    exitedLingerSeconds: read(settings.exitedLingerSeconds),
    resumeSeconds: read(settings.resumeSeconds),
    resumeHoldSeconds: read(settings.resumeHoldSeconds),
    detachedSeconds: read(settings.detachedSeconds),
    logBytes: read(settings.logBytes),
    auth: read(settings.auth),
    token: secret(read(settings.token), settings.tokenFile, read(settings.tokenFile), machine, problems),
    readOnlyToken: secret(
      read(settings.readOnlyToken),
      settings.readOnlyTokenFile,
      read(settings.readOnlyTokenFile),
      machine,
      problems,
    ),
    allowedHosts: read(settings.allowedHosts),
    allowedOrigins: read(settings.allowedOrigins),
    allowedUids: read(settings.allowedUids),
    trustedProxies: read(settings.trustedProxies),
    maxConnections: read(settings.maxConnections),
    maxConnectionsPerPeer: read(settings.maxConnectionsPerPeer),
    maxSessionsPerConnection: read(settings.maxSessionsPerConnection),
    createBurst: read(settings.createBurst),
    createRate: read(settings.createRate),
    messageBurst: read(settings.messageBurst),
    messageRate: read(settings.messageRate),
    maxMessageBytes: read(settings.maxMessageBytes),
    maxColumns: read(settings.maxColumns),
    maxRows: read(settings.maxRows),
    inputQueueBytes: read(settings.inputQueueBytes),
    inputTotalBytes: read(settings.inputTotalBytes),
    maxWindowBytes: read(settings.maxWindowBytes),
    socketBufferBytes: read(settings.socketBufferBytes),
    pingSeconds: read(settings.pingSeconds),
    deadSeconds: read(settings.deadSeconds),
    headersSeconds: read(settings.headersSeconds),
    requestSeconds: read(settings.requestSeconds),
    keepAliveSeconds: read(settings.keepAliveSeconds),
    maxHeaderBytes: read(settings.maxHeaderBytes),
    killSeconds: read(settings.killSeconds),
    shutdownSeconds: read(settings.shutdownSeconds),
    metrics: read(settings.metrics) === 'on',
    logLevel: read(settings.logLevel),
  };
  problems.push(...openDoors(config, env), ...contradictions(config));
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/** What is wrong with the names of settings: somebody meant something by each. */
export function unknownNames(env: Environment): string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith('TREX_') && env[name] !== undefined && !knownNames.includes(name))
    .map(
      (name) => `${shown(name)} is not a setting; did you mean ${closest(name.toUpperCase(), knownNames)}?`,
    );
}

/** The default stands in for what is refused, so that reading goes on and finds the other problems. */
export function readSetting<T>(
  setting: Setting<T>,
  env: Environment,
  machine: Machine,
  problems: string[],
): T {
  const text = env[setting.name];
  if (text === undefined || (text === '' && !setting.refusesEmpty)) return setting.valueByDefault(machine);
  const parsed = setting.parse(text);
  if ('value' in parsed) return parsed.value;
  problems.push(mustBe(setting, setting.accepts, parsed.refused));
  return setting.valueByDefault(machine);
}

function chooseShell(
  asked: string | undefined,
  shells: readonly string[],
  env: Environment,
  machine: Machine,
  problems: string[],
): string {
  const found =
    asked === undefined ? defaultShell(shells, env.SHELL, machine.userShell) : findShell(asked, shells);
  if (found !== undefined) return executable(found, machine, problems);
  const oneOf = `an absolute path, or the name of one of ${shells.map(shown).join(', ')}`;
  const isNone = asked === undefined || shells.length === 0;
  problems.push(isNone ? NO_SHELL : mustBe(settings.shell, oneOf, [asked]));
  return '';
}

/** Whoever is let in gets a shell: that everybody is, somebody must have said, and nothing that contradicts it. */
function openDoors({ isPublic, auth, token, readOnlyToken, host }: AppConfig, env: Environment): string[] {
  const names = [settings.token, settings.tokenFile, settings.readOnlyToken, settings.readOnlyTokenFile];
  const asked = names.map(({ name }) => name).filter((name) => (env[name] ?? '') !== '');
  if (auth === 'none' && asked.length > 0) {
    return [`TREX_AUTH=none lets everybody in without a token: it cannot be set with ${asked.join(', ')}`];
  }
  if (token !== undefined && token === readOnlyToken) {
    return [`${asked.at(-1)} must be another token than ${asked[0]}, which lets do everything`];
  }
  // One that is refused has been told already.
  if (auth === 'none' || token !== undefined || asked.some((name) => !name.includes('READ_ONLY'))) return [];
  if (asked.length > 0) {
    return [`${asked.join(' and ')} alone would let nobody do anything: set TREX_TOKEN_FILE, too`];
  }
  if (!isPublic) return [];
  return [
    `TREX_HOST=${shown(host)} can be reached from elsewhere, and whoever reaches it gets a shell: set TREX_TOKEN_FILE to the file of a token (\`trex token\` writes one), or say TREX_AUTH=none`,
  ];
}

/** Set as it is, or in a file. */
export function secret(
  text: string | undefined,
  fileSetting: Setting<unknown>,
  file: string | undefined,
  machine: Machine,
  problems: string[],
): string | undefined {
  if (file === undefined) return text;
  if (text !== undefined) {
    problems.push(`${fileSetting.name} and ${fileSetting.name.replace('_FILE', '')} cannot both be set`);
    return undefined;
  }
  const read = machine.readSecret(file);
  if ('refused' in read) {
    problems.push(
      `${fileSetting.name} must be a file that nobody else can read: ${shown(file)} ${read.refused}`,
    );
    return undefined;
  }
  // An editor, and `echo`, end a file with a newline.
  const token = read.text.replace(/\r?\n$/, '');
  if (isToken(token)) return token;
  problems.push(`${fileSetting.name}: ${shown(file)} must hold a token, ${TOKEN_FORM}`);
  return undefined;
}

/** Else the server would start, and every session fail. */
function executable(shell: string, machine: Machine, problems: string[]): string {
  if (!machine.mayExecute(shell)) {
    problems.push(mustBe(settings.shell, 'a file that the server may execute', [shell]));
  }
  return shell;
}

/** As {@link executable}. */
function executables(shells: readonly string[], machine: Machine, problems: string[]): readonly string[] {
  const unusable = shells.filter((shell) => !machine.mayExecute(shell));
  if (unusable.length > 0) {
    problems.push(mustBe(settings.shells, 'files that the server may execute', unusable));
  }
  return shells;
}

/** As {@link executable}. @returns the real path */
function directory(
  setting: Setting<unknown>,
  path: string | undefined,
  machine: Machine,
  problems: string[],
): string | undefined {
  if (path === undefined) return undefined;
  const real = machine.directory(path);
  if (real === undefined) problems.push(mustBe(setting, 'a directory that the server may enter', [path]));
  return real;
}

/** Where a session starts that asks for nothing: within the root, where there is one. */
function startingPlace(
  cwd: string,
  isAsked: boolean,
  root: string | undefined,
  machine: Machine,
  problems: string[],
): string {
  const real = directory(settings.cwd, cwd, machine, problems);
  if (real === undefined || root === undefined || isWithin(real, root)) return cwd;
  if (!isAsked) return root;
  problems.push(mustBe(settings.cwd, `within TREX_CWD_ROOT, which is ${shown(root)}`, [cwd]));
  return cwd;
}

/** Settings of which each is right, and that cannot hold together. */
function contradictions(config: AppConfig): string[] {
  const claims: readonly [holds: boolean, claim: string][] = [
    [
      config.inputQueueBytes >= config.maxMessageBytes,
      'TREX_INPUT_QUEUE_BYTES must be at least TREX_MAX_MESSAGE_BYTES',
    ],
    [
      config.inputTotalBytes >= config.inputQueueBytes,
      'TREX_INPUT_TOTAL_BYTES must be at least TREX_INPUT_QUEUE_BYTES',
    ],
    [config.deadSeconds > config.pingSeconds, 'TREX_DEAD_SECONDS must be more than TREX_PING_SECONDS'],
    [
      config.requestSeconds >= config.headersSeconds,
      'TREX_REQUEST_TIMEOUT_SECONDS must be at least TREX_HEADERS_TIMEOUT_SECONDS',
    ],
    [
      config.shutdownSeconds > config.killSeconds,
      'TREX_SHUTDOWN_SECONDS must be more than TREX_KILL_SECONDS',
    ],
  ];
  return claims.filter(([holds]) => !holds).map(([, claim]) => claim);
}

/** `setting`: or an option of the command line. */
export function mustBe(
  setting: { readonly name: string; readonly isSecret?: boolean },
  what: string,
  got: readonly string[],
): string {
  if (setting.isSecret) return `${setting.name} must be ${what}`;
  return `${setting.name} must be ${what}, got ${got.map((text) => `"${shown(text)}"`).join(', ')}`;
}

/** As in a string literal, so that no text can act on the terminal it is shown on. */
function shown(text: string): string {
  const short = text.length > QUOTED_CHARACTERS ? `${text.slice(0, QUOTED_CHARACTERS)}…` : text;
  return JSON.stringify(short)
    .slice(1, -1)
    .replace(/[\x7f-\x9f]/g, (control) => `\\u00${control.charCodeAt(0).toString(16)}`);
}
