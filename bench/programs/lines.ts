const LINE_BYTES = 64;

/** Line `n` of a talker: its number, and what only that number has behind it. All are equally long. */
export function lineAt(n: number): string {
  const number = String(n).padStart(10, '0');
  const rest = ((n * 2_654_435_761) % 2 ** 32).toString(16).padStart(8, '0');
  return `${number} ${rest.repeat(7).slice(0, LINE_BYTES - 13)}.\n`;
}

/** Checks what a talker prints from its first byte on, in whatever pieces it comes, and where bytes are missing. */
export class LineChecker {
  wrongLines = 0;
  /** Bytes checked, and those that were said to be missing. */
  offset = 0;
  /** What it printed in the end, about what it was typed. */
  typed?: string;
  private rest = '';

  add(bytes: Uint8Array): void {
    this.rest += Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    const lines = this.rest.split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) this.check(`${line}\n`);
  }

  /** `bytes` are missing here, as has been announced. */
  skip(bytes: number): void {
    this.offset += this.rest.length + bytes;
    // The line that the gap has cut off begins in what is missing.
    const intoLine = this.offset % LINE_BYTES;
    this.rest = intoLine === 0 ? '' : lineAt(Math.floor(this.offset / LINE_BYTES)).slice(0, intoLine);
    this.offset -= intoLine;
  }

  private check(line: string): void {
    if (line.startsWith('TYPED ')) this.typed = line.trim();
    else if (line !== lineAt(this.offset / LINE_BYTES)) this.wrongLines += 1;
    this.offset += line.length;
  }
}
