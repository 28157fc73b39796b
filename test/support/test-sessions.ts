import { Logger } from '@nestjs/common';
import { type AppConfig } from '../../src/config/app-config.js';
import { SessionEvents, type SessionEventType } from '../../src/core/session-events.js';
import { SessionCloser } from '../../src/sessions/session-closer.js';
import { SessionOpener } from '../../src/sessions/session-opener.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { Clients } from '../../src/terminal/clients.js';
import { TerminalGateway } from '../../src/terminal/terminal.gateway.js';
import { FakeClock } from '../fakes/fake-clock.js';
import { FakePtyFactory } from '../fakes/fake-pty.js';

// Without Nest, its loggers would write to the console.
Logger.overrideLogger(false);

/** A configuration that touches nothing of the machine. */
export function testConfig(overrides: Partial<AppConfig> = {}): AppConfig {
  return {
    host: '127.0.0.1',
    isPublic: false,
    port: 0,
    shell: '/bin/bash',
    shells: ['/bin/bash', '/bin/zsh', '/bin/sh'],
    cwd: '/',
    maxSessions: 64,
    maxViewers: 8,
    exitedLingerSeconds: 60,
    resumeSeconds: 60,
    resumeHoldSeconds: 30,
    detachedSeconds: 86_400,
    logBytes: 1024 * 1024,
    auth: 'auto',
    allowedHosts: [],
    allowedOrigins: [],
    allowedUids: [],
    trustedProxies: [],
    maxConnections: 128,
    maxConnectionsPerPeer: 32,
    maxSessionsPerConnection: 0,
    createBurst: 64,
    createRate: 10,
    messageBurst: 1000,
    messageRate: 200,
    headersSeconds: 10,
    requestSeconds: 15,
    maxHeaderBytes: 8192,
    logLevel: 'silent',
    ...overrides,
  };
}

/** Sessions as a server has them, on fake processes and a fake clock, without Nest. */
export class TestSessions {
  readonly clock = new FakeClock();
  readonly ptys = new FakePtyFactory();
  readonly events = new SessionEvents();
  readonly registry: SessionRegistry;
  readonly opener: SessionOpener;
  readonly closer: SessionCloser;
  readonly clients: Clients;
  readonly gateway: TerminalGateway;
  /** What happened, in order: `s1 created`. */
  readonly happened: string[] = [];

  constructor(config: Partial<AppConfig> = {}) {
    const whole = testConfig(config);
    this.registry = new SessionRegistry(whole);
    this.opener = new SessionOpener(whole, this.registry, this.ptys, this.clock, this.events);
    this.closer = new SessionCloser(whole, this.registry, this.clock, this.events);
    this.clients = new Clients(whole, this.clock, this.closer, this.events);
    this.gateway = new TerminalGateway(
      this.registry,
      this.opener,
      this.closer,
      this.clients,
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
