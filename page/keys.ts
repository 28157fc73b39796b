/** What can be done with a key. `jump1` to `jump9` go to that session of the list. */
export type KeyCommand =
  | 'new'
  | 'next'
  | 'previous'
  | `jump${number}`
  | 'close'
  | 'rename'
  | 'search'
  | 'palette'
  | 'help'
  | 'copy'
  | 'paste'
  | 'larger'
  | 'smaller'
  | 'usualSize'
  | 'sidebar'
  | 'list';

export type Platform = 'mac' | 'other';

/** A key that was pressed: a `KeyboardEvent` is one. */
export interface Pressed {
  readonly key: string;
  readonly code: string;
  readonly ctrlKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
}

const JUMPS = [1, 2, 3, 4, 5, 6, 7, 8, 9];

/**
 * Chosen so that nobody else needs them: a terminal sends nothing of its own for Ctrl+Shift and a letter, and browsers
 * keep none of these for themselves, as they do with N, T, W and Tab. Missing Shift does no harm in a shell.
 */
const CHORDS: Record<Platform, Record<string, string>> = {
  other: {
    new: 'Ctrl+Shift+Enter',
    next: 'Ctrl+Shift+ArrowDown',
    previous: 'Ctrl+Shift+ArrowUp',
    ...Object.fromEntries(JUMPS.map((place) => [`jump${place}`, `Ctrl+Shift+${place}`])),
    close: 'Ctrl+Shift+X',
    rename: 'Ctrl+Shift+E',
    search: 'Ctrl+Shift+F',
    palette: 'Ctrl+Shift+K',
    help: 'Ctrl+Shift+?',
    copy: 'Ctrl+Shift+C',
    paste: 'Ctrl+Shift+V',
    larger: 'Ctrl+Shift++',
    smaller: 'Ctrl+Shift+-',
    usualSize: 'Ctrl+Shift+0',
    sidebar: 'Ctrl+Shift+L',
    list: 'Ctrl+Shift+G',
  },
  mac: {
    new: 'Shift+Cmd+Enter',
    next: 'Alt+Cmd+ArrowDown',
    previous: 'Alt+Cmd+ArrowUp',
    ...Object.fromEntries(JUMPS.map((place) => [`jump${place}`, `Alt+Cmd+${place}`])),
    close: 'Shift+Cmd+X',
    rename: 'Shift+Cmd+E',
    search: 'Cmd+F',
    palette: 'Cmd+K',
    help: 'Ctrl+Shift+?',
    copy: 'Cmd+C',
    paste: 'Cmd+V',
    larger: 'Ctrl+Shift++',
    smaller: 'Ctrl+Shift+-',
    usualSize: 'Ctrl+Shift+0',
    sidebar: 'Shift+Cmd+L',
    list: 'Ctrl+Shift+G',
  },
};

/** Left to the browser, which alone may read the clipboard without asking. */
const BROWSERS_OWN: Record<Platform, readonly string[]> = { other: ['paste'], mac: ['copy', 'paste'] };

const SYMBOLS: Record<string, readonly string[]> = { '+': ['+', '='], '-': ['-', '_'], '?': ['?'] };
const MODIFIERS = ['Ctrl', 'Alt', 'Shift', 'Cmd'] as const;
const MAC_SIGNS: Record<string, string> = { Ctrl: '⌃', Alt: '⌥', Shift: '⇧', Cmd: '⌘' };
const KEY_SIGNS: Record<string, string> = { ArrowDown: '↓', ArrowUp: '↑' };

export function platformOf(userAgent: string): Platform {
  return /Mac|iPhone|iPad/.test(userAgent) ? 'mac' : 'other';
}

/** What `pressed` asks for; `isBrowsersOwn`: it happens by itself when nobody takes the key. */
export function commandOf(
  pressed: Pressed,
  platform: Platform,
): { readonly command: KeyCommand; readonly isBrowsersOwn: boolean } | undefined {
  for (const [command, chord] of Object.entries(CHORDS[platform])) {
    if (isPressed(chord, pressed)) {
      return { command: command as KeyCommand, isBrowsersOwn: BROWSERS_OWN[platform].includes(command) };
    }
  }
  return undefined;
}

/** The keys as they are named to people, one each: `Ctrl`, `Shift`, `F`; `⌘`, `F` on a Mac. */
export function keysOf(command: KeyCommand, platform: Platform): readonly string[] {
  const { modifiers, key } = parse(CHORDS[platform][command] ?? '');
  const named = MODIFIERS.filter((modifier) => modifiers.includes(modifier));
  return [
    ...named.map((name) => (platform === 'mac' ? (MAC_SIGNS[name] ?? name) : name)),
    KEY_SIGNS[key] ?? key,
  ];
}

/** The same for `aria-keyshortcuts`. */
export function ariaKeysOf(command: KeyCommand, platform: Platform): string {
  const names: Record<string, string> = { Ctrl: 'Control', Cmd: 'Meta', '+': 'Plus' };
  const { modifiers, key } = parse(CHORDS[platform][command] ?? '');
  return [...modifiers, key].map((name) => names[name] ?? name).join('+');
}

function parse(chord: string): { modifiers: readonly string[]; key: string } {
  // The key itself may be a plus.
  const parts = chord.split(/\+(?=.)/);
  return { modifiers: parts.slice(0, -1), key: parts.at(-1) ?? '' };
}

function isPressed(chord: string, pressed: Pressed): boolean {
  const { modifiers, key } = parse(chord);
  const held = { Ctrl: pressed.ctrlKey, Alt: pressed.altKey, Shift: pressed.shiftKey, Cmd: pressed.metaKey };
  return MODIFIERS.every((name) => held[name] === modifiers.includes(name)) && isKey(key, pressed);
}

function isKey(key: string, pressed: Pressed): boolean {
  // What Shift and Alt make of a digit differs from keyboard to keyboard.
  if (/^\d$/.test(key)) return pressed.code === `Digit${key}`;
  if (/^[A-Z]$/.test(key)) {
    const isLatin = /^[a-z]$/i.test(pressed.key);
    return isLatin ? pressed.key.toUpperCase() === key : pressed.code === `Key${key}`;
  }
  return (SYMBOLS[key] ?? [key]).includes(pressed.key);
}
