import { type Color, contrast, READABLE, VISIBLE } from './colors.js';
import { DEFAULT_THEME, interfaceColors, searchColors, terminalColors, themeOf, THEMES } from './themes.js';

const SURFACES = ['--background', '--surface', '--raised', '--hover', '--chosen'] as const;
const TEXTS = ['--text', '--muted', '--accent', '--danger', '--warning', '--success'] as const;

describe.each(THEMES)('the theme $name', (theme) => {
  const colors = interfaceColors(theme);
  const color = (name: `--${string}`): Color => colors[name] ?? '#000000';

  it('can be read wherever the page has text', () => {
    for (const text of TEXTS) {
      for (const surface of SURFACES) {
        expect([text, surface, contrast(color(text), color(surface)) >= READABLE]).toEqual([
          text,
          surface,
          true,
        ]);
      }
    }
    expect(contrast(color('--on-accent'), color('--accent'))).toBeGreaterThanOrEqual(READABLE);
  });

  it('shows where a field ends', () => {
    for (const surface of SURFACES) {
      expect(contrast(color('--edge'), color(surface))).toBeGreaterThanOrEqual(VISIBLE);
    }
  });

  it('has colours for programs that can be read', () => {
    expect(contrast(theme.foreground, theme.background)).toBeGreaterThanOrEqual(7);
    // Black on dark is for backgrounds.
    const texts = theme.ansi.filter((_, index) => !(theme.kind === 'dark' && index === 0));
    expect(texts.filter((text) => contrast(text, theme.background) < READABLE)).toEqual([]);
  });

  it('marks what was searched for, and leaves it to be read', () => {
    const { found, current } = searchColors(theme);
    expect(contrast(theme.foreground, found)).toBeGreaterThanOrEqual(READABLE);
    expect(contrast(found, current)).toBeGreaterThan(1.3);
  });

  it('is one of its kind', () => {
    expect(contrast(theme.background, '#ffffff') > contrast(theme.background, '#000000')).toBe(
      theme.kind === 'dark',
    );
  });
});

describe('themes', () => {
  it('have different names', () => {
    expect(new Set(THEMES.map(({ id }) => id)).size).toBe(THEMES.length);
  });

  it('are found by name, and the default where there is none of that name', () => {
    expect(themeOf('sand', 'light').name).toBe('Sand');
    expect(themeOf('nothing', 'light').id).toBe(DEFAULT_THEME.light);
    expect(themeOf('nothing', 'dark').id).toBe(DEFAULT_THEME.dark);
  });

  it('tell the terminal its sixteen colours by name', () => {
    const colors = terminalColors(themeOf('basalt', 'dark'));
    expect([colors.black, colors.brightBlack, colors.brightWhite]).toEqual(['#2a2e37', '#868e9d', '#f4f6fa']);
  });
});
