import { FitAddon } from '@xterm/addon-fit';
import { Unicode11Addon } from '@xterm/addon-unicode11';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { Terminal } from '@xterm/xterm';
import { RequestFailed } from '../client/client-error.js';
import { type RemoteSession, type SessionHandlers } from '../client/remote-session.js';
import { type CreateOptions, type TerminalClient } from '../client/terminal-client.js';
import { XtermAdapter, type XtermTerminal } from '../client/xterm-adapter.js';
import { type Exit, type GapBytes } from '../src/protocol/messages.js';
import { Bell } from './bell.js';
import { byteText } from './display-text.js';
import { element } from './dom.js';
import { Finder } from './finder.js';
import { InputProgress } from './input-progress.js';
import { openableUrl } from './links.js';
import { onOwnSelection } from './own-selection.js';
import { examinePaste, mustAsk, type Paste } from './paste.js';
import { lossText } from './reason-text.js';
import { Renderer } from './renderer.js';
import { type Settings } from './settings.js';
import { isSameSize, type Size, Sizing } from './sizing.js';
import { changingOptions, fixedOptions } from './terminal-options.js';
import { type Theme } from './themes.js';
import { scrollByTouch } from './touch-scroll.js';

/** `waiting`: for a connection. `gone`: it can be shown no longer, and how it ended is not known. */
export type ViewState = 'starting' | 'live' | 'waiting' | 'ended' | 'gone' | 'failed';

export interface ViewEvents {
  /** Its state, its size, or who has the size. */
  changed(): void;
  title(title: string): void;
  bell(): void;
  /** It has printed something, which is no replay. */
  printed(): void;
  /** All that it had to say is on the screen. */
  ended(exit: Pick<Exit, 'code' | 'signal' | 'cause'>): void;
  /** Somebody wants to follow a link that stands in the output. */
  link(url: URL): void;
  /** Whether that is to be pasted. */
  mayPaste(paste: Paste, isBracketed: boolean): Promise<boolean>;
  /** By hand. */
  selected(text: string): void;
  notice(text: string): void;
  /** What is typed, as it is to be sent. */
  typed(data: string): string;
}

export interface ViewParts {
  readonly client: TerminalClient;
  readonly events: ViewEvents;
  readonly settings: Settings;
  readonly theme: Theme;
  readonly isReadOnly: boolean;
}

/** A paste whose progress is worth telling of. */
const MUCH_INPUT_BYTES = 1024 * 1024;
/** A window that is being resized has a size at every frame: the shell hears of the one it ends with. */
const SIZE_SETTLES_MS = 60;
/** The largest terminal that the protocol knows. */
const MOST: Size = { cols: 1000, rows: 500 };
const USUAL: Size = { cols: 80, rows: 24 };

/** Ends a sequence that was cut off, and whatever colours there were. */
const CAN = '\x18';
const PLAIN = '\x1b[0m';
const DIM = '\x1b[0;2m';
const HIDE_CURSOR = '\x1b[?25l';

/** A session on the screen: an emulator, and what joins it to the session. */
export class TerminalView {
  readonly element = element('div', { class: 'view', 'data-testid': 'terminal', hidden: true });
  readonly terminal: Terminal;
  readonly finder: Finder;
  state: ViewState = 'starting';
  /** How the session has ended. */
  exit?: Pick<Exit, 'code' | 'signal' | 'cause'>;
  /** Why it could not be shown, or not be started. */
  problem?: string;
  /** Whether it has been told which session to show. */
  isBegun = false;
  private readonly screen = element('div', { class: 'view-screen' });
  private readonly progress = new InputProgress(() => this.session?.bufferedInput ?? 0);
  private readonly bell = new Bell((isRinging) => {
    this.element.classList.toggle('is-ringing', isRinging);
    if (isRinging) this.parts.events.bell();
  });
  private readonly fitting = new FitAddon();
  private readonly renderer: Renderer;
  private readonly sizing: Sizing;
  private readonly adapter: XtermAdapter;
  private session?: RemoteSession;
  private theme: Theme;
  private isShown = false;
  private isDisposed = false;
  /** Whether what is printed now is new. */
  private isSettled = false;
  private replayEnd = 0;
  /** Whether more was typed than is kept for a session that is still to come. */
  private isEarlyLost = false;
  private gap?: GapBytes;
  private resizing?: number;
  private readonly observer = new ResizeObserver(() => this.hostResized());

