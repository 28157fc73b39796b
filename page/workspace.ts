import { RequestFailed } from '../client/client-error.js';
import { type CreateOptions, type TerminalClient } from '../client/terminal-client.js';
import { type Api } from './api.js';
import { displayText } from './display-text.js';
import { reasonText } from './reason-text.js';
import { type Entry, hasOwnName, Sessions, stateOf } from './sessions.js';
import { type Settings } from './settings.js';
import { TerminalDeck } from './terminal-deck.js';
import { TerminalView, type ViewEvents } from './terminal-view.js';
import { type Theme } from './themes.js';

export interface WorkspaceParts {
  readonly client: TerminalClient;
  readonly api: Api;
  settings(): Settings;
  theme(): Theme;
  isReadOnly(): boolean;
  /** Whether all sessions are followed, or only what is shown. */
  readonly followsAll: boolean;
  readonly events: WorkspaceEvents;
}

/** What is asked of, and told to, the page around the terminals. */
export interface WorkspaceEvents extends Pick<
  ViewEvents,
  'link' | 'mayPaste' | 'selected' | 'typed' | 'notice'
> {
  changed(): void;
  /** Another session is shown, or none. */
  shown(entry: Entry | undefined): void;
  problem(text: string): void;
}

/** What is shown comes first. */
const IDLE_MS = 200;

/** The sessions and their terminals: which there are, which is shown, and what is done with them. */
export class Workspace {
  readonly sessions: Sessions;
  readonly deck: TerminalDeck;
  private shown?: Entry;
  private created = 0;
  /** Keys of what has been attached unseen, or need not be. */
  private readonly wasAttached = new Set<string>();
  private attaching?: number;

  constructor(private readonly parts: WorkspaceParts) {
    this.deck = new TerminalDeck(
      () => parts.settings().scrollbackLines,
      (key) => {
        const entry = this.sessions.all.find((one) => one.key === key);
        // Nothing can be read of it any more.
        if (entry?.gone) this.sessions.drop(entry);
      },
    );
    this.sessions = new Sessions(
      (entry) => this.isReadable(entry),
      () => this.listChanged(),
    );
  }

  get current(): Entry | undefined {
    return this.shown;
  }

  get view(): TerminalView | undefined {
    return this.deck.current;
  }

  show(entry: Entry): void {
    this.shown = entry;
    const view = this.deck.show(entry.key, () => this.makeView(() => entry));
    if (!view.isBegun) void view.attach(entry.id);
    this.seen();
    this.parts.events.shown(entry);
  }

  /** The one that was shown last, also by an earlier page; else the newest. */
  last(): Entry | undefined {
    return this.sessions.find(this.parts.settings().lastSession) ?? this.sessions.all.at(-1);
  }

  /** Forward or back through the list, round its ends. */
  step(by: 1 | -1): void {
    const { all } = this.sessions;
    const at = all.findIndex((entry) => entry === this.shown);
    const entry = all[(at + by + all.length) % all.length];
    if (entry) this.show(entry);
  }

  jump(place: number): void {
    const entry = this.sessions.all[place - 1];
    if (entry) this.show(entry);
  }

  /** The user looks at what is shown. */
  seen(): void {
    if (this.shown && !document.hidden) this.sessions.note(this.shown, { isUnread: false, hasBell: false });
  }

  /** Starts a session and shows it. @returns it, unless that failed */
  async create(options: Pick<CreateOptions, 'cwd' | 'shell'> = {}): Promise<Entry | undefined> {
    const before = this.shown;
    const key = `new${++this.created}`;
    const made: { entry?: Entry } = {};
    this.shown = undefined;
    const view = this.deck.show(key, () => this.makeView(() => made.entry));
    this.parts.events.changed();
    try {
      const id = await view.create({ ...options, persistent: true });
      const entry = this.sessions.created(id);
      made.entry = entry;
      const isShownTwice = this.deck.has(entry.key);
      // The list had told of it before, and the user looked: it is shown anew.
      for (const view of isShownTwice ? [key, entry.key] : []) this.deck.drop(view);
      this.deck.rekey(key, entry.key);
      this.show(entry);
      return entry;
    } catch (error) {
      this.deck.drop(key);
      if (before && this.sessions.all.includes(before)) this.show(before);
      else this.showAnother();
      this.parts.events.problem(reasonText(error, 'The session could not be started'));
      if (!(error instanceof RequestFailed)) throw error;
      return undefined;
    }
  }

  /** Another one like it, in its place. */
  async restart(entry: Entry): Promise<void> {
    const { shellType, cwd, name } = entry.info;
    // One that could not be started may have had no directory to start in.
    const mayStartThere = cwd !== '' && this.deck.view(entry.key)?.exit?.cause !== 'failed';
    const created = await this.create({
      ...(shellType !== '' && { shell: shellType }),
      ...(mayStartThere && { cwd }),
    });
    if (!created) return;
    if (hasOwnName(entry.info)) await this.rename(created, name).catch(() => undefined);
    this.close(entry);
  }

