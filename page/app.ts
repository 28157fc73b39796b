import { whenVisible } from '../client/page-visibility.js';
import { type TerminalClient } from '../client/terminal-client.js';
import { Actions } from './actions.js';
import { Address } from './address.js';
import { Api } from './api.js';
import { hasNews } from './commands.js';
import { type Told } from './connection-state.js';
import { type ClientParts, Connector, type Link } from './connector.js';
import { isDialogOpen } from './dialogs.js';
import { displayText } from './display-text.js';
import { EmptyState } from './empty-state.js';
import { Entrance } from './entrance.js';
import { Header } from './header.js';
import { KeyBar } from './key-bar.js';
import { commandOf, platformOf } from './keys.js';
import { Layout } from './layout.js';
import { Login } from './login.js';
import { Notices } from './notices.js';
import { SearchBar } from './search-bar.js';
import { SessionList } from './session-list.js';
import { type Entry, titleOf } from './sessions.js';
import { type SettingsStore } from './settings.js';
import { StageBar } from './stage-bar.js';
import { ThemeSwitch } from './theme-switch.js';
import { Workspace } from './workspace.js';

export interface AppParts {
  readonly settings: SettingsStore;
  readonly makeClient: (parts: ClientParts) => TerminalClient;
}

/** Several changes that come together are shown at once. */
const RENDER_MS = 16;
const NAME = 'trex';

/** The page: joins its parts, and shows what has become of them. */
export class App {
  private readonly platform = platformOf(navigator.userAgent);
  private readonly address = new Address();
  private readonly api = new Api();
  private readonly entrance = new Entrance(this.api, this.address.takeToken(), this.address.isReadOnly);
  private readonly notices = new Notices();
  private readonly connector: Connector;
  private readonly workspace: Workspace;
  private readonly actions: Actions;
  private readonly layout: Layout;
  private readonly header: Header;
  private readonly list: SessionList;
  private readonly search = new SearchBar(() => this.actions.focusTerminal());
  private readonly stageBar: StageBar;
  private readonly empty: EmptyState;
  private readonly keyBar = new KeyBar(() => this.workspace.view);
  private readonly login: Login;
  private isServerNew = false;
  private isSilent = false;
  private hasChosen = false;
  /** The session that the address asks for, and that was not there. */
  private missing?: string;
  private rendering?: number;

  constructor({ settings, makeClient }: AppParts) {
    const themes = new ThemeSwitch(settings, () => this.workspace.dress());
    this.connector = new Connector(this.entrance, makeClient, {
      link: (link) => this.linkChanged(link),
      arrived: ({ isServerNew }) => {
        if (isServerNew) this.serverRestarted();
        // Not before what is gone is known to be: its id may be another session's now.
        this.workspace.connected();
      },
    });
    this.workspace = new Workspace({
      client: this.connector.client,
      api: this.api,
      settings: () => settings.current,
      theme: () => themes.current,
      isReadOnly: () => !this.mayChange,
      // Whoever was sent a link looks at one session.
      followsAll: !this.address.isReadOnly,
      events: {
        changed: () => this.changed(),
        shown: (entry) => this.shown(entry, settings),
        problem: (text) => this.notices.problem(text),
        notice: (text) => this.notices.tell(text),
        link: (url) => void this.actions.openLink(url),
        mayPaste: (paste, isBracketed) => this.actions.mayPaste(paste, isBracketed),
        selected: (text) => void this.actions.selected(text),
        typed: (data) => this.keyBar.typed(data),
      },
    });
    this.list = new SessionList({
      show: (entry) => this.actions.show(entry),
      close: (entry) => this.actions.close(entry),
      closeNow: (entry) => this.workspace.close(entry),
      rename: (entry, name) => this.workspace.rename(entry, name),
      done: () => this.actions.focusTerminal(),
    });
    this.header = new Header(
      {
        toggleSidebar: () => this.layout.toggleSidebar(),
        newSession: () => this.actions.create(),
        openSearch: () => this.actions.openSearch(),
        openPalette: () => this.actions.openPalette(),
        takeSize: () => this.actions.takeSize(),
        act: (what) => this.act(what),
      },
      this.platform,
    );
    this.stageBar = new StageBar({
      restart: (entry) => void this.workspace.restart(entry),
      close: (entry) => this.workspace.close(entry),
      tryAgain: (entry) => this.workspace.tryAgain(entry),
    });
    this.empty = new EmptyState(this.platform, () => this.actions.create());
    this.login = new Login(this.api, () => void this.connector.start());
    this.layout = new Layout(
      {
        list: this.list.element,
        header: this.header.element,
        strip: this.header.strip,
        search: this.search.element,
        deck: this.workspace.deck.element,
        empty: this.empty.element,
        stageBar: this.stageBar.element,
        keyBar: this.keyBar.element,
      },
      settings,
      {
        newSession: () => this.actions.create(),
        openSettings: () => this.actions.openSettings(),
        openHelp: () => this.actions.openHelp(),
        changed: () => this.changed(),
      },
      this.platform,
    );
    this.actions = new Actions({
      platform: this.platform,
      settings,
      address: this.address,
      connector: this.connector,
      workspace: this.workspace,
      layout: this.layout,
      list: this.list,
      search: this.search,
      notices: this.notices,
      mayChange: () => this.mayChange,
      isTokenNeeded: () => this.entrance.isTokenNeeded,
    });
  }

