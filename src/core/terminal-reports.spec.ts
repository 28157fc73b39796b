import * as fc from 'fast-check';
import { nativeSearch } from '../sessions/native-search.js';
import { nativeText } from '../sessions/native-text.js';
import { LONGEST_SEQUENCE_BYTES, type TerminalReport, TerminalReports } from './terminal-reports.js';

function reports(): TerminalReports {
  return new TerminalReports(nativeSearch, nativeText, 'here');
}

function scan(...pieces: readonly (string | Uint8Array)[]): TerminalReport {
  const all = reports();
  return Object.assign({}, ...pieces.map((piece) => all.scan(Buffer.from(piece)))) as TerminalReport;
}

describe('what programs report of themselves', () => {
  it.each<[string, string, TerminalReport]>([
    ['a title', 'a\x1b]2;vim\x07b', { title: 'vim' }],
    ['a title, and that of its icon', '\x1b]0;vim\x1b\\', { title: 'vim' }],
    ['no title any more', '\x1b]2;\x07', { title: '' }],
    ['a title beyond ASCII', '\x1b]2;né – 日本\x07', { title: 'né – 日本' }],
    ['the newest title', '\x1b]2;one\x07\x1b]2;two\x07\x1b]2;three', { title: 'two' }],
    ['a directory', '\x1b]7;file:///srv/a%20b\x07', { directory: '/srv/a b' }],
    ['a directory of this host', '\x1b]7;file://here/srv\x1b\\', { directory: '/srv' }],
    ['a directory of localhost', '\x1b]7;file://localhost/srv\x1b\\', { directory: '/srv' }],
    [
      'a directory whose name is in another normal form',
      '\x1b]7;file:///e%CC%81\x07',
      { directory: '/e\u0301' },
    ],
    [
      'the directory before one that cannot be shown',
      '\x1b]7;file:///a\x07\x1b]7;file:///%1b\x07',
      { directory: '/a' },
    ],
    [
      'a directory with a % that stands for nothing',
      '\x1b]7;file:///100% %4x %\x07',
      { directory: '/100% %4x %' },
    ],
    ['a directory, escaped in either case', '\x1b]7;file:///%C3%a9%2F%2e\x07', { directory: '/é/.' }],
    ['both', '\x1b]7;file:///a\x07\x1b]2;t\x07\x1b]7;file:///b\x07', { title: 't', directory: '/b' }],
    ['a title behind one that was broken off', '\x1b]2;lost\x1b]2;kept\x07', { title: 'kept' }],
    ['a title behind a link', '\x1b]8;;http://x/\x1b\\x\x1b]8;;\x1b\\\x1b]2;t\x07', { title: 't' }],
  ])('%s', (_what, output, report) => {
    expect(scan(output)).toEqual(report);
  });

  it.each([
    ['another host’s directory', '\x1b]7;file://there/srv\x07'],
    ['no URL', '\x1b]7;/srv\x07'],
    ['a URL without a path', '\x1b]7;file://here\x07'],
    ['another machine’s directory that looks like one of this', '\x1b]7;file://here%2fx@there/srv\x07'],
    ['a relative path', '\x1b]7;file:srv\x07'],
    ['what is no UTF-8', '\x1b]7;file:///%ff\x07'],
    ['a control character in a path', '\x1b]7;file:///a%0ab\x07'],
    ['a path that would be read backwards', '\x1b]7;file:///a%E2%80%AEb\x07'],
    ['a path that is too long', `\x1b]7;file:///${'x'.repeat(4096)}\x07`],
    ['the name of an icon', '\x1b]1;icon\x07'],
    ['a colour', '\x1b]10;?\x07\x1b]4;1;red\x07'],
    ['the clipboard', '\x1b]52;c;aGk=\x07'],
    ['a title that was cancelled', '\x1b]2;no\x18\x07'],
    ['a title that ends in another sequence', '\x1b]2;no\x1b[m\x07'],
    ['a title without an end', '\x1b]2;no'],
    ['a bracket', ']2;no\x07'],
  ])('is nothing to be told: %s', (_what, output) => {
    expect(scan(output)).toEqual({});
    expect(scan(...output)).toEqual({});
  });

  it('shows no control or bidirectional characters of a title, and 256 characters at most', () => {
    expect(scan('\x1b]2; a\tb\u202ec\u2066 \x07')).toEqual({ title: 'abc' });
    expect(scan(`\x1b]2;${'日'.repeat(300)}\x07`)).toEqual({ title: '日'.repeat(256) });
  });

  it('shows of a title that is no text where something was', () => {
    expect(scan(Buffer.from('\x1b]2;a\xffb\x07', 'latin1'))).toEqual({ title: 'a\ufffdb' });
  });

  it('of a sequence that never ends keeps no more than the longest could have', () => {
    const all = reports();
    for (let n = 0; n < 100; n++)
      expect(all.scan(Buffer.from(`\x1b]2;${'x'.repeat(10_000)}`))).toBeUndefined();
    expect(all.scan(Buffer.from('y'.repeat(100_000) + '\x07'))).toBeUndefined();
    expect(all.scan(Buffer.from('\x1b]2;t\x07'))).toEqual({ title: 't' });
  });

  it('is the same wherever the longest sequence there may be is split, and one that is longer is none', () => {
    const longest = 'x'.repeat(LONGEST_SEQUENCE_BYTES - '\x1b]2;'.length - 1);
    for (const end of ['\x07', '\x1b\\']) {
      for (const [text, title] of [
        [longest, 'x'.repeat(256)],
        [`${longest}x`, undefined],
      ] as const) {
        const bytes = Buffer.from(`\x1b]2;${text}${end}`);
        for (let at = 0; at <= bytes.length; at += at < 8 || at > bytes.length - 8 ? 1 : 997) {
          expect(scan(bytes.subarray(0, at), bytes.subarray(at)).title).toBe(title);
        }
      }
    }
  });

  it('keeps the directory of a sequence that was begun before, whatever says nothing in the same read', () => {
    expect(scan('\x1b]7;file:///a', '\x07\x1b]7;file:///%1b\x07')).toEqual({ directory: '/a' });
  });

  it('looks at a few that say nothing, and not at all that a program may print', () => {
    const wrong = '\x1b]7;file://elsewhere/\x07';
    expect(scan(`\x1b]7;file:///a\x07${wrong.repeat(7)}`)).toEqual({ directory: '/a' });
    expect(scan(`\x1b]7;file:///a\x07${wrong.repeat(8)}`)).toEqual({});
  });

  it('is the same wherever output is split', () => {
    const token = fc.constantFrom(
      'x',
      ']',
      '\x1b',
      '\x1b]',
      '\x1b]2;',
      '\x1b]0;',
      '\x1b]7;file:///',
      '\x1b]8;;',
      ';',
      '2',
      '\x07',
      '\x1b\\',
      '\\',
      '\x18',
      '\x1b[m',
      'é',
      '%41',
    );
    fc.assert(
      fc.property(
        fc.array(token, { maxLength: 30 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 5 })),
        (tokens, lengths) => {
          const bytes = Buffer.from(tokens.join(''));
          const pieces: Buffer[] = [];
          for (let at = 0; at < bytes.length;) {
            const { value } = lengths.next() as { value: number };
            pieces.push(bytes.subarray(at, (at += value)));
          }
          expect(scan(...pieces)).toEqual(scan(bytes));
        },
      ),
      { numRuns: 5000 },
    );
  });
});
