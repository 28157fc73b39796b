import { spawnSync } from 'node:child_process';
import { isatty } from 'node:tty';
import { type Output, STDERR, STDOUT } from './output.js';
import { Screen } from './screen.js';

export interface Size {
  readonly cols: number;
  readonly rows: number;
}

/** How long a terminal that takes nothing is waited for, when something else is to happen. */
export const STUCK_MS = 500;

/**
 * The terminal that this program runs in, as far as its input and its output are one: shows a session on it, and leaves it as
 * it was found.
 */
export class OwnTerminal {
  /** What the output has made of it, if it is shown on one: else every byte goes on as it is. */
  private readonly screen = isatty(STDOUT) ? new Screen() : undefined;
  private readonly input = process.stdin;
  private isRaw = false;
  /** The end of what was to be shown may be missing. */
  private isCut = false;
  private hasShown = false;
  private leaving?: string;
  private hasLeft = false;
  /** What was to be told while a program filled the screen. */
  private readonly untold: string[] = [];

  constructor(private readonly output: Output) {}

  /** Whether keys are pressed here, and not something read. */
  get hasKeys(): boolean {
    return this.input.isTTY;
  }

  /** Whether the session is seen here, and not written somewhere. */
  get isSeen(): boolean {
    return this.screen !== undefined;
  }

  /** Shows output, of which what is `isOld` asks the terminal nothing. `written`: called when it is there. */
  show(bytes: Uint8Array, isOld: boolean, written?: () => void): void {
    const { screen } = this;
    this.hasShown = true;
    if (!screen) return this.output.write(bytes, written);
    // Whoever types elsewhere would find the answers typed into the shell that this program was started from.
    this.output.write(() => screen.show(bytes, isOld || !this.hasKeys), written);
  }

  /** Tells the person something, behind what is being shown; while a program fills the screen, later. */
  note(sentence: string): void {
    this.output.write(
      () => {
        if (!this.screen?.isFullScreen || !isatty(STDERR)) return this.line(sentence);
        this.untold.push(sentence);
        return '';
      },
      undefined,
      STDERR,
    );
  }

  /** What was put off, and this. */
  async tellFinally(sentences: readonly string[]): Promise<void> {
    for (const sentence of [...this.untold.splice(0), ...sentences])
      this.output.write(this.line(sentence), undefined, STDERR);
    await this.output.flushed(STUCK_MS);
  }

  setRaw(raw: boolean): void {
    if (!this.hasKeys) return;
    try {
      this.input.setRawMode(raw);
      // Node leaves the terminal to make two characters of each line feed, by which programs move their cursor down.
      if (raw) spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
    } catch {
      // It has gone, as at a hang-up.
    }
    this.isRaw = raw;
  }

  /** Drops what is to be shown still. */
  abandon(): void {
    if (this.output.drop()) this.isCut = true;
  }

  /** Leaves it as it was found. `isWhole`: behind all that is to be shown; else that is dropped. */
  async leave(isWhole: boolean): Promise<void> {
    if (!isWhole) this.abandon();
    await this.output.flushed(isWhole ? undefined : STUCK_MS);
    this.leaving = this.leavingText();
    if (this.leaving !== '') {
      this.output.write(isWhole ? this.leaving : `${this.leaving}\r\n`, () => (this.hasLeft = true));
    }
    await this.output.flushed(STUCK_MS);
    if (this.isRaw) this.setRaw(false);
  }

  /** For when nothing can be waited for any more. */
  leaveAtOnce(): void {
    this.isCut = true;
    if (!this.hasLeft) this.output.writeAtOnce(this.leaving ?? this.leavingText());
    this.hasLeft = true;
    if (this.isRaw) this.setRaw(false);
  }

  private leavingText(): string {
    return this.hasShown ? (this.screen?.leave(this.isCut) ?? '') : '';
  }

  private line(sentence: string): string {
    const [before, after] = this.isRaw ? ['\r\n', '\r\n'] : ['', '\n'];
    return `${before}trex: ${sentence}${after}`;
  }
}

/** The terminal's, if it is one and knows. */
export function sizeOfTerminal(): Size | undefined {
  // Node makes of what is no terminal one that does not wait, for whoever only looks.
  if (!isatty(STDOUT)) return undefined;
  const { columns: cols, rows } = process.stdout;
  return cols > 0 && rows > 0 ? { cols, rows } : undefined;
}
