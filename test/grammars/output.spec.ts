/* eslint-disable no-control-regex -- control characters are what this is about */
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { displayable, isDisplayablePath } from '../../src/core/display-text.js';
import { type Session } from '../../src/core/session.js';
import { LONGEST_SEQUENCE_BYTES, MAX_TITLE_LENGTH } from '../../src/core/terminal-reports.js';
import { DEFAULT_SIZE } from '../../src/core/terminal-size.js';
import { type Attached, type Output } from '../../src/protocol/messages.js';
import { Connection } from '../../src/terminal/connection.js';
import { type Protocol } from '../../src/terminal/subprotocol.js';
import { type FakePty } from '../fakes/fake-pty.js';
import { FakeSocket } from '../fakes/fake-socket.js';
import { settled } from '../support/running-session.js';
import { runs } from '../support/runs.js';
import { TestSessions } from '../support/test-sessions.js';

/*
 * G3: what programs print: text of every width, control characters and sequences of every kind, with parameters that have
 * brought terminals down, ended or not, and bytes that are no text; each program also cut anywhere. The bytes come to
 * viewers as they are, as text what a decoder makes of the whole; what is known of the program beside that is the same
 * however it is cut, and is fit to be shown.
 */

/** `printed`: in Latin-1. `cuts`: where it is cut, each from where the last was. */
interface Case {
  readonly printed: string;
  readonly cuts: readonly number[];
}

/** Cases that were found before: looked at first. */
const corpus = JSON.parse(readFileSync(join(__dirname, '../corpus/output.json'), 'utf8')) as Case[];
const RUNS = runs(600);

/** So many reports that say nothing may come in one read that the last of it is not found: by agreement. */
const MOST_REPORTS = 7;

const asBytes = (text: string): string => Buffer.from(text).toString('latin1');

const text = fc
  .oneof(
    fc.constantFrom(
      'text',
      ' ',
      '日本語',
      'e\u0301',
      '\u0301',
      '👩‍👩‍👧',
      '🇦🇶',
      '\u200d',
      '\ufeff',
      '\u202e',
      '\ufffd',
      '\u{10ffff}',
    ),
    fc.string({ unit: 'binary', maxLength: 6 }),
  )
  .map(asBytes);
const control = fc.oneof(
  fc.integer({ min: 0, max: 0x1f }).map((code) => String.fromCharCode(code)),
  // In eight bits, which is no UTF-8, and in UTF-8.
  fc.integer({ min: 0x80, max: 0x9f }).map((code) => String.fromCharCode(code)),
  fc.integer({ min: 0x80, max: 0x9f }).map((code) => asBytes(String.fromCharCode(code))),
);
const notText = fc.constantFrom(
  ...['\xff', '\xfe', '\x80', '\xbf', '\xc0\x80', '\xed\xa0\x80', '\xf4\x90\x80\x80', '\xf8\x88\x80\x80\x80'],
  ...['\xc3', '\xe2', '\xe2\x82', '\xf0', '\xf0\x9f', '\xf0\x9f\x98', '\xef\xbb'],
);
const csi = fc.constantFrom('\x1b[', '\x1b[', '\x9b', asBytes('\u009b'));
const parameter = fc.constantFrom(
  '',
  '0',
  '1',
  '24',
  '80',
  '500',
  '65536',
  '2147483647',
  '99999999999',
  '-1',
  ':',
  '?',
  '>',
);
const controlSequence = fc
  .tuple(
    csi,
    fc.array(parameter, { maxLength: 3 }),
    fc.constantFrom(...'@ABCDHIJKLMPSTXZbcfgmnqrtu~hl', ' q', '!p', '$p', "'z"),
  )
  .map(([begin, parameters, final]) => begin + parameters.join(';') + final);
const mode = fc
  .tuple(
    csi,
    fc.constantFrom('?', '?', ''),
    fc.constantFrom(1, 2, 3, 6, 7, 25, 47, 1000, 1006, 1049, 2004, 2026, 99_999),
    fc.constantFrom(...'hlsr'),
  )
  .map((parts) => parts.join(''));
const stringEnd = fc.constantFrom('\x07', '\x1b\\', '\x9c', asBytes('\u009c'), '\x18', '\x1a', '');
const controlString = fc
  .tuple(
    fc.constantFrom(
      '\x1b]0;',
      '\x1b]2;',
      '\x1b]8;;',
      '\x1b]52;c;',
      '\x1bP',
      '\x1bX',
      '\x1b^',
      '\x1b_',
      '\x1bP+q',
      asBytes('\u009d'),
      '\x9d0;',
    ),
    fc.oneof(
      {
        weight: 8,
        arbitrary: fc
          .array(fc.oneof(text, control, notText), { maxLength: 4 })
          .map((parts) => parts.join('')),
      },
      {
        weight: 1,
        arbitrary: fc.integer({ min: -4, max: 4 }).map((more) => 'x'.repeat(LONGEST_SEQUENCE_BYTES + more)),
      },
    ),
    stringEnd,
  )
  .map((parts) => parts.join(''));
