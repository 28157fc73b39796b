import { type Terminal } from '@xterm/xterm';

/** What a finger moves. */
export interface TouchTarget {
  /** In CSS pixels. */
  readonly rowHeight: number;
  /** Moves the terminal where it does not fit, as far as it goes. @returns by how many pixels it could */
  pan(pixels: number): number;
  /** Down, or up where it is negative. */
  scroll(rows: number, at: Touch): void;
}

/** Only what is read of a touch. */
export type Touch = Pick<globalThis.Touch, 'clientX' | 'clientY'>;

/** Scrolls with a finger, which takes the text along: xterm.js 6.0 knows no touch (xtermjs/xterm.js#5489). */
export class TouchScroll {
  private lastY?: number;
  /** What it has moved, less than a row. */
  private restPixels = 0;

  constructor(private readonly target: TouchTarget) {}

  begin(touches: ArrayLike<Touch>): void {
    // With two it is no scrolling any more.
    this.lastY = touches.length === 1 ? touches[0]?.clientY : undefined;
    this.restPixels = 0;
  }

  /** @returns whether it is scrolling, and nobody else's */
  move(touches: ArrayLike<Touch>): boolean {
    const touch = touches[0];
    if (!touch || this.lastY === undefined) return false;
    const pixels = this.lastY - touch.clientY;
    this.lastY = touch.clientY;
    this.restPixels += pixels - this.target.pan(pixels);
    const { rowHeight } = this.target;
    const rows = rowHeight > 0 ? Math.trunc(this.restPixels / rowHeight) : 0;
    if (rows !== 0) {
      this.restPixels -= rows * rowHeight;
      this.target.scroll(rows, touch);
    }
    return true;
  }
}

/** Lets fingers on `screen` scroll the terminal in it. */
export function scrollByTouch(screen: HTMLElement, terminal: Terminal): void {
  const scrolling = new TouchScroll(targetOf(screen, terminal));
  const begin = ({ touches }: TouchEvent): void => scrolling.begin(touches);
  // One that is taken away leaves the others where they are.
  for (const type of ['touchstart', 'touchend', 'touchcancel'] as const)
    screen.addEventListener(type, begin, { passive: true });
  const move = (event: TouchEvent): void => {
    if (scrolling.move(event.touches) && event.cancelable) event.preventDefault();
  };
  screen.addEventListener('touchmove', move, { passive: false });
}

function targetOf(screen: HTMLElement, terminal: Terminal): TouchTarget {
  const rows = (): Element | null => screen.querySelector('.xterm-screen');
  return {
    get rowHeight() {
      return (rows()?.clientHeight ?? 0) / terminal.rows;
    },
    pan: (pixels) => {
      const before = screen.scrollTop;
      screen.scrollTop += pixels;
      return screen.scrollTop - before;
    },
    scroll: (by, at) => {
      if (isProgramScrolling(terminal)) turnWheel(rows(), by, at);
      else terminal.scrollLines(by);
    },
  };
}

/** Whether there is nothing to scroll back to, or the program wants to know of the wheel. */
function isProgramScrolling({ modes, buffer }: Terminal): boolean {
  return ['vt200', 'drag', 'any'].includes(modes.mouseTrackingMode) || buffer.active.type === 'alternate';
}

/** As a wheel would: the emulator makes of it what the program expects, once for each event. */
function turnWheel(rows: Element | null, by: number, { clientX, clientY }: Touch): void {
  for (let row = 0; row < Math.abs(by); row++) {
    const turned = { deltaY: Math.sign(by), deltaMode: WheelEvent.DOM_DELTA_LINE, clientX, clientY };
    rows?.dispatchEvent(new WheelEvent('wheel', { ...turned, bubbles: true, cancelable: true }));
  }
}
