import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { settings } from '../src/config/settings.js';
import { FIRST_WINDOW_BYTES, MAX_WINDOW_BYTES, MIN_WINDOW_BYTES } from '../src/core/delivery-window.js';
import { DEFAULT_FLOW_LIMITS } from '../src/core/flow-control.js';
import { INPUT_QUEUE_BYTES, STALLED_MS } from '../src/core/session.js';
import { MAX_COLUMNS, MAX_ROWS } from '../src/core/terminal-size.js';
import { decodeFrame } from '../src/protocol/frames.js';
import * as limits from '../src/protocol/limits.js';
import { CLIENT_MESSAGE_TYPES } from '../src/protocol/messages.js';
import { CLOSE_TIMEOUT_MS } from '../src/sessions/session-closer.js';
import { START_WITHIN_MS } from '../src/sessions/session-opener.js';
import { ANSWERS_HIGH_WATER_BYTES, OUTPUT_HIGH_WATER_BYTES } from '../src/terminal/connection.js';
import { PING_MS } from '../src/terminal/keep-alive.js';
import { REASONS, SERVER_MESSAGE_TYPES } from './support/wire.js';

const TEXT = readFileSync(join(__dirname, '../docs/protocol.md'), 'utf8');

/** A figure as the document writes it: `4,194,304`. */
const figure = (number: number): string => number.toLocaleString('en-US');
const kib = (bytes: number): string => `${bytes / 1024} KiB`;
const mib = (bytes: number): string => `${bytes / 1024 / 1024} MiB`;

/** The rows of the table below a heading, cell by cell, without the marks of emphasis. */
function table(heading: string): string[][] {
  const [, section = ''] = TEXT.split(`\n## ${heading}\n`);
  const rows = (section.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.replaceAll('`', '').trim()),
  );
}

describe('docs/protocol.md', () => {
  it('has a heading for every message, and for no other', () => {
    const headings = [...TEXT.matchAll(/^#### `(.*)`$/gm)].map(([, type]) => type);
    expect(headings).toEqual(
      expect.arrayContaining([...CLIENT_MESSAGE_TYPES, ...Object.keys(SERVER_MESSAGE_TYPES)]) as unknown,
    );
    expect(headings).toHaveLength(CLIENT_MESSAGE_TYPES.length + Object.keys(SERVER_MESSAGE_TYPES).length);
  });

  it('explains every reason, and no other', () => {
    expect(
      table('Reasons')
        .map(([reason]) => reason)
        .sort(),
    ).toEqual(Object.keys(REASONS).sort());
  });

  it('shows a frame that is one', () => {
    const [, hex = ''] = /```text\n([0-9a-f ]+)\n```/.exec(TEXT) ?? [];
    expect(decodeFrame(Buffer.from(hex.replaceAll(' ', ''), 'hex'))).toEqual({
      kind: 'output',
      channel: 1,
      offset: 14,
      bytes: Buffer.from('hello\r\n'),
    });
  });

  it('has no link to a heading that is not there', () => {
    const slugs = [...TEXT.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    );
    for (const [, slug] of TEXT.matchAll(/\]\(#([^)]*)\)/g)) expect(slugs).toContain(slug);
  });

  const { pauseAboveBytes, resumeBelowBytes } = DEFAULT_FLOW_LIMITS;
  it.each([
    ['one WebSocket message to the server', mib(limits.MAX_FRAME_BYTES), figure(limits.MAX_FRAME_BYTES)],
    [
      'terminal bytes in one frame, either way',
      kib(limits.MAX_FRAME_PAYLOAD_BYTES),
      figure(limits.MAX_FRAME_PAYLOAD_BYTES),
    ],
    ['sessionId, requestId', `1 to ${limits.MAX_ID_LENGTH} characters`],
    ['cwd, shell', figure(limits.MAX_PATH_LENGTH)],
    ['size', `1 to ${MAX_COLUMNS} × 1 to ${MAX_ROWS}`],
    ['sessions in one acknowledge', figure(limits.MAX_ACKNOWLEDGED)],
    ['input that waits, per session', figure(INPUT_QUEUE_BYTES)],
    ['start without a size', `${START_WITHIN_MS} ms`],
    ['acknowledge', kib(limits.ACKNOWLEDGE_BYTES), `${limits.ACKNOWLEDGE_MS} ms`],
    ['window', `${kib(MIN_WINDOW_BYTES)} to ${mib(MAX_WINDOW_BYTES)}, at first ${kib(FIRST_WINDOW_BYTES)}`],
    ['process paused, run on', `above ${kib(pauseAboveBytes)}, below ${kib(resumeBelowBytes)}`],
    ['stalled viewer', `${STALLED_MS / 1000} s`],
    ['trex.v1: output waiting in the socket', kib(OUTPUT_HIGH_WATER_BYTES)],
    ['waiting for a client before the server stops reading it', mib(ANSWERS_HIGH_WATER_BYTES)],
    ['ping; dead after', `${PING_MS / 1000} s;`],
    ['DELETE of a process that cannot die', `504 after ${CLOSE_TIMEOUT_MS / 1000} s`],
  ])('tells the limit of %s', (what, ...figures) => {
    const [, told = ''] = table('Limits').find(([name]) => name === what) ?? [];
    for (const one of figures) expect(told).toContain(one);
  });

  it.each(['logBytes', 'maxSessions', 'maxViewers', 'exitedLingerSeconds'] as const)(
    'tells what %s may be set to',
    (key) => {
      const { name, byDefault, accepts } = settings[key];
      const [, told = ''] = table('Limits').find(([, , setBy]) => setBy === name) ?? [];
      const numbers = [byDefault, ...(accepts.match(/\d+/g) ?? [])].map((number) => figure(Number(number)));
      expect(told.match(/[\d,]+/g)).toEqual(numbers);
    },
  );
});
