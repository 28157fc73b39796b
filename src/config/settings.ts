import { isIP, isIPv4 } from 'node:net';
import { posix } from 'node:path';
import { type AppConfig, LOG_LEVELS, type LogLevel } from './app-config.js';
import { type Machine } from './machine.js';

/** What a text means, or the parts of it that are not acceptable. */
export type Parsed<T> = { readonly value: T } | { readonly refused: readonly string[] };

/** One environment variable. What is read, what is complained about and what the help says all come from here. */
export interface Setting<T> {
  readonly name: `TREX_${string}`;
  /** What it is for, as a sentence. */
  readonly meaning: string;
  /** Completes "… must be". */
  readonly accepts: string;
  /** What holds when it is not set, in words. */
  readonly byDefault: string;
  /** True where an empty text is a mistake, not the absence of one. */
  readonly refusesEmpty?: boolean;
  /** True where nobody may be shown what was set. */
  readonly isSecret?: boolean;
  valueByDefault(machine: Machine): T;
  parse(text: string): Parsed<T>;
}

/**
 * What the settings say, one by one. Which shell runs follows from two of them and the machine: see shells.ts; what the
 * tokens are, from two each: see environment.ts.
 */
export type SettingValues = Omit<AppConfig, 'shell' | 'isPublic' | 'cwdRoot' | 'pageFolder' | 'metrics'> & {
  readonly cwdRoot: string | undefined;
  readonly page: 'on' | 'off';
  readonly metrics: 'on' | 'off';
  /** For clients: without a slash at the end. */
  readonly url: string | undefined;
  /** A path, a bare name, or whatever the machine suggests. */
  readonly shell: string | undefined;
  readonly token: string | undefined;
  readonly readOnlyToken: string | undefined;
  /** Absolute paths. */
  readonly tokenFile: string | undefined;
  readonly readOnlyTokenFile: string | undefined;
};

/**
 * Holds what a lone viewer may be behind before its process stands still: the 64 KiB at which it is paused, the read of
 * up to 64 KiB that goes beyond them, and two more that may be on their way. A smaller log would lose some of it.
 */
export const MIN_LOG_BYTES = 262_144;

/** What may be on its way to a client of which nothing is known yet: no setting makes it less. */
const FIRST_WINDOW_BYTES = 131_072;

/** Long enough not to be guessed, in characters that need no quoting anywhere. */
export const TOKEN_FORM = '22 to 512 of the characters A–Z, a–z, 0–9, _ and -';

export function isToken(text: string): boolean {
  return /^[A-Za-z0-9_-]{22,512}$/.test(text);
}

