import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  ANSWER_BYTES,
  CONNECTION_BYTES,
  defaultSettings,
  GARBAGE_BYTES,
  type Load,
  memoryBound,
  MIXED_INPUT_BYTES,
  MOST_PIECES,
  PIECE_BYTES,
  REQUEST_BYTES,
  SESSION_BYTES,
  SHARED_BYTES,
  VIEW_BYTES,
  worstLoad,
} from '../bench/memory-bound.js';

const KIB = 1024;
const MIB = 1024 * KIB;
const page = readFileSync(resolve(__dirname, '../docs/memory.md'), 'utf8');

const nothing: Load = {
  sessions: 0,
  typedAhead: 0,
  views: 0,
  connections: 0,
  unread: 0,
  sending: 0,
  trickling: 0,
  requests: 0,
};

describe('docs/memory.md', () => {
  it.each([
    ['session that runs', `${SESSION_BYTES / KIB} KiB`],
    ['session that is typed more', `${MIXED_INPUT_BYTES / MIB} MiB`],
    ['connection that shows a session', `${VIEW_BYTES / KIB} KiB`],
    ['WebSocket ', `${CONNECTION_BYTES / KIB} KiB`],
    ['… whose client does not read', `${ANSWER_BYTES / MIB} MiB`],
    ['… that comes in tiny pieces', `${(MOST_PIECES * PIECE_BYTES) / MIB} MiB`],
    ['TCP connection', `${REQUEST_BYTES / KIB} KiB`],
    ['server', `${SHARED_BYTES / MIB} MiB`],
  ])('has in its row “%s” what the formula has: %s', (row, figure) => {
    expect(page.split('\n').find((line) => line.startsWith(`| ${row}`))).toContain(figure);
  });

  it('says how much may be garbage', () => {
    expect(page).toContain(`${GARBAGE_BYTES / MIB} MiB that nobody holds`);
  });

  it.each<[string, Load]>([
    ['one person', { ...nothing, sessions: 8, views: 8, connections: 1, requests: 8 }],
    ['64 sessions', { ...nothing, sessions: 64, views: 128, connections: 2, requests: 8 }],
    ['everything at once', worstLoad(defaultSettings)],
  ])('gives the sum of its example “%s”', (row, load) => {
    const sum = Math.ceil(memoryBound(defaultSettings, load) / MIB).toLocaleString('en');
    expect(page.split('\n').find((line) => line.startsWith(`| ${row}`))).toContain(` ${sum} MiB |`);
  });
});
