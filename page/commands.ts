import { displayText } from './display-text.js';
import { type KeyCommand, keysOf, type Platform } from './keys.js';
import { type PaletteItem } from './palette.js';
import { type Entry, stateOf, titleOf } from './sessions.js';
import { type Appearance } from './settings.js';
import { type Theme, THEMES } from './themes.js';

/** What the page can do, as keys and the palette ask for it. */
export interface CommandTarget {
  readonly sessions: readonly Entry[];
  readonly current: Entry | undefined;
  readonly hasTerminal: boolean;
  readonly mayChange: boolean;
  readonly isForeignSize: boolean;
  readonly isTokenNeeded: boolean;
  /** Only watching, by the address and not by the token: that can be left. */
  readonly isViewer: boolean;
  key(command: KeyCommand): void;
  show(entry: Entry): void;
  newHere(): void;
  nextWithNews(): void;
  restart(): void;
  copyLink(): Promise<void>;
  takeSize(): void;
  pasteClipboard(): Promise<void>;
  selectAll(): void;
  clear(): void;
  save(): void;
  choose(theme: Theme): void;
  setAppearance(appearance: Appearance): void;
  openSettings(): void;
  reconnect(): void;
  logOut(): Promise<void>;
  leaveViewer(): void;
}

/** All of it that can be done now. */
export function commandsOf(target: CommandTarget, platform: Platform): readonly PaletteItem[] {
  const { current, hasTerminal, mayChange } = target;
  const byKey = (command: KeyCommand, label: string, isPossible = true): PaletteItem[] =>
    isPossible ? [{ label, keys: keysOf(command, platform), run: () => target.key(command) }] : [];
  const only = (isPossible: boolean, label: string, run: () => void): PaletteItem[] =>
    isPossible ? [{ label, run }] : [];
  const isEnded = current !== undefined && stateOf(current) !== 'running' && stateOf(current) !== 'starting';
  return [
    ...byKey('new', 'New session', mayChange),
    ...only(mayChange && current !== undefined, 'New session in this directory', () => target.newHere()),
    ...target.sessions.map((entry, index) => goTo(entry, index, target, platform)),
    ...byKey('next', 'Next session', target.sessions.length > 1),
    ...byKey('previous', 'Previous session', target.sessions.length > 1),
    ...only(target.sessions.some(hasNews), 'Next session with news', () => target.nextWithNews()),
    ...byKey('rename', 'Rename session', mayChange && hasTerminal),
    ...only(mayChange && isEnded, 'Restart session', () => target.restart()),
    ...byKey('close', 'Close session', mayChange && hasTerminal),
    ...only(current !== undefined && !current.gone, 'Copy read-only link', () => void target.copyLink()),
    ...only(target.isForeignSize && mayChange, 'Use the size of this window', () => target.takeSize()),
    ...byKey('search', 'Find in terminal', hasTerminal),
    ...byKey('copy', 'Copy selection', hasTerminal),
    ...(hasTerminal && mayChange
      ? [{ label: 'Paste', keys: keysOf('paste', platform), run: () => void target.pasteClipboard() }]
      : []),
    ...only(hasTerminal, 'Select all', () => target.selectAll()),
    ...only(hasTerminal, 'Save output as a text file', () => target.save()),
    ...only(hasTerminal, 'Clear scrollback', () => target.clear()),
    ...byKey('larger', 'Larger text'),
    ...byKey('smaller', 'Smaller text'),
    ...byKey('usualSize', 'Usual text size'),
    ...byKey('sidebar', 'Show or hide the sidebar'),
    ...byKey('list', 'Go to the list of sessions'),
    ...only(true, 'Settings', () => target.openSettings()),
    ...byKey('help', 'Keys'),
    ...THEMES.map((theme) => ({
      label: `Theme: ${theme.name}`,
      detail: theme.kind,
      run: () => target.choose(theme),
    })),
    ...only(true, 'Appearance: as the system', () => target.setAppearance('system')),
    ...only(true, 'Appearance: light', () => target.setAppearance('light')),
    ...only(true, 'Appearance: dark', () => target.setAppearance('dark')),
    ...only(true, 'Reconnect now', () => target.reconnect()),
    ...only(target.isViewer, 'Leave read-only view', () => target.leaveViewer()),
    ...only(target.isTokenNeeded, 'Log out', () => void target.logOut()),
  ];
}

export function hasNews({ isUnread, hasBell }: Entry): boolean {
  return isUnread || hasBell;
}

function goTo(entry: Entry, index: number, target: CommandTarget, platform: Platform): PaletteItem {
  const details = [titleOf(entry), entry.info.cwd].filter((text) => text !== undefined && text !== '');
  return {
    label: `Go to ${displayText(entry.info.name)}`,
    ...(details.length > 0 && { detail: displayText(details.join(' · '), 80) }),
    ...(index < 9 && { keys: keysOf(`jump${index + 1}`, platform) }),
    run: () => target.show(entry),
  };
}
