import fc from 'fast-check';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Protocol } from '../../src/terminal/subprotocol.js';
import { type FakePty } from '../fakes/fake-pty.js';
import { runs } from '../support/runs.js';
import { type Received, TestClient } from '../support/test-client.js';
import { useTestBed } from '../support/test-bed.js';
import { type TestServer } from '../support/test-server.js';
import { until } from '../support/until.js';

/*
 * G4: where to begin, and what has been consumed: past, future, at every edge by a byte, of other sessions, and what is no
 * offset; over sessions that are empty, whole, cut off, of long characters, ended, or no sessions at all. As
 * docs/protocol.md says: output begins where it was asked for or behind a gap of exactly what is missing, a wrong offset
 * changes nothing, and a client that comes back goes on where it has consumed.
 */

/** Relative to what a session has by then; or as it is, which may be missing or no offset. */
type Offset =
  | { readonly of: number; readonly at: 'zero' | 'start' | 'consumed' | 'end'; readonly plus: number }
  | { readonly value?: unknown };
type Pair = readonly [session: number, offset: Offset];
type Step =
  | { readonly type: 'attach'; readonly session: number; readonly from: Offset }
  | { readonly type: 'acknowledge'; readonly pairs: readonly Pair[] }
  | { readonly type: 'print'; readonly session: number; readonly bytes: number }
  | { readonly type: 'detach'; readonly session: number };
interface Case {
  readonly protocol: Protocol;
  readonly steps: readonly Step[];
  /** What a client of `trex.v2` that comes back says where to begin. */
  readonly named: readonly Pair[];
}

/** Cases that were found before: looked at first. */
const corpus = JSON.parse(readFileSync(join(__dirname, '../corpus/offsets.json'), 'utf8')) as Case[];
const RUNS = runs(250);

/** So little that nothing that is printed here fills a window. */
const LOG_BYTES = 1000;
const EURO = [0xe2, 0x82, 0xac];
const EUROS = 2;
const ENDED = 4;
/** What each session has printed at first; the last one never was. */
const PRINTED = [100, 5000, 3000, 0, 1500];
const UNKNOWN = PRINTED.length;

const session = fc.oneof(
  { weight: 12, arbitrary: fc.nat(UNKNOWN - 1) },
  { weight: 1, arbitrary: fc.constant(UNKNOWN) },
);
const plus = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(-LOG_BYTES, LOG_BYTES, -50, 50));
function offsetOf(of: number): fc.Arbitrary<Offset> {
  const at = fc.constantFrom('zero' as const, 'start' as const, 'consumed' as const, 'end' as const);
  return fc.oneof(
    { weight: 12, arbitrary: fc.record({ of: fc.constant(of), at, plus }) },
    { weight: 3, arbitrary: fc.record({ of: fc.nat(UNKNOWN - 1), at, plus }) },
    { weight: 2, arbitrary: fc.constant({}) },
    // NaN and infinite ones are `null` in JSON.
    {
      weight: 2,
      arbitrary: fc
        .constantFrom(null, -1, 0.5, 2 ** 53, 2 ** 53 - 1, 2 ** 32, 1e308, '0', '', true, [], {})
        .map((value) => ({ value })),
    },
  );
}
const pair = session.chain((of) => fc.tuple(fc.constant(of), offsetOf(of)));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: pair.map(([of, from]): Step => ({ type: 'attach', session: of, from })) },
  {
    weight: 5,
    arbitrary: fc
      .array(pair, { minLength: 1, maxLength: 3 })
      .map((pairs): Step => ({ type: 'acknowledge', pairs })),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('print' as const),
      session: fc.nat(3),
      bytes: fc.integer({ min: 1, max: 100 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('detach' as const), session }) },
);
const anyCase: fc.Arbitrary<Case> = fc.record({
  protocol: fc.constantFrom('trex.v2' as const, 'trex.v2' as const, 'trex.v1' as const),
  steps: fc.array(step, { minLength: 1, maxLength: 15, size: 'max' }),
  named: fc.uniqueArray(pair, { maxLength: 3, selector: ([of]) => of }),
});

function outputOf(index: number, from: number, to: number): Buffer {
  return Buffer.from(
    Array.from({ length: to - from }, (_, n) =>
      index === EUROS ? EURO[(from + n) % 3]! : 0x61 + (((from + n) * 7 + ((from + n) >> 5)) % 26),
    ),
  );
}

/** What sessions there are, and what each has printed. */
class Sessions {
  readonly printed = [...PRINTED];
  private readonly ids: string[] = [];
  private readonly ptys: FakePty[] = [];

