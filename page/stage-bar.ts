import { element, setText } from './dom.js';
import { type Entry } from './sessions.js';
import { type TerminalView } from './terminal-view.js';

export interface StageBarActions {
  restart(entry: Entry): void;
  close(entry: Entry): void;
  tryAgain(entry: Entry): void;
}

/** What is to be said under a terminal that shows no running session, and what can be done about it. */
interface Words {
  readonly text: string;
  readonly tone: 'quiet' | 'bad';
  readonly actions: readonly ('restart' | 'close' | 'tryAgain')[];
}

const LABELS = { restart: 'Restart', close: 'Close', tryAgain: 'Try again' };

export class StageBar {
  readonly element = element('div', {
    class: 'stage-bar',
    role: 'status',
    'data-testid': 'stage-bar',
    hidden: true,
  });
  private readonly text = element('span', { class: 'stage-bar-text' });
  private readonly buttons = element('span', { class: 'stage-bar-actions' });
  private said = '';

  constructor(private readonly actions: StageBarActions) {
    this.element.append(this.text, this.buttons);
  }

  update(entry: Entry | undefined, view: TerminalView | undefined, mayChange: boolean): void {
    const words = entry && view && wordsFor(entry, view);
    this.element.hidden = !words;
    if (!words) return;
    setText(this.text, words.text);
    this.element.dataset.tone = words.tone;
    const mayAct = { restart: mayChange, close: mayChange || entry.gone !== undefined, tryAgain: true };
    const offered = words.actions.filter((action) => mayAct[action]);
    const said = `${entry.key} ${offered.join()}`;
    // Buttons that are there keep the focus.
    if (said === this.said) return;
    this.said = said;
    this.buttons.replaceChildren(
      ...offered.map((action) =>
        element(
          'button',
          {
            type: 'button',
            class: `button small ${action === 'restart' ? 'main' : ''}`,
            onclick: () => this.actions[action](entry),
          },
          LABELS[action],
        ),
      ),
    );
  }
}

/** What is gone is not to be tried again, whatever had come in between before. */
export function wordsFor(
  entry: Pick<Entry, 'gone' | 'info'>,
  view: Pick<TerminalView, 'state' | 'problem' | 'exit'>,
): Words | undefined {
  if (view.state === 'failed' && !entry.gone) {
    const text = `This session cannot be shown: ${view.problem ?? 'the server refused'}.`;
    return { text, tone: 'bad', actions: ['tryAgain'] };
  }
  if (entry.gone === 'restarted' && entry.info.status !== 'exited') {
    const isEmpty = view.state === 'failed' || view.state === 'waiting';
    const text = `The server was restarted, and this session is gone with it.${isEmpty ? '' : ' What it printed is still here.'}`;
    return { text, tone: 'bad', actions: ['restart', 'close'] };
  }
  if (view.exit) {
    const { code, cause } = view.exit;
    if (cause === 'failed') {
      const text = `It could not be started: ${view.problem ?? `exit ${code}`}.`;
      return { text, tone: 'bad', actions: ['restart', 'close'] };
    }
    if (cause === 'closed')
      return { text: 'The session was closed elsewhere.', tone: 'quiet', actions: ['restart', 'close'] };
    return { text: ended(view.exit), tone: code === 0 ? 'quiet' : 'bad', actions: ['restart', 'close'] };
  }
  if (view.state === 'gone' || entry.gone) {
    return { text: 'The session is no longer there.', tone: 'quiet', actions: ['restart', 'close'] };
  }
  return undefined;
}

function ended({ code, signal }: NonNullable<TerminalView['exit']>): string {
  return signal === undefined ? `Exited with code ${code}.` : `Ended by ${signal}.`;
}
