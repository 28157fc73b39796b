/** What can be done with a key. `jump1` to `jump9` go to that session of the list; but for Macs, by its digit in the list. */
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
 * Chosen so that nobody else needs them: a terminal sends nothing of its own for Ctrl+Shift and a letter, `<` or `>`, and
 * browsers keep none of these for themselves, as they do with N, T, W and Tab. Missing Shift does no harm in a shell.
 * Digits would not do: with them, or with Alt, programs get ^@ (the second), ^^ or M-! to M-(.
 */
const CHORDS: Record<Platform, Record<string, string>> = {
  other: {
    new: 'Ctrl+Shift+Enter',
    next: 'Ctrl+Shift+ArrowDown',
    previous: 'Ctrl+Shift+ArrowUp',
    close: 'Ctrl+Shift+X',
    rename: 'Ctrl+Shift+E',
    search: 'Ctrl+Shift+F',
    palette: 'Ctrl+Shift+K',
    help: 'Ctrl+Shift+?',
    copy: 'Ctrl+Shift+C',
    paste: 'Ctrl+Shift+V',
    larger: 'Ctrl+Shift+>',
    smaller: 'Ctrl+Shift+<',
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
    larger: 'Ctrl+Shift+>',
    smaller: 'Ctrl+Shift+<',
    usualSize: 'Ctrl+Shift+0',
    sidebar: 'Shift+Cmd+L',
    list: 'Ctrl+Shift+G',
  },
};

/** Left to the browser, which alone may read the clipboard without asking. */
const BROWSERS_OWN: Record<Platform, readonly string[]> = { other: ['paste'], mac: ['copy', 'paste'] };

/** Where keys are that bear these on most keyboards: on others they may need no Shift. */
const SYMBOL_CODES: Record<string, string> = { '<': 'Comma', '>': 'Period' };
/** Whichever key these are on: with Ctrl they are ^_ and ^@, by which Emacs and shells undo, and set the mark. */
const PROGRAMS_OWN = ['_', '@'];
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
  if (pressed.ctrlKey && PROGRAMS_OWN.includes(pressed.key)) return undefined;
  for (const [command, chord] of Object.entries(CHORDS[platform])) {
    if (isPressed(chord, pressed)) {
      return { command: command as KeyCommand, isBrowsersOwn: BROWSERS_OWN[platform].includes(command) };
    }
  }
  return undefined;
}

/** The keys as they are named to people, one each: `Ctrl`, `Shift`, `F`; `⌘`, `F` on a Mac. */
export function keysOf(command: KeyCommand, platform: Platform): readonly string[] {
  const chord = CHORDS[platform][command];
  // One after the other: the list takes digits.
  if (chord === undefined) return [...keysOf('list', platform), command.slice('jump'.length)];
  const { modifiers, key } = parse(chord);
  const named = MODIFIERS.filter((modifier) => modifiers.includes(modifier));
  return [
    ...named.map((name) => (platform === 'mac' ? (MAC_SIGNS[name] ?? name) : name)),
    KEY_SIGNS[key] ?? key,
  ];
}

/** The same for `aria-keyshortcuts`. */
export function ariaKeysOf(command: KeyCommand, platform: Platform): string {
  const names: Record<string, string> = { Ctrl: 'Control', Cmd: 'Meta' };
  const { modifiers, key } = parse(CHORDS[platform][command] ?? '');
  return [...modifiers, key].map((name) => names[name] ?? name).join('+');
}

function parse(chord: string): { modifiers: readonly string[]; key: string } {
  const parts = chord.split('+');
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
  const isWhereItMayBe = pressed.code === SYMBOL_CODES[key] && !/^[a-z<>]$/i.test(pressed.key);
  return pressed.key === key || isWhereItMayBe;
}
