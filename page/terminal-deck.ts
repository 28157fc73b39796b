import { type TerminalView } from './terminal-view.js';

/** Sessions that are attached: switching to them takes no time, and what happens in them is told. */
const MOST_ATTACHED = 16;
/** Of all terminals together, with some 12 bytes for each column: a quarter of a gigabyte, where all are full. */
const MOST_LINES = 200_000;
/** Terminals drawn by WebGL: browsers take it from the oldest when there are more than 16. */
const MOST_DRAWN = 6;

/** The terminals, one above the other, of which one is seen; those that were not for the longest time are let go. */
export class TerminalDeck {
  readonly element = document.createElement('div');
  /** Most recently shown last. */
  private readonly views = new Map<string, TerminalView>();
  private shown?: TerminalView;

  /** `scrollbackLines`: of each terminal, as it is set just now. */
  constructor(
    private readonly scrollbackLines: () => number,
    private readonly letGo: (key: string) => void,
  ) {
    this.element.className = 'deck';
  }

  get current(): TerminalView | undefined {
    return this.shown;
  }

  get all(): Iterable<TerminalView> {
    return this.views.values();
  }

  get keys(): Iterable<string> {
    return this.views.keys();
  }

  view(key: string): TerminalView | undefined {
    return this.views.get(key);
  }

  has(key: string): boolean {
    return this.views.has(key);
  }

  /** Takes over a terminal that has been made for that session, or shows the one that there is. */
  show(key: string, make: () => TerminalView): TerminalView {
    const view = this.views.get(key) ?? make();
    this.views.delete(key);
    this.views.set(key, view);
    if (view.element.parentElement !== this.element) this.element.append(view.element);
    if (this.shown !== view) {
      this.shown?.hide();
      this.shown = view;
      view.show();
    }
    this.bound();
    return view;
  }

  get isFull(): boolean {
    return this.views.size >= mostAttached(this.scrollbackLines());
  }

  /** One that nobody has asked to see: it is the first to be let go. */
  add(key: string, view: TerminalView): void {
    const others = [...this.views];
    this.views.clear();
    for (const [other, its] of [[key, view] as const, ...others]) this.views.set(other, its);
    this.element.append(view.element);
  }

  /** What was shown under one key goes on under another. */
  rekey(from: string, to: string): void {
    const view = this.views.get(from);
    if (!view) return;
    this.views.delete(from);
    this.views.set(to, view);
  }

  showNone(): void {
    this.shown?.hide();
    this.shown = undefined;
  }

  drop(key: string): void {
    const view = this.views.get(key);
    if (!view) return;
    if (this.shown === view) this.shown = undefined;
    this.views.delete(key);
    view.dispose();
  }

  /** Lets go of what is too much: also when terminals have become larger. */
  bound(): void {
    const oldestFirst = [...this.views.entries()];
    for (const [, view] of oldestFirst.slice(0, -MOST_DRAWN)) view.rest();
    for (const [key] of oldestFirst.slice(0, -mostAttached(this.scrollbackLines()))) {
      this.drop(key);
      this.letGo(key);
    }
  }
}

/** How many terminals with so many lines each may be kept; the one that is shown is, in any case. */
export function mostAttached(scrollbackLines: number): number {
  return Math.max(1, Math.min(MOST_ATTACHED, Math.floor(MOST_LINES / scrollbackLines)));
}
