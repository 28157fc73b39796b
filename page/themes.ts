import { type Color, contrast, mix, readableOn, VISIBLE } from './colors.js';

export type ThemeKind = 'dark' | 'light';

/** Colours of programs, in their order in SGR 30–37 and 90–97. */
type Ansi = readonly [
  ...[Color, Color, Color, Color, Color, Color, Color, Color],
  ...[Color, Color, Color, Color, Color, Color, Color, Color],
];

/** All that a theme says; what the page itself looks like follows from it. */
export interface Theme {
  readonly id: string;
  readonly name: string;
  readonly kind: ThemeKind;
  readonly background: Color;
  readonly foreground: Color;
  /** Of what is chosen, focused or to be pressed. */
  readonly accent: Color;
  readonly ansi: Ansi;
}

const RED = 1;
const GREEN = 2;
const YELLOW = 3;

export const THEMES: readonly Theme[] = [
  {
    id: 'basalt',
    name: 'Basalt',
    kind: 'dark',
    background: '#14161b',
    foreground: '#d7dae0',
    accent: '#6fd0b5',
    // prettier-ignore
    ansi: [
      '#2a2e37', '#f07f85', '#8fcf8b', '#e3c07a', '#7fb0f5', '#c99bf0', '#6fcad0', '#c8ccd4',
      '#868e9d', '#ff9ba0', '#aee3a8', '#f2d79b', '#a5c8ff', '#dcb8ff', '#93e0e4', '#f4f6fa',
    ],
  },
  {
    id: 'midnight',
    name: 'Midnight',
    kind: 'dark',
    background: '#0f1524',
    foreground: '#cfd8ec',
    accent: '#82aaff',
    // prettier-ignore
    ansi: [
      '#232c43', '#ff8b92', '#98d98e', '#ffcb8b', '#82aaff', '#c99cf7', '#7fdbe6', '#c3cee6',
      '#7f8db0', '#ffa8ad', '#b6eaac', '#ffdfb0', '#a9c6ff', '#dfbfff', '#a5eaf2', '#f1f5ff',
    ],
  },
  {
    id: 'ember',
    name: 'Ember',
    kind: 'dark',
    background: '#1d1a17',
    foreground: '#e6dccb',
    accent: '#f0a45d',
    // prettier-ignore
    ansi: [
      '#38322c', '#f4877b', '#b3c470', '#eebd5d', '#8db4c9', '#dc9bb5', '#8fc7a9', '#d8cbb5',
      '#998c7a', '#ffa59a', '#cbdb8e', '#ffd480', '#abcfe2', '#f2b8ce', '#aee0c5', '#fbf3e2',
    ],
  },
  {
    id: 'moss',
    name: 'Moss',
    kind: 'dark',
    background: '#111a16',
    foreground: '#d3ded4',
    accent: '#a3d977',
    // prettier-ignore
    ansi: [
      '#25332b', '#ee8a83', '#8fd08a', '#dcc676', '#82b7d9', '#c6a2dd', '#77cfb9', '#c5d1c7',
      '#839488', '#ffa9a2', '#aee5a6', '#eedd9a', '#a6d0ec', '#dcbff0', '#9be3d1', '#f2f8f2',
    ],
  },
  {
    id: 'contrast',
    name: 'High contrast',
    kind: 'dark',
    background: '#000000',
    foreground: '#ffffff',
    accent: '#ffd84d',
    // prettier-ignore
    ansi: [
      '#3a3a3a', '#ff8080', '#7dff7d', '#ffe45c', '#8fbcff', '#ff9dff', '#6ff5ff', '#e8e8e8',
      '#b0b0b0', '#ffa6a6', '#a8ffa8', '#fff09a', '#b5d3ff', '#ffc4ff', '#a6f9ff', '#ffffff',
    ],
  },
  {
    id: 'paper',
    name: 'Paper',
    kind: 'light',
    background: '#fbfaf6',
    foreground: '#2b2d33',
    accent: '#0f766e',
    // prettier-ignore
    ansi: [
      '#2b2d33', '#b3261e', '#2f6f2e', '#7d5a00', '#1f5fb8', '#8b3fa8', '#0e6b75', '#6a6e77',
      '#5c606a', '#c8372e', '#3a7d38', '#8a6400', '#2b6fd0', '#9b4bb9', '#137985', '#6f737c',
    ],
  },
  {
    id: 'mist',
    name: 'Mist',
    kind: 'light',
    background: '#f3f6fa',
    foreground: '#243043',
    accent: '#2a5fc4',
    // prettier-ignore
    ansi: [
      '#243043', '#b42334', '#256b45', '#785700', '#2358bd', '#7a43b0', '#0b6a80', '#626c7d',
      '#566072', '#c6303f', '#2b744c', '#7f5d00', '#2d64cf', '#8650bd', '#0e728a', '#646e7f',
    ],
  },
  {
    id: 'sand',
    name: 'Sand',
    kind: 'light',
    background: '#f6efe0',
    foreground: '#3a3226',
    accent: '#9a4a12',
    // prettier-ignore
    ansi: [
      '#3a3226', '#a82c1c', '#4a6511', '#7a5500', '#1f5f8b', '#8a3b6b', '#1d6b5c', '#6b6252',
      '#625949', '#b53624', '#4f6a14', '#7f5a00', '#266894', '#954475', '#216e5f', '#6d6454',
    ],
  },
];

