import { isTerminalReply } from '../client/terminal-replies.js';
import { controlOf } from './detach-keys.js';

/** One key, one sequence of the terminal's, or one byte of either. */
interface Token {
  readonly bytes: string;
  /** What it is without a keyboard protocol, if it is a key with one byte. */
  readonly key?: number;
  /** Whether it comes between keys and is none: news of the mouse, a key that is let go of. */
  readonly isNoKey: boolean;
}

/** What was typed, and whether that ended with the keys that detach. */
export interface Typed {
  readonly bytes: Uint8Array;
  readonly isDetaching: boolean;
}

/* eslint-disable no-control-regex -- Escape sequences begin with a control character. */
const SEQUENCE = /\x1b(?:\[[<=>?]?[\d;:]*[ -/]*[@-~]|[P\]_][^\x1b\x07]*(?:\x1b\\|\x07)|O[@-~])/y;
/** News of the mouse (SGR). */
const MOUSE = /^\x1b\[<[\d;]*[Mm]$/;
/** A key as kitty's keyboard protocol has it, and as xterm's modifyOtherKeys. */
const KITTY_KEY = /^\x1b\[(\d+)(?::(\d*)(?::\d*)?)?(?:;(\d+)(?::(\d))?(?:;[\d:]*)?)?u$/;
const OTHER_KEY = /^\x1b\[27;(\d+);(\d+)~$/;
/* eslint-enable no-control-regex */
const PASTE_BEGINS = '\x1b[200~';
const PASTE_ENDS = '\x1b[201~';

const SHIFT = 1;
const CONTROL = 4;
/** Caps Lock and Num Lock. */
const LOCKS = 64 + 128;
const RELEASED = '3';
/** More between two keys that detach, as of a mouse that moves, and they are two keys. */
const MOST_HELD = 256;
/** Where kitty has Caps Lock, Shift and their like. */
const isModifier = (code: number): boolean =>
  (code >= 57_358 && code <= 57_360) || (code >= 57_441 && code <= 57_454);

/**
 * What a person's terminal sends, as it is passed on to a session: all of it, in order, up to the keys that detach. They
 * are known in the keyboard protocols that programs switch on, too, and not looked for in a paste, of which the rest would
 * be typed into whatever comes after. What the terminal answers by itself is left out while it is not asked: only one of
 * those who look on answers.
 */
export class Typing {
  /** Tokens that may be the beginning of the keys that detach. */
  private held: Token[] = [];
  private isPasting = false;
  /** How much of what begins or ends a paste has come: it may come in two parts. */
  private marker = '';

  /** `detachKeys`: a byte each; none: nothing detaches. */
  constructor(private readonly detachKeys: readonly number[]) {}

  /** `mayAnswer`: whether what the terminal answers is to be passed on. */
  read(chunk: Uint8Array, mayAnswer: boolean): Typed {
    const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1');
    let passed = '';
    for (let at = 0; at < text.length;) {
      const wasPasting = this.isPasting;
      const token = wasPasting ? byteAt(text, at) : tokenAt(text, at);
      at += token.bytes.length;
      this.followPaste(token.bytes);
      if (!wasPasting && !mayAnswer && isTerminalReply(token.bytes)) continue;
      this.held.push(token);
      while (this.held.length > 0 && (wasPasting || !this.mayDetach)) passed += this.held.shift()!.bytes;
      if (this.held.length > 0 && keysOf(this.held).length === this.detachKeys.length) {
        this.held = [];
        return { bytes: Buffer.from(passed, 'latin1'), isDetaching: true };
      }
    }
    return { bytes: Buffer.from(passed, 'latin1'), isDetaching: false };
  }

  /** Whether what is held begins the keys that detach. */
  private get mayDetach(): boolean {
    const [first] = this.held;
    if (!first || first.isNoKey || this.held.length > MOST_HELD) return false;
    return keysOf(this.held).every(({ key }, index) => key !== undefined && key === this.detachKeys[index]);
  }

  private followPaste(bytes: string): void {
    for (const byte of bytes) {
      const marker = this.isPasting ? PASTE_ENDS : PASTE_BEGINS;
      this.marker = marker.startsWith(this.marker + byte) ? this.marker + byte : byte === '\x1b' ? byte : '';
      if (this.marker !== marker) continue;
      this.isPasting = !this.isPasting;
      this.marker = '';
    }
  }
}

function keysOf(tokens: readonly Token[]): readonly Token[] {
  return tokens.filter(({ isNoKey }) => !isNoKey);
}

function byteAt(text: string, at: number): Token {
  return { bytes: text[at]!, key: text.charCodeAt(at), isNoKey: false };
}

function tokenAt(text: string, at: number): Token {
  SEQUENCE.lastIndex = at;
  const [bytes] = SEQUENCE.exec(text) ?? [];
  if (bytes === undefined) return byteAt(text, at);
  const kitty = KITTY_KEY.exec(bytes);
  if (kitty) {
    const [, code, shifted, modifiers, event] = kitty;
    if (event === RELEASED || isModifier(Number(code))) return { bytes, isNoKey: true };
    return { bytes, isNoKey: false, ...keyOf(Number(code), Number(modifiers ?? 1), Number(shifted ?? 0)) };
  }
  const other = OTHER_KEY.exec(bytes);
  if (other) return { bytes, isNoKey: false, ...keyOf(Number(other[2]), Number(other[1])) };
  return { bytes, isNoKey: MOUSE.test(bytes) || isTerminalReply(bytes) };
}

/** The byte that a terminal sends for it without such a protocol. */
function keyOf(code: number, modifiers: number, shifted = 0): Pick<Token, 'key'> {
  const held = (modifiers - 1) & ~LOCKS;
  const isShifted = (held & SHIFT) !== 0;
  // What Shift makes of it is told only where the program has asked for that.
  const typed = isShifted && shifted > 0 ? shifted : code;
  if (typed < 0x20 || typed > 0x7e || (held & ~(SHIFT | CONTROL)) !== 0) return {};
  const character = String.fromCharCode(typed);
  if ((held & CONTROL) !== 0) return /[@-_a-z]/.test(character) ? { key: controlOf(character) } : {};
  return { key: typed };
}
