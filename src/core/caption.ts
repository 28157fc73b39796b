import { type Clock, type Timer } from './clock.js';
import { displayablePath, isDisplayable, isDisplayablePath } from './display-text.js';
import { SessionError } from './session-error.js';
import { type TerminalReports } from './terminal-reports.js';

/** Longest name, in characters. */
export const MAX_NAME_LENGTH = 128;

/** A change of title or directory is told at once, and the next no sooner than this. */
export const TELL_CHANGE_MS = 250;

/**
 * What a list shows of a session: its name, and what its output says of its programs. All of it is data of anybody's,
 * that can be shown and is good for nothing else.
 */
export class Caption {
  private windowTitle = '';
  private directory: string;
  private toldDirectory: string;
  /** Whether its programs say where they are. */
  private isReported = false;
  /** Until it may be told again that something has changed. */
  private timer?: Timer;
  private hasUntold = false;

  /** `tell` is told of each change, and whether the directory is another than it was told of before. */
  constructor(
    private currentName: string,
    cwd: string,
    private readonly reports: TerminalReports,
    private readonly clock: Clock,
    private readonly tell: (hasMoved: boolean) => void,
  ) {
    this.directory = displayablePath(cwd);
    this.toldDirectory = this.directory;
  }

  get name(): string {
    return this.currentName;
  }

  /** What its programs call the window, if they do. */
  get title(): string | undefined {
    return this.windowTitle || undefined;
  }

  /** Where its shell is, as far as is known. */
  get cwd(): string {
    return this.directory;
  }

  /** Whether somebody has to look where its shell is. */
  get isToBeAsked(): boolean {
    return !this.isReported;
  }

  /** @throws {SessionError} `INVALID_NAME` unless it has 1 to 128 characters that can be shown, not only blanks */
  rename(name: string): void {
    const normal = name.normalize('NFC');
    if (!isDisplayable(normal, MAX_NAME_LENGTH)) {
      throw new SessionError(
        'INVALID_NAME',
        `a name has 1 to ${MAX_NAME_LENGTH} characters: no control characters, and not only blanks`,
      );
    }
    if (normal === this.currentName) return;
    this.currentName = normal;
    this.tell(false);
  }

  /** Takes in the output that follows. */
  read(output: Uint8Array): void {
    const report = this.reports.scan(output);
    if (!report) return;
    const { title = this.windowTitle, directory = this.directory } = report;
    if (report.directory !== undefined) this.isReported = true;
    this.show(title, directory);
  }

  /** Somebody has looked where its shell is. What its programs say goes before that. */
  found(directory: string): void {
    if (this.isToBeAsked && isDisplayablePath(directory)) this.show(this.windowTitle, directory);
  }

  /** Nothing is told any more but renaming. */
  end(): void {
    this.timer?.cancel();
  }

  private show(title: string, directory: string): void {
    if (title === this.windowTitle && directory === this.directory) return;
    this.windowTitle = title;
    this.directory = directory;
    if (this.timer) this.hasUntold = true;
    else this.tellNewest();
  }

  /** Programs may go on changing their titles for ever: the newest is told, a few times a second. */
  private tellNewest(): void {
    this.hasUntold = false;
    this.timer = this.clock.after(TELL_CHANGE_MS, () => {
      this.timer = undefined;
      if (this.hasUntold) this.tellNewest();
    });
    const hasMoved = this.toldDirectory !== this.directory;
    this.toldDirectory = this.directory;
    this.tell(hasMoved);
  }
}
