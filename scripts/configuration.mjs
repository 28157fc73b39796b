/**
 * Generates docs/configuration.md from the table of settings (`npm run configuration`), or checks that the committed one is
 * what the built program reads today. What is written here is how they are grouped, and what is no setting of ours.
 */
import { format, resolveConfig } from 'prettier';
import { readEnvironment } from '../dist/config/environment.js';
import { settings } from '../dist/config/settings.js';
import { writeOrCheck } from './committed-file.mjs';

const DOCUMENT = 'docs/configuration.md';
const COMMAND = 'npm run configuration';

const TOPICS = [
  ['Where it listens', '', ['host', 'port', 'page', 'allowedHosts', 'trustedProxies', 'allowedOrigins']],
  [
    'Who is let in',
    '[SECURITY.md](../SECURITY.md) says what each of these keeps out.',
    ['auth', 'tokenFile', 'readOnlyTokenFile', 'token', 'readOnlyToken', 'allowedUids'],
  ],
  ['What a session runs', '', ['shell', 'shells', 'cwd', 'cwdRoot', 'maxColumns', 'maxRows']],
  [
    'How many',
    '[Operations](operations.md) says what each of them costs, and what the machine has to allow.',
    [
      'maxSessions',
      'maxViewers',
      'maxConnections',
      'maxConnectionsPerPeer',
      'maxSessionsPerConnection',
      'createBurst',
      'createRate',
      'messageBurst',
      'messageRate',
    ],
  ],
  [
    'How long sessions stay',
    '',
    [
      'resumeSeconds',
      'resumeHoldSeconds',
      'exitedLingerSeconds',
      'detachedSeconds',
      'killSeconds',
      'shutdownSeconds',
    ],
  ],
  [
    'Memory',
    '[The formula](memory.md) adds them up.',
    [
      'logBytes',
      'inputQueueBytes',
      'inputTotalBytes',
      'maxMessageBytes',
      'maxWindowBytes',
      'socketBufferBytes',
      'maxHeaderBytes',
    ],
  ],
  [
    'Connections that are slow or silent',
    '',
    ['pingSeconds', 'deadSeconds', 'headersSeconds', 'requestSeconds', 'keepAliveSeconds'],
  ],
  [
    'The other commands',
    '`trex ls`, `new`, `attach` and `kill` read this one, and where the server listens.',
    ['url'],
  ],
  ['What it tells', '[What a running server tells](observability.md) has the rest.', ['metrics', 'logLevel']],
];

/** The last part of a name is its unit. */
const UNITS = { BYTES: 'bytes', SECONDS: 's', RATE: 'per second', COLUMNS: 'columns', ROWS: 'rows' };

const OTEL = [
  [
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'Where metrics, logs and traces are sent: OTLP, JSON over HTTP.',
    'nowhere',
  ],
  [
    'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT, …_LOGS_ENDPOINT, …_TRACES_ENDPOINT',
    'The same for one of them: the whole address, with its path.',
    'the one above with `/v1/metrics`, `/v1/logs`, `/v1/traces`',
  ],
  [
    'OTEL_METRICS_EXPORTER, OTEL_LOGS_EXPORTER, OTEL_TRACES_EXPORTER',
    '`none`: not this one. Whatever else they say is not looked at.',
    'sent, where there is an address',
  ],
  [
    'OTEL_EXPORTER_OTLP_HEADERS, …_TIMEOUT, …_COMPRESSION, …_CERTIFICATE, …_CLIENT_CERTIFICATE, …_CLIENT_KEY',
    'Headers (`name=value,…`); ms that an export may take; `gzip`; PEM files. Also for one signal (`OTEL_EXPORTER_OTLP_LOGS_HEADERS`).',
    "none; 10000; none; the system's",
  ],
  [
    'OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES',
    'What the server is called, and whatever else says which one it is (`name=value,…`).',
    '`trex`',
  ],
  ['OTEL_METRIC_EXPORT_INTERVAL', 'Milliseconds between two exports of metrics.', '60000'],
  [
    'OTEL_BLRP_SCHEDULE_DELAY, OTEL_BSP_SCHEDULE_DELAY',
    'Milliseconds that log records, and spans, are gathered for.',
    '1000, 5000',
  ],
  [
    'OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG',
    'Of which traces spans are kept.',
    '`parentbased_always_on`',
  ],
  ['OTEL_SDK_DISABLED', '`true`: nothing is sent.', '`false`'],
];

const names = (list) =>
  list
    .split(', ')
    .map((name) => `\`${name}\``)
    .join(', ');

const grouped = TOPICS.flatMap(([, , keys]) => keys);
const missing = Object.keys(settings).filter((key) => !grouped.includes(key));
if (missing.length > 0) throw new Error(`scripts/configuration.mjs has no topic for ${missing.join(', ')}`);