export const settings: { readonly [K in keyof SettingValues]: Setting<SettingValues[K]> } = {
  host: {
    name: 'TREX_HOST',
    meaning: 'The address to listen on. Others than a loopback need a token, or TREX_AUTH=none.',
    accepts: 'an address or name of this machine',
    byDefault: '127.0.0.1',
    // Elsewhere an empty host means every interface. Whoever wrote one may mean that, and must hear that it is not so.
    refusesEmpty: true,
    valueByDefault: () => '127.0.0.1',
    parse: (text) => accepted(text, isIP(text) !== 0 || isHostName(text)),
  },
  port: wholeNumber({
    name: 'TREX_PORT',
    meaning: 'The TCP port to listen on; 0 takes any free one.',
    min: 0,
    max: 65_535,
    byDefault: 3000,
  }),
  page: onOrOff({
    name: 'TREX_PAGE',
    meaning: 'Whether there is a page with terminals at / (on), or the API alone (off).',
    byDefault: 'on',
  }),
  shell: {
    name: 'TREX_SHELL',
    meaning: 'The shell a session runs unless it asks for another.',
    accepts: 'an absolute path, or the name of an allowed shell',
    byDefault: 'your own shell',
    valueByDefault: () => undefined,
    parse: (text) => accepted(text, isFilePath(text) || isBareName(text)),
  },
  shells: list({
    name: 'TREX_SHELLS',
    meaning: 'Shells that sessions may ask for, besides those of /etc/shells.',
    accepts: 'absolute paths, separated by commas',
    isItem: isFilePath,
  }),
  cwd: {
    name: 'TREX_CWD',
    meaning: 'The directory a session starts in unless it asks for another.',
    accepts: 'an absolute path',
    byDefault: 'your home directory',
    valueByDefault: (machine) => machine.home,
    parse: (text) => accepted(text, isAbsolutePath(text)),
  },
  cwdRoot: {
    name: 'TREX_CWD_ROOT',
    meaning: 'The directory in which, or below which, every session starts. A shell can leave it.',
    accepts: 'an absolute path',
    byDefault: 'none',
    valueByDefault: () => undefined,
    parse: (text) => accepted(text, isAbsolutePath(text)),
  },
  maxSessions: wholeNumber({
    name: 'TREX_MAX_SESSIONS',
    meaning: 'How many sessions may run at once.',
    min: 1,
    max: 10_000,
    byDefault: 64,
  }),
  maxViewers: wholeNumber({
    name: 'TREX_MAX_VIEWERS',
    meaning: 'How many connections may view one session at once.',
    min: 1,
    max: 1000,
    byDefault: 8,
  }),
  exitedLingerSeconds: wholeNumber({
    name: 'TREX_EXITED_LINGER_SECONDS',
    meaning: 'How many seconds an ended session can still be read after its last viewer has left.',
    min: 0,
    max: 86_400,
    byDefault: 60,
  }),
  resumeSeconds: wholeNumber({
    name: 'TREX_RESUME_SECONDS',
    meaning: 'How many seconds the sessions of a trex.v2 client are kept after its connection was lost.',
    min: 0,
    max: 86_400,
    byDefault: 60,
  }),
  resumeHoldSeconds: wholeNumber({
    name: 'TREX_RESUME_HOLD_SECONDS',
    meaning:
      'How many of these seconds a process that prints more than is kept is paused, so that nothing is lost.',
    min: 0,
    max: 86_400,
    byDefault: 30,
  }),
  detachedSeconds: wholeNumber({
    name: 'TREX_DETACHED_SECONDS',
    meaning: 'After how many seconds a persistent session that nobody views is closed; 0: never.',
    min: 0,
    // What a timer can wait: 24 days.
    max: 2_000_000,
    byDefault: 86_400,
  }),
  logBytes: wholeNumber({
    name: 'TREX_LOG_BYTES',
    meaning: 'How many bytes of its newest output are kept for each session.',
    min: MIN_LOG_BYTES,
    max: 67_108_864,
    byDefault: 1_048_576,
  }),
  auth: {
    name: 'TREX_AUTH',
    meaning: 'Who is let in without a token: nobody from elsewhere (auto), or everybody (none).',
    accepts: 'auto or none',
    byDefault: 'auto',
    valueByDefault: () => 'auto',
    parse: (text) => (text === 'auto' || text === 'none' ? { value: text } : { refused: [text] }),
  },
  token: token({
    name: 'TREX_TOKEN',
    meaning:
      'The token that lets in. Every shell can read it where the server was given it: rather use TREX_TOKEN_FILE.',
  }),
  tokenFile: tokenFile({
    name: 'TREX_TOKEN_FILE',
    meaning: 'The file with the token that lets in; `trex token` writes one.',
  }),
  readOnlyToken: token({
    name: 'TREX_READ_ONLY_TOKEN',
    meaning: 'As TREX_TOKEN, for a token that lets list and watch sessions only.',
  }),
  readOnlyTokenFile: tokenFile({
    name: 'TREX_READ_ONLY_TOKEN_FILE',
    meaning:
      'As TREX_TOKEN_FILE, for a token that lets list and watch sessions only; `trex token --read-only` writes one.',
  }),
  allowedHosts: list({
    name: 'TREX_ALLOWED_HOSTS',
    meaning: "Names, besides the loopback's own, under which it is reached, as through a proxy.",
    accepts: 'host names, each with or without a port (trex.example.com), separated by commas',
    isItem: (text) => /^[^:]+(:[1-9]\d{0,4})?$/.test(text) && isHostName(text.split(':')[0]!),
  }),
  allowedOrigins: list({
    name: 'TREX_ALLOWED_ORIGINS',
    meaning: "Origins, besides the server's own, whose pages may use it: whoever they serve gets your shell.",
    accepts: 'origins exactly as a browser sends them (https://example.com), separated by commas',
    isItem: isOrigin,
  }),
  allowedUids: numbers(
    list({
      name: 'TREX_ALLOWED_UIDS',
      meaning:
        'Users of this machine, besides your own and root, who may connect to a loopback without a token (Linux).',
      accepts: 'user ids, separated by commas',
      isItem: (text) => /^(0|[1-9]\d{0,9})$/.test(text),
    }),
  ),
  trustedProxies: list({
    name: 'TREX_TRUST_PROXY',
    meaning: 'Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.',
    accepts: 'addresses or networks (10.0.0.0/8), separated by commas',
    isItem: isNetwork,
  }),
  maxConnections: wholeNumber({
    name: 'TREX_MAX_CONNECTIONS',
    meaning: 'How many WebSockets there may be at once.',
    min: 1,
    max: 10_000,
    byDefault: 128,
  }),
  maxConnectionsPerPeer: wholeNumber({
    name: 'TREX_MAX_CONNECTIONS_PER_PEER',
    meaning: 'How many of them from one address.',
    min: 1,
    max: 10_000,
    byDefault: 32,
  }),
  maxSessionsPerConnection: wholeNumber({
    name: 'TREX_MAX_SESSIONS_PER_CONNECTION',
    meaning:
      'How many running sessions the client of one connection may own; 0: as many as the server allows.',
    min: 0,
    max: 10_000,
    byDefault: 0,
  }),
  createBurst: wholeNumber({
    name: 'TREX_CREATE_BURST',
    meaning: 'How many sessions one connection may create at once.',
    min: 1,
    max: 10_000,
    byDefault: 64,
  }),
  createRate: wholeNumber({
    name: 'TREX_CREATE_RATE',
    meaning: 'How many it may create a second after that.',
    min: 1,
    max: 10_000,
    byDefault: 10,
  }),
  messageBurst: wholeNumber({
    name: 'TREX_MESSAGE_BURST',
    meaning:
      'How many control messages one connection may send at once, not counting input and acknowledgements.',
    min: 100,
    max: 1_000_000,
    byDefault: 1000,
  }),
  messageRate: wholeNumber({
    name: 'TREX_MESSAGE_RATE',
    meaning:
      'How many it may send a second after that; who sends more is read more slowly, and ended after 10 s.',
    min: 10,
    max: 1_000_000,
    byDefault: 200,
  }),
  maxMessageBytes: wholeNumber({
    name: 'TREX_MAX_MESSAGE_BYTES',
    meaning: 'How many bytes one message to the server may have; a larger one closes its connection (1009).',
    // A frame of `trex.v2` has up to 64 KiB.
    min: 131_072,
    max: 67_108_864,
    byDefault: 4_194_304,
  }),
  maxColumns: wholeNumber({
    name: 'TREX_MAX_COLUMNS',
    meaning: 'How many columns a terminal may have.',
    min: 80,
    max: 1000,
    byDefault: 1000,
  }),
  maxRows: wholeNumber({
    name: 'TREX_MAX_ROWS',
    meaning: 'How many rows a terminal may have.',
    min: 24,
    max: 500,
    byDefault: 500,
  }),
  inputQueueBytes: wholeNumber({
    name: 'TREX_INPUT_QUEUE_BYTES',
    meaning: 'How many bytes of input may wait for the process of one session; one message must fit.',
    // What a client of `trex.v2` may have on its way.
    min: 262_144,
    max: 67_108_864,
    byDefault: 4_194_304,
  }),
  inputTotalBytes: wholeNumber({
    name: 'TREX_INPUT_TOTAL_BYTES',
    meaning: 'How many bytes of input may wait in all sessions together.',
    min: 262_144,
    max: 1_073_741_824,
    byDefault: 67_108_864,
  }),
  maxWindowBytes: wholeNumber({
    name: 'TREX_MAX_WINDOW_BYTES',
    meaning:
      'How many bytes of output may be on their way to one client that acknowledges what it has shown.',
    min: FIRST_WINDOW_BYTES,
    max: 16_777_216,
    byDefault: 1_048_576,
  }),
  socketBufferBytes: wholeNumber({
    name: 'TREX_SOCKET_BUFFER_BYTES',
    meaning: 'How many bytes of output may wait in the socket of one client; the rest waits in the logs.',
    min: 65_536,
    max: 16_777_216,
    byDefault: 262_144,
  }),
  pingSeconds: wholeNumber({
    name: 'TREX_PING_SECONDS',
    meaning: 'How often a client is pinged.',
    min: 1,
    max: 600,
    byDefault: 15,
  }),
  deadSeconds: wholeNumber({
    name: 'TREX_DEAD_SECONDS',
    meaning:
      'After how many seconds without anything from it a client is given up; one of trex.v1 after four times as many.',
    min: 2,
    max: 3600,
    byDefault: 30,
  }),
  headersSeconds: wholeNumber({
    name: 'TREX_HEADERS_TIMEOUT_SECONDS',
    meaning:
      "How many seconds the head of an HTTP request may take to come; the WebSocket's handshake is one.",
    min: 1,
    max: 600,
    byDefault: 10,
  }),
  requestSeconds: wholeNumber({
    name: 'TREX_REQUEST_TIMEOUT_SECONDS',
    meaning: 'How many seconds the whole of an HTTP request may take to come.',
    min: 1,
    max: 600,
    byDefault: 15,
  }),
  keepAliveSeconds: wholeNumber({
    name: 'TREX_KEEP_ALIVE_SECONDS',
    meaning: 'How many seconds an HTTP connection may wait for its next request.',
    min: 1,
    max: 600,
    byDefault: 5,
  }),
  maxHeaderBytes: wholeNumber({
    name: 'TREX_MAX_HEADER_BYTES',
    meaning: 'How many bytes the head of an HTTP request may have.',
    min: 1024,
    max: 65_536,
    byDefault: 8192,
  }),
  killSeconds: wholeNumber({
    name: 'TREX_KILL_SECONDS',
    meaning: 'How many seconds a process that is hung up on has to end by itself before it is killed.',
    min: 0,
    max: 60,
    byDefault: 1,
  }),
  shutdownSeconds: wholeNumber({
    name: 'TREX_SHUTDOWN_SECONDS',
    meaning: 'How many seconds the server may take to stop; then it exits, with 1, whatever is left.',
    min: 1,
    max: 600,
    byDefault: 8,
  }),
  metrics: onOrOff({
    name: 'TREX_METRICS',
    meaning: 'Whether there are metrics for Prometheus at /metrics, for whoever may read the API (on).',
    byDefault: 'off',
  }),
  url: {
    name: 'TREX_URL',
    meaning:
      'Where the commands ls, new, attach and kill find the server, which itself does not read it; without it they follow TREX_HOST and TREX_PORT.',
    accepts: 'an address (https://trex.example.com), without a user, a query or a fragment',
    byDefault: 'none',
    valueByDefault: () => undefined,
    parse: (text) => (isServerUrl(text) ? { value: text.replace(/\/+$/, '') } : { refused: [text] }),
  },
  logLevel: {
    name: 'TREX_LOG_LEVEL',
    meaning: 'The least important log lines to write.',
    accepts: `one of ${LOG_LEVELS.join(', ')}`,
    byDefault: 'info',
    valueByDefault: () => 'info',
    parse: (text) =>
      accepted(
        text as LogLevel,
        LOG_LEVELS.some((level) => level === text),
      ),
  },
};

