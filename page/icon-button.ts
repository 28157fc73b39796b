import { element } from './dom.js';
import { icon, type IconName } from './icons.js';
import { ariaKeysOf, type KeyCommand, keysOf, type Platform } from './keys.js';

/** The key that does the same. */
export interface Shortcut {
  readonly command: KeyCommand;
  readonly platform: Platform;
}

/** A picture that can be pressed, with a name for who does not see it, or wonders. */
export function iconButton(
  picture: IconName,
  name: string,
  run: () => void,
  shortcut?: Shortcut,
): HTMLButtonElement {
  const keys =
    shortcut && keysOf(shortcut.command, shortcut.platform).join(shortcut.platform === 'mac' ? '' : '+');
  return element(
    'button',
    {
      type: 'button',
      class: 'icon-button',
      'aria-label': name,
      'aria-keyshortcuts': shortcut && ariaKeysOf(shortcut.command, shortcut.platform),
      title: keys === undefined ? name : `${name} (${keys})`,
      onclick: run,
    },
    icon(picture),
  );
}