  constructor(private readonly parts: ViewParts) {
    const { settings, theme, isReadOnly, events } = parts;
    this.theme = theme;
    this.sizing = new Sizing(isReadOnly);
    this.terminal = new Terminal({
      ...fixedOptions(),
      ...changingOptions(settings, theme),
      cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches,
      disableStdin: isReadOnly,
      linkHandler: { activate: (_event, text) => this.follow(text), allowNonHttpProtocols: false },
    });
    this.finder = new Finder(this.terminal, () => this.theme);
    this.renderer = new Renderer(this.terminal, (name) => {
      this.element.dataset.renderer = name;
      // Its characters are a little wider or narrower.
      this.hostResized();
    });
    this.adapter = new XtermAdapter(this.typing(), {
      output: (bytes, offset) => this.printed(offset + bytes.length),
      inputLost: (bytes) => this.inputLost(bytes),
    });
    this.element.append(this.screen, this.progress.element);
    this.element.dataset.renderer = 'dom';
    this.load();
    scrollByTouch(this.screen, this.terminal);
    // Before the emulator's own listener, which would paste at once.
    this.element.addEventListener('paste', (event) => this.pasted(event), true);
    // A report of its settings (DECRQSS) would be typed into the shell, and no program needs it.
    this.terminal.parser.registerDcsHandler({ intermediates: '$', final: 'q' }, () => true);
    this.terminal.onTitleChange((title) => events.title(title));
    this.terminal.onBell(() => {
      if (this.isSettled) this.bell.ring();
    });
    this.terminal.onKey(() => this.sizing.typed());
    onOwnSelection(
      this.element,
      this.terminal,
      () => this.finder.isFinding,
      (text) => events.selected(text),
    );
    this.observer.observe(this.screen);
  }

  /** Shows a session that is there: also where nobody sees it yet. */
  async attach(id: string): Promise<void> {
    this.isBegun = true;
    this.enter('starting');
    const { client, isReadOnly: readOnly } = this.parts;
    // What there is of it stays where it is.
    const from = this.session?.offset ?? 0;
    await this.begin(() => client.attach(id, this.handlers(), { from, readOnly }));
  }

  /** Starts a session, as large as there is room for; it is shown already. @throws {RequestFailed} */
  async create(options: CreateOptions): Promise<string> {
    this.isBegun = true;
    const size = this.roomFor() ?? USUAL;
    this.terminal.resize(size.cols, size.rows);
    this.sizing.said(size);
    this.session = await this.parts.client.create(this.handlers(), { ...options, ...size });
    this.adapter.connect(this.session);
    // The window has changed meanwhile.
    if (!isSameSize(size, this.size)) this.session.resize(this.size);
    this.settled();
    return this.session.id;
  }

  /** The element is on the page. */
  show(): void {
    this.isShown = true;
    this.element.hidden = false;
    // Not before it can be measured.
    if (!this.terminal.element) this.terminal.open(this.screen);
    void this.renderer.start();
    this.fit();
  }

  hide(): void {
    this.isShown = false;
    this.element.hidden = true;
  }

  /** Gives up what is there only a few times in a browser. */
  rest(): void {
    this.renderer.stop();
  }

  focus(): void {
    this.terminal.focus();
  }

  /** Stops showing the session, which goes on. */
  dispose(): void {
    this.isDisposed = true;
    this.renderer.stop();
    this.observer.disconnect();
    window.clearTimeout(this.resizing);
    this.bell.dispose();
    this.session?.detach();
    this.adapter.dispose();
    this.terminal.dispose();
    this.element.remove();
  }

  get size(): Size {
    return { cols: this.terminal.cols, rows: this.terminal.rows };
  }

  /** Whether somebody else has given the terminal a size that does not fit here. */
  get isForeignSize(): boolean {
    const room = this.roomFor();
    return this.state === 'live' && !this.sizing.isOwn && room !== undefined && !isSameSize(room, this.size);
  }

  /** Whether it shows, or has shown, anything of a session. */
  get hasOutput(): boolean {
    return this.session !== undefined || this.exit !== undefined;
  }

  get isReadOnly(): boolean {
    return this.parts.isReadOnly;
  }

