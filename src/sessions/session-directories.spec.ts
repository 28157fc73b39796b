import { FakeViewer } from '../../test/fakes/fake-viewer.js';
import { type FakePty } from '../../test/fakes/fake-pty.js';
import { settled } from '../../test/support/running-session.js';
import { TestSessions } from '../../test/support/test-sessions.js';
import { type Session } from '../core/session.js';
import { ASK_EVERY_MS, QUIET_MS } from './session-directories.js';

const size = { columns: 80, rows: 24 };

interface Stage {
  readonly sessions: TestSessions;
  readonly session: Session;
  readonly pty: FakePty;
  /** Lets `ms` pass, and what has been asked be answered. */
  readonly pass: (ms: number) => Promise<void>;
}

/** A server with one session that has started at `/`, and is in `/srv`. */
async function running(): Promise<Stage> {
  const sessions = new TestSessions();
  const { session, pty } = await another(sessions);
  const pass = async (ms: number): Promise<void> => {
    sessions.directoryClock.advance(ms);
    await settled();
  };
  return { sessions, session, pty, pass };
}

async function another(sessions: TestSessions): Promise<{ session: Session; pty: FakePty }> {
  const session = sessions.opener.open({ size, cwd: '/' });
  await settled();
  const pty = sessions.ptys.last;
  pty.isIn = '/srv';
  return { session, pty };
}

describe('where shells are', () => {
  it('is asked for once a session has been quiet for a second, and told', async () => {
    const { sessions, session, pty, pass } = await running();
    expect([QUIET_MS, ASK_EVERY_MS]).toEqual([1000, 5000]);
    sessions.directories.watch();
    pty.print('$ ');
    await pass(QUIET_MS);
    expect([pty.asked, session.cwd]).toEqual([0, '/']);
    await pass(QUIET_MS);
    expect([pty.asked, session.cwd, sessions.happened.at(-1)]).toEqual([1, '/srv', 's1 changed']);
  });

  it('is not asked for while a session goes on printing', async () => {
    const { sessions, pty, pass } = await running();
    sessions.directories.watch();
    for (let n = 0; n < 20; n++) {
      pty.print('.');
      await pass(QUIET_MS - 1);
    }
    expect(pty.asked).toBe(0);
    await pass(2 * QUIET_MS);
    expect(pty.asked).toBe(1);
  });

  it('is asked for once after each output', async () => {
    const { sessions, pty, pass } = await running();
    sessions.directories.watch();
    await pass(60_000);
    expect(pty.asked).toBe(1);
    pty.print('$ ');
    await pass(60_000);
    expect(pty.asked).toBe(2);
  });

  it('is asked for every 5 s at most', async () => {
    const { sessions, pty, pass } = await running();
    sessions.directories.watch();
    for (let ms = 0; ms < 60_000; ms += 2500) {
      pty.print('$ ');
      await pass(2500);
    }
    expect(pty.asked).toBeGreaterThan(60_000 / 10_000);
    expect(pty.asked).toBeLessThanOrEqual(60_000 / ASK_EVERY_MS);
  });

  it('is not asked for when nobody watches, and takes no time then', async () => {
    const { sessions, pty, pass } = await running();
    pty.print('$ ');
    await pass(60_000);
    expect([pty.asked, sessions.directoryClock.timers]).toEqual([0, 0]);
    const stop = sessions.directories.watch();
    await pass(QUIET_MS - 1);
    expect(sessions.directoryClock.timers).toBe(1);
    stop();
    expect(sessions.directoryClock.timers).toBe(0);
    await pass(60_000);
    expect([pty.asked, sessions.directoryClock.timers]).toEqual([0, 0]);
  });

  it('is asked for while anybody watches the list', async () => {
    const { sessions, pty, pass } = await running();
    const stops = [sessions.directories.watch(), sessions.directories.watch()];
    stops[0]!();
    await pass(10_000);
    expect(pty.asked).toBe(1);
  });

  it('of what somebody views is asked for, of that alone', async () => {
    const { sessions, session, pty, pass } = await running();
    const other = await another(sessions);
    const viewing = session.attach(new FakeViewer());
    await pass(10_000);
    expect([pty.asked, other.pty.asked]).toEqual([1, 0]);
    viewing.detach();
    expect(sessions.directoryClock.timers).toBe(0);
    pty.print('$ ');
    await pass(10_000);
    expect([pty.asked, sessions.directoryClock.timers]).toEqual([1, 0]);
  });

  it('is not asked for where programs say it themselves', async () => {
    const { sessions, session, pty, pass } = await running();
    sessions.directories.watch();
    pty.print('\x1b]7;file:///reported\x07');
    await pass(10_000);
    pty.print('$ ');
    await pass(10_000);
    expect([pty.asked, session.cwd]).toEqual([0, '/reported']);
  });

  it('stays what it was when nobody can tell', async () => {
    const { sessions, session, pty, pass } = await running();
    sessions.directories.watch();
    pty.isIn = undefined;
    await pass(10_000);
    expect([pty.asked, session.cwd]).toEqual([1, '/']);
  });

  it('is asked for again from the time on that somebody watches again', async () => {
    const { sessions, session, pass } = await running();
    sessions.directories.watch()();
    await pass(10_000);
    session.attach(new FakeViewer());
    await pass(2 * QUIET_MS);
    expect(session.cwd).toBe('/srv');
  });

  it.each<[string, (stage: Stage) => Promise<void> | void]>([
    ['has ended', ({ pty }) => pty.end()],
    ['is closed', ({ sessions }) => sessions.closer.closeAndWait('s1')],
  ])('is no matter any more of a session that %s', async (_what, act) => {
    const stage = await running();
    stage.sessions.directories.watch();
    await act(stage);
    expect(stage.sessions.directoryClock.timers).toBe(0);
    await stage.pass(10_000);
    expect([stage.pty.asked, stage.sessions.directoryClock.timers]).toEqual([0, 0]);
  });

  it('is not asked for any more when the server stops, and no timer is left', async () => {
    const { sessions, pty, pass } = await running();
    sessions.directories.watch();
    sessions.directories.onApplicationShutdown();
    expect(sessions.directoryClock.timers).toBe(0);
    await pass(10_000);
    expect([pty.asked, sessions.directoryClock.timers]).toEqual([0, 0]);
  });

  it('of a session that has not started is asked for once it has', async () => {
    const sessions = new TestSessions();
    sessions.directories.watch();
    sessions.ptys.hold();
    const session = sessions.opener.open({ size, cwd: '/' });
    sessions.directoryClock.advance(10_000);
    expect(sessions.directoryClock.timers).toBe(0);
    sessions.ptys.release();
    await settled();
    sessions.ptys.last.isIn = '/srv';
    sessions.directoryClock.advance(10_000);
    await settled();
    expect(session.cwd).toBe('/srv');
  });
});
