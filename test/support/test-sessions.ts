import { Logger } from '@nestjs/common';
import { type AppConfig } from '../../src/config/app-config.js';
import { readEnvironment } from '../../src/config/environment.js';
import { type Machine } from '../../src/config/machine.js';
import { SessionEvents, type SessionEventType } from '../../src/core/session-events.js';
import { SessionCloser } from '../../src/sessions/session-closer.js';
import { SessionDirectories } from '../../src/sessions/session-directories.js';
import { SessionOpener } from '../../src/sessions/session-opener.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { Clients } from '../../src/terminal/clients.js';
import { SessionList } from '../../src/terminal/session-list.js';
import { TerminalGateway } from '../../src/terminal/terminal.gateway.js';
import { FakeClock } from '../fakes/fake-clock.js';
import { FakePtyFactory } from '../fakes/fake-pty.js';

// Without Nest, its loggers would write to the console.
Logger.overrideLogger(false);

const machine: Machine = {
  home: '/',
  userShell: '/bin/bash',
  shells: ['/bin/bash', '/bin/zsh', '/bin/sh'],
  mayExecute: () => true,
  directory: (path) => path,
  readSecret: () => ({ refused: 'is not there' }),
};

/** A configuration that touches nothing of the machine: what holds when nothing is set, on a free port, silent, without a page. */
export function testConfig(overrides: Partial<AppConfig> = {}): AppConfig {
  const environment = { TREX_PORT: '0', TREX_LOG_LEVEL: 'silent', TREX_PAGE: 'off' };
  return { ...readEnvironment(environment, machine), ...overrides };
}

/** Sessions as a server has them, on fake processes and a fake clock, without Nest. */
export class TestSessions {
  readonly clock = new FakeClock();
  /** By which shells are asked where they are. */
  readonly directoryClock = new FakeClock();
  readonly ptys = new FakePtyFactory();
  readonly events = new SessionEvents();
  readonly registry: SessionRegistry;
  readonly opener: SessionOpener;
  readonly closer: SessionCloser;
  readonly clients: Clients;
  readonly directories: SessionDirectories;
  readonly list: SessionList;
  readonly gateway: TerminalGateway;
  /** What happened, in order: `s1 created`. */
  readonly happened: string[] = [];

  constructor(config: Partial<AppConfig> = {}) {
    const whole = testConfig(config);
    this.registry = new SessionRegistry(whole);
    this.opener = new SessionOpener(whole, this.registry, this.ptys, this.clock, this.events);
    this.closer = new SessionCloser(whole, this.registry, this.clock, this.events);
    this.clients = new Clients(whole, this.clock, this.closer, this.events);
    this.directories = new SessionDirectories(this.directoryClock, this.events);
    this.list = new SessionList(this.registry, this.directories, this.events);
    this.gateway = new TerminalGateway(
      this.registry,
      this.opener,
      this.closer,
      this.clients,
      this.list,
      whole,
      this.clock,
    );
    this.events.subscribe(({ type, session }) => this.happened.push(`${session.id} ${type}`));
  }

  /** How often something happened to a session. */
  times(sessionId: string, type: SessionEventType): number {
    return this.happened.filter((one) => one === `${sessionId} ${type}`).length;
  }
}
