import { DEFAULT_THEME, type ThemeKind, THEMES } from './themes.js';

export type Appearance = 'system' | ThemeKind;

/** What a user has chosen, remembered by the browser. */
export interface Settings {
  readonly appearance: Appearance;
  readonly darkTheme: string;
  readonly lightTheme: string;
  /** In CSS pixels. */
  readonly fontSize: number;
  /** Empty: the system's own. */
  readonly fontFamily: string;
  /** Lines that can be scrolled back to, in each terminal. */
  readonly scrollbackLines: number;
  readonly copyOnSelect: boolean;
  /** On a Mac: the option key is Meta, and types no special characters. */
  readonly optionIsMeta: boolean;
  readonly screenReader: boolean;
  readonly isSidebarOpen: boolean;
  /** The session shown last. */
  readonly lastSession: string;
}

/** Each line takes some 12 bytes for each of its columns; the more there are, the fewer terminals are kept. */
export const SCROLLBACK_LINES = [1000, 10_000, 50_000];
const USUAL_SCROLLBACK = 10_000;

export const FONT_SIZES = { least: 8, usual: 14, most: 32 };

export const DEFAULT_SETTINGS: Settings = {
  appearance: 'system',
  darkTheme: DEFAULT_THEME.dark,
  lightTheme: DEFAULT_THEME.light,
  fontSize: FONT_SIZES.usual,
  fontFamily: '',
  scrollbackLines: USUAL_SCROLLBACK,
  copyOnSelect: false,
  optionIsMeta: false,
  screenReader: false,
  isSidebarOpen: true,
  lastSession: '',
};

/** Where they are kept; `localStorage` is one. */
export type SettingsStorage = Pick<Storage, 'getItem' | 'setItem'>;

const KEY = 'trex.settings';

/** The settings, and who wants to know of their changes. */
export class SettingsStore {
  private settings: Settings;
  private readonly listeners = new Set<(settings: Settings) => void>();

  /** Without a storage, as in a browser that keeps none, they hold as long as the page. */
  constructor(private readonly storage: SettingsStorage | undefined) {
    this.settings = parseSettings(storage?.getItem(KEY) ?? null);
  }

  get current(): Settings {
    return this.settings;
  }

  update(changes: Partial<Settings>): void {
    this.take({ ...this.settings, ...changes });
    try {
      this.storage?.setItem(KEY, JSON.stringify(this.settings));
    } catch {
      // The storage is full or forbidden: they hold as long as the page.
    }
  }

  /** Another tab has changed them: what concerns no single tab holds here, too. */
  changedElsewhere(key: string | null, text: string | null): void {
    if (key !== KEY) return;
    const { isSidebarOpen, lastSession } = this.settings;
    this.take({ ...parseSettings(text), isSidebarOpen, lastSession });
  }

  /** @returns what ends that */
  onChange(listener: (settings: Settings) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private take(settings: Settings): void {
    this.settings = valid(settings);
    for (const listener of this.listeners) listener(this.settings);
  }
}

/** What was kept, by whichever version of this page; what makes no sense is as if it had never been chosen. */
export function parseSettings(text: string | null): Settings {
  try {
    const kept: unknown = JSON.parse(text ?? '{}');
    return valid(typeof kept === 'object' && kept !== null ? kept : {});
  } catch {
    return DEFAULT_SETTINGS;
  }
}

function valid(kept: Partial<Record<keyof Settings, unknown>>): Settings {
  const usual = DEFAULT_SETTINGS;
  const flag = (name: keyof Settings): boolean => (kept[name] ?? usual[name]) === true;
  const text = (name: keyof Settings): string => {
    const value = kept[name];
    return typeof value === 'string' && value.length <= 200 ? value : String(usual[name]);
  };
  const themeId = (name: 'darkTheme' | 'lightTheme', kind: ThemeKind): string =>
    THEMES.some((theme) => theme.id === kept[name] && theme.kind === kind) ? text(name) : usual[name];
  const { appearance, fontSize, scrollbackLines } = kept;
  return {
    appearance: appearance === 'dark' || appearance === 'light' ? appearance : 'system',
    darkTheme: themeId('darkTheme', 'dark'),
    lightTheme: themeId('lightTheme', 'light'),
    fontSize: typeof fontSize === 'number' ? boundedFontSize(fontSize) : usual.fontSize,
    fontFamily: text('fontFamily'),
    scrollbackLines: boundedScrollback(scrollbackLines),
    copyOnSelect: flag('copyOnSelect'),
    optionIsMeta: flag('optionIsMeta'),
    screenReader: flag('screenReader'),
    isSidebarOpen: flag('isSidebarOpen'),
    lastSession: text('lastSession'),
  };
}

/** There was more to choose from once. */
function boundedScrollback(kept: unknown): number {
  const most = Math.max(...SCROLLBACK_LINES);
  if (kept === 200_000) return most;
  return SCROLLBACK_LINES.find((lines) => lines === kept) ?? USUAL_SCROLLBACK;
}

function boundedFontSize(size: number): number {
  if (!Number.isFinite(size)) return FONT_SIZES.usual;
  return Math.min(FONT_SIZES.most, Math.max(FONT_SIZES.least, Math.round(size)));
}
