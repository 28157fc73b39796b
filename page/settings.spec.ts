import { DEFAULT_SETTINGS, parseSettings, SettingsStore, type SettingsStorage } from './settings.js';
import { choosing } from './settings-dialog.js';
import { themeOf } from './themes.js';
import { kindOf } from './theme-switch.js';

class FakeStorage implements SettingsStorage {
  readonly kept = new Map<string, string>();
  isFull = false;

  getItem(key: string): string | null {
    return this.kept.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    if (this.isFull) throw new Error('QuotaExceededError');
    this.kept.set(key, value);
  }
}

describe('settings', () => {
  it('are kept for the next page', () => {
    const storage = new FakeStorage();
    new SettingsStore(storage).update({ darkTheme: 'moss', fontSize: 18, isSidebarOpen: false });
    expect(new SettingsStore(storage).current).toEqual({
      ...DEFAULT_SETTINGS,
      darkTheme: 'moss',
      fontSize: 18,
      isSidebarOpen: false,
    });
  });

  it.each([
    null,
    '',
    'nonsense',
    'null',
    '3',
    '[]',
    '{"fontSize":"big","appearance":"pink","darkTheme":"paper","lightTheme":7,"fontFamily":{},"copyOnSelect":"yes"}',
    '{"scrollbackLines":1e99,"fontSize":null}',
  ])('that make no sense are as if never chosen: %j', (text) => {
    expect(parseSettings(text)).toEqual(DEFAULT_SETTINGS);
  });

  it('have text of a size that can be read', () => {
    const store = new SettingsStore(undefined);
    const sizes = [1, 100, 12.4, Number.NaN].map((fontSize) => {
      store.update({ fontSize });
      return store.current.fontSize;
    });
    expect(sizes).toEqual([8, 32, 12, 14]);
  });

  it('hold as long as the page where nothing can be kept', () => {
    const storage = new FakeStorage();
    storage.isFull = true;
    const store = new SettingsStore(storage);
    store.update({ copyOnSelect: true });
    expect(store.current.copyOnSelect).toBe(true);
  });

  it('are told to who listens, until they do not', () => {
    const store = new SettingsStore(undefined);
    const told: number[] = [];
    const stop = store.onChange(({ fontSize }) => told.push(fontSize));
    store.update({ fontSize: 15 });
    stop();
    store.update({ fontSize: 16 });
    expect(told).toEqual([15]);
  });

  it('of another tab hold here, but for what each tab has of its own', () => {
    const store = new SettingsStore(undefined);
    store.update({ lastSession: 's1' });
    const elsewhere = JSON.stringify({
      ...DEFAULT_SETTINGS,
      fontSize: 20,
      lastSession: 's9',
      isSidebarOpen: false,
    });
    store.changedElsewhere('something.else', elsewhere);
    expect(store.current.fontSize).toBe(14);
    store.changedElsewhere('trex.settings', elsewhere);
    expect(store.current).toMatchObject({ fontSize: 20, lastSession: 's1', isSidebarOpen: true });
  });
});

describe('the appearance', () => {
  it('is the system’s unless another was chosen', () => {
    expect(kindOf(DEFAULT_SETTINGS, true)).toBe('dark');
    expect(kindOf(DEFAULT_SETTINGS, false)).toBe('light');
    expect(kindOf({ ...DEFAULT_SETTINGS, appearance: 'light' }, true)).toBe('light');
  });

  it('follows a theme that was chosen', () => {
    const moss = themeOf('moss', 'dark');
    expect(choosing(moss, DEFAULT_SETTINGS, true)).toEqual({ darkTheme: 'moss', appearance: 'system' });
    expect(choosing(moss, DEFAULT_SETTINGS, false)).toEqual({ darkTheme: 'moss', appearance: 'dark' });
    const light = { ...DEFAULT_SETTINGS, appearance: 'light' } as const;
    expect(choosing(moss, light, true)).toEqual({ darkTheme: 'moss', appearance: 'dark' });
  });
});
