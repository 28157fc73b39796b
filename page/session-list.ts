import { displayText } from './display-text.js';
import { element, setAttribute, setText } from './dom.js';
import { icon } from './icons.js';
import { shortenPath } from './paths.js';
import { reasonText } from './reason-text.js';
import { type Entry, exitText, type EntryState, stateOf, titleOf } from './sessions.js';

export interface SessionListActions {
  show(entry: Entry): void;
  /** Asks first, where something still runs. */
  close(entry: Entry): void;
  /** Has been asked. */
  closeNow(entry: Entry): void;
  /** @throws when the server does not take the name */
  rename(entry: Entry, name: string): Promise<void>;
  /** The keys are the terminal's again. */
  done(): void;
}

const STATE_WORDS: Record<EntryState, string> = {
  starting: 'starting',
  running: 'running',
  ended: 'ended',
  gone: 'gone',
};

/** Characters of a path for which there is room. */
const PATH_CHARACTERS = 27;

/** The sessions, one under the other: what each is called, what it runs, where, and how it is. */
export class SessionList {
  readonly element = element('ul', {
    class: 'session-list',
    onkeydown: (event: KeyboardEvent) => this.pressed(event),
  });
  private readonly rows = new Map<string, Row>();

  constructor(private readonly actions: SessionListActions) {}

  update(entries: readonly Entry[], current: Entry | undefined, mayChange: boolean): void {
    for (const [key, row] of this.rows) {
      if (entries.some((entry) => entry.key === key)) continue;
      row.element.remove();
      this.rows.delete(key);
    }
    entries.forEach((entry, place) => {
      let row = this.rows.get(entry.key);
      if (!row) {
        row = new Row(entry, this.actions);
        this.rows.set(entry.key, row);
      }
      if (this.element.children[place] !== row.element) {
        this.element.insertBefore(row.element, this.element.children[place] ?? null);
      }
      row.update(place, entry === current, mayChange);
    });
  }

  rename(entry: Entry): void {
    this.rows.get(entry.key)?.rename();
  }

  /** Asks in the session's own row. */
  confirmClose(entry: Entry): void {
    this.rows.get(entry.key)?.confirmClose();
  }

  focus(current: Entry | undefined): void {
    const row = this.rows.get(current?.key ?? '') ?? [...this.rows.values()][0];
    row?.focus();
  }

  private pressed(event: KeyboardEvent): void {
    const rows = [...this.rows.values()].sort((one, other) => one.place - other.place);
    const at = rows.findIndex(({ element: row }) => row.contains(event.target as Node));
    const isOnRow = (event.target as Element).matches('.session-show');
    const chosen =
      isOnRow && !event.ctrlKey && !event.altKey && !event.metaKey && rows[Number(event.key) - 1];
    if (chosen) chosen.choose();
    else if (event.key === 'Escape' && isOnRow) this.actions.done();
    else if (event.key === 'ArrowDown' && isOnRow) rows[Math.min(at + 1, rows.length - 1)]?.focus();
    else if (event.key === 'ArrowUp' && isOnRow) rows[Math.max(at - 1, 0)]?.focus();
    else return;
    event.preventDefault();
  }
}

/** One session of the list. What it says is anybody's text: it is set as text, and kept from turning what is beside it. */
class Row {
  readonly element: HTMLLIElement;
  place = 0;
  private readonly name = element('bdi', { class: 'session-name' });
  private readonly detail = element('span', { class: 'session-detail' });
  private readonly shell = element('span', { class: 'session-shell' });
  private readonly path = element('bdi', { class: 'session-path', dir: 'ltr' });
  private readonly badge = element('span', { class: 'session-badge', hidden: true });
  private readonly bell = element('span', { class: 'session-bell', hidden: true }, icon('bell'));
  /** What is to be seen otherwise by a dot, by weight and by a picture. */
  private readonly unseen = element('span', { class: 'unseen' });
  private readonly number = element('span', { class: 'session-number', 'aria-hidden': 'true' });
  private readonly show: HTMLButtonElement;
  private readonly renameButton: HTMLButtonElement;
  private readonly closeButton: HTMLButtonElement;
  private readonly actionsElement: HTMLElement;
  private asked?: HTMLElement;

  constructor(
    private readonly entry: Entry,
    private readonly actions: SessionListActions,
  ) {
    this.detail.append(this.shell, this.path);
    this.show = element(
      'button',
      { type: 'button', class: 'session-show', onclick: () => this.choose() },
      element('span', { class: 'session-dot', 'aria-hidden': 'true' }),
      element('span', { class: 'session-first' }, this.name, this.bell, this.badge, this.number),
      this.detail,
      this.unseen,
    );
    this.show.addEventListener('dblclick', () => this.rename());
    this.renameButton = rowButton('pencil', () => this.rename());
    this.closeButton = rowButton('close', () => actions.close(entry));
    this.actionsElement = element('span', { class: 'session-actions' }, this.renameButton, this.closeButton);
    this.element = element(
      'li',
      { class: 'session', 'data-testid': 'session', 'data-session-id': entry.id },
      this.show,
      this.actionsElement,
    );
  }

