import { tellLink, type Told } from './connection-state.js';
import { type Link } from './connector.js';
import { displayText } from './display-text.js';
import { element, setAttribute, setText } from './dom.js';
import { iconButton } from './icon-button.js';
import { icon } from './icons.js';
import { type Platform } from './keys.js';

export interface HeaderActions {
  toggleSidebar(): void;
  newSession(): void;
  openSearch(): void;
  openPalette(): void;
  takeSize(): void;
  /** Connects now, or loads the page anew. */
  act(what: NonNullable<Told['action']>['does']): void;
}

export interface HeaderState {
  readonly link: Link;
  readonly isServerNew: boolean;
  readonly isSilent: boolean;
  readonly isSidebarOpen: boolean;
  readonly mayCreate: boolean;
  readonly shown?: {
    readonly name: string;
    readonly title: string;
    readonly cols: number;
    readonly rows: number;
    readonly isForeignSize: boolean;
    readonly isReadOnly: boolean;
    readonly mayTakeSize: boolean;
  };
}

const TICK_MS = 250;

/** The line above the terminal, and under it a strip that tells what is wrong with the connection. */
export class Header {
  readonly element: HTMLElement;
  readonly strip = element('div', { class: 'strip', role: 'status', hidden: true });
  private readonly name = element('bdi', { class: 'header-name' });
  private readonly title = element('bdi', { class: 'header-title', 'data-testid': 'title' });
  private readonly size = element('span', { class: 'header-size', 'data-testid': 'size' });
  private readonly foreign = element('span', {
    class: 'header-foreign',
    hidden: true,
    'data-testid': 'foreign-size',
  });
  private readonly takeSize: HTMLButtonElement;
  private readonly readOnly = element(
    'span',
    { class: 'header-read-only', hidden: true, 'data-testid': 'read-only' },
    icon('eye'),
    'Read-only',
  );
  private readonly label = element('span', { class: 'connection-label' });
  /** A screen reader would read it out each second. */
  private readonly countdown = element('span', { class: 'connection-label', 'aria-hidden': 'true' });
  private readonly connection = element(
    'span',
    { class: 'connection', 'data-testid': 'connection', role: 'status' },
    element('span', { class: 'connection-dot', 'aria-hidden': 'true' }),
    this.label,
    this.countdown,
  );
  private readonly now = element('button', { type: 'button', class: 'button small', hidden: true });
  private readonly sidebar: HTMLButtonElement;
  private readonly create: HTMLButtonElement;
  private readonly search: HTMLButtonElement;
  private state?: HeaderState;
  private told?: Told;
  private ticking?: number;

  constructor(actions: HeaderActions, platform: Platform) {
    this.sidebar = iconButton('sidebar', 'Toggle sidebar', () => actions.toggleSidebar(), {
      command: 'sidebar',
      platform,
    });
    this.create = iconButton('plus', 'New session', () => actions.newSession(), { command: 'new', platform });
    this.search = iconButton('search', 'Find in terminal', () => actions.openSearch(), {
      command: 'search',
      platform,
    });
    this.takeSize = element(
      'button',
      { type: 'button', class: 'button small', onclick: () => actions.takeSize() },
      'Use my size',
    );
    this.foreign.append('sized by another viewer ', this.takeSize);
    this.now.addEventListener('click', () => this.told?.action && actions.act(this.told.action.does));
    this.element = element(
      'header',
      { class: 'header' },
      this.sidebar,
      this.create,
      element('div', { class: 'header-what' }, element('h1', {}, this.name), this.title),
      this.readOnly,
      this.foreign,
      this.size,
      this.connection,
      this.now,
      this.search,
      iconButton('command', 'Commands', () => actions.openPalette(), { command: 'palette', platform }),
    );
  }

  update(state: HeaderState): void {
    this.state = state;
    const { shown, isSidebarOpen, mayCreate } = state;
    setText(this.name, displayText(shown?.name ?? 'trex'));
    setText(this.title, displayText(shown?.title ?? ''));
    setAttribute(this.title, 'title', displayText(shown?.title ?? '') || undefined);
    setText(this.size, shown ? `${shown.cols} × ${shown.rows}` : '');
    setAttribute(this.size, 'aria-label', shown && `${shown.cols} columns, ${shown.rows} rows`);
    setAttribute(this.size, 'role', shown && 'img');
    // Whoever only watches can do nothing about it.
    this.foreign.hidden = !(shown?.isForeignSize && shown.mayTakeSize);
    this.readOnly.hidden = !shown?.isReadOnly;
    this.search.hidden = !shown;
    this.create.hidden = isSidebarOpen || !mayCreate;
    setAttribute(this.sidebar, 'aria-expanded', String(isSidebarOpen));
    this.tell();
  }

  /** Says it again while it changes with the time. */
  private tell(): void {
    if (!this.state) return;
    const { link, isServerNew, isSilent } = this.state;
    const told = tellLink(link, Date.now(), { isServerNew, isSilent });
    this.told = told;
    setText(this.label, told.label);
    setText(this.countdown, told.countdown ?? '');
    this.connection.dataset.tone = told.tone;
    this.connection.dataset.link = isServerNew && link.is === 'open' ? 'restarted' : link.is;
    setText(this.strip, told.detail ?? '');
    this.strip.hidden = told.detail === undefined;
    this.now.hidden = !told.action;
    if (told.action) setText(this.now, told.action.label);
    window.clearTimeout(this.ticking);
    if (link.is === 'waiting') this.ticking = window.setTimeout(() => this.tell(), TICK_MS);
  }
}
