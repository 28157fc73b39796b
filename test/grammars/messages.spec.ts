import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { REASONS } from '../support/wire.js';
import { runs } from '../support/runs.js';
import { TestClient } from '../support/test-client.js';
import { useTestBed } from '../support/test-bed.js';
import { until } from '../support/until.js';

/*
 * G1: sequences of messages, of which four in ten are as they should be, three have one field that is not, two are other
 * JSON or none, and one is bytes. Whatever comes: the server lives, others notice nothing, what is refused is refused in
 * words, and exactly the input that a reader of JSON finds is typed.
 */

/** Cases that were found before: looked at first. */
const corpus = JSON.parse(readFileSync(join(__dirname, '../corpus/messages.json'), 'utf8')) as string[][];
const RUNS = runs(400);
const SESSION = 's1';
const KNOWN: readonly string[] = Object.keys(REASONS).filter((reason) => reason !== 'INTERNAL');

const text = fc.string({ unit: 'binary', maxLength: 20 });
const valid = fc.oneof(
  fc.record({ type: fc.constant('input'), sessionId: fc.constant(SESSION), data: text }),
  fc.record({
    type: fc.constant('resize'),
    sessionId: fc.constant(SESSION),
    cols: fc.integer({ min: 1, max: 1000 }),
    rows: fc.integer({ min: 1, max: 500 }),
  }),
  fc.record({ type: fc.constant('attach'), sessionId: fc.constant(SESSION), from: fc.constantFrom(0, 1) }),
  fc.record({ type: fc.constant('acknowledge'), sessions: fc.constant([{ sessionId: SESSION, offset: 0 }]) }),
  fc.record({ type: fc.constantFrom('list_tmux_sessions', 'tmux_config') }),
);
const EDGES: readonly unknown[] = [
  ...[
    null,
    true,
    '',
    '80',
    'x'.repeat(10_000),
    '\0',
    '\ud800',
    's0',
    '__proto__',
    [],
    ['s1'],
    {},
    { toString: 1 },
  ],
  ...[0, -1, 1, 1.5, 501, 1001, 65_536, 2 ** 31, 2 ** 32 + 5, 2 ** 53, -(2 ** 53), 1e308],
];
const spoilt = fc.tuple(valid, fc.nat(3), fc.constantFrom(...EDGES)).map(([message, which, edge]) => {
  const names = Object.keys(message);
  return { ...message, [names[which % names.length]!]: edge };
});
const noise = fc.oneof(
  fc.json(),
  text,
  fc.nat(2000).map((depth) => '['.repeat(depth)),
  valid.map((message) => `${JSON.stringify(message)},`),
  valid.map((message) => JSON.stringify(message).replace('{', '{"__proto__":{"type":"close"},"type":"x",')),
);
const frame = fc.oneof(
  { weight: 4, arbitrary: valid.map((message) => JSON.stringify(message)) },
  { weight: 3, arbitrary: spoilt.map((message) => JSON.stringify(message)) },
  { weight: 2, arbitrary: noise },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)) },
);
const sequence = fc.array(frame, { minLength: 1, maxLength: 50, size: 'max' });

/** What is typed into the session by one frame, as any reader of JSON understands it. */
function typedBy(sent: string | Buffer): string {
  if (typeof sent !== 'string') return '';
  try {
    const { type, sessionId, data } = (JSON.parse(sent) ?? {}) as Record<string, unknown>;
    // Half a character is typed as the replacement for it.
    return type === 'input' && sessionId === SESSION && typeof data === 'string'
      ? Buffer.from(data).toString()
      : '';
  } catch {
    return '';
  }
}

const bed = useTestBed();

describe('G1: sequences of messages', () => {
  it('never do more than they say, and never harm anybody else', async () => {
    const server = await bed.serve({ messageBurst: 1_000_000, auth: 'none' });
    const owner = await bed.connect(server);
    expect(await owner.create()).toBe(SESSION);
    const pty = server.ptys.last;
    let typed = '';

    await fc.assert(
      fc.asyncProperty(sequence, async (frames) => {
        const client = await TestClient.connect(server);
        client.sendRaw(...frames);
        await client.sync();
        typed += frames.map(typedBy).join('');
        expect(client.socket.readyState).toBe(WebSocket.OPEN);
        const refusals = client.messages.filter(({ type }) => type === 'error').map(({ reason }) => reason);
        expect(refusals.filter((reason) => !KNOWN.includes(reason!))).toEqual([]);
        await client.terminate();
        expect(pty.input === typed).toBe(true);
        expect(pty.isOver).toBe(false);
        const { columns, rows } = pty.size;
        expect(columns >= 1 && columns <= 1000 && rows >= 1 && rows <= 500).toBe(true);
      }),
      { numRuns: RUNS, examples: corpus.map((frames): [string[]] => [frames]) },
    );

    const printed = 'still there';
    pty.print(printed);
    await owner.untilOutput(SESSION, printed);
    await until(async () => (await server.request('GET', '/api/health')).status === 200, 'it is well');
  });
});