function onOrOff({
  byDefault,
  ...named
}: Pick<Setting<unknown>, 'name' | 'meaning'> & { byDefault: 'on' | 'off' }): Setting<'on' | 'off'> {
  return {
    ...named,
    accepts: 'on or off',
    byDefault,
    valueByDefault: () => byDefault,
    parse: (text) => (text === 'on' || text === 'off' ? { value: text } : { refused: [text] }),
  };
}

function wholeNumber({
  min,
  max,
  byDefault,
  ...named
}: Pick<Setting<number>, 'name' | 'meaning'> & {
  min: number;
  max: number;
  byDefault: number;
}): Setting<number> {
  return {
    ...named,
    accepts: `a whole number from ${min} to ${max}`,
    byDefault: String(byDefault),
    valueByDefault: () => byDefault,
    parse: (text) => {
      // Number() alone also takes "1e1", " 10", "0x10" and "10.0".
      const number = /^(0|[1-9][0-9]*)$/.test(text) ? Number(text) : NaN;
      return number >= min && number <= max ? { value: number } : { refused: [text] };
    },
  };
}

function list({
  isItem,
  ...named
}: Pick<Setting<unknown>, 'name' | 'meaning' | 'accepts'> & {
  isItem: (text: string) => boolean;
}): Setting<readonly string[]> {
  return {
    ...named,
    byDefault: 'none',
    valueByDefault: () => [],
    parse: (text) => {
      const items = [...new Set(text.split(','))];
      const refused = items.filter((item) => !isItem(item));
      return refused.length > 0 ? { refused } : { value: items };
    },
  };
}