  /** Ends it for everybody; one that is gone is only put away. */
  close(entry: Entry): void {
    const { api, events } = this.parts;
    const next = entry === this.shown ? this.neighbour(entry) : undefined;
    if (entry === this.shown) this.shown = undefined;
    if (entry.gone) this.sessions.drop(entry);
    else this.sessions.setClosing(entry, true);
    if (next) this.show(next);
    else if (!this.shown) this.showAnother();
    if (entry.gone) return;
    api.close(entry.id).catch((error: unknown) => {
      this.sessions.setClosing(entry, false);
      events.problem(reasonText(error, `${displayText(entry.info.name)} could not be closed`));
    });
  }

  /** @throws {Refused} when the server does not take it */
  async rename(entry: Entry, name: string): Promise<void> {
    await this.parts.api.rename(entry.id, name);
  }

  /** Shows what could not be shown for want of a connection. */
  connected(): void {
    for (const entry of this.sessions.all) {
      const view = this.deck.view(entry.key);
      if (view?.state === 'waiting' && !entry.gone) void view.attach(entry.id);
    }
  }

  tryAgain(entry: Entry): void {
    void this.deck.view(entry.key)?.attach(entry.id);
  }

  dress(): void {
    for (const view of this.deck.all) view.apply(this.parts.settings(), this.parts.theme());
    this.deck.bound();
  }

  /**
   * Attaches what was not shown yet, one after the other: what happens in it is told then, and what it has printed can be
   * read when the server has it no more.
   */
  private attachNext(): void {
    if (!this.parts.followsAll) return;
    this.attaching ??= window.setTimeout(() => {
      this.attaching = undefined;
      const isBusy = [...this.deck.all].some(({ state }) => state === 'starting' || state === 'waiting');
      const entry = this.sessions.all.findLast(({ key, gone }) => !gone && !this.wasAttached.has(key));
      if (!entry || isBusy || this.deck.isFull || this.parts.client.state !== 'open') return;
      this.wasAttached.add(entry.key);
      if (!this.deck.has(entry.key)) void this.attachUnseen(entry);
      this.attachNext();
    }, IDLE_MS);
  }

  private async attachUnseen(entry: Entry): Promise<void> {
    const view = this.makeView(() => entry);
    this.deck.add(entry.key, view);
    await view.attach(entry.id);
    // Whoever wants to see it is told why that cannot be.
    if (view.state === 'failed' && entry !== this.shown) this.deck.drop(entry.key);
  }

  private makeView(entryOf: () => Entry | undefined): TerminalView {
    const { client, events } = this.parts;
    const note = (news: Parameters<Sessions['note']>[1]): void => {
      const entry = entryOf();
      if (entry) this.sessions.note(entry, news);
    };
    const isSeen = (): boolean => entryOf() === this.shown && !document.hidden;
    return new TerminalView({
      client,
      settings: this.parts.settings(),
      theme: this.parts.theme(),
      isReadOnly: this.parts.isReadOnly(),
      events: {
        ...events,
        changed: () => {
          events.changed();
          this.attachNext();
        },
        title: (title) => note({ title }),
        bell: () => {
          if (!isSeen()) note({ hasBell: true });
        },
        printed: () => {
          if (!isSeen()) note({ isUnread: true });
        },
        ended: (exit) => {
          const entry = entryOf();
          if (entry) this.ended(entry, exit);
        },
      },
    });
  }

  private ended(entry: Entry, { code, signal }: Parameters<ViewEvents['ended']>[0]): void {
    entry.info = { ...entry.info, status: 'exited', exitCode: code, ...(signal !== undefined && { signal }) };
    this.parts.events.changed();
  }

  /** What was closed, here or elsewhere, is gone from the list, but for what somebody is reading just now. */
  private isReadable(entry: Entry): boolean {
    const view = this.deck.view(entry.key);
    if (!view?.hasOutput) return false;
    return !entry.isClosing && (view.exit?.cause !== 'closed' || entry === this.shown);
  }

  private listChanged(): void {
    for (const view of [...this.deck.keys]) {
      const isListed = this.sessions.all.some(({ key }) => key === view);
      if (!isListed && !view.startsWith('new')) this.deck.drop(view);
    }
    if (this.shown && !this.sessions.all.includes(this.shown)) this.showAnother();
    this.parts.events.changed();
    this.attachNext();
  }

  private neighbour(entry: Entry): Entry | undefined {
    const { all } = this.sessions;
    const at = all.indexOf(entry);
    return all[at + 1] ?? all[at - 1];
  }

  private showAnother(): void {
    this.shown = undefined;
    const last = this.sessions.all.findLast((entry) => stateOf(entry) !== 'gone');
    if (last) return this.show(last);
    this.deck.showNone();
    this.parts.events.shown(undefined);
  }
}
