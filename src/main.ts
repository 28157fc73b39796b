#!/usr/bin/env -S node --enable-source-maps
import 'reflect-metadata';
import { type NestExpressApplication } from '@nestjs/platform-express';
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { parseArgs } from 'node:util';
import { createApp } from './app.js';
import { type AppConfig } from './config/app-config.js';
import { ConfigError } from './config/config-error.js';
import { readEnvironment } from './config/environment.js';
import { helpText } from './config/help.js';
import { readMachine } from './config/machine.js';
import { VERSION } from './config/version.js';
import { PtyFactory } from './core/pty.js';
import { type PinoLogger, standardLogger } from './observability/logger.js';
import { startTelemetry } from './observability/start-telemetry.js';
import { type Telemetry } from './observability/telemetry.js';
import { failureLog } from './observability/telemetry-failures.js';
import { PtyModule } from './pty/pty.module.js';
import { selfTest } from './pty/self-test.js';
import { writeToken } from './token-command.js';

/** sysexits(3) */
const EXIT = { ok: 0, failure: 1, usage: 64, config: 78 };

/** npm and a terminal both pass on a Ctrl-C: what comes this soon after the first signal is its echo. */
const SECOND_SIGNAL_AFTER_MS = 1000;

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

async function main(): Promise<void> {
  const { command, help, version, isReadOnly } = readArguments();
  if (help) process.stdout.write(helpText(VERSION));
  else if (version) process.stdout.write(`${VERSION}\n`);
  else if (command === 'token') printToken(isReadOnly);
  else await serve(readConfig());
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

async function serve(config: AppConfig): Promise<void> {
  const telemetry = await startTelemetry(config.metrics, process.env).catch(quitOver);
  const logger = standardLogger(config.logLevel, telemetry);
  if (telemetry) telemetry.failed = failureLog(logger);
  letGoOfTerminalsAtExit();
  const app = await createApp(config, PtyModule, logger, telemetry);
  stopOnSignal(app, config.shutdownSeconds, logger, telemetry);
  await selfTest(app.get(PtyFactory), config.cwd);
  await app.listen(config.port, config.host);
  if (config.isPublic && config.auth === 'none') {
    logger.warn('TREX_AUTH=none: whoever reaches this address gets a shell, without a token');
  }
  logger.log(`trex ${VERSION} is listening on ${await app.getUrl()}`);
}

/** Stops cleanly at the first signal; a second one that is no echo of it ends the process where it stands. */
function stopOnSignal(
  app: NestExpressApplication,
  withinSeconds: number,
  logger: PinoLogger,
  telemetry: Telemetry | undefined,
): void {
  let stoppingSince: number | undefined;
  for (const signal of STOP_SIGNALS) {
    process.on(signal, () => {
      if (stoppingSince === undefined) {
        stoppingSince = performance.now();
        logger.log(`${signal}: stopping`);
        setTimeout(() => {
          logger.error(`not everything has ended within ${withinSeconds} s: see TREX_SHUTDOWN_SECONDS`);
          process.exit(EXIT.failure);
        }, withinSeconds * 1000);
        void app
          .close()
          .then(() => telemetry?.stop())
          .then(() => process.exit(EXIT.ok));
      } else if (performance.now() - stoppingSince >= SECOND_SIGNAL_AFTER_MS) {
        process.exit(128 + constants.signals[signal]);
      }
    });
  }
}

/**
 * Node sets the terminals it was started with as they were before, and aborts when one has gone: as it has at the SIGHUP
 * that says so. One that is there is kept: what is fatal is told on it after this.
 */
function letGoOfTerminalsAtExit(): void {
  const terminals = [0, 1, 2].filter((fd) => isatty(fd));
  process.once('exit', () => terminals.filter((fd) => !isatty(fd)).forEach((fd) => closeSync(fd)));
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