function numbers(setting: Setting<readonly string[]>): Setting<readonly number[]> {
  return {
    ...setting,
    valueByDefault: () => [],
    parse: (text) => {
      const parsed = setting.parse(text);
      return 'value' in parsed ? { value: parsed.value.map(Number) } : parsed;
    },
  };
}

function token(named: Pick<Setting<unknown>, 'name' | 'meaning'>): Setting<string | undefined> {
  return {
    ...named,
    accepts: `${TOKEN_FORM}, as \`trex token\` makes them`,
    byDefault: 'none',
    isSecret: true,
    valueByDefault: () => undefined,
    parse: (text) => accepted(text, isToken(text)),
  };
}

function tokenFile(named: Pick<Setting<unknown>, 'name' | 'meaning'>): Setting<string | undefined> {
  return {
    ...named,
    accepts: 'the absolute path of a file that nobody else can read',
    byDefault: 'none',
    valueByDefault: () => undefined,
    parse: (text) => accepted(text, isFilePath(text)),
  };
}

function accepted<T extends string>(text: T, isAccepted: boolean): Parsed<T> {
  return isAccepted ? { value: text } : { refused: [text] };
}

/** Parsed, never matched by its beginning: `127.attacker.example` is a name somebody else answers for. */
export function isLoopback(text: string): boolean {
  if (text === 'localhost' || text === '::1') return true;
  return isIPv4(text) && text.split('.')[0] === '127';
}