  update(place: number, isCurrent: boolean, mayChange: boolean): void {
    const { info, isUnread, hasBell } = this.entry;
    const state = stateOf(this.entry);
    const exit = exitText(info);
    const name = displayText(info.name);
    const path = displayText(info.cwd, 4096);
    const title = displayText(titleOf(this.entry) ?? '');
    this.place = place;
    setText(this.name, name);
    setText(this.shell, displayText(info.shellType));
    setText(this.path, shortenPath(path, PATH_CHARACTERS));
    setText(this.number, place < 9 && state === 'running' ? String(place + 1) : '');
    setText(this.badge, exit ?? (state === 'gone' ? 'gone' : ''));
    this.badge.hidden = state !== 'ended' && state !== 'gone';
    this.bell.hidden = !hasBell;
    this.element.dataset.state = state;
    this.element.classList.toggle('is-failed', state === 'ended' && info.exitCode !== 0);
    this.element.classList.toggle('is-unread', isUnread);
    setAttribute(this.show, 'aria-current', isCurrent ? 'true' : undefined);
    setAttribute(this.show, 'title', [name, title, path].filter((line) => line !== '').join('\n'));
    const news = [isUnread && 'new output', hasBell && 'bell'].filter((one) => one !== false);
    setText(this.unseen, [...(exit === undefined ? [STATE_WORDS[state]] : []), ...news].join(', '));
    setAttribute(this.renameButton, 'aria-label', `Rename ${name}`);
    setAttribute(this.closeButton, 'aria-label', `Close ${name}`);
    this.actionsElement.hidden = !mayChange && !this.entry.gone;
    this.renameButton.hidden = !mayChange || state === 'gone' || this.entry.gone !== undefined;
  }

  focus(): void {
    this.show.focus();
  }

  choose(): void {
    this.actions.show(this.entry);
  }

  rename(): void {
    if (this.renameButton.hidden || this.actionsElement.hidden) return;
    const field = element('input', {
      class: 'field',
      type: 'text',
      'aria-label': `New name of ${this.entry.info.name}`,
      maxlength: 128,
      autocomplete: 'off',
      spellcheck: 'false',
      value: this.entry.info.name,
    });
    const problem = element('p', { class: 'form-problem', role: 'alert' });
    const save = async (): Promise<void> => {
      const name = field.value.trim();
      if (name === '' || name === this.entry.info.name) return this.putAway();
      try {
        await this.actions.rename(this.entry, name);
        this.putAway();
      } catch (error) {
        setText(problem, reasonText(error, 'It could not be renamed'));
        field.setAttribute('aria-invalid', 'true');
        field.focus();
      }
    };
    const form = element(
      'form',
      {
        class: 'session-rename',
        onsubmit: (event: SubmitEvent) => {
          event.preventDefault();
          void save();
        },
        onkeydown: (event: KeyboardEvent) => this.escaped(event),
        onfocusout: () => {
          if (this.asked === form) void save();
        },
      },
      field,
      problem,
    );
    this.putForward(form);
    field.select();
  }

  confirmClose(): void {
    const name = displayText(this.entry.info.name, 40);
    const yes = element(
      'button',
      {
        type: 'button',
        class: 'button danger small',
        onclick: () => {
          this.putAway();
          this.actions.closeNow(this.entry);
        },
      },
      'Close',
    );
    const no = element(
      'button',
      { type: 'button', class: 'button small', onclick: () => this.putAway() },
      'Keep',
    );
    const question = element(
      'div',
      {
        class: 'session-confirm',
        role: 'group',
        'aria-label': `Close ${name}? Its program is ended.`,
        'data-testid': 'confirm-close',
        onkeydown: (event: KeyboardEvent) => this.escaped(event),
        onfocusout: (event: FocusEvent) => {
          if (!question.contains(event.relatedTarget as Node | null)) this.putAway(false);
        },
      },
      element('span', { class: 'session-question' }, 'End ', element('bdi', {}, name), '?'),
      yes,
      no,
    );
    this.putForward(question);
    yes.focus();
  }

  private escaped(event: KeyboardEvent): void {
    if (event.key !== 'Escape') return;
    // It ends this, and nothing around it.
    event.stopPropagation();
    this.putAway();
  }

  private putForward(asked: HTMLElement): void {
    this.putAway(false);
    this.asked = asked;
    this.element.classList.add('is-asking');
    this.element.append(asked);
    this.element.scrollIntoView({ block: 'nearest' });
    asked.querySelector('input')?.focus();
  }

  private putAway(isDone = true): void {
    const { asked } = this;
    if (!asked) return;
    this.asked = undefined;
    this.element.classList.remove('is-asking');
    asked.remove();
    if (isDone) this.actions.done();
  }
}

function rowButton(picture: 'pencil' | 'close', run: () => void): HTMLButtonElement {
  return element('button', { type: 'button', class: 'icon-button', onclick: run }, icon(picture));
}
