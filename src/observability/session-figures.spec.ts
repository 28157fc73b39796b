import { FakeViewer } from '../../test/fakes/fake-viewer.js';
import { settled } from '../../test/support/running-session.js';
import { TestSessions } from '../../test/support/test-sessions.js';
import { SessionError } from '../core/session-error.js';
import { terminalSize } from '../core/terminal-size.js';
import { SessionFigures } from './session-figures.js';

const size = terminalSize(80, 24);

describe('the figures of sessions', () => {
  let sessions: TestSessions;
  let figures: SessionFigures;
  beforeEach(() => {
    sessions = new TestSessions();
    figures = new SessionFigures(sessions.events);
  });

  it('count them by state for as long as they are listed', async () => {
    const first = sessions.opener.open({ size });
    const second = sessions.opener.open({ size });
    await settled();
    expect([figures.created, figures.notEnded]).toEqual([2, 2]);
    const [running] = sessions.ptys.ptys;
    running!.end();
    second.close();
    expect(figures.inState()).toEqual({ Running: 0, Closing: 1, Closed: 1 });
    await settled();
    sessions.registry.delete(first.id);
    expect([figures.inState(), figures.notEnded]).toEqual([{ Running: 0, Closing: 0, Closed: 0 }, 0]);
  });

  it('tell endings apart, also those of which there were none', async () => {
    expect(figures.ended.map(({ ending, count }) => [ending.cause, count])).toEqual([
      ['ended', 0],
      ['closed', 0],
      ['failed', 0],
    ]);
    sessions.ptys.failure = new SessionError('INVALID_CWD', 'it is not there');
    sessions.opener.open({ size });
    await settled();
    expect(figures.ended.at(-1)).toEqual({ ending: { cause: 'failed', failure: 'INVALID_CWD' }, count: 1 });
  });

  it('count views, and the input that waits', async () => {
    const session = sessions.opener.open({ size });
    await settled();
    const views = [session.attach(new FakeViewer()), session.attach(new FakeViewer())];
    expect(figures.viewers).toBe(2);
    views[0]!.detach();
    expect(figures.viewers).toBe(1);
    sessions.ptys.last.room = 0;
    session.write(Buffer.from('typed'));
    expect(figures.queuedBytes).toBe(5);
  });
});
