import { element, setAttribute } from './dom.js';

/** What a key of the bar types into or scrolls; arrows depend on what the program has asked for. */
export interface KeyBarTarget {
  type(data: string): void;
  page(by: 1 | -1): void;
  readonly sendsApplicationKeys: boolean;
}

/** Keys that a phone has not, above its keyboard. Ctrl and Alt hold for the next key. */
export class KeyBar {
  readonly element: HTMLElement;
  private readonly ctrl = this.holdingKey('Ctrl');
  private readonly alt = this.holdingKey('Alt');

  constructor(private readonly target: () => KeyBarTarget | undefined) {
    this.element = element(
      'div',
      { class: 'key-bar', role: 'toolbar', 'aria-label': 'Keys' },
      this.key('Esc', 'Esc', () => '\x1b'),
      this.key('Tab', 'Tab', () => '\t'),
      this.ctrl,
      this.alt,
      this.key('←', 'Left', (isApplication) => arrow('D', isApplication)),
      this.key('↓', 'Down', (isApplication) => arrow('B', isApplication)),
      this.key('↑', 'Up', (isApplication) => arrow('A', isApplication)),
      this.key('→', 'Right', (isApplication) => arrow('C', isApplication)),
      this.button('PgUp', 'Page up', (target) => target.page(-1)),
      this.button('PgDn', 'Page down', (target) => target.page(1)),
      ...['/', '|', '-', '~'].map((sign) => this.key(sign, sign, () => sign)),
    );
    // The keyboard stays, and what is typed next goes where it did.
    this.element.addEventListener('pointerdown', (event) => event.preventDefault());
  }

  /** What is typed, with the keys that are held. */
  typed(data: string): string {
    const held = { isCtrl: isHeld(this.ctrl), isAlt: isHeld(this.alt) };
    if (!held.isCtrl && !held.isAlt) return data;
    const changed = withHeld(data, held);
    if (changed !== undefined) this.release();
    return changed ?? data;
  }

  private release(): void {
    for (const key of [this.ctrl, this.alt]) setAttribute(key, 'aria-pressed', 'false');
  }

  private key(label: string, name: string, data: (isApplication: boolean) => string): HTMLButtonElement {
    return this.button(label, name, (target) => target.type(data(target.sendsApplicationKeys)));
  }

  private button(label: string, name: string, press: (target: KeyBarTarget) => void): HTMLButtonElement {
    const onclick = (): void => {
      const target = this.target();
      if (target) press(target);
    };
    return element('button', { type: 'button', class: 'key', 'aria-label': name, onclick }, label);
  }

  private holdingKey(label: string): HTMLButtonElement {
    const toggle = (): void => setAttribute(button, 'aria-pressed', String(!isHeld(button)));
    const attributes = { type: 'button', class: 'key', 'aria-pressed': 'false', onclick: toggle };
    const button = element('button', attributes, label);
    return button;
  }
}

function isHeld(key: HTMLElement): boolean {
  return key.getAttribute('aria-pressed') === 'true';
}

// eslint-disable-next-line no-control-regex -- What an arrow sends.
const ARROW = /^\x1b[[O]([A-D])$/;

/** What Ctrl and Alt make of a key; nothing of what is no key, as an answer of the emulator. */
export function withHeld(
  data: string,
  { isCtrl, isAlt }: { readonly isCtrl: boolean; readonly isAlt: boolean },
): string | undefined {
  const final = ARROW.exec(data)?.[1];
  if (final !== undefined) return `\x1b[1;${1 + (isAlt ? 2 : 0) + (isCtrl ? 4 : 0)}${final}`;
  if (data.startsWith('\x1b') && data.length > 1) return undefined;
  return `${isAlt ? '\x1b' : ''}${isCtrl ? controlOf(data) : data}`;
}

/** `c` is Ctrl-C. */
function controlOf(data: string): string {
  if (data === ' ' || data === '2') return '\0';
  if (data === '?') return '\x7f';
  return /^[@-_a-z]$/.test(data) ? String.fromCharCode(data.toUpperCase().charCodeAt(0) & 0x1f) : data;
}

function arrow(final: string, isApplication: boolean): string {
  return isApplication ? `\x1bO${final}` : `\x1b[${final}`;
}