  /** Makes this window's size everybody's. */
  takeSize(): void {
    if (this.parts.isReadOnly || this.state !== 'live') return;
    this.sizing.isOwn = true;
    this.fit();
  }

  apply(settings: Settings, theme: Theme): void {
    this.theme = theme;
    Object.assign(this.terminal.options, changingOptions(settings, theme));
    this.fit();
  }

  /** What a key of the page's own types. */
  type(data: string): void {
    this.terminal.input(data);
  }

  /** Up where it is -1; a program that fills the screen does that itself. */
  page(by: 1 | -1): void {
    if (this.terminal.buffer.active.type === 'alternate') this.type(by > 0 ? '\x1b[6~' : '\x1b[5~');
    else this.terminal.scrollPages(by);
  }

  get sendsApplicationKeys(): boolean {
    return this.terminal.modes.applicationCursorKeysMode;
  }

  /** Asks before it pastes what may run at once. */
  async paste(clipboard: string): Promise<void> {
    if (!this.mayType) return;
    const paste = examinePaste(clipboard);
    const isBracketed = this.terminal.modes.bracketedPasteMode;
    if (paste.text === '') return;
    if (mustAsk(paste, isBracketed) && !(await this.parts.events.mayPaste(paste, isBracketed))) return;
    this.terminal.paste(paste.text);
    this.focus();
  }

  /** All that can be scrolled to, as text. */
  get text(): string {
    const { active } = this.terminal.buffer;
    const lines: string[] = [];
    for (let row = 0; row < active.length; row++) {
      const line = active.getLine(row);
      const text = line?.translateToString(true) ?? '';
      if (line?.isWrapped && lines.length > 0) lines[lines.length - 1] += text;
      else lines.push(text);
    }
    return `${lines.join('\n').trimEnd()}\n`;
  }

  private load(): void {
    this.terminal.loadAddon(this.fitting);
    this.finder.load();
    this.terminal.loadAddon(new Unicode11Addon());
    this.terminal.loadAddon(new WebLinksAddon((_event, text) => this.follow(text)));
    this.terminal.unicode.activeVersion = '11';
  }

  private async begin(ask: () => Promise<RemoteSession>): Promise<void> {
    try {
      this.session = await ask();
      // Nobody looks any more.
      if (this.isDisposed) return this.session.detach();
      this.adapter.connect(this.session);
      if (this.replayEnd === 0) this.settled();
      if (this.state === 'starting') this.enter('live');
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      if (this.isDisposed) return;
      this.problem = error.message;
      if (error.reason !== 'DETACHED') this.enter(error.reason === 'DISCONNECTED' ? 'waiting' : 'failed');
    }
  }

  private handlers(): SessionHandlers {
    const { handlers } = this.adapter;
    const { events } = this.parts;
    return {
      ...handlers,
      gap: (gap) => {
        this.gap = gap;
        // With what the terminal is to be given behind it, where there is such a thing: that comes at once.
        queueMicrotask(() => this.tellGap());
      },
      restore: (modes) => {
        if (!this.gap) return handlers.restore?.(modes);
        // What comes behind a gap stands under what there was: the modes take the place of a reset.
        this.tellGap();
        this.adapter.write(modes);
      },
      replay: (end) => {
        this.replayEnd = end;
        handlers.replay?.(end);
      },
      resized: (size) => {
        handlers.resized?.(size);
        this.sizing.resized(size);
        this.adapter.write('', () => this.sized());
      },
      control: (inControl) => {
        handlers.control?.(inControl);
        if (this.sizing.control(inControl)) this.fit();
        events.changed();
      },
      exit: (exit) => {
        this.exit = exit;
        this.enter('ended');
        // Behind its last output.
        this.adapter.write(HIDE_CURSOR, () => events.ended(exit));
      },
      gone: (reason) => {
        this.problem = lossText(reason);
        // Refused for another reason, it goes on, and may be shown again.
        if (this.problem !== undefined) return this.enter('failed');
        this.adapter.write(HIDE_CURSOR);
        this.enter('gone');
      },
      error: ({ reason, error }) => {
        if (reason === 'INPUT_QUEUE_FULL') this.progress.watch();
        else this.problem = error;
      },
    };
  }

