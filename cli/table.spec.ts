import { type SessionInfo } from '../client/trex-client.js';
import { age, sessionTable } from './table.js';

const NOW = Date.parse('2026-11-23T12:00:00Z');

function session(over: Partial<SessionInfo> = {}): SessionInfo {
  return {
    id: 's1',
    name: 'bash-1',
    shellType: 'bash',
    status: 'active',
    createdAt: '2026-11-23T11:57:30Z',
    persistent: false,
    cwd: '/home/ada',
    ...over,
  };
}

describe('sessionTable', () => {
  it('has a line for each session, in columns', () => {
    const sessions = [
      session({ persistent: true, title: 'vim README.md' }),
      session({ id: 's12', name: '日本語', status: 'exited', exitCode: 3, cwd: '/' }),
      session({ id: 's13', status: 'exited', exitCode: 137, signal: 'SIGKILL' }),
      session({ id: 's14', status: 'connecting', createdAt: 'nonsense' }),
    ];
    expect(sessionTable(sessions, NOW)).toBe(
      [
        'ID   NAME    SHELL  STATE           AGE  CWD        TITLE',
        's1   bash-1  bash   active, stays   2m   /home/ada  vim README.md',
        's12  日本語  bash   exited 3        2m   /',
        's13  bash-1  bash   exited SIGKILL  2m   /home/ada',
        's14  bash-1  bash   connecting      ?    /home/ada',
        '',
      ].join('\n'),
    );
  });

  it('says what is what where there is no session', () => {
    expect(sessionTable([], NOW)).toMatch(/^ID {2}NAME.*TITLE\n$/);
  });

  it('cuts lines that a terminal would wrap', () => {
    const lines = sessionTable([session({ title: '日'.repeat(50) }), session({ title: 'é' })], NOW, 60);
    const [, long, short] = lines.split('\n');
    expect(long).toMatch(/日…$/);
    expect(short).toMatch(/é$/);
    // A wide character takes two columns.
    expect([long!.length, [...long!].filter((character) => character === '日').length]).toEqual([52, 8]);
  });

  it('lets nothing in it act on the terminal', () => {
    const hostile = '\x1b[2J\u009b2J\n\u202e';
    const table = sessionTable(
      [session({ id: hostile, name: hostile, shellType: hostile, cwd: hostile, title: hostile })],
      NOW,
    );
    expect(table.split('\n')).toHaveLength(3);
    expect(table.replaceAll('\n', '')).not.toMatch(/[\p{C}]/u);
  });
});

describe('age', () => {
  it.each([
    [-1000, '0s'],
    [59_999, '59s'],
    [60_000, '1m'],
    [3_600_000, '1h'],
    [86_399_000, '23h'],
    [864_000_000, '10d'],
  ])('of %d ms is %s', (ms, text) => {
    expect(age(ms)).toBe(text);
  });
});
