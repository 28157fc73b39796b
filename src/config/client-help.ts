/** Commands that ask a running server: see `cli/`. */
export const CLIENT_COMMANDS = ['ls', 'new', 'attach', 'kill'] as const;

const USAGE = [
  ['ls [--json]', 'List the sessions, as a table or as JSON.'],
  ['new [-d] [--shell SHELL] [--cwd DIR]', 'Start one and show it here. It stays when you detach.'],
  ['attach ID [--read-only]', 'Show a session here, in the size of this terminal.'],
  ['kill ID …', 'End sessions, with all their processes.'],
] as const;

const OPTIONS = [
  ['--url URL', 'Where the server is; else TREX_URL, else where TREX_HOST and TREX_PORT say.'],
  ['--json', 'All there is to know, for programs.'],
  ['-d, --detach', 'Start it, print its id, and do not show it.'],
  ['--shell SHELL', 'An allowed shell, by its name or path.'],
  ['--cwd DIR', "Where it starts, on the server's machine."],
  ['--read-only', 'Look on: nothing is typed, and the size stays.'],
  ['--detach-keys KEYS', 'ctrl-\\, unless you say otherwise: ctrl-p,ctrl-q for two, or none. What'],
  ['', 'detaches is not typed: to type it, choose another.'],
] as const;

const MORE = [
  'The token is TREX_TOKEN, or in TREX_TOKEN_FILE; else, for a server of this machine, what',
  '`trex token` wrote. What is piped in is typed, all of it; when that ends, the session goes on:',
  'let it end in "exit". Exit code of new and attach: that of the session; 0 when detached; 125 when',
  'trex itself has failed. Of ls and kill: 1 when that failed. Of all: 64 for a wrong command line,',
  '78 for a wrong setting.',
] as const;

/** The lines of these commands in `--help`, each at most 100 columns. */
export const clientUsage: readonly string[] = [
  'Ask a server that runs, from any terminal',
  ...USAGE.map(([command, meaning]) => `  trex ${command.padEnd(36)}  ${meaning}`.trimEnd()),
  '',
  ...OPTIONS.map(([option, meaning]) => `  ${option.padEnd(18)}  ${meaning}`),
  '',
  ...MORE.map((line) => `  ${line}`),
];

/** What `trex ls --help` and its like print. */
export function clientHelpText(version: string): string {
  return [`trex ${version}: a multi-session terminal server`, '', ...clientUsage, ''].join('\n');
}