function isHostName(text: string): boolean {
  return text.length <= 253 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(text);
}

function isNetwork(text: string): boolean {
  const [address = '', prefix, ...more] = text.split('/');
  const bits = isIPv4(address) ? 32 : 128;
  const isPrefix = prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits);
  return isIP(address) !== 0 && isPrefix && more.length === 0;
}

function isAbsolutePath(text: string): boolean {
  return posix.isAbsolute(text) && !text.includes('\0');
}

function isFilePath(text: string): boolean {
  return isAbsolutePath(text) && !text.endsWith('/');
}

function isBareName(text: string): boolean {
  return !text.includes('/') && !text.includes('\0');
}

function isServerUrl(text: string): boolean {
  return /^https?:\/\/[^?#@\s]+$/.test(text) && URL.canParse(text);
}

/** An extension's origin names the extension, so it is accepted whole or not at all. */
const EXTENSION_ORIGINS = [
  /^chrome-extension:\/\/[a-p]{32}$/,
  /^(moz|safari-web)-extension:\/\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
];

function isOrigin(text: string): boolean {
  if (text === 'null' || EXTENSION_ORIGINS.some((form) => form.test(text))) return true;
  // To a URL, `*` is a character like any other in a host.
  if (!/^https?:\/\/[^*]+$/.test(text) || !URL.canParse(text)) return false;
  return new URL(text).origin === text;
}
