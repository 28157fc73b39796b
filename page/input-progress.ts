import { byteText } from './display-text.js';
import { element } from './dom.js';

const LOOK_AGAIN_MS = 200;

/** A bar that shows how much of what was typed or pasted the program has taken, while that takes its time. */
export class InputProgress {
  readonly element = element('progress', { class: 'view-progress', hidden: true });
  private isWatching = false;

  constructor(private readonly waitingBytes: () => number) {}

  /** Until all has been taken. */
  watch(): void {
    if (this.isWatching) return;
    let most = 0;
    const look = (): void => {
      const waiting = this.waitingBytes();
      most = Math.max(most, waiting);
      this.isWatching = waiting > 0;
      this.show(waiting, most);
      if (this.isWatching) window.setTimeout(look, LOOK_AGAIN_MS);
    };
    look();
  }

  private show(waiting: number, most: number): void {
    this.element.hidden = !this.isWatching;
    this.element.max = Math.max(most, 1);
    this.element.value = most - waiting;
    this.element.title = `${byteText(waiting)} to go`;
    this.element.setAttribute('aria-label', `Pasting: ${byteText(waiting)} to go`);
  }
}
