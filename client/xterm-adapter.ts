import { boundSequences, type SequenceTerminal } from './bounded-sequences.js';
import { isPageHidden } from './page-visibility.js';
import { type RemoteSession, type SessionHandlers } from './remote-session.js';
import { isTerminalReply } from './terminal-replies.js';

// Browsers and Node have it, each with types of its own.
declare const TextEncoder: new () => { encode(text: string): Uint8Array };

/** A session comes within a moment, or when the network does. */
const MOST_EARLY_BYTES = 64 * 1024;
/** RIS: as output, it takes effect behind what is being written still. */
const RESET = '\x1bc';

/** What is needed of xterm.js's `Terminal`; `@xterm/xterm` and `@xterm/headless` have it. */
export interface XtermTerminal extends SequenceTerminal {
  write(data: Uint8Array | string, callback?: () => void): void;
  resize(columns: number, rows: number): void;
  onData(listener: (data: string) => void): { dispose(): void };
  onBinary(listener: (data: string) => void): { dispose(): void };
  onResize(listener: (size: { cols: number; rows: number }) => void): { dispose(): void };
  input(data: string, wasUserInput?: boolean): void;
  readonly options: { scrollOnUserInput?: boolean; disableStdin?: boolean };
  /** Where there are selections: columns and rows from 0. */
  getSelectionPosition?(): { readonly start: Place; readonly end: Place } | undefined;
  select?(column: number, row: number, length: number): void;
}

interface Place {
  readonly x: number;
  readonly y: number;
}

/**
 * Shows a session in a terminal of xterm.js, which has just been made, or has shown only this session: what is shown is
 * acknowledged when it is on the screen, what is typed is typed, and a size that is given to the terminal is the session's.
 * What the emulator itself answers goes on only where the protocol lets it: once, and never to old queries. No output
 * hangs it.
 */
export class XtermAdapter {
  private session?: RemoteSession;
  private inControl = false;
  /** Output before this is old. */
  private replayEnd = 0;
  /** Whether what comes next may be old. */
  private isReplaying = false;
  /** Whether what the emulator is parsing just now is new. */
  private isLive = true;
  /** What the terminal was resized to by its user, unless somebody else has resized the session since. */
  private ownSize?: { readonly cols: number; readonly rows: number };
  private isFollowing = false;
  /** How many pieces wait in xterm.js, and what is to be written when none does. */
  private unparsed = 0;
  private readonly held: { readonly data: Uint8Array | string; readonly parsed?: () => void }[] = [];
  /** What was typed before there was a session. */
  private readonly early: Uint8Array[] = [];
  private readonly listening: { dispose(): void }[];

  /** `more` is told of everything besides. */
  constructor(
    private readonly terminal: XtermTerminal,
    private readonly more: Partial<SessionHandlers> = {},
  ) {
    this.listening = [
      ...boundSequences(terminal),
      terminal.onData((data) => this.typed(data)),
      // Mouse reports of old, which are no text.
      terminal.onBinary((data) => this.type(Uint8Array.from(data, (char) => char.charCodeAt(0)))),
      terminal.onResize(({ cols, rows }) => this.resized({ cols, rows })),
    ];
  }

  /** For `create` and `attach`. */
  readonly handlers: SessionHandlers = {
    output: (bytes, offset, consumed) => {
      this.more.output?.(bytes, offset, consumed);
      // What is new is answered although it has come with the last of what is old.
      const old = this.isReplaying ? Math.min(Math.max(this.replayEnd - offset, 0), bytes.length) : 0;
      if (old > 0) this.write(bytes.subarray(0, old));
      if (this.isReplaying && offset + old >= this.replayEnd) this.goLive();
      this.write(bytes.subarray(old), consumed);
    },
    gap: (gap) => this.more.gap?.(gap),
    restore: (modes) => {
      this.write(RESET + modes);
      this.more.restore?.(modes);
    },
    replay: (end) => {
      this.replayEnd = end;
      this.isReplaying = true;
      this.ownSize = undefined;
      // Behind what is being written still, which may be new.
      this.write('', () => (this.isLive = false));
      this.more.replay?.(end);
    },
    resized: (size) => {
      // Sizes of what is old are no news.
      if (!this.isReplaying || size.offset > this.replayEnd) this.ownSize = undefined;
      // Behind what is being written still, which was printed for the old size.
      this.write('', () => {
        if (this.isLive && this.ownSize) return;
        this.follow(size);
      });
      this.more.resized?.(size);
    },
    control: (inControl) => {
      this.inControl = inControl;
      this.more.control?.(inControl);
    },
    exit: (exit) => this.more.exit?.(exit),
    gone: (reason) => this.more.gone?.(reason),
    inputLost: (bytes) => this.more.inputLost?.(bytes),
    inputTaken: (waitingBytes) => this.more.inputTaken?.(waitingBytes),
    error: (error) => this.more.error?.(error),
  };

