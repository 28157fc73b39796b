import { openDialog } from './dialogs.js';
import { element } from './dom.js';
import { availableFonts } from './fonts.js';
import { type Platform } from './keys.js';
import {
  type Appearance,
  FONT_SIZES,
  SCROLLBACK_LINES,
  type Settings,
  type SettingsStore,
} from './settings.js';
import { interfaceColors, type Theme, type ThemeKind, THEMES } from './themes.js';

/** What may be chosen, in effect as soon as it is. */
export function openSettings(store: SettingsStore, platform: Platform, closed: () => void): void {
  const radios = [appearances(store), themes(store, 'dark'), themes(store, 'light')];
  const stop = store.onChange((settings) => {
    for (const group of radios) group.follow(settings);
  });
  openDialog(
    {
      title: 'Settings',
      class: 'settings',
      closed: () => {
        stop();
        closed();
      },
    },
    element(
      'div',
      { class: 'dialog-body' },
      ...radios.map((group) => group.element),
      font(store),
      element(
        'div',
        { class: 'checks' },
        check(store, 'copyOnSelect', 'Copy what is selected'),
        ...(platform === 'mac' ? [check(store, 'optionIsMeta', 'The option key is Meta')] : []),
        check(store, 'screenReader', 'Let screen readers read the terminal (slower)'),
      ),
    ),
  );
}

/** What choosing a theme changes: it is the theme of its kind, and shown at once. */
export function choosing(theme: Theme, { appearance }: Settings, isSystemDark: boolean): Partial<Settings> {
  const isOfSystem = appearance === 'system' && (theme.kind === 'dark') === isSystemDark;
  return {
    ...(theme.kind === 'dark' ? { darkTheme: theme.id } : { lightTheme: theme.id }),
    appearance: isOfSystem ? 'system' : theme.kind,
  };
}

/** Radio buttons, of which those are on that the settings say. */
interface Radios {
  readonly element: HTMLElement;
  follow(settings: Settings): void;
}

function appearances(store: SettingsStore): Radios {
  const choices: [Appearance, string][] = [
    ['system', 'System'],
    ['light', 'Light'],
    ['dark', 'Dark'],
  ];
  const radios = choices.map(([appearance, label]) => {
    const radio = element('input', {
      type: 'radio',
      name: 'appearance',
      onchange: () => store.update({ appearance }),
    });
    return { radio, appearance, label: element('label', {}, radio, element('span', {}, label)) };
  });
  const follow = (settings: Settings): void => {
    for (const { radio, appearance } of radios) radio.checked = settings.appearance === appearance;
  };
  follow(store.current);
  const legend = element('legend', {}, 'Appearance');
  return {
    element: element('fieldset', { class: 'segments' }, legend, ...radios.map(({ label }) => label)),
    follow,
  };
}

function themes(store: SettingsStore, kind: ThemeKind): Radios {
  const radios = THEMES.filter((theme) => theme.kind === kind).map((theme) => {
    const radio = element('input', {
      type: 'radio',
      name: `theme-${kind}`,
      onclick: () =>
        store.update(choosing(theme, store.current, matchMedia('(prefers-color-scheme: dark)').matches)),
    });
    const label = element('label', { class: 'theme' }, radio, swatch(theme), element('span', {}, theme.name));
    return { radio, theme, label };
  });
  const follow = ({ darkTheme, lightTheme }: Settings): void => {
    for (const { radio, theme } of radios) radio.checked = [darkTheme, lightTheme].includes(theme.id);
  };
  follow(store.current);
  const legend = element('legend', {}, kind === 'dark' ? 'Dark theme' : 'Light theme');
  return {
    element: element('fieldset', { class: 'themes' }, legend, ...radios.map(({ label }) => label)),
    follow,
  };
}

function swatch(theme: Theme): HTMLElement {
  const colors = interfaceColors(theme);
  const bars = [theme.accent, ...[1, 2, 3, 4, 5].map((index) => theme.ansi[index] ?? theme.accent)].map(
    (color) => {
      const bar = element('i', {});
      bar.style.background = color;
      return bar;
    },
  );
  const made = element('span', { class: 'swatch', 'aria-hidden': 'true' }, ...bars);
  made.style.background = theme.background;
  made.style.borderColor = colors['--line'] ?? '';
  return made;
}

function font(store: SettingsStore): HTMLElement {
  const { fontFamily, fontSize } = store.current;
  const families = ['', ...availableFonts()];
  if (!families.includes(fontFamily)) families.push(fontFamily);
  const family = element(
    'select',
    { id: 'font', class: 'field', onchange: () => store.update({ fontFamily: family.value }) },
    ...families.map((name) =>
      element(
        'option',
        { value: name, selected: name === fontFamily },
        name === '' ? 'The system’s own' : name,
      ),
    ),
  );
  const size = element('input', {
    id: 'font-size',
    class: 'field',
    type: 'number',
    min: FONT_SIZES.least,
    max: FONT_SIZES.most,
    value: fontSize,
    onchange: () => {
      store.update({ fontSize: size.valueAsNumber });
      size.value = String(store.current.fontSize);
    },
  });
  const scrollback = element(
    'select',
    {
      id: 'scrollback',
      class: 'field',
      onchange: () => store.update({ scrollbackLines: Number(scrollback.value) }),
    },
    ...SCROLLBACK_LINES.map((lines) =>
      element(
        'option',
        { value: lines, selected: lines === store.current.scrollbackLines },
        `${lines.toLocaleString('en')} lines`,
      ),
    ),
  );
  const labelled = (text: string, control: HTMLElement): HTMLElement =>
    element('div', {}, element('label', { class: 'label', for: control.id }, text), control);
  return element(
    'div',
    { class: 'fields' },
    labelled('Font', family),
    labelled('Size', size),
    labelled('Scrollback', scrollback),
  );
}

function check(
  store: SettingsStore,
  name: 'copyOnSelect' | 'optionIsMeta' | 'screenReader',
  label: string,
): HTMLElement {
  const box = element('input', {
    type: 'checkbox',
    checked: store.current[name],
    onchange: () => store.update({ [name]: box.checked }),
  });
  return element('label', { class: 'check' }, box, label);
}
