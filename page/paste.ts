/** What stands on the clipboard, as a terminal may be given it. */
export interface Paste {
  /** Without the control characters by which a text could end a bracketed paste, or press keys. */
  readonly text: string;
  readonly lines: number;
  /** Whether the return key is pressed at its end. */
  readonly endsLine: boolean;
  /** The first lines, cut where they are long. */
  readonly preview: readonly string[];
}

const PREVIEW_LINES = 6;
const PREVIEW_CHARACTERS = 120;

/** C0 but for tab, line feed and carriage return; DEL; C1. */
// eslint-disable-next-line no-control-regex -- It is what is looked for.
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;

export function examinePaste(clipboard: string): Paste {
  const text = clipboard.replace(CONTROLS, '');
  const lineBreak = /\r\n?|\n/g;
  const preview: string[] = [];
  let lines = 0;
  // Without making a list of them: there may be millions.
  for (let from = 0; from < text.length; lines++) {
    const end = lineBreak.exec(text)?.index ?? text.length;
    if (preview.length < PREVIEW_LINES) preview.push(cut(text.slice(from, end)));
    from = end === text.length ? end : lineBreak.lastIndex;
  }
  return { text, lines, endsLine: /[\r\n]$/.test(text), preview };
}

/**
 * Whether the user is asked first: of several lines always; of one that ends in a line break where the program does not
 * know a paste from typing (no bracketed paste), so that it would run at once.
 */
export function mustAsk({ lines, endsLine }: Paste, isBracketed: boolean): boolean {
  return lines > 1 || (endsLine && !isBracketed);
}

function cut(line: string): string {
  return line.length > PREVIEW_CHARACTERS ? `${line.slice(0, PREVIEW_CHARACTERS)}…` : line;
}
