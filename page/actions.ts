import { type Address } from './address.js';
import { copyText, readText, saveText } from './clipboard.js';
import { type CommandTarget, commandsOf, hasNews } from './commands.js';
import { type Connector } from './connector.js';
import { isDialogOpen } from './dialogs.js';
import { openHelp } from './help.js';
import { type KeyCommand, type Platform } from './keys.js';
import { type Layout } from './layout.js';
import { type Notices } from './notices.js';
import { openPalette } from './palette.js';
import { type Paste } from './paste.js';
import * as questions from './questions.js';
import { reasonText } from './reason-text.js';
import { type SearchBar } from './search-bar.js';
import { type SessionList } from './session-list.js';
import { type Entry, stateOf } from './sessions.js';
import { choosing, openSettings } from './settings-dialog.js';
import { type Appearance, FONT_SIZES, type SettingsStore } from './settings.js';
import { type Theme } from './themes.js';
import { type Workspace } from './workspace.js';

export interface ActionParts {
  readonly platform: Platform;
  readonly settings: SettingsStore;
  readonly address: Address;
  readonly connector: Connector;
  readonly workspace: Workspace;
  readonly layout: Layout;
  readonly list: SessionList;
  readonly search: SearchBar;
  readonly notices: Notices;
  mayChange(): boolean;
  isTokenNeeded(): boolean;
}

/** What the user can do, wherever they ask for it: by a key, a button, or the palette. */
export class Actions implements CommandTarget {
  private mayPasteUnasked = false;

  constructor(private readonly parts: ActionParts) {}

  get sessions(): readonly Entry[] {
    return this.parts.workspace.sessions.all;
  }

  get current(): Entry | undefined {
    return this.parts.workspace.current;
  }

  get hasTerminal(): boolean {
    return this.parts.workspace.view !== undefined;
  }

  get mayChange(): boolean {
    return this.parts.mayChange();
  }

  get isForeignSize(): boolean {
    return this.parts.workspace.view?.isForeignSize ?? false;
  }

  get isTokenNeeded(): boolean {
    return this.parts.isTokenNeeded();
  }

  get isViewer(): boolean {
    return this.parts.address.isReadOnly;
  }

  key(command: KeyCommand): void {
    const { workspace, settings, layout, list } = this.parts;
    const { fontSize } = settings.current;
    if (command.startsWith('jump')) return workspace.jump(Number(command.slice('jump'.length)));
    const run: Record<string, () => void> = {
      new: () => this.create(),
      next: () => workspace.step(1),
      previous: () => workspace.step(-1),
      close: () => this.current && this.close(this.current),
      rename: () => this.rename(),
      search: () => this.openSearch(),
      palette: () => this.openPalette(),
      help: () => this.openHelp(),
      copy: () => void this.copySelection(),
      larger: () => settings.update({ fontSize: fontSize + 1 }),
      smaller: () => settings.update({ fontSize: fontSize - 1 }),
      usualSize: () => settings.update({ fontSize: FONT_SIZES.usual }),
      sidebar: () => layout.toggleSidebar(),
      list: () => {
        layout.openSidebar();
        list.focus(this.current);
      },
    };
    run[command]?.();
  }

  show(entry: Entry): void {
    this.parts.workspace.show(entry);
    this.parts.layout.closeDrawer();
    this.focusTerminal();
  }

  create(): void {
    if (this.mayChange) void this.parts.workspace.create();
  }

  newHere(): void {
    const { cwd, shellType } = this.current?.info ?? {};
    void this.parts.workspace.create({ ...(cwd && { cwd }), ...(shellType && { shell: shellType }) });
  }

  nextWithNews(): void {
    const entry = this.sessions.find(hasNews);
    if (entry) this.show(entry);
  }

  rename(): void {
    const { current } = this;
    if (!current || current.gone || !this.mayChange) return;
    this.parts.layout.openSidebar();
    this.parts.list.rename(current);
  }

