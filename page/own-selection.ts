import { type Terminal } from '@xterm/xterm';

/** Tells of text that is selected in `host` by mouse or keyboard: a search selects, too, and nobody wants that copied. */
export function onOwnSelection(
  host: HTMLElement,
  terminal: Terminal,
  selected: (text: string) => void,
): void {
  let isOwn = false;
  // The emulator tells of it while the key goes down or the button comes up, wherever that is.
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
    if (isOwn) selected(terminal.getSelection());
  });
}
