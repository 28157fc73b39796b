import { type Link } from './connector.js';
import { element, keyCaps } from './dom.js';
import { icon } from './icons.js';
import { keysOf, type Platform } from './keys.js';

export interface EmptyFacts {
  readonly link: Link['is'];
  readonly areSessionsKnown: boolean;
  readonly hasSessions: boolean;
  readonly mayCreate: boolean;
  /** The session that the address asks for, and that is not there. */
  readonly missing?: string;
}

type EmptyKind = 'connecting' | 'apart' | 'missing' | 'watching' | 'none' | 'unchosen';

/** What is in place of a terminal where there is none, and what to do about it. */
export class EmptyState {
  readonly element = element('div', { class: 'empty', 'data-testid': 'empty', hidden: true });
  private shown = '';

  constructor(
    private readonly platform: Platform,
    private readonly create: () => void,
  ) {}

  update(facts: EmptyFacts | undefined): void {
    this.element.hidden = !facts;
    if (!facts) return;
    const kind = kindOf(facts);
    const shown = `${kind} ${facts.mayCreate} ${facts.missing ?? ''}`;
    if (shown === this.shown) return;
    this.shown = shown;
    this.element.replaceChildren(...this.content(kind, facts));
  }

  private content(kind: EmptyKind, { missing = '', mayCreate }: EmptyFacts): Node[] {
    const create = element(
      'button',
      { type: 'button', class: 'button main', onclick: () => this.create() },
      'New session',
    );
    const keys = keyCaps(keysOf('new', this.platform));
    const words: Record<EmptyKind, readonly [string, string]> = {
      connecting: ['Connecting', 'Sessions appear here as soon as there is a connection.'],
      apart: ['Not connected', 'What is in the way is said above.'],
      missing: [
        'Session not found',
        `There is no session ${missing}. It may have ended, or the server was restarted.`,
      ],
      watching: ['Nothing to watch yet', 'Sessions appear here as soon as somebody starts one.'],
      none: [
        'No sessions yet',
        'A session is a shell on the server. It goes on when you close this page, until you close it.',
      ],
      unchosen: ['No session chosen', 'Choose one from the list, or start another.'],
    };
    const [title, text] = words[kind];
    return [
      element('div', { class: 'empty-picture' }, icon('prompt')),
      element('h2', {}, title),
      element('p', {}, text),
      ...(mayCreate && kind !== 'connecting' && kind !== 'apart'
        ? [create, element('p', { class: 'hint' }, keys)]
        : []),
    ];
  }
}

/** Where nothing happens by itself. */
const APART: readonly Link['is'][] = ['refused', 'elsewhere', 'closed', 'loggedOut'];

export function kindOf({ link, areSessionsKnown, hasSessions, mayCreate, missing }: EmptyFacts): EmptyKind {
  if (APART.includes(link) && !hasSessions) return 'apart';
  if (!areSessionsKnown || (link !== 'open' && !hasSessions)) return 'connecting';
  if (missing !== undefined) return 'missing';
  if (hasSessions) return 'unchosen';
  return mayCreate ? 'none' : 'watching';
}
