import { Injectable } from '@nestjs/common';
import { hostname } from 'node:os';
import { isAbsolute } from 'node:path';
import { basename } from 'node:path/posix';
import { AppConfig } from '../config/app-config.js';
import { ByteBudget } from '../core/byte-budget.js';
import { Clock } from '../core/clock.js';
import { PtyFactory } from '../core/pty.js';
import { SessionError } from '../core/session-error.js';
import { SessionEvents } from '../core/session-events.js';
import { Session } from '../core/session.js';
import { Statistics } from '../core/statistics.js';
import { DEFAULT_SIZE, type TerminalSize } from '../core/terminal-size.js';
import { nativeSearch } from './native-search.js';
import { nativeText } from './native-text.js';
import { SessionRegistry } from './session-registry.js';

/** What a client may ask of a new session; whatever is missing is the server's choice. */
export interface SessionRequest {
  /** Path or base name of an allowed shell. */
  readonly shell?: string;
  /** Absolute path. */
  readonly cwd?: string;
  readonly size?: TerminalSize;
  /** Whether it outlives whoever asks for it. */
  readonly persistent?: boolean;
}

/**
 * A session announced without a size waits this long for one: existing clients show a terminal, and take output, only
 * once they have sent its first resize.
 */
export const START_WITHIN_MS = 500;

/** Opens sessions: checks what can be checked at once, names them, and sees that they start. */
@Injectable()
export class SessionOpener {
  private readonly inputBudget: ByteBudget;

  constructor(
    private readonly config: AppConfig,
    private readonly registry: SessionRegistry,
    private readonly ptys: PtyFactory,
    private readonly clock: Clock,
    private readonly events: SessionEvents,
    private readonly statistics: Statistics = new Statistics(),
  ) {
    this.inputBudget = new ByteBudget(config.inputTotalBytes);
  }

  /**
   * A new session, listed, and about to start: at once when it has a size, else at its first input or resize or after
   * 500 ms. Nothing of it happens before the current turn of the event loop is over.
   * @throws {SessionError} `INVALID_SHELL`, `INVALID_CWD`, `SESSION_LIMIT`
   */
  open(request: SessionRequest): Session {
    const shell = this.allowedShell(request.shell);
    const cwd = request.cwd ?? this.config.cwd;
    if (!isAbsolute(cwd) || cwd.includes('\0')) {
      throw new SessionError('INVALID_CWD', 'cwd must be an absolute path');
    }
    this.registry.assertRoom();
    const shellType = basename(shell);
    const session = new Session(
      {
        id: this.registry.nextId(),
        name: this.registry.nextName(shellType),
        shellType,
        shell,
        cwd,
        size: request.size ?? DEFAULT_SIZE,
        persistent: request.persistent ?? false,
      },
      {
        ptys: this.ptys,
        clock: this.clock,
        events: this.events,
        statistics: this.statistics,
        logBytes: this.config.logBytes,
        inputQueueBytes: this.config.inputQueueBytes,
        inputBudget: this.inputBudget,
        maxViewers: this.config.maxViewers,
        search: nativeSearch,
        decode: nativeText,
        hostname: hostname(),
      },
    );
    this.registry.add(session);
    this.events.emit('created', session);
    if (request.size) session.start();
    else session.startWithin(START_WITHIN_MS);
    return session;
  }

  private allowedShell(wanted: string | undefined): string {
    if (wanted === undefined) return this.config.shell;
    const shell = this.config.shells.find((path) => path === wanted || basename(path) === wanted);
    if (!shell) {
      const allowed = this.config.shells.join(', ');
      throw new SessionError('INVALID_SHELL', `this shell is not allowed here; allowed are ${allowed}`);
    }
    return shell;
  }
}
