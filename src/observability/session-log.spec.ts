import { FakeLogger } from '../../test/fakes/fake-logger.js';
import { settled } from '../../test/support/running-session.js';
import { TestSessions } from '../../test/support/test-sessions.js';
import { SessionError } from '../core/session-error.js';
import { terminalSize } from '../core/terminal-size.js';
import { SessionLog } from './session-log.js';

const size = terminalSize(80, 24);

describe('the log of sessions', () => {
  let sessions: TestSessions;
  let logger: FakeLogger;
  beforeEach(() => {
    sessions = new TestSessions();
    logger = new FakeLogger();
    new SessionLog(sessions.events, logger);
  });

  async function openFailing(failure: SessionError): Promise<void> {
    sessions.ptys.failure = failure;
    sessions.opener.open({ size });
    await settled();
  }

  it('T29 · tells a life in figures, and nothing of what is typed or printed', async () => {
    const session = sessions.opener.open({ size });
    await settled();
    session.write(Buffer.from('typed'));
    sessions.ptys.last.print('printed');
    sessions.ptys.last.end({ code: 3 });

    expect(logger.records.map(({ level, msg }) => [level, msg])).toEqual([
      ['info', 'session created'],
      ['info', 'session started'],
      ['info', 'session ended'],
    ]);
    expect(logger.records.at(-1)).toMatchObject({ sessionId: 's1', code: 3, cause: 'ended', outputBytes: 7 });
    expect(JSON.stringify(logger.records)).not.toMatch(/typed|printed/);
  });

  it('tells why a process could not be started, down to the last cause', async () => {
    const kernel = Object.assign(new Error('no more processes'), { code: 'EAGAIN' });
    const library = new Error('forkpty(3) failed.', { cause: kernel });
    const failure = new SessionError('SPAWN_FAILED', 'the process could not be started', { cause: library });

    await openFailing(failure);

    expect(logger.records).toContainEqual({
      level: 'error',
      sessionId: 's1',
      name: 'bash-1',
      reason: 'SPAWN_FAILED',
      causes: ['forkpty(3) failed.', 'EAGAIN: no more processes'],
      stack: expect.stringContaining('session-log.spec') as string,
      msg: 'the process could not be started',
    });
  });

  it.each([
    ['a text', 'out of luck', ["'out of luck'"]],
    ['nothing', undefined, []],
    ['an endless text', new Error('x'.repeat(5000)), ['x'.repeat(200)]],
  ])('takes %s for a cause', async (_, cause, causes) => {
    await openFailing(new SessionError('SPAWN_FAILED', 'no', { cause }));

    expect(logger.records).toContainEqual(expect.objectContaining({ level: 'error', causes }));
  });

  it('does not go round in circles', async () => {
    const cause = new Error('round');
    Object.assign(cause, { cause });

    await openFailing(new SessionError('SPAWN_FAILED', 'no', { cause }));

    expect(logger.records).toContainEqual(expect.objectContaining({ level: 'error', msg: 'no' }));
  });

  it('takes what a client asked in vain for no error of the server’s, and repeats little of it', async () => {
    await openFailing(new SessionError('INVALID_CWD', `${'x'.repeat(5000)} does not exist`));

    expect(logger.records).toContainEqual({
      level: 'debug',
      sessionId: 's1',
      name: 'bash-1',
      reason: 'INVALID_CWD',
      msg: 'x'.repeat(200),
    });
    expect(logger.records.filter(({ level }) => level === 'error')).toEqual([]);
  });
});