const directory = fc
  .tuple(
    fc.constantFrom('\x1b]7;file://', '\x1b]7;file://localhost', '\x1b]7;file://elsewhere', '\x1b]7;'),
    fc.constantFrom(
      '/',
      '/srv/a%20b',
      '/%C3%A9',
      '/%1b[2J',
      '/\x9b',
      '/%ff',
      '/%E2%80%AE',
      `/${'x'.repeat(4095)}`,
      `/${'%41'.repeat(4096)}`,
    ),
    stringEnd,
  )
  .map((parts) => parts.join(''));
const escape = fc.constantFrom(
  '\x1b',
  '\x1bc',
  '\x1b=',
  '\x1b>',
  '\x1b7',
  '\x1b(0',
  '\x1b#8',
  '\x1b]',
  '\x1b[',
  '\x1b\x1b]2;',
  '\\',
);
const token = fc.oneof(
  { weight: 4, arbitrary: text },
  { weight: 2, arbitrary: control },
  { weight: 2, arbitrary: notText },
  { weight: 3, arbitrary: controlSequence },
  { weight: 2, arbitrary: mode },
  { weight: 5, arbitrary: controlString },
  { weight: 2, arbitrary: directory },
  { weight: 2, arbitrary: escape },
);
const printed = fc
  .array(token, { maxLength: 25, size: 'max' })
  .map((tokens) => tokens.join(''))
  .filter((all) => all.split('\x1b]').length <= MOST_REPORTS + 1);
const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 2000 })), {
  maxLength: 60,
  size: 'max',
});
const anyCase: fc.Arbitrary<Case> = fc.record({ printed, cuts });

function piecesOf({ printed, cuts }: Case): Buffer[] {
  const bytes = Buffer.from(printed, 'latin1');
  let at = 0;
  const pieces = cuts.map((length) => bytes.subarray(at, (at += length)));
  return [...pieces, bytes.subarray(at)].filter(({ length }) => length > 0);
}

interface Reports {
  title?: string;
  directory?: string;
}

/** The simplest thing that works: one byte after the other. */
function reportsIn(printed: string): Reports {
  const found: Reports = {};
  /** What has come of a sequence, from its ESC on; empty outside of any. */
  let begun = '';
  for (const byte of printed) {
    const isAfterEscape = begun.endsWith('\x1b');
    const isFull = begun.length === LONGEST_SEQUENCE_BYTES;
    if (isAfterEscape && byte === '\\') {
      note(begun.slice(0, -1), found);
      begun = '';
    } else if (isAfterEscape && byte === ']') begun = '\x1b]';
    else if (byte === '\x07' && !isAfterEscape && !isFull) {
      note(begun, found);
      begun = '';
    } else if (byte === '\x1b' && (begun === '' || isAfterEscape || isFull)) begun = byte;
    else if (isAfterEscape || isFull || byte === '\x18' || byte === '\x1a') begun = '';
    else if (begun !== '') begun += byte;
  }
  return found;
}

function note(sequence: string, found: Reports): void {
  const [, command = '', rest = ''] = /^\x1b\]([027]);([^]*)$/.exec(sequence) ?? [];
  const decoded = Buffer.from(rest, 'latin1').toString();
  if (command === '0' || command === '2') found.title = displayable(decoded, MAX_TITLE_LENGTH);
  const url = command === '7' ? /^file:\/\/([^/]*)(\/[^]*)$/.exec(rest) : undefined;
  if (!url || !['', 'localhost', hostname()].includes(url[1]!)) return;
  const plain = url[2]!.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  );
  const path = Buffer.from(plain, 'latin1').toString();
  if (isDisplayablePath(path) && !path.includes('\ufffd')) found.directory = path;
}

interface Look {
  readonly socket: FakeSocket;
  readonly connection: Connection;
}

/** A server of its own, one session, and whoever looks at it. */
class Scene {
  readonly sessions: TestSessions;
  session!: Session;
  pty!: FakePty;

  constructor(logBytes: number) {
    this.sessions = new TestSessions({ logBytes });
  }

  async open(): Promise<this> {
    this.session = this.sessions.opener.open({ size: DEFAULT_SIZE });
    this.session.start();
    await settled();
    this.pty = this.sessions.ptys.last;
    return this;
  }

