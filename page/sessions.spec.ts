import { type SessionInfo } from '../src/protocol/messages.js';
import { type Entry, exitText, hasOwnName, Sessions, stateOf, titleOf } from './sessions.js';

function info(id: string, more: Partial<SessionInfo> = {}): SessionInfo {
  return {
    id,
    name: `bash-${id.slice(1)}`,
    shellType: 'bash',
    status: 'active',
    createdAt: '2026-11-23T09:30:00.000Z',
    persistent: true,
    cwd: '/home/you',
    ...more,
  };
}

function listed(readable: readonly string[] = []): {
  sessions: Sessions;
  ids: () => string[];
  changes: () => number;
} {
  let changes = 0;
  const sessions = new Sessions(
    ({ id }) => readable.includes(id),
    () => changes++,
  );
  return {
    sessions,
    ids: () => sessions.all.map(({ id, gone }) => (gone ? `${id} ${gone}` : id)),
    changes: () => changes,
  };
}

describe('the sessions', () => {
  it('are those of the server', () => {
    const { sessions, ids } = listed();
    expect(sessions.areKnown).toBe(false);
    sessions.reset([info('s1'), info('s2')]);
    sessions.change('added', 's3', info('s3'));
    sessions.change('removed', 's1');
    expect(sessions.areKnown).toBe(true);
    expect(ids()).toEqual(['s2', 's3']);
  });

  it('keep their entry when they change', () => {
    const { sessions } = listed();
    sessions.reset([info('s1')]);
    const entry = sessions.find('s1');
    sessions.change('changed', 's1', info('s1', { name: 'build' }));
    sessions.reset([info('s1', { name: 'build', cwd: '/tmp' })]);
    expect(sessions.all).toEqual([entry]);
    expect(entry?.info).toMatchObject({ name: 'build', cwd: '/tmp' });
  });

  it('stay when they are gone while they can be read here', () => {
    const { sessions, ids } = listed(['s1']);
    sessions.reset([info('s1'), info('s2')]);
    sessions.change('removed', 's1');
    sessions.change('removed', 's2');
    expect(ids()).toEqual(['s1 removed']);
    sessions.drop(sessions.all[0]!);
    expect(ids()).toEqual([]);
  });

  it('of a server that was started anew are others, whatever their ids', () => {
    const { sessions, ids } = listed(['s1']);
    sessions.reset([info('s1'), info('s2')]);
    sessions.serverRestarted();
    sessions.reset([info('s1', { createdAt: '2026-11-23T10:00:00.000Z' })]);
    expect(ids()).toEqual(['s1 restarted', 's1']);
    expect(new Set(sessions.all.map(({ key }) => key)).size).toBe(2);
    expect(sessions.find('s1')?.info.createdAt).toContain('10:00');
  });

  it('are told apart by when they were created where nothing tells of a restart', () => {
    const { sessions, ids } = listed(['s1']);
    sessions.reset([info('s1')]);
    sessions.reset([info('s1', { createdAt: '2026-11-23T10:00:00.000Z' })]);
    expect(ids()).toEqual(['s1 removed', 's1']);
  });

  it('that are created here are one, whoever tells of them first', () => {
    const { sessions, ids } = listed();
    sessions.reset([]);
    const created = sessions.created('s1');
    sessions.change('added', 's1', info('s1'));
    expect(sessions.created('s1')).toBe(created);
    sessions.reset([info('s1')]);
    expect(sessions.all).toEqual([created]);
    sessions.change('added', 's2', info('s2'));
    sessions.created('s2');
    expect(ids()).toEqual(['s1', 's2']);
  });

  it('that are being closed are out of sight, and back when that fails', () => {
    const { sessions, ids } = listed();
    sessions.reset([info('s1')]);
    const entry = sessions.all[0]!;
    sessions.setClosing(entry, true);
    sessions.change('changed', 's1', info('s1'));
    expect(ids()).toEqual([]);
    sessions.setClosing(entry, false);
    expect(ids()).toEqual(['s1']);
  });

  it('say that they have changed only when they have', () => {
    const { sessions, changes } = listed();
    sessions.reset([info('s1')]);
    const entry = sessions.all[0]!;
    const before = changes();
    sessions.note(entry, { isUnread: true });
    sessions.note(entry, { isUnread: true });
    expect(changes() - before).toBe(1);
    expect(entry.isUnread).toBe(true);
  });
});

describe('a session', () => {
  const entry = (more: Partial<SessionInfo>, rest: Partial<Entry> = {}): Entry => ({
    key: 'e1',
    id: 's1',
    info: info('s1', more),
    isUnread: false,
    hasBell: false,
    ...rest,
  });

  it.each([
    [entry({ status: 'connecting' }), 'starting'],
    [entry({}), 'running'],
    [entry({ status: 'exited', exitCode: 0 }), 'ended'],
    [entry({ status: 'exited', exitCode: 0 }, { gone: 'removed' }), 'ended'],
    [entry({}, { gone: 'restarted' }), 'gone'],
  ])('is in a state', (one, state) => {
    expect(stateOf(one)).toBe(state);
  });

  it('tells how it has ended', () => {
    expect(exitText({})).toBeUndefined();
    expect(exitText({ exitCode: 0 })).toBe('exit 0');
    expect(exitText({ exitCode: 137, signal: 'SIGKILL' })).toBe('SIGKILL');
  });

  it('has the title that was seen here last, else the server’s', () => {
    expect(titleOf(entry({ title: 'vi' }))).toBe('vi');
    expect(titleOf(entry({ title: 'vi' }, { title: 'less' }))).toBe('less');
    expect(titleOf(entry({ title: 'vi' }, { title: '' }))).toBe('');
  });

  it.each([
    ['bash-12', 'bash', false],
    ['my.sh-2-3', 'my.sh-2', false],
    ['web-1', 'bash', true],
    ['bash-', 'bash', true],
    ['bash-1a', 'bash', true],
    ['build', 'bash', true],
  ])('called %s and running %s have a name of their own: %s', (name, shellType, own) => {
    expect(hasOwnName({ name, shellType })).toBe(own);
  });
});
