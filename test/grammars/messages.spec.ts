import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { encodeFrame } from '../../src/protocol/frames.js';
import { CLIENT_MESSAGE_TYPES } from '../../src/protocol/messages.js';
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

/** How often these have to be refused, at least and at most: of some, whoever reads JSON can tell, of others the server. */
function refusalsOf(frames: readonly (string | Buffer)[]): [least: number, most: number] {
  const verdicts = frames.map(verdictOn);
  const count = (verdict: string): number => verdicts.filter((one) => one === verdict).length;
  return [count('bad'), frames.length - count('good')];
}

function verdictOn(sent: string | Buffer): 'bad' | 'good' | 'either' {
  if (typeof sent !== 'string') return 'bad';
  let message: unknown;
  try {
    message = JSON.parse(sent);
  } catch {
    return 'bad';
  }
  if (typeof message !== 'object' || message === null || Array.isArray(message)) return 'bad';
  const { type, sessionId, data, cols, rows } = message as Record<string, unknown>;
  if (!CLIENT_MESSAGE_TYPES.some((known) => known === type)) return 'bad';
  if (sessionId !== SESSION) return 'either';
  if (type === 'input') return typeof data === 'string' && data !== '' ? 'good' : 'either';
  return type === 'resize' && isBetween(cols, 1000) && isBetween(rows, 500) ? 'good' : 'either';
}

function isBetween(value: unknown, most: number): boolean {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= most;
}

/** The frames of `trex.v2`: input on a channel, at an offset; mostly such as there are. */
const inputFrame = fc
  .record({
    kind: fc.nat(40).map((n) => (n === 40 ? ('output' as const) : ('input' as const))),
    channel: fc.constantFrom(1, 1, 1, 1, 0, 2, 2 ** 31, 2 ** 32 - 1),
    offset: fc.oneof(
      { weight: 3, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.nat(100) },
      { weight: 1, arbitrary: fc.constantFrom(2 ** 32, 2 ** 53 - 1) },
    ),
    bytes: fc.uint8Array({ maxLength: 30 }),
  })
  .map((one) => Buffer.from(encodeFrame(one)));
const spoiltFrame = fc.tuple(inputFrame, fc.nat(20), fc.nat(255)).map(([bytes, at, byte]) => {
  const spoilt = Buffer.from(bytes);
  spoilt[at % spoilt.length] = byte;
  return spoilt;
});
const greeting = fc.oneof(
  fc.constant({ type: 'hello' }),
  fc.record({ type: fc.constant('hello'), resumeToken: fc.oneof(text, fc.constantFrom(...EDGES)) }),
  fc.record({
    type: fc.constant('hello'),
    sessions: fc.oneof(fc.constant([{ sessionId: SESSION, from: 0 }]), fc.constantFrom(...EDGES)),
  }),
  fc.record({ type: fc.constantFrom('detach', 'watch'), sessionId: fc.constant(SESSION) }),
);
const newerFrame = fc.oneof(
  { weight: 12, arbitrary: inputFrame },
  { weight: 6, arbitrary: greeting.map((message) => JSON.stringify(message)) },
  { weight: 1, arbitrary: spoiltFrame },
  { weight: 10, arbitrary: frame.filter((one) => typeof one === 'string') },
);
const newerSequence = fc.record({
  greets: fc.boolean(),
  frames: fc.array(newerFrame, { minLength: 1, maxLength: 50, size: 'max' }),
});

const FRAMING_LOST = 4002;

const bed = useTestBed();

function reasonsTo({ messages }: TestClient): string[] {
  return messages.filter(({ type }) => type === 'error').map(({ reason }) => reason!);
}

describe('G1: sequences of messages', () => {
  it('of trex.v2 are refused in words, or end their own connection, and never harm anybody else', async () => {
    const server = await bed.serve({ messageBurst: 1_000_000, auth: 'none', maxViewers: 1_000_000 });
    const owner = await bed.connect(server);
    expect(await owner.create()).toBe(SESSION);
    const pty = server.ptys.last;
    const seen = { ended: 0, stayed: 0, typed: 0 };

    await fc.assert(
      fc.asyncProperty(newerSequence, async ({ greets, frames }) => {
        const client = await TestClient.connect(server, { protocols: ['trex.v2'] });
        if (greets) client.send({ type: 'hello' }, { type: 'attach', sessionId: SESSION });
        client.sendRaw(...frames);
        const before = pty.input.length;
        await client.syncUnlessClosed();
        const code = client.closing?.code;
        expect([undefined, FRAMING_LOST]).toContain(code);
        seen[code === undefined ? 'stayed' : 'ended'] += 1;
        seen.typed += pty.input.length - before;
        expect(reasonsTo(client).filter((reason) => !KNOWN.includes(reason))).toEqual([]);
        await client.terminate();
        expect(pty.isOver).toBe(false);
      }),
      { numRuns: RUNS },
    );

    expect(Math.min(...Object.values(seen))).toBeGreaterThan(0);
    const printed = 'still there';
    pty.print(printed);
    await owner.untilOutput(SESSION, printed);
  });

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
        const refusals = reasonsTo(client);
        expect(refusals.filter((reason) => !KNOWN.includes(reason))).toEqual([]);
        const [least, most] = refusalsOf(frames);
        expect(refusals.length).toBeGreaterThanOrEqual(least);
        expect(refusals.length).toBeLessThanOrEqual(most);
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