const text = [
  '# Settings',
  '',
  `Generated from the code by \`scripts/configuration.mjs\`, and checked by \`npm run check\`. \`trex --help\` has the settings, too.`,
  '',
  'The server is set by environment variables, which it reads once, as it starts. There is no file of settings: a service of',
  'systemd has its `EnvironmentFile=`, a container its `--env-file`. An empty value is none, but for `TREX_HOST`. Values are',
  'taken as they are: without spaces around them, numbers in plain digits.',
  '',
  '**With a value that is not allowed, or a `TREX_…` name that is not here, the server does not start**: it tells all that is',
  'wrong on standard error and ends with 78, so that nothing tries it again (`RestartPreventExitStatus=78`). A variable that',
  'Kubernetes adds for a Service named `trex` (`TREX_PORT=tcp://…`) is one: set `enableServiceLinks: false`. For example',
  '',
  '```',
  ...problemsOf({ TREX_PORT: 'http', TREX_MAX_SESSION: '5' }).map((problem) => `trex: ${problem}`),
  'trex: See --help.',
  '```',
  '',
  ...TOPICS.flatMap(topic),
  '## What has to fit together',
  '',
  ...problemsOf({
    TREX_INPUT_QUEUE_BYTES: '300000',
    TREX_INPUT_TOTAL_BYTES: '262144',
    TREX_DEAD_SECONDS: '2',
    TREX_REQUEST_TIMEOUT_SECONDS: '1',
    TREX_SHUTDOWN_SECONDS: '1',
  }).map((problem) => `- ${problem.replaceAll(/TREX_[A-Z_]+/g, '`$&`')}.`),
  '- Of `TREX_TOKEN` and `TREX_TOKEN_FILE` one may be set, of `TREX_READ_ONLY_TOKEN` and `TREX_READ_ONLY_TOKEN_FILE` one, and',
  '  with `TREX_AUTH=none` none of them. The token that only reads is another one, and needs one that does everything beside it.',
  '- `TREX_CWD` lies within `TREX_CWD_ROOT`.',
  '',
  "## OpenTelemetry's own",
  '',
  "Named and read as OpenTelemetry's specification says. Of these an address that is no URL ends the server with 78; whatever else",
  'makes no sense is not looked at. What is sent is JSON over HTTP: `OTEL_EXPORTER_OTLP_PROTOCOL` is not read. What the SDK reads beside',
  'these, as sizes of queues and limits of attributes, it reads as everywhere. [What a running server tells](observability.md) says what is sent.',
  '',
  '| name | what it does | default |',
  '| --- | --- | --- |',
  ...OTEL.map(([list, meaning, byDefault]) => `| ${names(list)} | ${meaning} | ${byDefault} |`),
  '',
  '## Others that are read',
  '',
  '| name | what for |',
  '| --- | --- |',
  '| `SHELL` | which shell a session runs, where it is an allowed one and `TREX_SHELL` says nothing |',
  '| `HOME` | where a session starts, unless `TREX_CWD` says so |',
  '| `PATH`, `LANG`, `LC_…`, `TZ`, `USER`, `LOGNAME` | passed on to shells |',
  '| `XDG_CONFIG_HOME` | where `trex token` writes, if not to `~/.config` |',
  '| `NODE_OPTIONS` | by Node.js, as always |',
  '',
  'What a shell inherits of the environment is a list of names; no `TREX_…`, no `OTEL_…` and no `NODE_…` is among them.',
  '',
  '## Files',
  '',
  '| file | what it is |',
  '| --- | --- |',
  '| `~/.config/trex/token` | the token that `trex token` writes, unless `TREX_TOKEN_FILE` names another: mode 0600, in a directory that it makes with 0700. `trex ls`, `new`, `attach` and `kill` read it where no token is set, for a server on the loopback that no other user runs |',
  '| `~/.config/trex/read-only-token` | the same of `trex token --read-only` and `TREX_READ_ONLY_TOKEN_FILE` |',
  '| `/etc/shells` | which shells sessions may ask for, beside those of `TREX_SHELLS` |',
  '',
  'The server reads a token file only where `TREX_TOKEN_FILE` or `TREX_READ_ONLY_TOKEN_FILE` names it: by an absolute path, as it starts. It',
  'holds the token and at most a newline. It has to belong to the user of the server, with mode 0600 or less; or to root, and',
  'may then be readable (0440 or 0640) by a group that this user belongs to. Any other ends the server with 78.',
  'The server writes no file.',
].join('\n');

const options = { ...(await resolveConfig(DOCUMENT)), filepath: DOCUMENT };
writeOrCheck(DOCUMENT, await format(text, options), COMMAND);

function topic([title, more, keys]) {
  return [
    `## ${title}`,
    '',
    ...(more ? [more, ''] : []),
    '| name | what it does | default | unit | allowed |',
    '| --- | --- | --- | --- | --- |',
    ...keys.map((key) => {
      const { name, meaning, byDefault, accepts } = settings[key];
      const unit = UNITS[name.split('_').at(-1)] ?? '';
      return `| \`${name}\` | ${meaning} | ${byDefault} | ${unit} | ${accepts} |`;
    }),
    '',
  ];
}

/** What is told of an environment that is wrong. */
function problemsOf(env) {
  const machine = {
    home: '/',
    shells: ['/bin/sh'],
    mayExecute: () => true,
    directory: (path) => path,
  };
  try {
    readEnvironment(env, machine);
  } catch (error) {
    if (error.problems) return error.problems;
    throw error;
  }
  throw new Error('nothing is wrong with it');
}