  look(protocol: Protocol): Look {
    const socket = new FakeSocket();
    const connection = new Connection(socket, this.sessions.clock, protocol);
    connection.attach(this.session, undefined, true);
    return { socket, connection };
  }

  async pass(): Promise<void> {
    this.sessions.clock.advance(2);
    await settled();
  }

  /** What a list shows of it. */
  get shown(): { title?: string | undefined; cwd: string } {
    const { title, cwd } = this.session;
    return { title, cwd };
  }
}

function bytesIn({ socket }: Look): string {
  return Buffer.concat(socket.frames.map(({ bytes }) => bytes)).toString('latin1');
}

function textIn({ socket }: Look): string {
  return socket.sent
    .filter((message): message is Output => message.type === 'output' && message.end > message.offset)
    .map(({ data }) => data)
    .join('');
}

function decoded(bytes: string): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.from(bytes, 'latin1'));
}

describe('G3: terminal output', () => {
  it('comes as it was printed, however it is cut, and what it says of itself can be shown', async () => {
    let reporting = 0;
    await fc.assert(
      fc.asyncProperty(anyCase, async (one) => {
        const whole = await new Scene(1024 * 1024).open();
        whole.pty.print(Buffer.from(one.printed, 'latin1'));
        const scene = await new Scene(1024 * 1024).open();
        const [frames, texts] = [scene.look('trex.v2'), scene.look('trex.v1')];
        for (const piece of piecesOf(one)) {
          scene.pty.print(piece);
          await scene.pass();
        }
        scene.pty.end();
        await scene.pass();

        assert.equal(bytesIn(frames), one.printed);
        assert.equal(textIn(texts), decoded(one.printed));
        assert.equal(Buffer.from(scene.session.log.read(0, Infinity).bytes).toString('latin1'), one.printed);
        const { title = '', directory = '/' } = reportsIn(one.printed);
        assert.deepEqual(scene.shown, { title: title === '' ? undefined : title, cwd: directory });
        assert.deepEqual(whole.shown, scene.shown);
        assert.deepEqual(whole.session.log.isFullScreen(), scene.session.log.isFullScreen());
        assertFitToBeShown(scene.shown);
        if (title !== '' || directory !== '/') reporting += 1;
      }),
      { numRuns: RUNS, examples: corpus.map((one): [Case] => [one]) },
    );
    expect(reporting).toBeGreaterThan(RUNS / 20);
  });

  it('that has fallen off leaves the same modes and begins in the same place, however it was cut', async () => {
    let restoring = 0;
    await fc.assert(
      fc.asyncProperty(anyCase, fc.integer({ min: 1, max: 200 }), async (one, logBytes) => {
        const scenes = [await new Scene(logBytes).open(), await new Scene(logBytes).open()] as const;
        scenes[0].pty.print(Buffer.from(one.printed, 'latin1'));
        for (const piece of piecesOf(one)) scenes[1].pty.print(piece);
        for (const { pty } of scenes) pty.end();
        const looks = scenes.map((scene) => [scene.look('trex.v2'), scene.look('trex.v1')] as const);
        for (const scene of scenes) await scene.pass();

        const [[frames, texts], [otherFrames, otherTexts]] = looks as [(typeof looks)[0], (typeof looks)[0]];
        const [attached] = frames.socket.sent as [Attached];
        assert.deepEqual(otherFrames.socket.sent, frames.socket.sent);
        assert.equal(bytesIn(otherFrames), bytesIn(frames));
        assert.deepEqual(otherTexts.socket.sent, texts.socket.sent);
        assert.equal(bytesIn(frames), one.printed.slice(attached.offset));
        assert.equal(textIn(texts), decoded(one.printed.slice(attached.offset)));
        assert.ok(attached.offset >= one.printed.length - logBytes);
        assert.equal(attached.modes !== undefined, one.printed.length > logBytes);
        assert.ok((attached.modes ?? '').length < 1000);
        if (attached.modes) restoring += 1;
      }),
      { numRuns: RUNS, examples: corpus.map((one): [Case, number] => [one, 16]) },
    );
    expect(restoring).toBeGreaterThan(RUNS / 10);
  });
});

/** As docs/protocol.md promises of titles and directories. */
function assertFitToBeShown({ title = '', cwd }: { title?: string | undefined; cwd: string }): void {
  assert.ok([...title].length <= 256 && [...cwd].length <= 4096 && cwd.startsWith('/'));
  assert.doesNotMatch(title + cwd, /[\p{Cc}\p{Cs}\p{Bidi_Control}]/u);
}
