/** By what is seen that a key has come back: by what the terminal shows, or because it rings. */
export type Sign = 'text' | 'bell';

/** What a flood was like. */
export interface Flood {
  readonly bytes: number;
  /** From the first byte to the last that was expected. */
  readonly seconds: number;
  /** From each frame of the page to the next, in milliseconds. */
  readonly frames: readonly number[];
  /** From each key to the frame in which the page may first answer it, in milliseconds. */
  readonly answers: readonly number[];
}

// Browsers have it and Node has not.
interface Element {
  readonly textContent: string;
  readonly classList: { contains(name: string): boolean };
  click(): void;
}
interface Socket {
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
}
declare const document: {
  querySelector(selector: string): Element | null;
  querySelectorAll(selector: string): Iterable<Element>;
};
declare const MutationObserver: new (changed: () => void) => {
  observe(target: Element, what: Readonly<Record<string, boolean>>): void;
  disconnect(): void;
};
declare const requestAnimationFrame: (frame: (now: number) => void) => void;
declare const addEventListener: (
  type: 'keydown',
  listener: (event: { readonly timeStamp: number }) => void,
  capture: boolean,
) => void;

/**
 * In the page, from before its own scripts: looks on, and does what the mouse would. It is sent there as text, and so may
 * use nothing else of this file. Nobody here keeps a deadline: whoever asks has one.
 */
export class Probe {
  /** How long the key took that {@link expectEcho} was told of, in milliseconds. */
  echo: Promise<number> = Promise.resolve(NaN);
  private pressedAt = 0;
  private bytes = 0;
  private expectedBytes = 0;
  private begunAt = 0;
  private endedAt = 0;
  private lastFrameAt = 0;
  private frames: number[] = [];
  private answers: number[] = [];

  constructor(private readonly headerBytes: number) {
    // When the browser was given the key, and not when the page comes to it: that it waits is what is to be seen.
    addEventListener('keydown', ({ timeStamp }) => this.pressed(timeStamp), true);
    this.hearSockets();
  }

  /** So many bytes of output are to come. */
  expectFlood(bytes: number): void {
    this.expectedBytes = bytes;
    this.bytes = this.begunAt = this.endedAt = this.lastFrameAt = 0;
    this.frames = [];
    this.answers = [];
    requestAnimationFrame((now) => this.frame(now));
  }

  get isFloodOver(): boolean {
    return this.endedAt > 0;
  }

  get flood(): Flood {
    const { bytes, frames, answers } = this;
    return { bytes, seconds: (this.endedAt - this.begunAt) / 1000, frames, answers };
  }

  async newSession(): Promise<void> {
    await this.click('[data-testid=sidebar] button[aria-label="New session"]:not([hidden])');
    await this.untilThere('[data-testid=terminal][data-state=live]:not([hidden]) textarea:focus');
  }

  /** One of the sessions, by its place in the list. */
  async show(place: number): Promise<void> {
    const session = `[data-testid=session]:nth-child(${place}) .session-show`;
    await this.click(session);
    await this.untilThere(`${session}[aria-current=true]`);
    await this.untilThere('[data-testid=terminal]:not([hidden]) textarea:focus');
  }

  /** Resolves once the terminal in view shows it, from its first row to its last. */
  untilShown(what: RegExp): Promise<void> {
    return this.until(() => what.test(this.screen));
  }

  /** From the next key until the terminal in view has answered it, on the screen. Resolves when that key may come. */
  async expectEcho(sign: Sign): Promise<void> {
    const view = document.querySelector('[data-testid=terminal]:not([hidden])');
    if (!view) throw new Error('no terminal is in view');
    // Where it rings still, it is not seen to ring again.
    await this.until(() => !view.classList.contains('is-ringing'));
    this.echo = sign === 'bell' ? this.expectBell(view) : this.expectText(view);
  }

  private get screen(): string {
    const rows = [...document.querySelectorAll('[data-testid=terminal]:not([hidden]) .xterm-rows > div')];
    return rows
      .map(({ textContent }) => textContent.trimEnd())
      .join('\n')
      .trimEnd();
  }

  private async click(selector: string): Promise<void> {
    await this.untilThere(selector);
    document.querySelector(selector)?.click();
  }

  private untilThere(selector: string): Promise<void> {
    return this.until(() => document.querySelector(selector) !== null);
  }

  private async until(isIt: () => boolean): Promise<void> {
    while (!isIt()) await new Promise(requestAnimationFrame);
  }

  private expectText(view: Element): Promise<number> {
    const before = this.screen;
    const changes = { childList: true, characterData: true, subtree: true };
    return this.untilChange(view, changes, () => this.screen !== before);
  }

  private async expectBell(view: Element): Promise<number> {
    await this.untilChange(view, { attributes: true }, () => view.classList.contains('is-ringing'));
    // A text is changed by the frame that shows it, a class before.
    await new Promise(requestAnimationFrame);
    return performance.now() - this.pressedAt;
  }

  private untilChange(
    target: Element,
    changes: Readonly<Record<string, boolean>>,
    isIt: () => boolean,
  ): Promise<number> {
    return new Promise((done) => {
      const observer = new MutationObserver(() => {
        if (!isIt()) return;
        observer.disconnect();
        done(performance.now() - this.pressedAt);
      });
      observer.observe(target, changes);
    });
  }

  private pressed(at: number): void {
    this.pressedAt = at;
    requestAnimationFrame(() => this.answers.push(performance.now() - at));
  }

  private hearSockets(): void {
    const hear = (data: unknown): void => this.heard(data);
    const page = globalThis as unknown as { WebSocket: new (...args: unknown[]) => Socket };
    page.WebSocket = class extends page.WebSocket {
      constructor(...args: unknown[]) {
        super(...args);
        this.addEventListener('message', ({ data }) => hear(data));
      }
    };
  }

  private heard(data: unknown): void {
    if (!(data instanceof ArrayBuffer)) return;
    if (this.bytes === 0) this.begunAt = performance.now();
    this.bytes += data.byteLength - this.headerBytes;
    if (this.endedAt === 0 && this.bytes >= this.expectedBytes) this.endedAt = performance.now();
  }

  private frame(now: number): void {
    if (this.isFloodOver) return;
    if (this.lastFrameAt > 0) this.frames.push(now - this.lastFrameAt);
    this.lastFrameAt = now;
    requestAnimationFrame((next) => this.frame(next));
  }
}
