import { commandsOf, type CommandTarget } from './commands.js';
import { type Entry } from './sessions.js';

function entry(place: number, more: Partial<Entry> = {}): Entry {
  const id = `s${place}`;
  return {
    key: `e${place}`,
    id,
    info: {
      id,
      name: `bash-${place}`,
      shellType: 'bash',
      status: 'active',
      createdAt: '2026-11-23T09:30:00.000Z',
      persistent: true,
      cwd: '/tmp',
    },
    isUnread: false,
    hasBell: false,
    ...more,
  };
}

function target(more: Partial<CommandTarget> = {}): CommandTarget & { readonly log: string[] } {
  const log: string[] = [];
  const note = (what: string) => (): void => void log.push(what);
  const promise = (what: string) => (): Promise<void> => Promise.resolve(note(what)());
  return {
    log,
    sessions: [entry(1), entry(2)],
    current: entry(1),
    hasTerminal: true,
    mayChange: true,
    isForeignSize: false,
    isTokenNeeded: false,
    isViewer: false,
    key: (command) => log.push(command),
    show: ({ id }) => log.push(`show ${id}`),
    newHere: note('newHere'),
    nextWithNews: note('nextWithNews'),
    restart: note('restart'),
    copyLink: promise('copyLink'),
    takeSize: note('takeSize'),
    pasteClipboard: promise('pasteClipboard'),
    selectAll: note('selectAll'),
    clear: note('clear'),
    save: note('save'),
    choose: ({ id }) => log.push(id),
    setAppearance: (appearance) => log.push(appearance),
    openSettings: note('openSettings'),
    reconnect: note('reconnect'),
    logOut: promise('logOut'),
    leaveViewer: note('leaveViewer'),
    ...more,
  };
}

const labels = (more: Partial<CommandTarget>): string[] =>
  commandsOf(target(more), 'other').map(({ label }) => label);

describe('the commands', () => {
  it('do what they say', () => {
    const to = target();
    const run = (label: string): void =>
      commandsOf(to, 'other')
        .find((item) => item.label === label)
        ?.run();
    for (const label of [
      'New session',
      'Go to bash-2',
      'Theme: Moss',
      'Copy read-only link',
      'Appearance: light',
    ]) {
      run(label);
    }
    expect(to.log).toEqual(['new', 'show s2', 'moss', 'copyLink', 'light']);
  });

  it('say by which keys they are had', () => {
    const item = commandsOf(target(), 'other').find(({ label }) => label === 'Go to bash-2');
    expect(item).toMatchObject({ keys: ['Ctrl', 'Shift', 'G', '2'], detail: '/tmp' });
  });

  it('change nothing where one may only watch', () => {
    const watching = labels({ mayChange: false, isViewer: true, isForeignSize: true });
    for (const label of [
      'New session',
      'Rename session',
      'Close session',
      'Paste',
      'Use the size of this window',
    ]) {
      expect(watching).not.toContain(label);
    }
    expect(watching).toContain('Leave read-only view');
    expect(watching).toContain('Find in terminal');
  });

  it('are there when they mean something', () => {
    expect(labels({})).not.toContain('Log out');
    expect(labels({ isTokenNeeded: true })).toContain('Log out');
    expect(labels({})).not.toContain('Restart session');
    expect(labels({ current: entry(1, { gone: 'restarted' }) })).toContain('Restart session');
    expect(labels({ isForeignSize: true })).toContain('Use the size of this window');
    expect(labels({ sessions: [entry(1), entry(2, { hasBell: true })] })).toContain('Next session with news');
    expect(labels({ sessions: [], current: undefined, hasTerminal: false })).not.toContain('Close session');
  });
});
