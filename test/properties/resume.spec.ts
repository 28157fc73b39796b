import fc from 'fast-check';
import assert from 'node:assert/strict';
import { type Session } from '../../src/core/session.js';
import { type ResumedSession, type Shown } from '../../src/protocol/messages.js';
import { FakeClient } from '../fakes/fake-client.js';
import { type FakePty } from '../fakes/fake-pty.js';
import { FakeViewer } from '../fakes/fake-viewer.js';
import { settled } from '../support/running-session.js';
import { TestSessions } from '../support/test-sessions.js';
import { runs } from '../support/runs.js';

const KIB = 1024;
const SESSIONS = 3;
/** The first session has another viewer, that reads everything: for it the process need not wait for us. */
const SHARED = 0;
const LOG_BYTES = 256 * KIB;
const LARGEST_READ_BYTES = 64 * KIB;
const RESUME_MS = 60_000;
const HOLD_MS = 30_000;

const index = fc.nat(SESSIONS - 1);
const few = fc.nat(40);
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('print' as const),
      index,
      bytes: fc.oneof(fc.nat(20), fc.nat(64 * KIB), fc.nat(400 * KIB)),
    }),
  },
  { weight: 5, arbitrary: fc.record({ type: fc.constant('receive' as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('acknowledge' as const),
      index,
      share: fc.constantFrom(0.5, 1),
    }),
  },
  /** `again`: how much that was sent before is sent once more. */
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant('type' as const), index, bytes: few, again: few }),
  },
  /** Its terminal takes so much more. */
  { weight: 4, arbitrary: fc.record({ type: fc.constant('read' as const), index, bytes: few }) },
  /** `lost`: how much was typed that never arrives. */
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('drop' as const),
      code: fc.constantFrom(1001, 1006),
      lost: few,
    }),
  },
  /** On a new connection, whether there still is an older one or not. */
  { weight: 4, arbitrary: fc.record({ type: fc.constant('connect' as const), naming: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('end' as const), index }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('wait' as const),
      ms: fc.oneof(fc.nat(20), fc.nat(12_000), fc.constant(HOLD_MS)),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** A prime, so that no mistake of a round number of bytes goes unseen. */
const PERIOD = 65_521;
const pattern = Buffer.from(
  Array.from({ length: 4 * PERIOD }, (_, at) => ((at % PERIOD) * 31 + ((at % PERIOD) >> 8)) & 0xff),
);

/** A session's output, by where it stands, up to so much at once: what comes is checked against this. */
function outputAt(offset: number, bytes: number): Uint8Array {
  const from = offset % PERIOD;
  return pattern.subarray(from, from + bytes);
}

/** What is typed into a session, from a position on. */
function inputAt(offset: number, bytes: number): string {
  return Array.from({ length: bytes }, (_, at) => String.fromCharCode(97 + ((offset + at) % 23))).join('');
}

/** A session, and what its client knows of it. */
interface Known {
  readonly session: Session;
  readonly pty: FakePty;
  printed: number;
  ended: boolean;
  /** Everything before has come, or was told to be missing. */
  next: number;
  consumed: number;
  channel: number;
  /** How often its exit came on this connection. */
  exits: number;
  /** How much was typed, and how much of it was sent. */
  typed: number;
  sent: number;
}

class Scene {
  readonly server = new TestSessions({ logBytes: LOG_BYTES });
  readonly client = new FakeClient(this.server);
  readonly known: Known[] = [];
  gaps = 0;
  takeovers = 0;
  resumptions = 0;
  private isConnected = false;
  private absentMs = 0;
  /** How much of what came over this connection has been looked at. */
  private read = 1;

  async open(): Promise<void> {
    this.client.connect();
    this.isConnected = true;
    for (let opened = 0; opened < SESSIONS; opened++) {
      const { session, pty } = await this.client.create();
      pty.room = 0;
      this.known.push({
        ...{ session, pty, printed: 0, ended: false },
        ...{ next: 0, consumed: 0, channel: opened + 1, exits: 0, typed: 0, sent: 0 },
      });
    }
    this.known[SHARED]!.session.attach(new FakeViewer());
    this.receive();
  }

  async play(step: Step): Promise<void> {
    switch (step.type) {
      case 'print':
        this.print(this.known[step.index]!, step.bytes);
        break;
      case 'receive':
        this.receive();
        break;
      case 'acknowledge':
        this.acknowledge(this.known[step.index]!, step.share);
        break;
      case 'type':
        this.type(this.known[step.index]!, step.bytes, step.again);
        break;
      case 'read':
        this.known[step.index]!.pty.read(step.bytes);
        break;
      case 'drop':
        this.drop(step.code, step.lost);
        break;
      case 'connect':
        this.connect(step.naming);
        break;
      case 'end':
        this.known[step.index]!.ended = true;
        this.known[step.index]!.pty.end();
        break;
      case 'wait':
        this.wait(step.ms);
        break;
    }
    await settled();
    this.wait(2);
  }

  /** It is connected, everything is consumed and typed, and every program reads. */
  async finish(): Promise<void> {
    if (!this.isConnected) this.connect(true);
    for (let rounds = 0; rounds < 300; rounds++) {
      const before = this.read;
      for (const one of this.known) {
        one.pty.room = Infinity;
        one.pty.read(0);
        this.acknowledge(one, 1);
      }
      await settled();
      this.server.clock.advance(10);
      this.receive();
      if (this.read === before && rounds > 3) return;
    }
    assert.fail('it does not come to an end');
  }

  private print(one: Known, bytes: number): void {
    if (one.ended) return;
    // As a terminal is read.
    for (let left = bytes; left > 0; left -= LARGEST_READ_BYTES) {
      const length = Math.min(left, LARGEST_READ_BYTES);
      one.pty.print(outputAt(one.printed, length));
      one.printed += length;
    }
  }

  private acknowledge(one: Known, share: number): void {
    if (!this.isConnected) return;
    one.consumed += Math.floor((one.next - one.consumed) * share);
    this.client.acknowledge(one.session.id, one.consumed);
  }

  private type(one: Known, bytes: number, again: number): void {
    if (one.ended || !this.isConnected) return;
    one.typed += bytes;
    const from = Math.max(0, one.sent - again);
    this.client.type(one.session.id, from, inputAt(from, one.typed - from));
    one.sent = one.typed;
  }

  private drop(code: number, lost: number): void {
    if (!this.isConnected) return;
    for (const one of this.known) if (!one.ended) one.typed += lost;
    this.client.drop(code);
    this.isConnected = false;
    this.absentMs = 0;
  }

  private connect(naming: boolean): void {
    if (this.isConnected) this.takeovers += 1;
    else this.resumptions += 1;
    const older = this.client.link;
    const wasHeld = this.isConnected || this.absentMs < HOLD_MS;
    const sessions = this.known.map(({ session, next: from }) => ({ sessionId: session.id, from }));
    const welcome = this.client.connect(naming ? { sessions } : {});
    assert.deepEqual(this.client.socket.inOrder[0], welcome);
    if (this.isConnected) {
      assert.equal(older.socket.closed?.code, 4001);
      this.client.drop(1000, older);
    }
    this.isConnected = true;
    this.read = 1;
    for (const one of this.known) {
      const { id } = one.session;
      const shown = welcome.sessions.find(({ sessionId }) => sessionId === id);
      one.exits = 0;
      if (shown) this.goOn(one, shown as ResumedSession, naming ? one.next : one.consumed, wasHeld);
      else this.attach(one, wasHeld);
      if (!one.ended) this.type(one, 0, 0);
    }
  }

  /** Nothing is kept of what it viewed: it asks for that as anybody may. */
  private attach(one: Known, wasHeld: boolean): void {
    assert(!wasHeld);
    const { id: sessionId } = one.session;
    this.client.send({ type: 'attach', sessionId, from: one.next });
    const attached = this.client.socket.sent.find(
      (message) => message.type === 'attached' && message.sessionId === sessionId,
    );
    assert(attached?.type === 'attached');
    this.goOn(one, attached, one.next, wasHeld);
  }

  private goOn(
    one: Known,
    { offset, gap, channel, inputOffset }: Shown,
    from: number,
    wasHeld: boolean,
  ): void {
    assert.deepEqual(gap, offset === from ? undefined : { offset: from, end: offset });
    if (gap) {
      this.gaps += 1;
      const isToldAgain = gap.end <= one.next;
      assert(
        !wasHeld || isToldAgain || one === this.known[SHARED],
        'what is held for the only viewer is lost',
      );
    }
    one.next = offset;
    // Until it has consumed anything behind a gap, that is told again.
    one.consumed = gap?.offset ?? offset;
    one.channel = channel!;
    // What had been sent and is not the server's is sent again.
    assert(inputOffset! >= one.pty.input.length);
    assert(inputOffset! <= one.typed);
    one.sent = inputOffset!;
  }

  private wait(ms: number): void {
    if (!this.isConnected) {
      // Its sessions are not to end.
      if (this.absentMs + ms >= RESUME_MS) return;
      this.absentMs += ms;
    }
    this.server.clock.advance(ms);
  }

  /** Takes all that has come, in its order. */
  private receive(): void {
    if (!this.isConnected) return;
    for (const one of this.client.socket.inOrder.slice(this.read)) {
      this.read += 1;
      if ('bytes' in one) {
        const known = this.known.find(({ channel }) => channel === one.channel)!;
        assert.equal(one.offset, known.next);
        assert(Buffer.from(one.bytes).equals(outputAt(one.offset, one.bytes.length)));
        known.next += one.bytes.length;
      } else if (one.type === 'gap') {
        const known = this.known.find(({ session }) => session.id === one.sessionId)!;
        assert.equal(known, this.known[SHARED]);
        assert.equal(one.offset, known.next);
        assert(one.end > one.offset);
        known.next = one.end;
        this.gaps += 1;
      } else if (one.type === 'exit') {
        const known = this.known.find(({ session }) => session.id === one.sessionId)!;
        assert.equal(known.next, known.printed);
        assert.equal(++known.exits, 1);
      } else {
        assert.notEqual(one.type, 'error');
        assert.notEqual(one.type, 'welcome');
      }
    }
  }
}

describe('properties of a client that comes and goes', () => {
  it(
    'gets all output once and in order, or an exact gap, then the exit; what it types is typed once',
    async () => {
      const seen = { gaps: 0, takeovers: 0, resumptions: 0 };
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { maxLength: 80, size: 'max' }),
          fc.boolean(),
          async (program, byes) => {
            const scene = new Scene();
            await scene.open();
            for (const next of program) await scene.play(next);
            await scene.finish();
            for (const one of scene.known) {
              assert.equal(one.next, one.printed);
              assert.equal(one.exits, one.ended ? 1 : 0);
              const whole = inputAt(0, one.typed);
              assert(one.ended ? whole.startsWith(one.pty.input) : whole === one.pty.input);
            }
            seen.gaps += scene.gaps;
            seen.takeovers += scene.takeovers;
            seen.resumptions += scene.resumptions;

            scene.client.drop(byes ? 1000 : 1006);
            scene.server.clock.advance(RESUME_MS);
            await settled();
            assert.deepEqual(scene.server.registry.list(), []);
            assert.equal(scene.server.clock.timers, 0);
            for (const { session, pty } of scene.known) {
              assert(pty.isOver);
              assert.equal(session.isRemoved, true);
            }
          },
        ),
        { numRuns: runs(300) },
      );
      expect(Math.min(seen.takeovers, seen.resumptions)).toBeGreaterThan(100);
      expect(seen.gaps).toBeGreaterThan(20);
    },
    runs(90_000),
  );
});
