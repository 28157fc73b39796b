export interface Size {
  readonly cols: number;
  readonly rows: number;
}

/**
 * Whose size a terminal has. It is for one viewer to say, and all others follow: whoever opens a session that nobody else
 * sizes, is left with one, or asks for it. Typing alone changes no size: others may be looking.
 */
export class Sizing {
  /** Whether it is this view that says. */
  isOwn = false;
  private own?: Size;
  private isSettled = false;
  private inControl = false;
  private hasTyped = false;

  constructor(private readonly isReadOnly: boolean) {}

  /** What is old has been shown. @returns whether the size is now for this view to say */
  settled(): boolean {
    this.isSettled = true;
    return !this.isReadOnly && this.inControl && this.take();
  }

  /** @returns whether the size is now for this view to say, as the others have left */
  control(inControl: boolean): boolean {
    const isLeft = inControl && !this.hasTyped;
    this.inControl = inControl;
    if (!inControl) this.hasTyped = false;
    return isLeft && this.isSettled && !this.isReadOnly && this.take();
  }

  typed(): void {
    this.hasTyped = true;
  }

  /** This view has said so. */
  said(size: Size): void {
    this.own = size;
    this.isOwn = true;
  }

  /** It has that size. After a loss of the connection the server tells it to whoever has said it, too. */
  resized(size: Size): void {
    this.isOwn = isSameSize(size, this.own);
  }

  private take(): boolean {
    this.isOwn = true;
    return true;
  }
}

export function isSameSize(one: Size, other: Size | undefined): boolean {
  return one.cols === other?.cols && one.rows === other.rows;
}
