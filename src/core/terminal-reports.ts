import { type ByteSearch } from './byte-search.js';
import { type DecodeText } from './decode-text.js';
import { displayable, isDisplayablePath, MAX_PATH_LENGTH } from './display-text.js';

/** What a program has said of itself to the terminal: data of anybody's, to be shown and nothing else. */
export interface TerminalReport {
  /** What it calls the window (OSC 0 and 2); empty: nothing any more. */
  title?: string;
  /** The absolute path of the directory it is in (OSC 7). */
  directory?: string;
}

/** Longest title that is kept, in characters. */
export const MAX_TITLE_LENGTH = 256;

/** A path of which every byte is written in three characters, and what is around it. One that is longer is none. */
export const LONGEST_SEQUENCE_BYTES = 3 * MAX_PATH_LENGTH + 300;

const BEL = 0x07;
const CAN = 0x18;
const SUB = 0x1a;
const ESC = 0x1b;
const PERCENT = 0x25;
const SLASH = 0x2f;
const SEMICOLON = 0x3b;
const BACKSLASH = 0x5c;
const BRACKET = 0x5d;
const OSC = Uint8Array.of(ESC, BRACKET);
/** Of reports that say nothing, so many are looked at in one read. */
const MOST_WRONG = 8;
/** `ESC ] 7 ;` */
const HEAD_BYTES = 4;
const SCHEME = 'file://';
/** What bytes read that are no text. */
const NO_TEXT = '\ufffd';

const NOTHING = new Uint8Array();

/** By the command's number, which has one digit. */
const keyOf: Readonly<Record<number, keyof TerminalReport>> = {
  0x30: 'title',
  0x32: 'title',
  0x37: 'directory',
};

/**
 * Finds what programs report of themselves in all of a session's output: the newest title and directory, wherever it is
 * split (xterm's control sequences; OSC 7 as VTE has it). What begins such a sequence is searched for backwards; few
 * other bytes are looked at.
 */
export class TerminalReports {
  /** The beginning of a sequence whose end is to come, from its ESC on; there is room only while there is one. */
  private begun = NOTHING;
  private begunBytes = 0;

  /** `hostname`: whose directories are meant. */
  constructor(
    private readonly search: ByteSearch,
    private readonly decode: DecodeText,
    private readonly hostname: string,
  ) {}

  /** What `bytes`, which follow those before, say: of each kind the last. Keeps no reference to them. */
  scan(bytes: Uint8Array): TerminalReport | undefined {
    // Quicker than all that follows, where output has no colours.
    if (this.begunBytes === 0 && !bytes.includes(ESC)) return undefined;
    const found: TerminalReport = {};
    const start = this.begunBytes > 0 ? this.goOn(bytes, found) : 0;
    const last = this.searchBack(bytes, start, found);
    if (this.begunBytes === 0) this.begin(bytes, start, last);
    if (this.begunBytes === 0) this.begun = NOTHING;
    return found.title === undefined && found.directory === undefined ? undefined : found;
  }

