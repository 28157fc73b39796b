#!/usr/bin/env -S node --enable-source-maps
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type AppConfig } from './config/app-config.js';
import { CLIENT_COMMANDS } from './config/client-help.js';
import { ConfigError } from './config/config-error.js';
import { readEnvironment } from './config/environment.js';
import { helpText } from './config/help.js';
import { readMachine } from './config/machine.js';
import { VERSION } from './config/version.js';
import { EXIT, failureCode } from './config/exit.js';
import { writeToken } from './token-command.js';

/** Where `npm run build` leaves the commands that ask a running server: they need nothing of what the server is made of. */
const BUILT_CLI = join(__dirname, '../dist-cli/run.js');

async function main(): Promise<void> {
  const [first] = process.argv.slice(2);
  if (CLIENT_COMMANDS.some((command) => command === first)) return ask(process.argv.slice(2));
  const { command, help, version, isReadOnly } = readArguments();
  if (help) process.stdout.write(helpText(VERSION));
  else if (version) process.stdout.write(`${VERSION}\n`);
  else if (command === 'token') printToken(isReadOnly);
  else {
    const config = readConfig();
    // Not before it is needed: it takes as long to load as all the rest.
    const { serve } = await import('./serve.js');
    await serve(config).catch(quitOver);
  }
}

/** The commands that ask a running server. */
async function ask(args: readonly string[]): Promise<void> {
  if (!existsSync(BUILT_CLI))
    quit(failureCode(args[0]), ['this command has not been built: `npm run build` does it']);
  const { run } = (await import(BUILT_CLI)) as {
    readonly run: (args: readonly string[], env: NodeJS.ProcessEnv) => Promise<number>;
  };
  process.exit(await run(args, process.env));
}

interface Arguments {
  readonly command?: 'serve' | 'token';
  readonly help: boolean;
  readonly version: boolean;
  readonly isReadOnly: boolean;
}

function readArguments(): Arguments {
  const flag = { type: 'boolean', default: false } as const;
  try {
    const { values, positionals } = parseArgs({
      options: { help: flag, version: flag, 'read-only': flag },
      allowPositionals: true,
    });
    const { help, version, 'read-only': isReadOnly } = values;
    const [command, ...more] = positionals;
    if (more.length > 0 || (command !== undefined && command !== 'serve' && command !== 'token')) {
      throw new Error(`there is no command ${JSON.stringify(positionals.join(' '))}`);
    }
    if (isReadOnly && command !== 'token') throw new Error('--read-only is for the command token');
    return { help, version, isReadOnly, ...(command && { command }) };
  } catch (error) {
    return quit(EXIT.usage, [(error as Error).message, 'See --help.']);
  }
}

/** The token alone goes to the standard output, for whoever reads it from there. */
function printToken(isReadOnly: boolean): void {
  const { token, path, setting } = orQuit(() => writeToken(isReadOnly, process.env, readMachine().home));
  process.stdout.write(`${token}\n`);
  process.stderr.write(`trex: it is in ${path}; a server started with ${setting}=${path} lets it in\n`);
}

function readConfig(): AppConfig {
  return orQuit(() => readEnvironment(process.env, readMachine()));
}

function orQuit<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    return quitOver(error);
  }
}

function quitOver(error: unknown): never {
  if (error instanceof ConfigError) return quit(EXIT.config, [...error.problems, 'See --help.']);
  throw error;
}

function quit(code: number, lines: readonly string[]): never {
  process.stderr.write(lines.map((line) => `trex: ${line}\n`).join(''));
  process.exit(code);
}

function startFailure(error: unknown): string {
  const { code, message = String(error) } = error as NodeJS.ErrnoException;
  return code === 'EADDRINUSE' ? `${message}; set TREX_PORT to another port` : message;
}

main().catch((error: unknown) => quit(EXIT.failure, [startFailure(error)]));
