import { settled } from '../../test/support/running-session.js';
import { testConfig, TestSessions } from '../../test/support/test-sessions.js';
import { terminalSize } from '../core/terminal-size.js';
import { Statistics } from '../core/statistics.js';
import { EventLoopDelay } from './event-loop-delay.js';
import { Readiness } from './readiness.js';
import { SessionFigures } from './session-figures.js';

const size = terminalSize(80, 24);

describe('readiness', () => {
  let sessions: TestSessions;
  let eventLoop: EventLoopDelay;
  let readiness: Readiness;
  let statistics: Statistics;
  beforeEach(() => {
    sessions = new TestSessions();
    eventLoop = new EventLoopDelay();
    statistics = new Statistics();
    readiness = new Readiness(
      testConfig({ maxSessions: 10, maxConnections: 20 }),
      new SessionFigures(sessions.events),
      eventLoop,
      statistics,
    );
  });
  afterEach(() => eventLoop.onApplicationShutdown());

  it('is what a server has as it starts, and loses when it is told to stop', () => {
    expect(readiness.hindrances()).toEqual([]);
    readiness.onModuleDestroy();
    expect(readiness.hindrances()).toEqual(['draining']);
  });

  it('ends with nine of ten WebSockets, whatever they speak, and is back when one has gone', () => {
    for (let n = 0; n < 17; n++) statistics.connectionsOpened.add(n % 2 === 0 ? 'trex.v1' : 'trex.v2');
    expect(readiness.hindrances()).toEqual([]);
    statistics.connectionsOpened.add('trex.v2');
    expect(readiness.hindrances()).toEqual(['connections']);
    statistics.connectionsClosed.add('trex.v1');
    expect(readiness.hindrances()).toEqual([]);
  });

  it('ends with nine of ten sessions, and is back when one has ended', async () => {
    for (let n = 0; n < 8; n++) sessions.opener.open({ size });
    expect(readiness.hindrances()).toEqual([]);
    sessions.opener.open({ size });
    expect(readiness.hindrances()).toEqual(['sessions']);
    await settled();
    sessions.ptys.last.end();
    expect(readiness.hindrances()).toEqual([]);
  });

  it('T43 · ends while the event loop is late', () => {
    const window = { meanMs: 1, p50Ms: 1, p90Ms: 1, maxMs: 300 };
    eventLoop.note({ ...window, p99Ms: 201 });
    expect(readiness.hindrances()).toEqual(['eventLoop']);
    eventLoop.note({ ...window, p99Ms: 3 });
    expect(readiness.hindrances()).toEqual([]);
  });
});
