import 'reflect-metadata';
import { type NestExpressApplication } from '@nestjs/platform-express';
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { createApp } from './app.js';
import { type AppConfig } from './config/app-config.js';
import { VERSION } from './config/version.js';
import { PtyFactory } from './core/pty.js';
import { EXIT } from './config/exit.js';
import { type PinoLogger, standardLogger } from './observability/logger.js';
import { startTelemetry } from './observability/start-telemetry.js';
import { type Telemetry } from './observability/telemetry.js';
import { failureLog } from './observability/telemetry-failures.js';
import { PtyModule } from './pty/pty.module.js';
import { selfTest } from './pty/self-test.js';
import { SessionCloser } from './sessions/session-closer.js';

/** npm and a terminal both pass on a Ctrl-C: what comes this soon after the first signal is its echo. */
const SECOND_SIGNAL_AFTER_MS = 1000;

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs the server until it is told to stop. @throws {ConfigError} of telemetry, or what keeps it from starting */
export async function serve(config: AppConfig): Promise<void> {
  const telemetry = await startTelemetry(config.metrics, process.env);
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
        const late = setTimeout(() => {
          logger.error(`not everything has ended within ${withinSeconds} s: see TREX_SHUTDOWN_SECONDS`);
          exitAtOnce(app, EXIT.failure);
        }, withinSeconds * 1000);
        void app
          .close()
          .then(() => clearTimeout(late))
          .then(() => telemetry?.stop())
          .then(() => process.exit(EXIT.ok));
      } else if (performance.now() - stoppingSince >= SECOND_SIGNAL_AFTER_MS) {
        exitAtOnce(app, 128 + constants.signals[signal]);
      }
    });
  }
}

/** Without waiting for anybody: what is being ended when the process exits is killed, so all sessions are from here on. */
function exitAtOnce(app: NestExpressApplication, code: number): never {
  void app.get(SessionCloser).closeAll();
  process.exit(code);
}

/**
 * Node sets the terminals it was started with as they were before, and aborts when one has gone: as it has at the SIGHUP
 * that says so. One that is there is kept: what is fatal is told on it after this.
 */
function letGoOfTerminalsAtExit(): void {
  const terminals = [0, 1, 2].filter((fd) => isatty(fd));
  process.once('exit', () => terminals.filter((fd) => !isatty(fd)).forEach((fd) => closeSync(fd)));
}