  async start(): Promise<void> {
    document.body.append(this.layout.element, this.login.element, this.notices.element);
    if (this.address.isReadOnly && this.address.session !== undefined) this.layout.beViewer();
    this.listen();
    this.render();
    this.connector.client.watch({
      sessions: (list) => {
        this.workspace.sessions.reset(list);
        this.chooseFirst();
      },
      changed: (change, id, info) => this.workspace.sessions.change(change, id, info),
    });
    await this.connector.start();
  }

  /** By which the next page of this tab goes on as this client, unless another does. */
  get resumeToken(): string | undefined {
    return this.connector.state.is === 'elsewhere' ? undefined : this.connector.client.resumeToken;
  }

  /** Whether the server has been asked something and does not say anything. */
  setSilent(isSilent: boolean): void {
    this.isSilent = isSilent;
    this.changed();
  }

  private get mayChange(): boolean {
    return !this.address.isReadOnly && !this.connector.client.readOnly;
  }

  private listen(): void {
    window.addEventListener('keydown', (event) => this.pressed(event), true);
    this.layout.element.addEventListener('click', (event) => this.clicked(event));
    window.addEventListener('focus', () => this.workspace.seen());
    document.addEventListener('visibilitychange', () => this.workspace.seen());
    this.address.onSession((session) => {
      const entry = this.workspace.sessions.find(session);
      if (entry) this.actions.show(entry);
    });
    whenVisible(this.connector.client);
  }

  /** Whoever clicks on a button, which has opened nothing to type into, goes on typing in the terminal. */
  private clicked({ target, detail }: MouseEvent): void {
    const button = (target as Element).closest('button');
    const isByPointer = detail > 0;
    const isDone = document.activeElement === button || document.activeElement === document.body;
    if (button && isByPointer && isDone) this.actions.focusTerminal();
  }

  /** Keys of the page's own never reach the terminal; all others are not looked at. */
  private pressed(event: KeyboardEvent): void {
    if (isDialogOpen() || !this.login.element.hidden || event.isComposing) return;
    const isTyping = (event.target as Element).matches('input, textarea, select');
    if (event.key === '?' && !isTyping && !event.ctrlKey && !event.altKey && !event.metaKey) {
      event.preventDefault();
      return this.actions.openHelp();
    }
    const asked = commandOf(event, this.platform);
    if (!asked) return;
    event.stopImmediatePropagation();
    if (asked.isBrowsersOwn) return;
    event.preventDefault();
    this.actions.key(asked.command);
  }

  private linkChanged(link: Link): void {
    if (link.is === 'loggedOut') {
      const asked = this.entrance.isTokenOld
        ? 'The token of this link does not let in any more.'
        : 'This server asks for a token.';
      this.login.show(link.isOwnDoing ? 'You are logged out.' : asked);
    } else {
      this.login.hide();
    }
    this.changed();
  }

  private serverRestarted(): void {
    this.isServerNew = this.workspace.sessions.all.length > 0;
    this.workspace.sessions.serverRestarted();
  }

  /** Once: the session of the address, else the one shown last. */
  private chooseFirst(): void {
    if (this.hasChosen) return;
    this.hasChosen = true;
    const { session } = this.address;
    const entry = session === undefined ? this.workspace.last() : this.workspace.sessions.find(session);
    if (entry) return this.workspace.show(entry);
    this.missing = session;
    this.changed();
  }

  private shown(entry: Entry | undefined, settings: SettingsStore): void {
    this.missing = undefined;
    this.search.follow(this.workspace.view);
    if (entry && !entry.gone) settings.update({ lastSession: entry.id });
    this.address.show(entry?.id);
    this.layout.closeDrawer();
    this.actions.focusTerminal();
    this.changed();
  }

  private act(what: NonNullable<Told['action']>['does']): void {
    if (what === 'reload') return location.reload();
    if (what === 'now') this.connector.now();
    else this.isServerNew = false;
    this.changed();
    this.actions.focusTerminal();
  }

  /** In a hidden page a timer comes late, but it comes: the title is read there, too. */
  private changed(): void {
    this.rendering ??= window.setTimeout(() => this.render(), RENDER_MS);
  }

  private render(): void {
    this.rendering = undefined;
    const { workspace, mayChange } = this;
    const { view, current } = workspace;
    const { all, areKnown } = workspace.sessions;
    // Before that, there is nobody to ask for one.
    const mayCreate = mayChange && areKnown;
    this.layout.update(mayCreate);
    this.list.update(all, current, mayChange);
    this.stageBar.update(current, view, mayChange);
    const facts = {
      link: this.connector.state.is,
      areSessionsKnown: areKnown,
      hasSessions: all.length > 0,
      mayCreate,
      missing: this.missing,
    };
    this.empty.update(view ? undefined : facts);
    this.header.update({
      link: this.connector.state,
      isServerNew: this.isServerNew,
      isSilent: this.isSilent,
      isSidebarOpen: this.layout.isSidebarOpen,
      mayCreate,
      shown: view && {
        name: current?.info.name ?? '',
        title: (current && titleOf(current)) ?? '',
        ...view.size,
        isForeignSize: view.isForeignSize,
        isReadOnly: view.isReadOnly,
        mayTakeSize: mayChange && !view.isReadOnly,
      },
    });
    this.layout.element.inert = !this.login.element.hidden;
    entitle(current, all.some(hasNews));
  }
}

/** What the tab is called, and that something has happened in it. */
function entitle(current: Entry | undefined, isThereNews: boolean): void {
  const parts = current ? [displayText(current.info.name), displayText(titleOf(current) ?? '', 80)] : [];
  const title = [...parts.filter((part) => part !== ''), NAME].join(' – ');
  const marked = isThereNews ? `● ${title}` : title;
  if (document.title !== marked) document.title = marked;
}
