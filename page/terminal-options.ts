import { type ITerminalOptions } from '@xterm/xterm';
import { type Settings } from './settings.js';
import { terminalColors, type Theme } from './themes.js';

/** The system's own, best first; the last ones have the lines and blocks that programs draw with. */
export const SYSTEM_FONTS =
  'ui-monospace, "SF Mono", Menlo, "Cascadia Mono", Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace';

/** What a terminal takes of the settings, at any time. */
export function changingOptions(settings: Settings, theme: Theme): ITerminalOptions {
  return {
    fontFamily: fontFamilyOf(settings.fontFamily),
    fontSize: settings.fontSize,
    scrollback: settings.scrollbackLines,
    macOptionIsMeta: settings.optionIsMeta,
    screenReaderMode: settings.screenReader,
    theme: terminalColors(theme),
  };
}

export function fixedOptions(): ITerminalOptions {
  return {
    // For the marks of what was searched for, and newer widths of characters.
    allowProposedApi: true,
    cursorInactiveStyle: 'outline',
    fontWeightBold: 600,
    // Closer, some fonts lose their underscores.
    lineHeight: 1.15,
    // What programs print in a colour that cannot be read here is shown in one that can (WCAG AA).
    minimumContrastRatio: 4.5,
    macOptionClickForcesSelection: true,
    // Nothing that is printed moves or names the window, or asks what it is called.
    windowOptions: {},
    // Output is anybody's: what is wrong with it is no error of the page.
    logLevel: 'off',
    overviewRuler: { width: 12 },
  };
}

function fontFamilyOf(chosen: string): string {
  const name = chosen.replaceAll(/["\\;{}]/g, '').trim();
  return name === '' ? SYSTEM_FONTS : `"${name}", ${SYSTEM_FONTS}`;
}
