import { type ISearchOptions, SearchAddon } from '@xterm/addon-search';
import { type Terminal } from '@xterm/xterm';
import { searchColors, type Theme } from './themes.js';

export interface Found {
  /** From 0; -1: it is not known which of them. */
  readonly index: number;
  readonly count: number;
}

/** Marks that are kept: more would cost more than they help. */
const MOST_FOUND = 2000;

/** Looks for text in a terminal, and marks all of it. */
export class Finder {
  /** Whether what is selected just now is what has been found. */
  isFinding = false;
  private readonly addon = new SearchAddon({ highlightLimit: MOST_FOUND });

  constructor(
    private readonly terminal: Terminal,
    private readonly theme: () => Theme,
  ) {}

  load(): void {
    this.terminal.loadAddon(this.addon);
  }

  /** @returns whether there is any. @throws {SyntaxError} when that is no regular expression, and ought to be */
  find(text: string, direction: 'next' | 'previous', options: ISearchOptions): boolean {
    const { found, current } = searchColors(this.theme());
    const decorations = {
      matchBackground: found,
      matchOverviewRuler: found,
      activeMatchBackground: current,
      activeMatchColorOverviewRuler: current,
    };
    const all = { ...options, decorations };
    this.isFinding = true;
    try {
      return direction === 'next' ? this.addon.findNext(text, all) : this.addon.findPrevious(text, all);
    } finally {
      this.isFinding = false;
    }
  }

  /** Told after each search, and while what is printed changes what there is. */
  onFound(listener: (found: Found) => void): { dispose(): void } {
    return this.addon.onDidChangeResults(({ resultIndex, resultCount }) =>
      listener({ index: resultIndex, count: resultCount }),
    );
  }

  stop(): void {
    this.addon.clearDecorations();
    this.terminal.clearSelection();
  }
}