  /** Asks first, where something runs: in the session's row, if that can be seen. */
  close(entry: Entry): void {
    const { workspace, layout, list } = this.parts;
    if (entry.gone) return workspace.close(entry);
    if (!this.mayChange) return;
    if (stateOf(entry) === 'ended') return workspace.close(entry);
    if (layout.isSidebarOpen) return list.confirmClose(entry);
    void questions.mayClose(entry.info.name).then((may) => {
      if (may) workspace.close(entry);
      this.focusTerminal();
    });
  }

  restart(): void {
    if (this.current) void this.parts.workspace.restart(this.current);
  }

  takeSize(): void {
    this.parts.workspace.view?.takeSize();
    this.focusTerminal();
  }

  async copyLink(): Promise<void> {
    const { current } = this;
    if (!current) return;
    const token = this.isTokenNeeded ? await questions.askForReadOnlyToken() : '';
    if (token === undefined) return;
    const link = questions.readOnlyLink(current.id, token);
    if (await copyText(link))
      this.parts.notices.tell('Copied a link by which others can watch this session.');
    else questions.showForCopying('Read-only link', link);
    this.focusTerminal();
  }

  async copySelection(): Promise<void> {
    const text = this.parts.workspace.view?.terminal.getSelection() ?? '';
    if (text !== '' && !(await copyText(text))) questions.showForCopying('Copy this', text);
  }

  /** Has been selected: that may be all that is needed to copy it. */
  async selected(text: string): Promise<void> {
    if (text === '' || !this.parts.settings.current.copyOnSelect || (await copyText(text))) return;
    this.parts.notices.tell('The browser does not let this page copy by itself: copy with the keyboard.');
  }

  async pasteClipboard(): Promise<void> {
    const text = await readText();
    if (text !== undefined) return this.parts.workspace.view?.paste(text);
    this.parts.notices.tell(
      'The browser does not let this page read the clipboard: paste with the keyboard.',
    );
  }

  async mayPaste(paste: Paste, isBracketed: boolean): Promise<boolean> {
    if (this.mayPasteUnasked) return true;
    const { may, isAskedAgain } = await questions.mayPaste(paste, isBracketed);
    if (may) this.mayPasteUnasked = !isAskedAgain;
    this.focusTerminal();
    return may;
  }

  async openLink(url: URL): Promise<void> {
    if (await questions.mayOpen(url)) window.open(url.href, '_blank', 'noopener,noreferrer');
    this.focusTerminal();
  }

  selectAll(): void {
    this.parts.workspace.view?.terminal.selectAll();
  }

  clear(): void {
    this.parts.workspace.view?.terminal.clear();
  }

  save(): void {
    const { view } = this.parts.workspace;
    if (view) saveText(this.current?.info.name ?? 'output', view.text);
  }

  choose(theme: Theme): void {
    const { settings } = this.parts;
    const isSystemDark = matchMedia('(prefers-color-scheme: dark)').matches;
    settings.update(choosing(theme, settings.current, isSystemDark));
  }

  setAppearance(appearance: Appearance): void {
    this.parts.settings.update({ appearance });
  }

  openSearch(): void {
    const { workspace, search } = this.parts;
    if (workspace.view) search.open(workspace.view);
  }

  openPalette(): void {
    openPalette(commandsOf(this, this.parts.platform), () => this.focusTerminal());
  }

  openSettings(): void {
    openSettings(this.parts.settings, this.parts.platform, () => this.focusTerminal());
  }

  openHelp(): void {
    openHelp(this.parts.platform, () => this.focusTerminal());
  }

  reconnect(): void {
    this.parts.connector.now();
  }

  async logOut(): Promise<void> {
    try {
      await this.parts.connector.logOut();
      location.reload();
    } catch (error) {
      this.parts.notices.problem(reasonText(error, 'You are still logged in'));
    }
  }

  leaveViewer(): void {
    this.parts.address.leaveReadOnly(this.current?.id);
  }

  /** Where that does not bring a keyboard up that nobody has asked for. */
  focusTerminal(): void {
    if (isDialogOpen() || !matchMedia('(pointer: fine)').matches) return;
    this.parts.workspace.view?.focus();
  }
}
