import { settled } from '../../test/support/running-session.js';
import { TestSessions } from '../../test/support/test-sessions.js';
import { type SessionErrorCode } from '../core/session-error.js';
import { type SessionRequest, START_WITHIN_MS } from './session-opener.js';

const refusal = (code: SessionErrorCode): Error => expect.objectContaining({ code }) as Error;

describe('opening a session', () => {
  it('starts it at once in the size it was asked for', async () => {
    const { opener, ptys, clock } = new TestSessions();
    opener.open({ size: { columns: 100, rows: 30 } });
    await settled();
    expect(ptys.last.launch).toEqual({
      file: '/bin/bash',
      args: [],
      cwd: '/',
      size: { columns: 100, rows: 30 },
    });
    expect(clock.timers).toBe(0);
  });

  it('starts it after a while when it has no size, in 80 × 24', async () => {
    const { opener, ptys, clock } = new TestSessions();
    opener.open({});
    await settled();
    expect(ptys.ptys).toHaveLength(0);
    clock.advance(START_WITHIN_MS);
    await settled();
    expect(ptys.last.launch.size).toEqual({ columns: 80, rows: 24 });
  });

  it('takes an allowed shell by path or by name, and a directory', async () => {
    const { opener, ptys } = new TestSessions();
    const size = { columns: 80, rows: 24 };
    expect(opener.open({ shell: 'zsh', cwd: '/tmp', size }).shellType).toBe('zsh');
    await settled();
    expect(ptys.last.launch).toMatchObject({ file: '/bin/zsh', cwd: '/tmp' });
  });

  it.each<[SessionErrorCode, SessionRequest]>([
    ['INVALID_SHELL', { shell: '/bin/sh; id' }],
    ['INVALID_SHELL', { shell: '../bin/sh' }],
    ['INVALID_SHELL', { shell: '/bin/sh\0' }],
    ['INVALID_SHELL', { shell: '' }],
    ['INVALID_CWD', { cwd: 'relative' }],
    ['INVALID_CWD', { cwd: '' }],
    ['INVALID_CWD', { cwd: '/tmp\0/x' }],
  ])('T16, T17 · refuses with %s: %p', (code, request) => {
    const { opener, registry, happened } = new TestSessions();
    expect(() => opener.open(request)).toThrow(refusal(code));
    expect([registry.count(), happened]).toEqual([0, []]);
    expect(opener.open({}).id).toBe('s1');
  });

  it('T37 · opens as many as may run, and one more when one has ended', async () => {
    const { opener, ptys } = new TestSessions({ maxSessions: 2 });
    opener.open({ size: { columns: 80, rows: 24 } });
    opener.open({ size: { columns: 80, rows: 24 } });
    expect(() => opener.open({})).toThrow(refusal('SESSION_LIMIT'));
    await settled();
    ptys.last.end();
    expect(opener.open({}).id).toBe('s3');
  });
});