  /** The emulator as the adapter has it: keys go through the page's own first. */
  private typing(): XtermTerminal {
    const { terminal } = this;
    return {
      write: (data, callback) => terminal.write(data, callback),
      resize: (cols, rows) => terminal.resize(cols, rows),
      onBinary: (listener) => terminal.onBinary(listener),
      onResize: (listener) => terminal.onResize(listener),
      input: (data, wasUserInput) => terminal.input(data, wasUserInput),
      options: terminal.options,
      parser: terminal.parser,
      buffer: terminal.buffer,
      get cols() {
        return terminal.cols;
      },
      get rows() {
        return terminal.rows;
      },
      getSelectionPosition: () => terminal.getSelectionPosition(),
      select: (column, row, length) => terminal.select(column, row, length),
      onData: (listener) =>
        terminal.onData((data) => {
          if (data === '') return;
          // Keys that begin so have been told of; so do answers of the emulator, which nobody has typed.
          if (!data.startsWith('\x1b')) this.sizing.typed();
          listener(this.parts.events.typed(data));
          if (data.length > MUCH_INPUT_BYTES) this.progress.watch();
        }),
    };
  }

  private inputLost(bytes: number): void {
    const { events } = this.parts;
    if (this.session)
      events.notice(`The server had forgotten this page: ${byteText(bytes)} may or may not have been typed.`);
    // Of each key, that would be said again.
    else if (!this.isEarlyLost) events.notice('The session is not there yet: what you type now is not kept.');
    this.isEarlyLost = !this.session;
  }

  private printed(end: number): void {
    if (this.isSettled) this.parts.events.printed();
    // Behind what is about to be written.
    else if (end >= this.replayEnd) queueMicrotask(() => this.adapter.write('', () => this.settled()));
  }

  /** All that is old is on the screen. */
  private settled(): void {
    if (this.isSettled) return;
    this.isSettled = true;
    if (this.state === 'starting') this.enter('live');
    if (this.sizing.settled()) this.fit();
    else this.sized();
  }

  private enter(state: ViewState): void {
    this.state = state;
    this.element.dataset.state = state;
    this.terminal.options.disableStdin = !this.mayType;
    if (state === 'failed') this.adapter.forget();
    this.parts.events.changed();
  }

  /** Also for a session that is still to come: that is kept. */
  private get mayType(): boolean {
    return !this.parts.isReadOnly && ['starting', 'waiting', 'live'].includes(this.state);
  }

  private tellGap(): void {
    if (!this.gap) return;
    const { offset, end } = this.gap;
    this.gap = undefined;
    const text = `── ${byteText(end - offset)} of output ${offset === 0 ? 'before this are' : 'are missing here:'} no longer kept ──`;
    this.adapter.write(`${CAN}${this.isSettled ? '\r\n' : ''}${DIM}${text}${PLAIN}\r\n`);
  }

  private follow(text: string): void {
    const url = openableUrl(text);
    if (url) this.parts.events.link(url);
  }

  private pasted(event: ClipboardEvent): void {
    event.preventDefault();
    event.stopImmediatePropagation();
    void this.paste(event.clipboardData?.getData('text/plain') ?? '');
  }

  private hostResized(): void {
    window.clearTimeout(this.resizing);
    this.resizing = window.setTimeout(() => this.fit(), SIZE_SETTLES_MS);
  }

  /** Takes the room there is, if the size is this view's to say. */
  private fit(): void {
    if (!this.isShown) return;
    const room = this.roomFor();
    const isOver = this.state === 'ended' || this.state === 'gone';
    if (room && (this.sizing.isOwn || isOver)) {
      this.sizing.said(room);
      // The adapter tells the session.
      if (!isSameSize(room, this.size)) this.terminal.resize(room.cols, room.rows);
    }
    this.sized();
  }

  /** One of another size can be scrolled to where it does not fit, and has an edge where it does. */
  private sized(): void {
    this.element.classList.toggle('is-foreign', this.isForeignSize);
    this.parts.events.changed();
  }

  private roomFor(): Size | undefined {
    const room = this.fitting.proposeDimensions();
    if (!room || !Number.isFinite(room.cols) || !Number.isFinite(room.rows)) return undefined;
    return { cols: Math.min(MOST.cols, room.cols), rows: Math.min(MOST.rows, room.rows) };
  }
}