  static async on(server: TestServer, owner: TestClient): Promise<Sessions> {
    const sessions = new Sessions();
    for (const [index, bytes] of PRINTED.entries()) {
      sessions.ids.push(await owner.create());
      sessions.ptys.push(server.ptys.last);
      server.ptys.last.print(outputOf(index, 0, bytes));
    }
    // It stays while somebody looks at it.
    sessions.ptys[ENDED]!.end();
    return sessions;
  }

  id(index: number): string {
    return this.ids[index] ?? 's999';
  }

  print(index: number, count: number): void {
    // Whole characters, so that none waits for its end.
    const from = this.printed[index]!;
    const to = from + (index === EUROS ? 3 * count : count);
    this.printed[index] = to;
    this.ptys[index]!.print(outputOf(index, from, to));
  }

  /** Where what is kept begins, and where the first character of it does. */
  keptFrom(index: number): readonly [start: number, first: number] {
    const start = Math.max(0, this.printed[index]! - LOG_BYTES);
    return [start, index === EUROS ? 3 * Math.ceil(start / 3) : start];
  }
}

/** What a client has been told of a session that it views. */
interface View {
  /** The stream it is shown begins here. */
  readonly offset: number;
  consumed: number;
  /** Everything that was told before. */
  readonly toldBefore: number;
  readonly channel?: number;
}

function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** One client, and the model of what it is told. */
class Scene {
  readonly views = new Map<number, View>();
  refusals = 0;
  gaps = 0;

  constructor(
    private readonly sessions: Sessions,
    readonly protocol: Protocol,
    public client: TestClient,
  ) {}

  async play(next: Step): Promise<void> {
    const before = this.client.inOrder.length;
    switch (next.type) {
      case 'attach': {
        const { session: index } = next;
        const from = this.valueOf(next.from);
        const reason = this.refusalOf(index, from);
        await this.say({ type: 'attach', sessionId: this.sessions.id(index), from }, reason);
        if (reason !== undefined) break;
        this.attached(index, from as number | undefined, this.since(before, 'attached')[0]!, before);
        break;
      }
      case 'acknowledge': {
        const pairs = next.pairs.map(([index, offset]) => [index, this.valueOf(offset)] as const);
        const isWrong = pairs.some(
          ([index, offset]) =>
            !isOffset(offset) || (this.views.has(index) && offset > this.sessions.printed[index]!),
        );
        const sessions = pairs.map(([index, offset]) => ({ sessionId: this.sessions.id(index), offset }));
        await this.say({ type: 'acknowledge', sessions }, isWrong ? 'BAD_OFFSET' : undefined);
        if (isWrong) break;
        for (const [index, offset] of pairs) {
          const view = this.views.get(index);
          if (view) view.consumed = Math.max(view.consumed, offset as number);
        }
        break;
      }
      case 'print':
        this.sessions.print(next.session, next.bytes);
        break;
      case 'detach':
        await this.say(
          { type: 'detach', sessionId: this.sessions.id(next.session) },
          next.session === UNKNOWN ? 'SESSION_NOT_FOUND' : undefined,
        );
        this.views.delete(next.session);
        break;
    }
    await this.check();
  }

  /** The connection is lost, and the client comes back. */
  async comeBack(server: TestServer, named: readonly Pair[]): Promise<void> {
    const { resumeToken } = this.client.welcome;
    const wishes = named.map(([index, offset]) => [index, this.valueOf(offset)] as const);
    await this.client.terminate();
    this.client = await TestClient.connect(server, { protocols: ['trex.v2'] });
    const unnamed = [...this.views].filter(([index]) => !wishes.some(([one]) => one === index));
    const isReadable = wishes.every(([, from]) => from === undefined || isOffset(from));
    const sessions = wishes.map(([index, from]) => ({ sessionId: this.sessions.id(index), from }));
    this.client.send({ type: 'hello', resumeToken, sessions });
    if (!isReadable) {
      assert.equal((await this.client.next({ type: 'error' })).reason, 'BAD_OFFSET');
      this.client.send({ type: 'hello', resumeToken });
    }
    const welcome = await this.client.next({ type: 'welcome' });
    assert.equal(welcome.resumeToken, resumeToken);
    const wanted = isReadable
      ? [...wishes, ...unnamed.map(([index, { consumed }]) => [index, consumed] as const)]
      : [...this.views].map(([index, { consumed }]) => [index, consumed] as const);
    const entries = welcome.sessions!;
    assert.deepEqual(
      entries.map(({ sessionId }) => sessionId).sort(),
      wanted.map(([index]) => this.sessions.id(index)).sort(),
    );
    this.views.clear();
    for (const [index, from] of wanted) {
      const entry = entries.find(({ sessionId }) => sessionId === this.sessions.id(index))!;
      const reason = this.refusalOf(index, from);
      assert.equal(entry.reason, reason);
      if (reason === undefined) this.attached(index, from as number | undefined, entry, 0);
    }
    await this.check();
  }

