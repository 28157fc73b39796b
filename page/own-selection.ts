import { type Terminal } from '@xterm/xterm';

/**
 * Tells of text that is selected in `host` by mouse or keyboard, unless `isFinding`: a search selects, too, and nobody
 * wants that copied.
 */
export function onOwnSelection(
  host: HTMLElement,
  terminal: Terminal,
  isFinding: () => boolean,
  selected: (text: string) => void,
): void {
  let isOwn = false;
  // The emulator tells of it while the key goes down or the button comes up, wherever that is. A busy browser comes to
  // the next keys before this: they may be what is searched for.
  const end = (): unknown => window.setTimeout(() => (isOwn = false));
  const pressed = (): void => {
    isOwn = true;
    window.addEventListener('mouseup', end, { capture: true, once: true });
  };
  host.addEventListener('mousedown', pressed, true);
  host.addEventListener(
    'keydown',
    () => {
      isOwn = true;
      end();
    },
    true,
  );
  terminal.onSelectionChange(() => {
    if (isOwn && !isFinding()) selected(terminal.getSelection());
  });
}
