import { type RemoteSession, type SessionHandlers } from './remote-session.js';

/** RIS: as output, it takes effect behind what is being written still. */
const RESET = '\x1bc';

/** What is needed of xterm.js's `Terminal`; `@xterm/xterm` and `@xterm/headless` have it. */
export interface XtermTerminal {
  write(data: Uint8Array | string, callback?: () => void): void;
  resize(columns: number, rows: number): void;
  onData(listener: (data: string) => void): { dispose(): void };
  onBinary(listener: (data: string) => void): { dispose(): void };
}

/**
 * Shows a session in a terminal of xterm.js: what is shown is acknowledged when it is on the screen, what is typed is
 * typed, and what the emulator itself answers goes on only where the protocol lets it: once, and never to old queries.
 */
export class XtermAdapter {
  private session?: RemoteSession;
  private inControl = false;
  /** Output before this is old. */
  private replayEnd = 0;
  /** Whether what the emulator is parsing just now is new. */
  private isLive = true;
  private readonly listening: { dispose(): void }[];

  /** `more` is told of everything besides. */
  constructor(
    private readonly terminal: XtermTerminal,
    private readonly more: Partial<SessionHandlers> = {},
  ) {
    this.listening = [
      terminal.onData((data) => this.typed(data)),
      // Mouse reports of old, which are no text.
      terminal.onBinary((data) => this.session?.write(Uint8Array.from(data, (char) => char.charCodeAt(0)))),
    ];
  }

  /** For `create` and `attach`. */
  readonly handlers: SessionHandlers = {
    output: (bytes, offset, consumed) => {
      this.more.output?.(bytes, offset, consumed);
      // What is new is answered although it has come with the last of what is old.
      const old = Math.min(Math.max(this.replayEnd - offset, 0), bytes.length);
      const isLast = offset + old === this.replayEnd;
      if (old > 0) this.terminal.write(bytes.subarray(0, old), () => (this.isLive = isLast));
      this.terminal.write(bytes.subarray(old), consumed);
    },
    gap: (gap) => this.more.gap?.(gap),
    restore: (modes) => {
      this.terminal.write(RESET + modes);
      this.more.restore?.(modes);
    },
    replay: (end) => {
      this.replayEnd = end;
      // Behind what is being written still, which may be new.
      this.terminal.write('', () => (this.isLive = false));
      this.more.replay?.(end);
    },
    resized: (size) => {
      // Behind what is being written still, which was printed for the old size.
      this.terminal.write('', () => this.terminal.resize(size.cols, size.rows));
      this.more.resized?.(size);
    },
    control: (inControl) => {
      this.inControl = inControl;
      this.more.control?.(inControl);
    },
    exit: (exit) => this.more.exit?.(exit),
    gone: (reason) => this.more.gone?.(reason),
    inputLost: (bytes) => this.more.inputLost?.(bytes),
    error: (error) => this.more.error?.(error),
  };

  /** What is typed from now on is for `session`. */
  connect(session: RemoteSession): void {
    this.session = session;
  }

  /** Types nothing more. */
  dispose(): void {
    for (const one of this.listening) one.dispose();
  }

  private typed(data: string): void {
    if ((this.isLive && this.inControl) || !isReply(data)) this.session?.write(data);
  }
}

/**
 * What an emulator says by itself, as xterm.js sends it: device attributes (DA1–DA3), status and cursor reports (DSR),
 * mode reports (DECRPM), window reports, answers to DECRQSS, XTGETTCAP and XTVERSION (DCS), colours (OSC). Whole, because
 * that is how they are sent; keys and mouse reports are none of them, but for F3 with a modifier (`ESC [ 1 ; 2 R`), which
 * is a cursor report to everybody.
 */
const REPLIES =
  // eslint-disable-next-line no-control-regex -- Escape sequences begin with a control character.
  /^\x1b(?:\[[?>=]?[\d;]*(?:c|n|R|t|\$y)|\[[?>][\d;]*u|[P\]][^\x1b\x07]*(?:\x1b\\|\x07)|\[[IO])$/;

function isReply(data: string): boolean {
  return REPLIES.test(data);
}
