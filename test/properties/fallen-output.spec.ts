/* eslint-disable no-control-regex -- escape sequences are made of them */
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { type EscapeState, stateAfter } from '../../src/core/escape-state.js';
import { FallenOutput } from '../../src/core/fallen-output.js';
import { nativeSearch } from '../../src/sessions/native-search.js';
import { runs } from '../support/runs.js';

const mode = fc.constantFrom(
  1,
  3,
  6,
  7,
  9,
  12,
  25,
  45,
  47,
  66,
  1000,
  1002,
  1003,
  1006,
  1047,
  1048,
  1049,
  2004,
);
const modes = fc.array(mode, { minLength: 1, maxLength: 4 }).map((several) => several.join(';'));
const csi = fc.constantFrom('\x1b[', '\x1b[', '\u009b');
const change = fc
  .tuple(csi, modes, fc.constantFrom('h', 'l'))
  .map(([start, list, end]) => `${start}?${list}${end}`);
const text = fc.constantFrom(
  'text',
  'c',
  'p[m',
  '?',
  '!',
  '?25h',
  'naïve\u00a0',
  '漢字',
  '😀',
  '\r\n',
  '\x07',
  '\x7f',
);
const start = fc.constantFrom('\x1b', '\x1b[', '\x1b(', '\x1b]', '\x1bP', '\x1bX', '\x1b^', '\x1b_');
const c1 = fc.constantFrom('\u0085', '\u0090', '\u0098', '\u009b', '\u009c', '\u009d', '\u009e', '\u009f');
const end = fc.constantFrom('\x07', '\x1b\\', '\u009c', '\x18', '\x1a', 'm', '');
const sequence = fc
  .tuple(fc.oneof(start, c1), fc.array(text, { maxLength: 4 }), end)
  .map(([a, b, z]) => a + b.join('') + z);
const reset = fc.constantFrom('\x1bc', '\x1b[!p', '\u009b!p', '\x1bc\x1b]104\x07\x1b[!p\x1b[?3;4l\x1b[4l');
const keypad = fc.constantFrom('\x1b[?1h\x1b=', '\x1b[?1l\x1b>');
const tooLong = fc.constantFrom(`\x1b[?${'1;'.repeat(40)}1h`, `\x1b]0;${'title '.repeat(20)}`);
const bytes = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.oneof(text, change, change, sequence, reset, keypad, tooLong).map((s) => Buffer.from(s)),
  },
  // Halves of characters, and whatever else is no UTF-8. Not the keypad's two: they count only behind a mode.
  {
    weight: 1,
    arbitrary: fc
      .uint8Array({ maxLength: 4 })
      .map((any) => Buffer.from(any.filter((b) => b < 0x3d || b > 0x3e))),
  },
);
const output = fc.array(bytes, { maxLength: 14, size: 'max' }).map((parts) => Buffer.concat(parts));
const slabBytes = fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 9, max: 90 }));

/** The simplest thing that works: looks at every byte, and has modes as xterm.js has them. */
class PlainTerminal {
  modes: Record<string, boolean | number> = {};
  /** What has come of the sequence it is in the middle of, in seven bits and Latin-1; empty in ground. */
  private sequence = '';
  private previous = 0;

  get state(): EscapeState {
    if (this.sequence === '') return 'ground';
    if (/^\x1b[\0-\x1f\x7f]*\[/.test(this.sequence)) return 'csi';
    if (/^\x1b[\0-\x1f\x7f]*\]/.test(this.sequence)) return 'osc';
    if (/^\x1b[\0-\x1f\x7f]*[PX^_]/.test(this.sequence)) return 'string';
    return /[ -/]/.test(this.sequence) ? 'intermediate' : 'escape';
  }

  print(printed: Uint8Array): this {
    for (const byte of printed) {
      const isC1 = this.previous === 0xc2 && [0x90, 0x98, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f].includes(byte);
      this.previous = byte;
      if (byte === 0x1b) this.sequence = '\x1b';
      else if (byte === 0x18 || byte === 0x1a) this.sequence = '';
      else if (isC1) this.sequence = byte === 0x9c ? '' : `\x1b${String.fromCharCode(byte - 0x40)}`;
      else if (this.sequence !== '') this.goOn(String.fromCharCode(byte));
    }
    return this;
  }

  private goOn(character: string): void {
    const before = this.state;
    this.sequence += character;
    const last = {
      escape: /[^\0-/\x7f]/,
      intermediate: /[^\0-/\x7f]/,
      csi: /[@-~]/,
      osc: /\x07/,
      string: /$^/,
      ground: /$^/,
    };
    if (!last[before].test(character)) return;
    if (before === 'escape' && /[[\]PX^_]/.test(character)) return;
    this.act(this.sequence);
    this.sequence = '';
  }

