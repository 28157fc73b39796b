import { element, setText } from './dom.js';
import { iconButton } from './icon-button.js';
import { type Found } from './finder.js';
import { type TerminalView } from './terminal-view.js';

/** Looks for text in the terminal that is shown. */
export class SearchBar {
  readonly element: HTMLElement;
  private readonly input = element('input', {
    class: 'search-input',
    type: 'text',
    'aria-label': 'Find in terminal',
    placeholder: 'Find',
    autocomplete: 'off',
    spellcheck: 'false',
  });
  private readonly count = element('span', {
    class: 'search-count',
    role: 'status',
    'data-testid': 'search-count',
  });
  private readonly caseSensitive = this.toggle('Aa', 'Match case');
  private readonly wholeWord = this.toggle('ab', 'Whole words');
  private readonly regex = this.toggle('.*', 'Regular expression');
  private view?: TerminalView;
  private listening?: { dispose(): void };

  constructor(private readonly closed: () => void) {
    this.element = element(
      'div',
      {
        class: 'search',
        role: 'search',
        hidden: true,
        onkeydown: (event: KeyboardEvent) => this.pressed(event),
      },
      this.input,
      this.count,
      this.caseSensitive,
      this.wholeWord,
      this.regex,
      iconButton('up', 'Previous match', () => this.find('previous')),
      iconButton('down', 'Next match', () => this.find('next')),
      iconButton('close', 'Close search', () => this.close()),
    );
    this.input.addEventListener('input', () => this.find('next', true));
  }

  open(view: TerminalView): void {
    this.follow(view);
    this.element.hidden = false;
    const selected = view.terminal.getSelection();
    if (selected !== '' && !selected.includes('\n')) this.input.value = selected;
    this.input.focus();
    this.input.select();
    this.find('next', true);
  }

  /** Another terminal is shown. */
  follow(view: TerminalView | undefined): void {
    if (this.view === view) return;
    this.view?.finder.stop();
    this.listening?.dispose();
    this.view = view;
    this.listening = view?.finder.onFound((found) => this.tell(found));
    if (!this.element.hidden) this.find('next', true);
  }

  close(): void {
    if (this.element.hidden) return;
    this.element.hidden = true;
    this.view?.finder.stop();
    this.closed();
  }

  private find(direction: 'next' | 'previous', incremental = false): void {
    if (this.input.value === '') {
      this.view?.finder.stop();
      return this.tell(undefined);
    }
    const isOn = (button: HTMLElement): boolean => button.getAttribute('aria-pressed') === 'true';
    const options = {
      caseSensitive: isOn(this.caseSensitive),
      wholeWord: isOn(this.wholeWord),
      regex: isOn(this.regex),
      incremental,
    };
    try {
      const isThere = this.view?.finder.find(this.input.value, direction, options) ?? false;
      if (!isThere) this.tell({ index: -1, count: 0 });
    } catch {
      // What is typed is no regular expression yet.
      this.tell({ index: -1, count: 0 });
    }
  }

  private tell(found: Found | undefined): void {
    this.element.classList.toggle('is-without', found?.count === 0);
    if (!found) setText(this.count, '');
    else if (found.count === 0) setText(this.count, 'None');
    else if (found.index < 0) setText(this.count, `${found.count}+`);
    else setText(this.count, `${found.index + 1} of ${found.count}`);
  }

  private pressed(event: KeyboardEvent): void {
    if (event.key === 'Escape') this.close();
    else if (event.key === 'Enter' && event.target === this.input)
      this.find(event.shiftKey ? 'previous' : 'next');
    else return;
    event.preventDefault();
  }

  private toggle(sign: string, name: string): HTMLButtonElement {
    const button = element('button', {
      type: 'button',
      class: 'icon-button toggle',
      'aria-label': name,
      title: name,
      'data-sign': sign,
      'aria-pressed': 'false',
      onclick: () => {
        button.setAttribute('aria-pressed', String(button.getAttribute('aria-pressed') !== 'true'));
        this.find('next', true);
      },
    });
    return button;
  }
}
