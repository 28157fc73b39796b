import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MIN_LOG_BYTES, settings } from '../src/config/settings.js';
import { MAX_NAME_LENGTH, TELL_CHANGE_MS } from '../src/core/caption.js';
import { FIRST_WINDOW_BYTES, MAX_WINDOW_BYTES, MIN_WINDOW_BYTES } from '../src/core/delivery-window.js';
import { MAX_PATH_LENGTH } from '../src/core/display-text.js';
import { aheadBytes, DEFAULT_FLOW_LIMITS, shouldPause } from '../src/core/flow-control.js';
import { NUDGE_MS, STALLED_MS } from '../src/core/session.js';
import { MAX_TITLE_LENGTH } from '../src/core/terminal-reports.js';
import { MAX_COLUMNS, MAX_ROWS } from '../src/core/terminal-size.js';
import { MAX_BODY_BYTES } from '../src/json-body.js';
import { decodeFrame } from '../src/protocol/frames.js';
import * as limits from '../src/protocol/limits.js';
import { CLIENT_MESSAGE_TYPES, type Limits } from '../src/protocol/messages.js';
import { ASK_EVERY_MS, QUIET_MS } from '../src/sessions/session-directories.js';
import { closeTimeoutMs } from '../src/sessions/session-closer.js';
import { START_WITHIN_MS } from '../src/sessions/session-opener.js';
import { ANSWERS_HIGH_WATER_BYTES, OUTPUT_HIGH_WATER_BYTES } from '../src/terminal/connection.js';
import { testConfig } from './support/test-sessions.js';
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

  const config = testConfig();
  const { pauseAboveBytes, resumeBelowBytes } = DEFAULT_FLOW_LIMITS;
  it.each([
    ['one WebSocket message to the server', mib(config.maxMessageBytes), figure(config.maxMessageBytes)],
    [
      'terminal bytes in one binary frame, either way',
      kib(limits.MAX_FRAME_PAYLOAD_BYTES),
      figure(limits.MAX_FRAME_PAYLOAD_BYTES),
    ],
    [
      'terminal bytes in one output of trex.v1',
      kib(limits.MAX_TEXT_PAYLOAD_BYTES),
      figure(limits.MAX_TEXT_PAYLOAD_BYTES),
    ],
    ['sessionId, requestId', `1 to ${limits.MAX_ID_LENGTH} characters`],
    ['cwd, shell', figure(limits.MAX_PATH_LENGTH)],
    ['name of a session', `1 to ${MAX_NAME_LENGTH} characters`],
    ['the body of a renaming', figure(MAX_BODY_BYTES)],
    ['title of a session', `${MAX_TITLE_LENGTH} characters`],
    ['cwd of a session', `${figure(MAX_PATH_LENGTH)} characters`],
    ['title and directory told again', `after ${TELL_CHANGE_MS} ms`],
    ['a shell asked where it is', `after ${QUIET_MS / 1000} s`, `every ${ASK_EVERY_MS / 1000} s`],
    ['size', `1 to ${config.maxColumns} × 1 to ${config.maxRows}`],
    ['sessions in one acknowledge', figure(limits.MAX_ACKNOWLEDGED)],
    ['sessions in one hello', figure(limits.MAX_RESUMED)],
    ['resumeToken', `1 to ${limits.MAX_ID_LENGTH} characters`],
    ['input that waits, per session', figure(config.inputQueueBytes)],
    [
      'trex.v2: input not acknowledged, per session',
      kib(limits.INPUT_CREDIT_BYTES),
      figure(limits.INPUT_CREDIT_BYTES),
    ],
    ['another size, so that a program paints anew', `${NUDGE_MS} ms`],
    ['start without a size', `${START_WITHIN_MS} ms`],
    ['acknowledge', kib(limits.ACKNOWLEDGE_BYTES), `${limits.ACKNOWLEDGE_MS} ms`],
    [
      'window',
      `${kib(MIN_WINDOW_BYTES)} to ${mib(config.maxWindowBytes)}, at first ${kib(FIRST_WINDOW_BYTES)}`,
    ],
    ['process paused, run on', `above ${kib(pauseAboveBytes)}, below ${kib(resumeBelowBytes)}`],
    ['stalled viewer', `${STALLED_MS / 1000} s`],
    ['trex.v1: output waiting in the socket', kib(config.socketBufferBytes)],
    ['waiting for a client before the server stops reading it', mib(ANSWERS_HIGH_WATER_BYTES)],
    [
      'ping; dead after',
      `${config.pingSeconds} s; ${config.deadSeconds} s (trex.v2), ${4 * config.deadSeconds} s (trex.v1)`,
    ],
    ['DELETE of a process that cannot die', `504 after ${closeTimeoutMs(config) / 1000} s`],
  ])('tells the limit of %s', (what, ...figures) => {
    const [, told = ''] = table('Limits').find(([name]) => name === what) ?? [];
    for (const one of figures) expect(told).toContain(one);
  });

  it('tells the limits of a server that nobody configured, which are those of its parts', () => {
    expect(config).toMatchObject({
      maxWindowBytes: MAX_WINDOW_BYTES,
      socketBufferBytes: OUTPUT_HIGH_WATER_BYTES,
      maxColumns: MAX_COLUMNS,
      maxRows: MAX_ROWS,
    });
  });

  it.each([MIN_LOG_BYTES, 1024 * 1024])(
    'tells how much of a log of %i bytes may not be acknowledged when a process is paused',
    (logBytes) => {
      const [, told = ''] = table('Limits').find(([name]) => name?.startsWith('the same')) ?? [];
      const [above = 0, below = 0] = Array.from(
        told.matchAll(/less (\d+) KiB/g),
        ([, less]) => Number(less) * 1024,
      );
      const pausesAt = (paused: boolean, unacknowledged: number): boolean =>
        shouldPause(paused, aheadBytes(0, unacknowledged, logBytes), DEFAULT_FLOW_LIMITS);
      expect([0, 1].map((more) => pausesAt(false, logBytes - above + more))).toEqual([false, true]);
      expect([1, 0].map((less) => pausesAt(true, logBytes - below - less))).toEqual([false, true]);
    },
  );

  it('tells what a welcome says of limits', () => {
    const [, told = ''] = /`limits` are those of this server:\s+(.*?)\.\n/s.exec(TEXT) ?? [];
    const figures = {
      messageBytes: config.maxMessageBytes,
      frameBytes: limits.MAX_FRAME_PAYLOAD_BYTES,
      inputCreditBytes: limits.INPUT_CREDIT_BYTES,
      acknowledgeBytes: limits.ACKNOWLEDGE_BYTES,
      acknowledgeMs: limits.ACKNOWLEDGE_MS,
      resumeSeconds: Number(settings.resumeSeconds.byDefault),
      resumeHoldSeconds: Number(settings.resumeHoldSeconds.byDefault),
    } satisfies Limits;
    expect(told.split(/\s+·\s+/)).toEqual(
      Object.entries(figures).map(([name, number]) => `\`${name}\` ${figure(number)}`),
    );
  });

  it('names every setting that shows on the wire', () => {
    for (const { name } of [settings.resumeSeconds, settings.resumeHoldSeconds, settings.detachedSeconds]) {
      expect(TEXT.split(name).length).toBeGreaterThan(2);
    }
  });

  const seconds = ['exitedLingerSeconds', 'resumeSeconds', 'resumeHoldSeconds', 'detachedSeconds'] as const;
  it.each(['logBytes', 'maxSessions', 'maxViewers', ...seconds] as const)(
    'tells what %s may be set to',
    (key) => {
      const { name, byDefault, accepts } = settings[key];
      const [, told = ''] = table('Limits').find(([, , setBy]) => setBy === name) ?? [];
      const numbers = [byDefault, ...(accepts.match(/\d+/g) ?? [])].map((number) => figure(Number(number)));
      expect(told.match(/[\d,]+/g)).toEqual(numbers);
    },
  );
});
