import { element } from './dom.js';
import { icon } from './icons.js';

export interface NoticeAction {
  readonly label: string;
  run(): void;
}

const SHOWN_MS = 6000;
const MOST = 4;

/** Short news in the corner, which a screen reader reads out; problems stay until they are put away. */
export class Notices {
  readonly element = element('div', { class: 'notices', role: 'status', 'aria-live': 'polite' });

  tell(text: string, action?: NoticeAction): void {
    this.add(text, false, action);
  }

  problem(text: string, action?: NoticeAction): void {
    this.add(text, true, action);
  }

  private add(text: string, isProblem: boolean, action?: NoticeAction): void {
    const same = [...this.element.children].find(
      (child) => child.querySelector('.notice-text')?.textContent === text,
    );
    same?.remove();
    const away = (): void => notice.remove();
    const notice = element(
      'div',
      { class: isProblem ? 'notice problem' : 'notice', 'data-testid': 'notice' },
      element('span', { class: 'notice-text' }, text),
      action &&
        element(
          'button',
          {
            type: 'button',
            class: 'button small',
            onclick: () => {
              away();
              action.run();
            },
          },
          action.label,
        ),
      element(
        'button',
        { type: 'button', class: 'icon-button', 'aria-label': 'Dismiss', onclick: away },
        icon('close'),
      ),
    );
    this.element.append(notice);
    if (!isProblem) window.setTimeout(away, SHOWN_MS);
    while (this.element.children.length > MOST) this.element.firstElementChild?.remove();
  }
}
