/** What is needed of a terminal of xterm.js to keep output from hanging it. */
export interface SequenceTerminal {
  readonly cols: number;
  readonly rows: number;
  readonly parser: {
    registerCsiHandler(id: CsiId, handler: (params: (number | number[])[]) => boolean): { dispose(): void };
  };
  readonly buffer: { readonly active: ActiveBuffer };
}

interface CsiId {
  readonly prefix?: string;
  readonly final: string;
}

interface ActiveBuffer {
  readonly cursorX: number;
  readonly cursorY: number;
  readonly baseY: number;
  readonly length: number;
  getLine(row: number): { getCell(column: number): { getChars(): string } | undefined } | undefined;
}

/**
 * Passes over the few sequences with which a dozen bytes stop xterm.js 6.0 for minutes or for ever: it does what they ask
 * for as often as they say, up to 2,147,483,647 times. What asks for more than the screen has room for is no output of a
 * program that means it; it is left out whole, for a handler can only do nothing or let xterm.js do all of it.
 * @returns what ends that
 */
export function boundSequences(terminal: SequenceTerminal): { dispose(): void }[] {
  const leaveOut = (id: CsiId, isMeant: (count: number) => boolean): { dispose(): void } =>
    // Whoever says that it has been handled ends it there.
    terminal.parser.registerCsiHandler(id, ([count]) => isMeant(Number(count ?? 0)));
  return [
    // Scrolling, and inserting or deleting lines.
    ...['S', 'T', 'L', 'M'].map((final) => leaveOut({ final }, (count) => count > terminal.rows)),
    // To the tab stops.
    ...['I', 'Z'].map((final) => leaveOut({ final }, (count) => count > terminal.cols)),
    leaveOut({ final: 'b' }, (count) => count * lastPrinted(terminal) > terminal.cols * terminal.rows),
    ...[undefined, '?'].map((prefix) =>
      leaveOut({ prefix, final: 'J' }, (count) => count === 1 && isWithoutNext(terminal)),
    ),
  ];
}

/** How long what REP repeats may be: a cell takes any number of combining characters. */
function lastPrinted({ buffer: { active } }: SequenceTerminal): number {
  const line = active.getLine(active.baseY + active.cursorY);
  // Of a wide character, the second cell has nothing.
  const lengths = [1, 2].map((back) => line?.getCell(active.cursorX - back)?.getChars().length ?? 0);
  return Math.max(1, ...lengths);
}

/**
 * Whether to erase up to the cursor throws, after which nothing is parsed any more: at the end of the last line there is,
 * xterm.js looks for the one behind it.
 */
function isWithoutNext({ cols, buffer: { active } }: SequenceTerminal): boolean {
  return active.cursorX + 1 >= cols && active.cursorY + 1 >= active.length;
}
