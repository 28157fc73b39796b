const LINE_BYTES = 64;
const NUMBER_BYTES = 11;
const KEY_LENGTH = 8;
/** Where the number, and the key if there is one, end. */
const KEY_END = NUMBER_BYTES + 2 + KEY_LENGTH;

const SPACE = 0x20;
const DOT = 0x2e;
const LINE_FEED = 0x0a;
const ZERO = 0x30;
const HEX = Buffer.from('0123456789abcdef');

/** Line `n` of a talker: its number, and what only that number has behind it. All are equally long. */
export function lineAt(n: number): string {
  return linesAt(n, 1).toString('latin1');
}

/** So many lines from line `first` on. Many programs print and check them all the time: it is made of no strings. */
export function linesAt(first: number, count: number): Buffer {
  const lines = Buffer.allocUnsafe(count * LINE_BYTES);
  for (let index = 0; index < count; index++) putLine(lines, index * LINE_BYTES, first + index);
  return lines;
}

function putLine(lines: Buffer, at: number, n: number): void {
  let digits = n;
  for (let place = NUMBER_BYTES - 2; place >= 0; place--) {
    const tenth = Math.floor(digits / 10);
    lines[at + place] = ZERO + digits - tenth * 10;
    digits = tenth;
  }
  lines[at + NUMBER_BYTES - 1] = SPACE;
  const mixed = (n * 2_654_435_761) % 2 ** 32;
  const from = at + NUMBER_BYTES;
  for (let place = 0; place < KEY_LENGTH; place++)
    lines[from + place] = HEX[(mixed >>> (28 - 4 * place)) & 15]!;
  const end = at + LINE_BYTES - 2;
  for (let place = from + KEY_LENGTH; place < end; place++) lines[place] = lines[place - KEY_LENGTH]!;
  lines[end] = DOT;
  lines[end + 1] = LINE_FEED;
}

/** Line `n` where it answers the key `?key` that was typed: as long as any other, and it, too, belongs nowhere else. */
export function echoAt(n: number, key: string): string {
  const line = lineAt(n);
  const name = key.slice(0, KEY_LENGTH).padStart(KEY_LENGTH, '0');
  return `${line.slice(0, NUMBER_BYTES)}?${name} ${line.slice(KEY_END)}`;
}

const STRETCH_BYTES = 16 * LINE_BYTES;
const BLOCK_BYTES = 64 * STRETCH_BYTES;
/** Those that print at the same rate are at about the same line. */
const MOST_BLOCKS = 64;
const blocks = new Map<number, Buffer>();

/** So many lines at once, which are made once for all talkers. */
function blockAt(number: number): Buffer {
  const known = blocks.get(number);
  if (known) return known;
  const block = linesAt((number * BLOCK_BYTES) / LINE_BYTES, BLOCK_BYTES / LINE_BYTES);
  if (blocks.size >= MOST_BLOCKS) blocks.delete(blocks.keys().next().value ?? number);
  blocks.set(number, block);
  return block;
}

/** Checks what a talker prints from its first byte on, in whatever pieces it comes, and where bytes are missing. */
export class LineChecker {
  wrongLines = 0;
  /** Bytes checked, and those that were said to be missing. */
  offset = 0;
  /** What it printed in the end, about what it was typed. */
  typed?: string;
  private rest = '';
  /** What of the line that comes is not there to be looked at. */
  private unseenBytes = 0;

  /** `echoed` is told the keys that are answered. */
  constructor(private readonly echoed: (key: string) => void = () => undefined) {}

  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      at += this.skipExpected(bytes.subarray(at));
      const lineFeed = bytes.indexOf(LINE_FEED, at);
      const end = lineFeed < 0 ? bytes.length : lineFeed + 1;
      this.addPart(bytes.subarray(at, end));
      at = end;
    }
  }

  /** A line, or a part of one, or nothing. */
  private addPart(bytes: Uint8Array): void {
    this.rest += Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    if (!this.rest.endsWith('\n')) return;
    const line = this.rest;
    this.rest = '';
    this.check(line);
  }

  /** `bytes` are missing here, as has been announced. */
  skip(bytes: number): void {
    this.offset += this.rest.length + bytes;
    // The line that the gap has cut off begins in what is missing.
    const intoLine = this.offset % LINE_BYTES;
    this.rest = intoLine === 0 ? '' : lineAt(Math.floor(this.offset / LINE_BYTES)).slice(0, intoLine);
    this.offset -= intoLine;
    // Where a key would be cut off, whether there was one cannot be told.
    this.unseenBytes = intoLine > NUMBER_BYTES && intoLine < KEY_END ? KEY_END : 0;
  }

  /** Whole lines that are what they should be, which most are, are compared a stretch at a time. @returns how many bytes */
  private skipExpected(bytes: Uint8Array): number {
    if (this.rest !== '' || this.unseenBytes > 0) return 0;
    let at = 0;
    while (at + STRETCH_BYTES <= bytes.length) {
      const block = blockAt(Math.floor(this.offset / BLOCK_BYTES));
      const from = this.offset % BLOCK_BYTES;
      const length = Math.min(STRETCH_BYTES, BLOCK_BYTES - from);
      if (block.compare(bytes, at, at + length, from, from + length) !== 0) break;
      at += length;
      this.offset += length;
    }
    return at;
  }

  private check(line: string): void {
    if (line.startsWith('TYPED ')) this.typed = line.trim();
    else this.checkNumber(line, this.offset / LINE_BYTES);
    this.offset += line.length;
  }

  private checkNumber(line: string, n: number): void {
    const unseen = this.unseenBytes;
    this.unseenBytes = 0;
    if (line.slice(unseen) === lineAt(n).slice(unseen)) return;
    const key = /^\d{10} \?(\w{8}) /.exec(line)?.[1];
    if (key !== undefined && line === echoAt(n, key)) this.echoed(key);
    else this.wrongLines += 1;
  }
}