export const DEFAULT_THEME: Record<ThemeKind, string> = { dark: 'basalt', light: 'paper' };

/** The theme of that name; of another name, the default of that kind. */
export function themeOf(id: string, kind: ThemeKind): Theme {
  const find = (wanted: string): Theme | undefined => THEMES.find((theme) => theme.id === wanted);
  const theme = find(id) ?? find(DEFAULT_THEME[kind]);
  if (!theme) throw new Error(`there is no theme ${DEFAULT_THEME[kind]}`);
  return theme;
}

/** The colours of the page around the terminals, by their name in the style sheet. */
export function interfaceColors(theme: Theme): Record<`--${string}`, Color> {
  const { background, foreground, accent, ansi } = theme;
  const extreme = theme.kind === 'dark' ? '#ffffff' : '#000000';
  const surface = mix(background, foreground, theme.kind === 'dark' ? 0.035 : 0.05);
  const raised = theme.kind === 'dark' ? mix(background, foreground, 0.07) : mix(background, '#ffffff', 0.6);
  const chosen = mix(surface, accent, 0.16);
  const hover = mix(surface, foreground, 0.07);
  const surfaces = [background, surface, raised, chosen, hover];
  const text = (color: Color): Color => readableOn(surfaces, color, extreme);
  return {
    '--background': background,
    '--surface': surface,
    '--raised': raised,
    '--hover': hover,
    '--chosen': chosen,
    '--line': mix(surface, foreground, 0.13),
    // The edge of a field, which alone shows that it is one.
    '--edge': readableOn(surfaces, mix(surface, foreground, 0.35), extreme, VISIBLE),
    '--text': text(foreground),
    '--muted': text(mix(background, foreground, 0.62)),
    '--accent': text(accent),
    '--on-accent':
      contrast('#ffffff', text(accent)) > contrast('#101114', text(accent)) ? '#ffffff' : '#101114',
    '--danger': text(ansi[RED]),
    '--warning': text(ansi[YELLOW]),
    '--success': text(ansi[GREEN]),
  };
}

/** What xterm.js takes for its `theme`. */
export function terminalColors(theme: Theme): Record<string, string> {
  const { background, foreground, accent, ansi } = theme;
  const names = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
  const bright = (name: string): string => `bright${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  return {
    background,
    foreground,
    cursor: accent,
    cursorAccent: background,
    selectionBackground: mix(background, accent, 0.35),
    selectionInactiveBackground: mix(background, foreground, 0.18),
    scrollbarSliderBackground: mix(background, foreground, 0.16),
    scrollbarSliderHoverBackground: mix(background, foreground, 0.26),
    scrollbarSliderActiveBackground: mix(background, foreground, 0.34),
    overviewRulerBorder: background,
    ...Object.fromEntries(
      [...names, ...names.map(bright)].map((name, index) => [name, ansi[index] ?? foreground]),
    ),
  };
}

/** How what was searched for is marked. */
export function searchColors({ background, ansi }: Theme): Record<'found' | 'current', Color> {
  return { found: mix(background, ansi[YELLOW], 0.3), current: mix(background, ansi[YELLOW], 0.62) };
}
