import { element } from './dom.js';
import { icon } from './icons.js';

export interface DialogOptions {
  readonly title: string;
  /** For the style sheet, beside `dialog`. */
  readonly class?: string;
  /** Without the line that has the title and a button to close it: the title is only its name. */
  readonly isBare?: boolean;
  closed?(): void;
}

let lastId = 0;

/**
 * Opens a dialog above everything. It closes by Escape, its button or a click beside it, and is gone then.
 * @returns what closes it
 */
export function openDialog(options: DialogOptions, ...content: (Node | string)[]): () => void {
  const id = `dialog-${++lastId}`;
  const title = element('h2', { id, class: 'dialog-title' }, options.title);
  const close = element(
    'button',
    { type: 'button', class: 'icon-button', 'aria-label': 'Close', onclick: () => leave() },
    icon('close'),
  );
  const dialog = element(
    'dialog',
    options.isBare
      ? { class: `dialog ${options.class ?? ''}`, 'aria-label': options.title }
      : { class: `dialog ${options.class ?? ''}`, 'aria-labelledby': id },
    !options.isBare && element('div', { class: 'dialog-head' }, title, close),
    ...content,
  );
  // The dialog itself is hit only beside what is in it: its padding is that of its children.
  dialog.addEventListener('pointerdown', (event) => {
    if (event.target === dialog) leave();
  });
  let isOver = false;
  const over = (): void => {
    if (isOver) return;
    isOver = true;
    dialog.remove();
    options.closed?.();
  };
  // The event tells of it later, and keys may come before: they would lose the focus that they have asked for.
  const leave = (): void => {
    dialog.close();
    over();
  };
  dialog.addEventListener('cancel', (event) => {
    event.preventDefault();
    leave();
  });
  dialog.addEventListener('close', over);
  document.body.append(dialog);
  dialog.showModal();
  return leave;
}

export function isDialogOpen(): boolean {
  return document.querySelector('dialog[open]') !== null;
}

export interface Choice<Value> {
  readonly label: string;
  readonly value: Value;
  readonly kind?: 'main' | 'danger';
}

/**
 * Asks. A field has the focus where there is one, else the first of `choices`, which is also what the return key means.
 * @returns nothing when the dialog is closed without an answer
 */
export function ask<Value>(
  options: DialogOptions,
  content: (Node | string)[],
  choices: readonly Choice<Value>[],
): Promise<Value | undefined> {
  return new Promise((resolve) => {
    let answer: Value | undefined;
    const choose = (choice: Choice<Value> | undefined): void => {
      answer = choice?.value;
      leave();
    };
    const buttons = choices.map((choice, index) =>
      element(
        'button',
        {
          type: index === 0 ? 'submit' : 'button',
          class: `button ${choice.kind ?? ''}`,
          ...(index > 0 && { onclick: () => choose(choice) }),
        },
        choice.label,
      ),
    );
    const form = element(
      'form',
      {
        onsubmit: (event: SubmitEvent) => {
          event.preventDefault();
          choose(choices[0]);
        },
      },
      element('div', { class: 'dialog-body' }, ...content),
      element('div', { class: 'dialog-actions' }, ...[...buttons].reverse()),
    );
    const leave = openDialog({ ...options, closed: () => resolve(answer) }, form);
    (form.querySelector<HTMLElement>('input.field') ?? buttons[0])?.focus();
  });
}