  /** Takes in the rest of what has begun. @returns how many bytes that was */
  private goOn(bytes: Uint8Array, found: TerminalReport): number {
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]!;
      const isAfterEscape = this.begun[this.begunBytes - 1] === ESC;
      if (isAfterEscape && this.begunBytes > 1) {
        if (byte === BACKSLASH) {
          this.end(this.begunBytes - 1, found);
          return at + 1;
        }
        // Broken off by another sequence, which may be one, too.
        this.begunBytes = 1;
      }
      if (this.begunBytes === 1 && byte !== BRACKET) {
        this.begunBytes = 0;
        return at;
      }
      const isOver = byte === CAN || byte === SUB || this.begunBytes === LONGEST_SEQUENCE_BYTES;
      if (byte === BEL && !isOver) {
        this.end(this.begunBytes, found);
        return at + 1;
      }
      if (!isOver) this.begun[this.begunBytes++] = byte;
      if (isOver || (this.begunBytes === HEAD_BYTES && keyAt(this.begun, 0) === undefined)) {
        this.begunBytes = byte === ESC ? 1 : 0;
        if (this.begunBytes === 0) return at + 1;
      }
    }
    return bytes.length;
  }

  private end(length: number, found: TerminalReport): void {
    this.begunBytes = 0;
    const key = length >= HEAD_BYTES ? keyAt(this.begun, 0) : undefined;
    if (key !== undefined) this.note(key, this.begun.subarray(HEAD_BYTES, length), found);
  }

  /** @returns where the last one begins at or after `start`; -1 when there is none */
  private searchBack(bytes: Uint8Array, start: number, found: TerminalReport): number {
    const newer: TerminalReport = {};
    let last = -1;
    let wrong = 0;
    let at = bytes.length;
    while ((at = this.search.lastIndexOf(bytes, OSC, at)) >= start) {
      if (last < 0) last = at;
      const key = keyAt(bytes, at);
      if (key !== undefined && newer[key] === undefined) {
        const end = endOf(bytes, at);
        if (end > 0) this.note(key, bytes.subarray(at + HEAD_BYTES, end), newer);
        // Nobody means so many: whoever goes on with them takes time that is everybody's.
        if (newer[key] === undefined && ++wrong === MOST_WRONG) break;
      }
      if (newer.title !== undefined && newer.directory !== undefined) break;
      at -= 1;
    }
    Object.assign(found, newer);
    return last;
  }

  /** Remembers what is not over at the end of `bytes`; `last`: where the last sequence in it begins. */
  private begin(bytes: Uint8Array, start: number, last: number): void {
    const isOpen =
      last >= 0 &&
      bytes.length - last <= LONGEST_SEQUENCE_BYTES &&
      (bytes.length - last < HEAD_BYTES || keyAt(bytes, last) !== undefined) &&
      endOf(bytes, last) === OPEN;
    const from = isOpen ? last : bytes.length - 1;
    if (!isOpen && (bytes.length <= start || bytes[from] !== ESC)) return;
    this.begun = new Uint8Array(LONGEST_SEQUENCE_BYTES);
    this.begun.set(bytes.subarray(from));
    this.begunBytes = bytes.length - from;
  }

  private note(key: keyof TerminalReport, bytes: Uint8Array, found: TerminalReport): void {
    if (key === 'title') {
      found.title = displayable(this.decode(bytes), MAX_TITLE_LENGTH);
      return;
    }
    // One that says nothing leaves no field behind, which would undo what was found before.
    const directory = this.directoryIn(bytes);
    if (directory !== undefined) found.directory = directory;
  }

  /** The path of a `file:` URL of this machine, where it can be shown. */
  private directoryIn(url: Uint8Array): string | undefined {
    const begin = url.indexOf(SLASH, SCHEME.length);
    if (begin < 0 || this.decode(url.subarray(0, SCHEME.length)) !== SCHEME) return undefined;
    const host = this.decode(url.subarray(SCHEME.length, begin));
    if (!['', 'localhost', this.hostname].includes(host)) return undefined;
    const path = this.decode(unescaped(url.subarray(begin)));
    return isDisplayablePath(path) && !path.includes(NO_TEXT) ? path : undefined;
  }
}

/** Of which kind the sequence is that begins at `at`, as far as it is there. */
function keyAt(bytes: Uint8Array, at: number): keyof TerminalReport | undefined {
  return bytes[at + 3] === SEMICOLON ? keyOf[bytes[at + 2]!] : undefined;
}

const OPEN = -1;
const BROKEN = -2;

/** Where the text ends of the sequence that begins at `begin`; `OPEN` when that is to come, `BROKEN` when it has no end. */
function endOf(bytes: Uint8Array, begin: number): number {
  const most = Math.min(bytes.length, begin + LONGEST_SEQUENCE_BYTES);
  for (let at = begin + OSC.length; at < most; at++) {
    const byte = bytes[at];
    if (byte === BEL) return at;
    if (byte === CAN || byte === SUB) return BROKEN;
    if (byte !== ESC) continue;
    if (at + 1 === bytes.length) return OPEN;
    return bytes[at + 1] === BACKSLASH ? at : BROKEN;
  }
  return most === bytes.length ? OPEN : BROKEN;
}

/** With the byte in place of each `%41` that stands for it; a `%` that stands for nothing is itself. */
function unescaped(bytes: Uint8Array): Uint8Array {
  const plain = new Uint8Array(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    const escaped = byte === PERCENT ? byteAt(bytes, at + 1) : -1;
    plain[length++] = escaped < 0 ? byte : escaped;
    if (escaped >= 0) at += 2;
  }
  return plain.subarray(0, length);
}

/** Of two hexadecimal digits; -1 when they are none. */
function byteAt(bytes: Uint8Array, at: number): number {
  const [high, low] = [digit(bytes[at]), digit(bytes[at + 1])];
  return high < 0 || low < 0 ? -1 : 16 * high + low;
}

function digit(byte = 0): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
