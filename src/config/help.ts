import { clientUsage } from './client-help.js';
import { type Setting, settings } from './settings.js';

const COLUMNS = 100;

const COMMANDS = [
  ['serve', 'Start the server.'],
  ['token', 'Write a fresh access token into its file (TREX_TOKEN_FILE) and print it.'],
  ['token --read-only', 'The same for a token that lets list and watch sessions only.'],
] as const;

const OPTIONS = [
  ['--help', 'Show this text.'],
  ['--version', 'Show the version.'],
] as const;

/** What `--help` prints: no line longer than 100 columns, a newline at the end. */
export function helpText(version: string): string {
  return [
    `trex ${version}: a multi-session terminal server`,
    '',
    'Usage: [TREX_…=value …] trex [serve | token [--read-only]] [--help | --version]',
    '       [TREX_…=value …] trex (ls | new | attach ID | kill ID …) [--help | OPTION …]',
    '',
    'Commands; serve where there is none',
    ...COMMANDS.map(([command, meaning]) => `  ${command.padEnd(17)}  ${meaning}`),
    '',
    'Options',
    ...OPTIONS.map(([option, meaning]) => `  ${option.padEnd(11)}  ${meaning}`),
    '',
    ...clientUsage,
    '',
    'Settings, read from the environment at the start',
    ...Object.values(settings).flatMap(settingLines),
    '',
  ].join('\n');
}

function settingLines({ name, meaning, accepts, byDefault }: Setting<unknown>): string[] {
  return [`  ${name}`, ...wrapped(`${meaning} Takes ${accepts}. Default: ${byDefault}.`, '      ')];
}

function wrapped(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(' ')) {
    if (line !== indent && line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = indent;
    }
    line += line === indent ? word : ` ${word}`;
  }
  return [...lines, line];
}
