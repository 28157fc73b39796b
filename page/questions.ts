import { displayText } from './display-text.js';
import { ask, openDialog } from './dialogs.js';
import { element } from './dom.js';
import { formatFragment } from './fragment.js';
import { type Paste } from './paste.js';

/** Whether a link of the output is to be opened. It is shown whole: its text may have said something else. */
export async function mayOpen(url: URL): Promise<boolean> {
  const rest = url.href.slice(url.origin.length);
  const address = element(
    'p',
    { class: 'url', 'data-testid': 'link-url', dir: 'ltr' },
    element('strong', {}, url.origin),
    rest,
  );
  const content = [
    element('p', {}, 'This link stands in what a program printed. It leads to'),
    address,
    ...(url.username === '' ? [] : [element('p', { class: 'warning' }, 'It names a user before the host.')]),
  ];
  const answer = await ask({ title: 'Open this link?' }, content, [
    { label: 'Open', value: true, kind: 'main' },
    { label: 'Cancel', value: false },
  ]);
  return answer === true;
}

/** Whether several lines are to be pasted, and whether to ask again. */
export async function mayPaste(
  { lines, preview, endsLine }: Paste,
  isBracketed: boolean,
): Promise<{ readonly may: boolean; readonly isAskedAgain: boolean }> {
  const count = lines === 1 ? '1 line' : `${lines.toLocaleString('en')} lines`;
  const more = lines - preview.length;
  const never = element('input', { type: 'checkbox' });
  const effect = isBracketed
    ? 'The program takes it as one paste.'
    : `The program takes each line as if you had typed it${endsLine ? ', the last one with the return key' : ''}.`;
  const content = [
    element('p', {}, effect),
    element(
      'pre',
      { class: 'preview', 'data-testid': 'paste-preview', dir: 'ltr', tabindex: 0 },
      preview.join('\n'),
    ),
    ...(more > 0 ? [element('p', { class: 'hint' }, `and ${more.toLocaleString('en')} more`)] : []),
    element('label', { class: 'check' }, never, 'Do not ask again until this page is loaded anew'),
  ];
  const answer = await ask({ title: `Paste ${count}?` }, content, [
    { label: 'Paste', value: true, kind: 'main' },
    { label: 'Cancel', value: false },
  ]);
  return { may: answer === true, isAskedAgain: !never.checked };
}

export async function mayClose(name: string): Promise<boolean> {
  const content = [element('p', {}, 'What runs in it is ended, for everybody who looks at it.')];
  const answer = await ask({ title: `Close ${displayText(name, 60)}?` }, content, [
    { label: 'Close session', value: true, kind: 'danger' },
    { label: 'Keep it', value: false },
  ]);
  return answer === true;
}

/** The token that a link is to carry; empty: none. Nothing when the user has changed their mind. */
export async function askForReadOnlyToken(): Promise<string | undefined> {
  const token = element('input', {
    id: 'read-only-token',
    class: 'field',
    type: 'password',
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const content = [
    element(
      'p',
      {},
      'This server asks for a token. Put in one that only reads, and whoever has the link can watch without logging in. ',
      'Leave it empty, and they have to log in themselves.',
    ),
    element('label', { class: 'label', for: 'read-only-token' }, 'Read-only token'),
    token,
    element('p', { class: 'hint' }, 'Never your own: it would let do everything.'),
  ];
  const answer = await ask({ title: 'Copy read-only link' }, content, [
    { label: 'Copy link', value: true, kind: 'main' },
    { label: 'Cancel', value: false },
  ]);
  return answer === true ? token.value.trim() : undefined;
}

export function readOnlyLink(session: string, token: string): string {
  const fragment = formatFragment({ session, isReadOnly: true, ...(token !== '' && { token }) });
  return `${location.origin}${location.pathname}${fragment}`;
}

/** For where the clipboard may not be written to: the user copies it. */
export function showForCopying(title: string, text: string): void {
  // One line would lose the breaks between several.
  const field = element(
    'textarea',
    { class: 'field copied', readonly: true, rows: 8, 'aria-label': title, dir: 'ltr' },
    text,
  );
  openDialog({ title }, element('div', { class: 'dialog-body' }, field));
  field.select();
}