  /**
   * What is typed, and each size given to the terminal, is for `session` from now on, and so is what has been typed before:
   * up to 64 KiB of it are kept, and of more `inputLost` is told.
   */
  connect(session: RemoteSession): void {
    this.session = session;
    for (const data of this.early.splice(0)) session.write(data);
  }

  /** What has been typed until now is for no session, where none has been connected yet. */
  forget(): void {
    this.early.length = 0;
  }

  /**
   * Writes to the terminal something of the application's own, behind all output that has come: in a page that is not
   * shown, that may wait here rather than in xterm.js, until it can be parsed at once.
   */
  write(data: Uint8Array | string, parsed?: () => void): void {
    if (this.held.length > 0 || (this.unparsed > 0 && isPageHidden())) this.held.push({ data, parsed });
    else this.pass(data, parsed);
  }

  /** Types, resizes and bounds nothing more. */
  dispose(): void {
    for (const one of this.listening) one.dispose();
  }

  /** What is written from here on is new. */
  private goLive(): void {
    this.isReplaying = false;
    this.write('', () => {
      this.isLive = true;
      if (this.ownSize) this.follow(this.ownSize);
    });
  }

  private pass(data: Uint8Array | string, parsed?: () => void): void {
    if (isPageHidden()) this.hurry();
    this.unparsed += 1;
    this.terminal.write(data, () => {
      this.unparsed -= 1;
      parsed?.();
      // Not before xterm.js knows that it has parsed everything.
      if (this.unparsed === 0 && this.held.length > 0) void Promise.resolve().then(() => this.passHeld());
    });
  }

  private passHeld(): void {
    for (const { data, parsed } of this.held.splice(0)) this.pass(data, parsed);
  }

  /**
   * xterm.js parses what is written when a timer comes to it, which takes a second and more in a page that is not shown,
   * for so little each time that a flood never ends; but what is written next after a key, at once, if nothing waits. No
   * key is typed: neither is the terminal scrolled, nor what is selected another afterwards.
   */
  private hurry(): void {
    const { terminal } = this;
    const selected = terminal.getSelectionPosition?.();
    const { scrollOnUserInput, disableStdin } = terminal.options;
    Object.assign(terminal.options, { scrollOnUserInput: false, disableStdin: false });
    terminal.input('', true);
    Object.assign(terminal.options, { scrollOnUserInput, disableStdin });
    if (!selected) return;
    const { start, end } = selected;
    terminal.select?.(start.x, start.y, (end.y - start.y) * terminal.cols + end.x - start.x);
  }

  private follow({ cols, rows }: { readonly cols: number; readonly rows: number }): void {
    this.isFollowing = true;
    this.terminal.resize(cols, rows);
    this.isFollowing = false;
  }

  private resized(size: { readonly cols: number; readonly rows: number }): void {
    if (!this.isFollowing && this.session?.resize(size)) this.ownSize = size;
  }

  private typed(data: string): void {
    if ((this.isLive && this.inControl) || !isTerminalReply(data)) this.type(data);
  }

  private type(data: Uint8Array | string): void {
    if (this.session) return void this.session.write(data);
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
    const before = this.early.reduce((sum, { length }) => sum + length, 0);
    if (before + bytes.length > MOST_EARLY_BYTES) this.more.inputLost?.(bytes.length);
    else if (bytes.length > 0) this.early.push(bytes);
  }
}
