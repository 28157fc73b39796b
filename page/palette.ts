import { openDialog } from './dialogs.js';
import { element, keyCaps, setAttribute } from './dom.js';
import { fuzzyScore } from './fuzzy.js';

/** Something that can be done, or gone to. */
export interface PaletteItem {
  readonly label: string;
  /** In smaller letters behind it; found by, too. */
  readonly detail?: string;
  readonly keys?: readonly string[];
  run(): void;
}

const MOST_SHOWN = 60;

/** Everything that can be done, by a few letters of its name. */
export function openPalette(items: readonly PaletteItem[], closed: () => void): void {
  const list = element('ul', {
    id: 'palette-list',
    class: 'palette-list',
    role: 'listbox',
    'aria-label': 'Commands',
  });
  const input = element('input', {
    class: 'palette-input',
    type: 'text',
    role: 'combobox',
    'aria-expanded': 'true',
    'aria-controls': 'palette-list',
    'aria-autocomplete': 'list',
    'aria-label': 'Search commands and sessions',
    placeholder: 'Search commands and sessions',
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const nothing = element('p', { class: 'palette-nothing', hidden: true }, 'Nothing of that name.');
  let shown: readonly PaletteItem[] = [];
  let chosen = 0;

  const choose = (index: number): void => {
    chosen = index;
    [...list.children].forEach((option, place) => {
      setAttribute(option, 'aria-selected', String(place === chosen));
      if (place === chosen) option.scrollIntoView({ block: 'nearest' });
    });
    setAttribute(input, 'aria-activedescendant', shown.length > 0 ? `palette-${chosen}` : undefined);
  };
  const run = (item: PaletteItem | undefined): void => {
    if (!item) return;
    leave();
    item.run();
  };
  const search = (): void => {
    shown = matching(items, input.value);
    list.replaceChildren(
      ...shown.map((item, place) => {
        const option = optionOf(item, place);
        option.addEventListener('click', () => run(item));
        option.addEventListener('pointermove', () => {
          if (chosen !== place) choose(place);
        });
        return option;
      }),
    );
    nothing.hidden = shown.length > 0;
    choose(0);
  };
  input.addEventListener('input', search);
  input.addEventListener('keydown', (event) => {
    const { length } = shown;
    if (event.key === 'Enter') run(shown[chosen]);
    else if (event.key === 'ArrowDown' && length > 0) choose((chosen + 1) % length);
    else if (event.key === 'ArrowUp' && length > 0) choose((chosen - 1 + length) % length);
    else return;
    event.preventDefault();
  });
  const leave = openDialog(
    {
      title: 'Commands',
      class: 'palette',
      isBare: true,
      closed,
    },
    input,
    list,
    nothing,
  );
  search();
  input.focus();
}

/** Those that answer to what was typed, best first. */
export function matching(items: readonly PaletteItem[], typed: string): readonly PaletteItem[] {
  const scored = items.flatMap((item) => {
    const byLabel = fuzzyScore(typed, item.label);
    const byAll = fuzzyScore(typed, `${item.label} ${item.detail ?? ''}`);
    const score = byLabel ?? (byAll === undefined ? undefined : byAll - 200);
    return score === undefined ? [] : [{ item, score }];
  });
  return scored
    .sort((one, other) => other.score - one.score)
    .slice(0, MOST_SHOWN)
    .map(({ item }) => item);
}

function optionOf({ label, detail, keys }: PaletteItem, place: number): HTMLElement {
  return element(
    'li',
    { id: `palette-${place}`, class: 'palette-option', role: 'option', 'aria-selected': 'false' },
    element('bdi', { class: 'palette-label' }, label),
    detail !== undefined && element('bdi', { class: 'palette-detail' }, detail),
    keys && keyCaps(keys),
  );
}
