import { openDialog } from './dialogs.js';
import { element, keyCaps } from './dom.js';
import { type KeyCommand, keysOf, type Platform } from './keys.js';

const GROUPS: readonly (readonly [string, readonly (readonly [KeyCommand, string])[]])[] = [
  [
    'Sessions',
    [
      ['new', 'New session'],
      ['next', 'Next session'],
      ['previous', 'Previous session'],
      ['jump1', 'First session of the list, to 9'],
      ['rename', 'Rename session'],
      ['close', 'Close session'],
    ],
  ],
  [
    'Terminal',
    [
      ['copy', 'Copy selection'],
      ['paste', 'Paste'],
      ['search', 'Find in terminal'],
      ['larger', 'Larger text'],
      ['smaller', 'Smaller text'],
      ['usualSize', 'Usual text size'],
    ],
  ],
  [
    'Page',
    [
      ['palette', 'All commands'],
      ['sidebar', 'Show or hide the sidebar'],
      ['list', 'Go to the list of sessions'],
      ['help', 'This help'],
    ],
  ],
];

/** Every key the page takes for itself; all others are the terminal's. */
export function openHelp(platform: Platform, closed: () => void): void {
  const group = ([title, commands]: (typeof GROUPS)[number]): HTMLElement =>
    element(
      'section',
      {},
      element('h3', {}, title),
      element(
        'dl',
        {},
        ...commands.map(([command, does]) =>
          element('div', {}, element('dt', {}, does), element('dd', {}, keyCaps(keysOf(command, platform)))),
        ),
      ),
    );
  openDialog(
    { title: 'Keys', class: 'help', closed },
    element('div', { class: 'dialog-body' }, ...GROUPS.map(group)),
    element('p', { class: 'hint' }, 'All other keys go to the program in the terminal.'),
  );
}
