import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DEFAULT_SIZE } from '../../src/core/terminal-size.js';
import { type Session } from '../../src/core/session.js';
import { Connection } from '../../src/terminal/connection.js';
import { type FakePty } from '../fakes/fake-pty.js';
import { FakeSocket } from '../fakes/fake-socket.js';
import { settled } from '../support/running-session.js';
import { TestSessions } from '../support/test-sessions.js';
import { runs } from '../support/runs.js';

const KIB = 1024;
const SESSIONS = 3;
const LOG_BYTES = 256 * KIB;
/** What a session may always have on its way beyond the window, and the window before anything is known. */
const OWN_BYTES = 4 * KIB;
const LARGEST_WINDOW_BYTES = 1024 * KIB;

const index = fc.nat(SESSIONS - 1);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('print' as const),
      index,
      bytes: fc.oneof(fc.nat(20), fc.nat(80 * KIB)),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('acknowledge' as const),
      index,
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('attach' as const),
      index,
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('detach' as const), index }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('end' as const), index }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('close' as const), index }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('wait' as const), index, ms: fc.nat(12_000) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** A byte of a session's output, by where it stands: what comes is checked against this. */
function byteAt(offset: number): number {
  return (offset * 31 + (offset >> 8)) & 0xff;
}

function outputAt(offset: number, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, at) => byteAt(offset + at));
}

/** What the client knows of a session it looks at. */
interface Seen {
  channel: number;
  /** Where the next byte belongs. */
  next: number;
  acknowledged: number;
  exits: number;
}

class Scene {
  readonly sessions = new TestSessions({ logBytes: LOG_BYTES });
  readonly socket = new FakeSocket();
  readonly connection = new Connection(this.socket, this.sessions.clock, 'trex.v2');
  readonly shown: { session: Session; pty: FakePty; printed: number; isOver: boolean; isClosed: boolean }[] =
    [];
  readonly seen = new Map<string, Seen>();
  gaps = 0;
  stops = 0;
  private readFrames = 0;
  private readMessages = 0;

  async open(): Promise<void> {
    for (let count = 0; count < SESSIONS; count++) {
      const session = this.sessions.opener.open({ size: DEFAULT_SIZE });
      this.connection.announce(session);
      await settled();
      this.shown.push({ session, pty: this.sessions.ptys.last, printed: 0, isOver: false, isClosed: false });
    }
    this.read();
  }

  async play(next: Step): Promise<void> {
    const shown = this.shown[next.index]!;
    const { id } = shown.session;
    const seen = this.seen.get(id);
    switch (next.type) {
      case 'print':
        if (shown.isOver) break;
        shown.pty.print(outputAt(shown.printed, next.bytes));
        shown.printed += next.bytes;
        break;
      case 'acknowledge':
        if (!seen) break;
        seen.acknowledged += Math.floor((seen.next - seen.acknowledged) * next.share);
        this.connection.acknowledge([{ sessionId: id, offset: seen.acknowledged }]);
        break;
      case 'attach':
        if (this.sessions.registry.find(id)) {
          this.connection.attach(shown.session, Math.floor(shown.session.log.end * next.share), false);
        }
        break;
      case 'detach':
        this.connection.detach(id);
        this.seen.delete(id);
        break;
      case 'end':
        shown.isOver = true;
        shown.pty.end();
        break;
      case 'close':
        shown.isOver = true;
        shown.isClosed = true;
        this.sessions.closer.close(id);
        break;
      case 'wait':
        this.sessions.clock.advance(next.ms);
        break;
    }
    await settled();
    this.sessions.clock.advance(2);
    await settled();
    this.read();
    this.assertBounded();
  }

  /** Everything is consumed, and everything that can come has come. */
  async finish(): Promise<void> {
    for (const { pty } of this.shown) pty.end();
    for (let rounds = 0; rounds < 200; rounds++) {
      this.sessions.clock.advance(2);
      await settled();
      const before = this.readFrames + this.readMessages;
      this.read();
      const consumed = Array.from(this.seen, ([sessionId, { next }]) => ({ sessionId, offset: next }));
      this.connection.acknowledge(consumed);
      if (this.readFrames + this.readMessages === before && rounds > 2) return;
    }
    assert.fail('it does not come to an end');
  }

  /** Takes what has come, frames and messages each in their order. */
  private read(): void {
    for (const message of this.socket.sent.slice(this.readMessages)) {
      this.readMessages += 1;
      if (message.type === 'session_created') {
        this.seen.set(message.sessionId, { channel: message.channel!, next: 0, acknowledged: 0, exits: 0 });
      } else if (message.type === 'attached') {
        // Frames of the channel before this one may have come in the meantime.
        const { sessionId, channel, offset, gap } = message;
        if (gap) assert.equal(gap.end, offset);
        this.seen.set(sessionId, { channel: channel!, next: offset, acknowledged: offset, exits: 0 });
      } else if (message.type === 'gap') {
        this.gaps += 1;
        this.readUntil(message.sessionId, message.offset);
        const seen = this.seen.get(message.sessionId)!;
        assert.equal(seen.next, message.offset);
        assert(message.end > message.offset);
        seen.next = message.end;
      } else if (message.type === 'exit') {
        const seen = this.seen.get(message.sessionId);
        if (seen) assert.equal(++seen.exits, 1);
      }
    }
    this.readUntil();
  }

  /** Frames up to a position of one session, or all. */
  private readUntil(id?: string, offset?: number): void {
    for (const frame of this.socket.frames.slice(this.readFrames)) {
      const [sessionId, seen] =
        [...this.seen].find(([, { channel }]) => channel === frame.channel) ??
        ([undefined, undefined] as const);
      if (id !== undefined && sessionId === id && frame.offset >= offset!) return;
      this.readFrames += 1;
      if (!seen) continue;
      assert.equal(frame.offset, seen.next);
      assert(frame.bytes.length > 0);
      assert(Buffer.from(frame.bytes).equals(outputAt(frame.offset, frame.bytes.length)));
      seen.next += frame.bytes.length;
    }
  }

  private assertBounded(): void {
    const onTheWay = [...this.seen.values()].map(({ next, acknowledged }) => next - acknowledged);
    const sum = onTheWay.reduce((total, bytes) => total + bytes, 0);
    const gapBytes = this.gaps > 0 ? Infinity : 0;
    assert(sum <= LARGEST_WINDOW_BYTES + SESSIONS * OWN_BYTES + gapBytes);
    if (this.shown.some(({ pty }) => pty.paused)) this.stops += 1;
  }
}

describe('properties of acknowledged output', () => {
  it(
    'comes once and in order from where it was asked for, or with an exact gap, then one exit',
    async () => {
      let stops = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (program) => {
          const scene = new Scene();
          await scene.open();
          for (const next of program) await scene.play(next);
          await scene.finish();
          for (const { session, printed, isClosed } of scene.shown) {
            const seen = scene.seen.get(session.id);
            if (!seen) continue;
            // What a close finds unsent is dropped.
            if (!isClosed) assert.equal(seen.next, printed);
            assert.equal(seen.exits, 1);
          }
          stops += scene.stops;
        }),
        { numRuns: runs(200) },
      );
      expect(stops).toBeGreaterThan(100);
    },
    runs(90_000),
  );
});
