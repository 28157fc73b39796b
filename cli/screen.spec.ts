import * as fc from 'fast-check';
import { Screen } from './screen.js';

function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** What is shown of chunks; those that begin with `new:` are. */
function shown(screen: Screen, ...chunks: readonly string[]): string {
  return chunks
    .map((chunk) => {
      const isNew = chunk.startsWith('new:');
      return Buffer.from(screen.show(bytes(isNew ? chunk.slice(4) : chunk), !isNew)).toString('latin1');
    })
    .join('|');
}

const QUERIES = [
  ...[
    '\x05',
    '\x1b[c',
    '\x1b[0c',
    '\x1b[>c',
    '\x1b[=0c',
    '\x1b[5n',
    '\x1b[6n',
    '\x1b[?6n',
    '\x1b[?996n',
    '\x1b[?2026$p',
  ],
  ...[
    '\x1b[20$p',
    '\x1b[>q',
    '\x1b[>0q',
    '\x1b[?u',
    '\x1b[14t',
    '\x1b[18t',
    '\x1b[21t',
    '\x1b[x',
    '\x1b[?1;1;0S',
    '\x1b[1$w',
  ],
  ...[
    '\x1b]11;?\x07',
    '\x1b]4;1;?\x1b\\',
    '\x1b]52;c;?\x07',
    '\x1b]52;c;aGVsbG8=\x07',
    '\x1bP$qm\x1b\\',
    '\x1bP+q544e\x1b\\',
  ],
  ...[
    '\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\',
    '\xc2\x9b6n',
    '\xc2\x9d11;?\xc2\x9c',
    '\x1b[1;1;1;1;1;1*y',
  ],
];
const OTHERS = [
  ...[
    'text',
    '\x1b[31m',
    '\x1b[2J',
    '\x1b[?1049h',
    '\x1b[>4;2m',
    '\x1b[>1u',
    '\x1b[22;0t',
    '\x1b[8;24;80t',
    '\x1b[1 q',
    '\x1b[!p',
  ],
  ...[
    '\x1b]0;what? is;this\x07',
    '\x1bPq#0;2;0;0;0~\x1b\\',
    '\x1b7',
    '\x1b(0',
    '\xc3\x85\xc2\xb5\xe2\x9c\x9c',
    '\x1b[3S',
    '\x1b[?1;2c',
  ],
  ...['\x1b]8;;http://x/?a\x07', '\x1bc', '\n'],
];

describe('old output', () => {
  it.each(QUERIES)('makes the terminal answer nothing: %j', (query) => {
    expect(shown(new Screen(), `a${query}b`)).toBe('ab');
  });

  it.each(OTHERS)('is shown as it is: %j', (other) => {
    expect(shown(new Screen(), `a${other}b`)).toBe(`a${other}b`);
  });

  it('is the same in however many pieces it comes', () => {
    const pieces = fc.array(fc.constantFrom(...QUERIES, ...OTHERS), { maxLength: 12 });
    fc.assert(
      fc.property(pieces, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (parts, sizes) => {
        const whole = `${parts.join('')}.`;
        const screen = new Screen();
        let kept = '';
        for (let at = 0, piece = 0; at < whole.length; piece++) {
          const size = sizes[piece % sizes.length]!;
          kept += shown(screen, whole.slice(at, at + size));
          at += size;
        }
        expect(kept).toBe(`${parts.filter((part) => !QUERIES.includes(part)).join('')}.`);
      }),
    );
  });

  it('that ends within a query gives that to what is new', () => {
    expect(shown(new Screen(), 'a\x1b[', 'new:6nb')).toBe('a|\x1b[6nb');
  });

  it('that begins within what has been shown goes on', () => {
    expect(shown(new Screen(), 'new:a\x1b[', '6nb\x1b[6nc')).toBe('a\x1b[|6nbc');
    expect(shown(new Screen(), 'new:a\x1b]0;t', 'i', 't\x07b')).toBe('a\x1b]0;t|i|t\x07b');
  });

  it('is passed on where a sequence does not end', () => {
    const picture = `\x1b]1337;${'A'.repeat(20_000)}`;
    const screen = new Screen();
    expect(shown(screen, picture) + shown(screen, '\x07b')).toBe(`${picture}\x07b`);
  });
});