  private act(sequence: string): void {
    const change = /^\x1b\[\?([\d;]*)([hl])$/.exec(sequence);
    // Longer ones are overlooked, by agreement.
    if (change && sequence.length <= 62)
      for (const each of change[1]!.split(';')) this.set(Number(each), change[2] === 'h');
    if (sequence === '\x1b=' || sequence === '\x1b>') this.set(66, sequence === '\x1b=');
    if (sequence === '\x1b[!p')
      for (const each of [1, 6, 7, 25, 45, 66, 2004]) this.set(each, [7, 25].includes(each));
    if (sequence === '\x1bc') this.modes = {};
  }

  private set(number: number, on: boolean): void {
    const isMouse = [9, 1000, 1002, 1003].includes(number);
    const isScreen = [47, 1047, 1049].includes(number);
    if (isMouse) this.modes.mouse = on ? number : 0;
    else if (isScreen) this.modes.screen = on;
    else if (![0, 3, 1048].includes(number)) this.modes[number] = on;
  }

  /** Those that are not as in a new terminal. */
  get changed(): Record<string, boolean | number> {
    const isDefault = ([name, value]: [string, unknown]): boolean =>
      value === (['7', '25'].includes(name) || undefined) || (!value && !['7', '25'].includes(name));
    return Object.fromEntries(Object.entries(this.modes).filter((entry) => !isDefault(entry)));
  }
}

describe('properties of output that has left the log', () => {
  it('knows the state at every position, whatever the state is taken from', () => {
    const seen = new Map<EscapeState, number>();
    fc.assert(
      fc.property(output, fc.nat(), (printed, anywhere) => {
        const terminal = new PlainTerminal();
        const states = [
          terminal.state,
          ...Array.from(printed, (byte) => terminal.print(Uint8Array.of(byte)).state),
        ];
        const from = anywhere % (printed.length + 1);
        for (let to = from; to <= printed.length; to++) {
          const between = printed.subarray(from, to);
          assert.equal(stateAfter(states[from]!, between, printed[from - 1] ?? 0, nativeSearch), states[to]);
        }
        for (const state of states) seen.set(state, (seen.get(state) ?? 0) + 1);
      }),
      { numRuns: runs(2000) },
    );
    for (const state of ['ground', 'escape', 'intermediate', 'csi', 'osc', 'string'] as const) {
      expect(seen.get(state)).toBeGreaterThan(100);
    }
  });

  it('cuts at every position where the next character begins outside of every sequence, whatever the slabs', () => {
    fc.assert(
      fc.property(output, slabBytes, fc.nat(), (printed, size, anywhere) => {
        const terminal = new PlainTerminal();
        const isSafe = Array.from(printed, (byte) => {
          const safe = terminal.state === 'ground' && (byte & 0xc0) !== 0x80;
          terminal.print(Uint8Array.of(byte));
          return safe;
        });
        for (let position = 0; position <= printed.length; position++) {
          const [output, retained, fallen] = cutUp(printed, size, anywhere % (position + 1));
          const cut = output.cutAt(retained, position - fallen);
          const expected = isSafe.indexOf(true, position);
          assert.equal(fallen + cut.position, expected < 0 ? printed.length : expected);
          assert.deepEqual(cut, {
            position: cut.position,
            restoring: new FallenOutput(nativeSearch).cutAt([printed], position).restoring,
          });
        }
      }),
      { numRuns: runs(100) },
    );
  });

  it('restores the modes of a terminal that has seen everything, on one that has seen less', () => {
    let changed = 0;
    let reopened = 0;
    fc.assert(
      fc.property(output, output, slabBytes, fc.nat(), (printed, later, size, anywhere) => {
        const all = Buffer.concat([printed, later]);
        const whole = new PlainTerminal().print(all);
        for (let position = 0; position <= printed.length; position++) {
          const [output, retained, fallen] = cutUp(printed, size, anywhere % (position + 1));
          const cut = output.cutAt(retained, position - fallen);
          const viewer = new PlainTerminal().print(printed.subarray(0, anywhere % (position + 1)));
          viewer.print(Buffer.from(cut.restoring));
          if (viewer.state !== 'ground') reopened += 1;
          viewer.print(all.subarray(fallen + cut.position));
          assert.deepEqual(viewer.changed, whole.changed);
          if (fallen + cut.position === printed.length) assert.equal(viewer.state, whole.state);
        }
        const fallen = new FallenOutput(nativeSearch);
        for (const slab of slabs(all, size)) fallen.add(slab);
        assert.equal(fallen.isFullScreen, whole.modes.screen ?? false);
        if (Object.keys(whole.changed).length > 1) changed += 1;
      }),
      { numRuns: runs(100) },
    );
    expect(changed).toBeGreaterThan(30);
    expect(reopened).toBeGreaterThan(200);
  });
});

/** What has fallen of `printed`, at most `fallenBytes` in whole slabs; the slabs that have not, and where they begin. */
function cutUp(printed: Uint8Array, size: number, fallenBytes: number): [FallenOutput, Uint8Array[], number] {
  const all = slabs(printed, size);
  const fallen = Math.floor(fallenBytes / size);
  const output = new FallenOutput(nativeSearch);
  for (const slab of all.slice(0, fallen)) {
    // A slab is used again once it has fallen.
    const reused = Uint8Array.from(slab);
    output.add(reused);
    reused.fill(0x1b);
  }
  return [output, all.slice(fallen), fallen * size];
}

function slabs(printed: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(printed.length / size) }, (_, index) =>
    printed.subarray(index * size, (index + 1) * size),
  );
}
