import { element, setAttribute } from './dom.js';
import { iconButton } from './icon-button.js';
import { icon } from './icons.js';
import { type Platform } from './keys.js';
import { type SettingsStore } from './settings.js';

/** Below this the sidebar is a drawer over the terminal. The style sheet says the same. */
const NARROW = '(max-width: 720px)';

export interface LayoutParts {
  readonly list: HTMLElement;
  readonly header: HTMLElement;
  readonly strip: HTMLElement;
  readonly search: HTMLElement;
  readonly deck: HTMLElement;
  readonly empty: HTMLElement;
  readonly stageBar: HTMLElement;
  readonly keyBar: HTMLElement;
}

export interface LayoutActions {
  newSession(): void;
  openSettings(): void;
  openHelp(): void;
  changed(): void;
}

/** Where everything stands: the sidebar beside, or on a phone above, the terminal. */
export class Layout {
  readonly element: HTMLElement;
  private readonly sidebar: HTMLElement;
  private readonly create: HTMLButtonElement;
  private readonly scrim = element('div', { class: 'scrim', onclick: () => this.closeDrawer() });
  private readonly narrow = matchMedia(NARROW);
  private isDrawerOpen = false;
  /** For who only looks at one session it begins closed, and that is not remembered. */
  private isOpenForViewer?: boolean;

  constructor(
    parts: LayoutParts,
    private readonly settings: SettingsStore,
    private readonly actions: LayoutActions,
    platform: Platform,
  ) {
    this.create = iconButton('plus', 'New session', () => actions.newSession(), { command: 'new', platform });
    this.sidebar = element(
      'nav',
      { class: 'sidebar', 'aria-label': 'Sessions', 'data-testid': 'sidebar' },
      element(
        'div',
        { class: 'sidebar-head' },
        element('span', { class: 'brand' }, icon('prompt'), 'trex'),
        this.create,
      ),
      parts.list,
      element(
        'div',
        { class: 'sidebar-foot' },
        iconButton('settings', 'Settings', () => actions.openSettings()),
        iconButton('help', 'Keys', () => actions.openHelp(), { command: 'help', platform }),
      ),
    );
    const { header, strip, search, deck, empty, stageBar, keyBar } = parts;
    const stage = element('div', { class: 'stage' }, strip, search, deck, empty);
    const main = element('main', { class: 'main', 'aria-label': 'Terminal' }, stage, stageBar, keyBar);
    const right = element('div', { class: 'right' }, header, main);
    this.element = element('div', { class: 'app' }, this.sidebar, this.scrim, right);
    this.narrow.addEventListener('change', () => actions.changed());
    this.element.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && this.isNarrow) this.closeDrawer();
    });
    this.followViewport();
  }

  get isNarrow(): boolean {
    return this.narrow.matches;
  }

  get isSidebarOpen(): boolean {
    if (this.isNarrow) return this.isDrawerOpen;
    return this.isOpenForViewer ?? this.settings.current.isSidebarOpen;
  }

  beViewer(): void {
    this.isOpenForViewer = false;
  }

  toggleSidebar(): void {
    if (this.isNarrow) this.isDrawerOpen = !this.isDrawerOpen;
    else if (this.isOpenForViewer !== undefined) this.isOpenForViewer = !this.isOpenForViewer;
    else this.settings.update({ isSidebarOpen: !this.settings.current.isSidebarOpen });
    this.actions.changed();
  }

  openSidebar(): void {
    if (!this.isSidebarOpen) this.toggleSidebar();
    this.update(!this.create.hidden);
  }

  closeDrawer(): void {
    if (!this.isDrawerOpen) return;
    this.isDrawerOpen = false;
    this.actions.changed();
  }

  update(mayCreate: boolean): void {
    const { isSidebarOpen } = this;
    this.create.hidden = !mayCreate;
    this.element.classList.toggle('has-sidebar', isSidebarOpen);
    this.sidebar.hidden = !isSidebarOpen;
    this.scrim.hidden = !(isSidebarOpen && this.isNarrow);
    setAttribute(this.element, 'data-narrow', this.isNarrow ? 'true' : undefined);
  }

  /** The keyboard of a phone takes its part of the window without making it smaller. */
  private followViewport(): void {
    const viewport = window.visualViewport;
    if (!viewport) return;
    const follow = (): void => {
      document.documentElement.style.setProperty('--height', `${Math.round(viewport.height)}px`);
      // Some browsers scroll the page to what has the focus.
      window.scrollTo(0, 0);
    };
    viewport.addEventListener('resize', follow);
    follow();
  }
}