describe('new output', () => {
  it.each([
    ['strings that do not end', '\xc2\x9d'],
    ['strings in each other', '\xc2\x9da\xc2\x90'],
    ['sequences that do not end', '\x1b['],
    ['parameters', '\x1b[1;'],
    ['enquiries', '\x1b]\x05'],
  ])('takes no longer to look through for being of %s', (_, part) => {
    const timeOf = (length: number): number => {
      const chunk = bytes(`${part.repeat(length / part.length)}\x18`);
      const begun = process.cpuUsage().user;
      for (let time = 0; time < 262_144 / length; time++) new Screen().show(chunk, false);
      return process.cpuUsage().user - begun;
    };
    timeOf(4096);
    // The same in all: had it to be looked through from each place, 64 times as long.
    expect(timeOf(262_144)).toBeLessThan(16 * timeOf(4096) + 20_000);
  });

  it('is shown as it is, whatever is in it', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...QUERIES, ...OTHERS), fc.string())), (parts) => {
        const screen = new Screen();
        const given = parts.map((part) => Buffer.from(part));
        expect(Buffer.concat(given.map((part) => screen.show(part, false)))).toEqual(Buffer.concat(given));
      }),
    );
  });
});

describe('a terminal', () => {
  const PLAIN = '\x1b[!p\x1b[m\x1b[?25h';

  it.each([
    ['a shell', '\x1b[31m$ \x1b[m', PLAIN],
    ['a shell that takes pastes whole', '\x1b[?2004h$ ', `\x1b[?2004l${PLAIN}`],
    ['one that has cleaned up', '\x1b[?2004h$ \x1b[?2004l\x1b[?1049h\x1b[?1049l\x1b[?25l\x1b[?25h', PLAIN],
    [
      'a program that fills the screen',
      '\x1b[?1049h\x1b[?25l\x1b[?1000;1006h',
      `\x1b[?1000l\x1b[?1006l\x1b[?1049l${PLAIN}`,
    ],
    ['one with a keyboard of its own', '\x1b[?1049h\x1b[>1u', `\x1b[<99u\x1b[?1049l\x1b[<99u${PLAIN}`],
    ['keys, a keypad and a cursor of its own', '\x1b[>4;2m\x1b=\x1b[5 q', `\x1b[>4m\x1b>\x1b[ q${PLAIN}`],
    ['one without wrapping', '\x1b[?7l', `${PLAIN}\x1b[?7h`],
    ['one that was reset', '\x1b[?1049h\x1b[?1000h\x1b[>1u\x1bc', PLAIN],
    ['one that is left in the middle of a sequence', 'a\x1b]0;tit', `\x18${PLAIN}`],
    ['one that wrote more wide columns, or as a VT52', '\x1b[?3h\x1b[?2l', PLAIN],
    ['a program that turned on what is on', '\x1b[?8;1007;1034h', PLAIN],
    ['modes that no terminal has', '\x1b[?65536;99999999999999999999h', PLAIN],
    ['modes in a form with one character', '\xc2\x9b?1004h', `\x1b[?1004l${PLAIN}`],
  ])('is left as it was found after %s', (_, output, left) => {
    const screen = new Screen();
    screen.show(bytes(output), false);
    expect(screen.leave()).toBe(left);
  });

  it('is freed of a sequence that was cut', () => {
    expect(new Screen().leave(true)).toBe(`\x18${PLAIN}`);
  });

  it('is left in few words, however many modes there are said to be', () => {
    const screen = new Screen();
    for (let mode = 10_000; mode < 12_000; mode++) screen.show(bytes(`\x1b[?${mode}h`), false);
    expect(screen.leave().length).toBeLessThan(3000);
  });

  it('is full or not', () => {
    const screen = new Screen();
    const after = (output: string): boolean => {
      screen.show(bytes(output), false);
      return screen.isFullScreen;
    };
    expect([after('$ '), after('\x1b[?10'), after('49h'), after('\x1b[?1047l'), after('\x1b[?47h')]).toEqual([
      false,
      false,
      true,
      false,
      true,
    ]);
  });
});
