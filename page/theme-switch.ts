import { type Settings, type SettingsStore } from './settings.js';
import { interfaceColors, type Theme, type ThemeKind, themeOf } from './themes.js';

/** Dresses the page as the settings, or the system, say. */
export class ThemeSwitch {
  private readonly systemDark = matchMedia('(prefers-color-scheme: dark)');
  private theme: Theme;

  constructor(
    private readonly settings: SettingsStore,
    private readonly changed: () => void,
  ) {
    this.theme = this.chosen();
    this.dress();
    settings.onChange(() => this.look());
    this.systemDark.addEventListener('change', () => this.look());
  }

  get current(): Theme {
    return this.theme;
  }

  private look(): void {
    const theme = this.chosen();
    if (theme !== this.theme) {
      this.theme = theme;
      this.dress();
    }
    this.changed();
  }

  private chosen(): Theme {
    const { current } = this.settings;
    const kind = kindOf(current, this.systemDark.matches);
    return themeOf(kind === 'dark' ? current.darkTheme : current.lightTheme, kind);
  }

  private dress(): void {
    const { style, dataset } = document.documentElement;
    for (const [name, color] of Object.entries(interfaceColors(this.theme))) style.setProperty(name, color);
    style.colorScheme = this.theme.kind;
    dataset.theme = this.theme.id;
    document.querySelector('meta[name="theme-color"]')?.setAttribute('content', this.theme.background);
  }
}

export function kindOf({ appearance }: Settings, isSystemDark: boolean): ThemeKind {
  if (appearance !== 'system') return appearance;
  return isSystemDark ? 'dark' : 'light';
}