  /** Sends, and sees that it is refused for this reason, or not at all. */
  private async say(message: object, reason: string | undefined): Promise<void> {
    const before = this.client.inOrder.length;
    this.client.send(message);
    await this.client.sync();
    const reasons = this.since(before, 'error').map((error) => error.reason);
    assert.deepEqual(reasons, reason === undefined ? [] : [reason]);
    this.refusals += reasons.length;
  }

  private attached(
    index: number,
    from: number | undefined,
    told: Omit<Received, 'type'>,
    toldBefore: number,
  ): void {
    const [start, first] = this.sessions.keptFrom(index);
    const isText = this.protocol === 'trex.v1';
    let offset = from === undefined || from < start ? first : from;
    // Text begins with a whole character.
    if (isText && index === EUROS) offset = Math.max(first, 3 * Math.floor(offset / 3));
    assert.equal(told.offset, offset);
    assert.equal(told.end, this.sessions.printed[index]);
    assert.deepEqual(
      told.gap,
      from !== undefined && from < offset ? { offset: from, end: offset } : undefined,
    );
    if (!isText) assert.equal(told.modes !== undefined, (from ?? 0) < start);
    if (told.gap) this.gaps += 1;
    const consumed = Math.min(from ?? offset, offset);
    this.views.set(index, { offset, consumed, toldBefore, channel: told.channel! });
  }

  /** All that was printed has come to whoever looks, once and in order. */
  private async check(): Promise<void> {
    for (const [index, view] of this.views) {
      const { offset } = view;
      const end = this.sessions.printed[index]!;
      await until(() => this.shown(index, view).length >= end - offset, `s${index} is shown to ${end}`);
      assert.ok(this.shown(index, view).equals(outputOf(index, offset, end)));
    }
  }

  private shown(index: number, { channel, toldBefore, offset }: View): Buffer {
    const id = this.sessions.id(index);
    let at = offset;
    const pieces = this.client.inOrder.slice(toldBefore).flatMap((told) => {
      if (!('type' in told))
        return told.channel === channel ? [{ offset: told.offset, bytes: told.bytes }] : [];
      const isShown = told.type === 'output' && told.sessionId === id && told.end! > told.offset!;
      return isShown ? [{ offset: told.offset!, bytes: Buffer.from(told.data!) }] : [];
    });
    for (const piece of pieces) {
      assert.equal(piece.offset, at);
      at += piece.bytes.length;
    }
    return Buffer.concat(pieces.map(({ bytes }) => bytes));
  }

  private since(before: number, type: string): Received[] {
    return this.client.inOrder
      .slice(before)
      .filter((told): told is Received => 'type' in told && told.type === type);
  }

  private valueOf(offset: Offset): unknown {
    if (!('of' in offset)) return offset.value;
    const { of, at, plus: more } = offset;
    const end = this.sessions.printed[of] ?? 0;
    const [start] = of === UNKNOWN ? [0] : this.sessions.keptFrom(of);
    return { zero: 0, start, end, consumed: this.views.get(of)?.consumed ?? 0 }[at] + more;
  }

  /** Why a session cannot be shown from there. */
  private refusalOf(index: number, from: unknown): string | undefined {
    if (from !== undefined && !isOffset(from)) return 'BAD_OFFSET';
    if (index === UNKNOWN) return 'SESSION_NOT_FOUND';
    return from !== undefined && from > this.sessions.printed[index]! ? 'BAD_OFFSET' : undefined;
  }
}

const bed = useTestBed();

describe('G4: offsets', () => {
  it('are where output begins, or are refused; what was consumed is where a client goes on', async () => {
    const server = await bed.serve({
      ...{ logBytes: LOG_BYTES, maxViewers: 1000, maxConnectionsPerPeer: 1000, maxConnections: 1000 },
      ...{ messageBurst: 1_000_000, auth: 'none' },
    });
    const owner = await bed.connect(server);
    const sessions = await Sessions.on(server, owner);
    const seen = { refusals: 0, gaps: 0 };

    await fc.assert(
      fc.asyncProperty(anyCase, async ({ protocol, steps, named }) => {
        const isFrames = protocol === 'trex.v2';
        const client = await (isFrames ? TestClient.greeted(server) : TestClient.connect(server));
        const scene = new Scene(sessions, protocol, client);
        try {
          for (const next of steps) await scene.play(next);
          if (isFrames) await scene.comeBack(server, named);
        } finally {
          scene.client.socket.close(1000);
          await scene.client.closed();
        }
        seen.refusals += scene.refusals;
        seen.gaps += scene.gaps;
      }),
      { numRuns: RUNS, examples: corpus.map((one): [Case] => [one]) },
    );
    expect(Math.min(seen.refusals, seen.gaps)).toBeGreaterThan(RUNS / 2);
  });
});
