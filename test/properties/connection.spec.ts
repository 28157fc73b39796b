import fc from 'fast-check';
import assert from 'node:assert/strict';
import { type Session } from '../../src/core/session.js';
import { DEFAULT_SIZE } from '../../src/core/terminal-size.js';
import { MAX_FRAME_PAYLOAD_BYTES } from '../../src/protocol/limits.js';
import { type Exit, type Output, type ServerMessage } from '../../src/protocol/messages.js';
import {
  ANSWERS_HIGH_WATER_BYTES,
  Connection,
  OUTPUT_HIGH_WATER_BYTES,
} from '../../src/terminal/connection.js';
import { type FakePty } from '../fakes/fake-pty.js';
import { FakeClock } from '../fakes/fake-clock.js';
import { FakeSocket } from '../fakes/fake-socket.js';
import { settled } from '../support/running-session.js';
import { TestSessions } from '../support/test-sessions.js';
import { runs } from '../support/runs.js';

const SESSIONS = 3;
/** A character whose end has not come is held back: what a session may keep to itself without being ready. */
const HELD_BACK_BYTES = 3;

type Step =
  /** `unit` again and again, `length` bytes in all. */
  | {
      readonly type: 'print';
      readonly index: number;
      readonly unit: readonly number[];
      readonly length: number;
    }
  | { readonly type: 'take'; readonly bytes: number }
  | { readonly type: 'end'; readonly index: number }
  | { readonly type: 'close'; readonly index: number };

const index = fc.nat(SESSIONS - 1);
const unit = fc.oneof(
  fc
    .constantFrom('a', 'é', '€', '𝄞', '\u0000', '\x1b[31m', 'ab€', '\ufeff')
    .map((text) => [...Buffer.from(text)]),
  fc.array(fc.nat(255), { minLength: 1, maxLength: 7, size: 'max' }),
);
/** A few bytes, or more than a frame, and cut anywhere. */
const length = fc.oneof(fc.nat(10), fc.integer({ min: 1000, max: 150_000 }));
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ type: fc.constant('print' as const), index, unit, length }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('take' as const),
      bytes: fc.oneof(fc.nat(100), fc.nat(400_000)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('end' as const), index }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('close' as const), index }) },
);
const steps = fc.array(step, { maxLength: 40, size: 'max' });

/** A session, what its process printed, and what came of it. */
interface Shown {
  readonly session: Session;
  readonly pty: FakePty;
  readonly printed: Buffer[];
  closed: boolean;
}

/** One connection that shows three running sessions, and an observer of all it sends. */
class Scene {
  /** Logs that hold all a process has to say when it ends: gaps are another matter. */
  readonly sessions = new TestSessions({ logBytes: 8 * 1024 * 1024 });
  readonly socket = new FakeSocket(false, (message) => this.noteProblem(() => this.sending(message)));
  readonly connection = new Connection(this.socket, this.sessions.clock);
  readonly shown: Shown[] = [];
  /** How often output had to wait for the socket. */
  fullTimes = 0;
  /** A socket that throws is one that has failed: the connection takes no other notice. */
  private readonly problems: unknown[] = [];
  private readonly sentUpTo = new Map<string, number>();
  /** Of each session: which others had output waiting when it was last sent, and have not been sent since. */
  private readonly waitingSince = new Map<string, Set<string>>();

  async open(): Promise<void> {
    for (let count = 0; count < SESSIONS; count++) {
      const session = this.sessions.opener.open({ size: DEFAULT_SIZE });
      this.connection.announce(session);
      await settled();
      this.shown.push({ session, pty: this.sessions.ptys.last, printed: [], closed: false });
    }
  }

  async play(next: Step): Promise<void> {
    if (next.type === 'take') {
      this.socket.take(next.bytes);
      return;
    }
    const shown = this.shown[next.index]!;
    switch (next.type) {
      case 'print': {
        if (shown.pty.isOver || shown.closed) return;
        const bytes = Buffer.alloc(next.length, Uint8Array.from(next.unit));
        shown.printed.push(bytes);
        shown.pty.print(bytes);
        break;
      }
      case 'end':
        shown.pty.end();
        break;
      case 'close':
        await this.close(shown);
        break;
    }
    // What is being gathered goes.
    this.sessions.clock.advance(2);
    if (this.socket.bufferedAmount >= OUTPUT_HIGH_WATER_BYTES) this.fullTimes += 1;
  }

  /** What comes next is its exit, however full the socket, unless that was sent before. */
  async close(shown: Shown): Promise<void> {
    const { id } = shown.session;
    const hadExit = this.exitsOf(id).length > 0;
    const sentBefore = this.socket.sent.length;
    shown.closed = true;
    this.sentUpTo.set(id, Infinity);
    for (const others of this.waitingSince.values()) others.delete(id);
    this.sessions.closer.close(id);
    await settled();
    const news = this.socket.sent.slice(sentBefore).map(typeAndSession);
    assert.deepEqual(news, hadExit ? [] : [`exit ${id}`]);
  }

  /** Everything is taken, every process ends. */
  finish(): void {
    for (const { pty } of this.shown) pty.end();
    this.socket.take(Infinity);
    expect(this.problems).toEqual([]);
  }

  outputOf(id: string): Output[] {
    return this.socket.sent.filter(
      (message) => message.type === 'output' && message.sessionId === id,
    ) as Output[];
  }

  exitsOf(id: string): Exit[] {
    return this.socket.sent.filter(
      (message) => message.type === 'exit' && message.sessionId === id,
    ) as Exit[];
  }

  private noteProblem(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.problems.push(error);
    }
  }

  private sending(message: ServerMessage): void {
    if (message.type !== 'output') return;
    const { sessionId, offset, end } = message;
    // So what waits in the socket is bounded by this and one frame.
    assert(this.socket.bufferedAmount < OUTPUT_HIGH_WATER_BYTES);
    assert(end - offset <= MAX_FRAME_PAYLOAD_BYTES);
    assert.equal(offset, this.sentUpTo.get(sessionId) ?? 0);
    assert.deepEqual(
      [...(this.waitingSince.get(sessionId) ?? [])],
      [],
      'others waited for two frames of one session',
    );
    for (const others of this.waitingSince.values()) others.delete(sessionId);
    this.waitingSince.set(sessionId, new Set(this.readyBeside(sessionId)));
    this.sentUpTo.set(sessionId, end);
  }

  private readyBeside(id: string): string[] {
    return this.shown
      .map(({ session }) => session)
      .filter((session) => session.id !== id)
      .filter((session) => session.log.end - (this.sentUpTo.get(session.id) ?? 0) > HELD_BACK_BYTES)
      .map((session) => session.id);
  }
}

async function openScene(): Promise<Scene> {
  const scene = new Scene();
  await scene.open();
  return scene;
}

/** Takes seconds, and many of them where other work shares the processors. */
const BUSY_MACHINE_MS = runs(90_000);

describe('properties of a connection', () => {
  it(
    'shows every session whole and in order, each in its turn, then its exit, in a bounded socket',
    async () => {
      let fullTimes = 0;
      await fc.assert(
        fc.asyncProperty(steps, async (program) => {
          const scene = await openScene();
          for (const next of program) await scene.play(next);
          scene.finish();
          for (const { session, printed, closed } of scene.shown) {
            const frames = scene.outputOf(session.id);
            const end = frames.at(-1)?.end ?? 0;
            const whole = Buffer.concat(printed);
            // What a close finds unsent is dropped.
            assert(closed || end === whole.length);
            // Not `equal`, which would print them.
            assert(frames.map(({ data }) => data).join('') === decoded(whole.subarray(0, end)));
            assert.equal(scene.exitsOf(session.id).length, 1);
            assert.equal(lastAbout(scene.socket, session.id), 'exit');
          }
          fullTimes += scene.fullTimes;
        }),
        { numRuns: runs(300) },
      );
      expect(fullTimes).toBeGreaterThan(300);
    },
    BUSY_MACHINE_MS,
  );

  it('cuts no character of what a session leaves that ended before anybody looked', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('é', '€', '𝄞'),
        fc.nat(3),
        fc.nat(500),
        async (character, before, more) => {
          const sessions = new TestSessions();
          const session = sessions.opener.open({ size: DEFAULT_SIZE });
          await settled();
          // More than one frame, and more than one socket's fill.
          const whole = 'x'.repeat(before) + character.repeat(OUTPUT_HIGH_WATER_BYTES / 2 + more);
          sessions.ptys.last.print(whole);
          sessions.ptys.last.end();
          const socket = new FakeSocket(false);
          new Connection(socket, sessions.clock).announce(session);
          socket.take(Infinity);
          const frames = socket.sent.filter((message) => message.type === 'output');
          assert(frames.length > 3);
          assert(frames.map(({ data }) => data).join('') === whole);
          assert.equal(lastAbout(socket, session.id), 'exit');
        },
      ),
      { numRuns: runs(50) },
    );
  });

  it('drops what a closed session has not sent and says exit next, even into a full socket', async () => {
    await fc.assert(
      fc.asyncProperty(
        index,
        fc.integer({ min: 300_000, max: 500_000 }),
        fc.boolean(),
        async (which, length, ended) => {
          const scene = await openScene();
          // Filled with control characters, which JSON writes six times as long.
          for (const { pty } of scene.shown) {
            for (let printed = 0; printed < length; printed += 50_000) pty.print(Buffer.alloc(50_000, 7));
          }
          assert(scene.socket.bufferedAmount >= OUTPUT_HIGH_WATER_BYTES);
          const shown = scene.shown[which]!;
          if (ended) shown.pty.end();
          await scene.close(shown);
          scene.socket.take(Infinity);
          assert.equal(lastAbout(scene.socket, shown.session.id), 'exit');
          assert.equal(scene.exitsOf(shown.session.id).length, 1);
        },
      ),
      { numRuns: runs(50) },
    );
  });

  it('sends nothing more once its socket has failed, and leaves no process paused', async () => {
    await fc.assert(
      fc.asyncProperty(steps, steps, async (program, rest) => {
        const scene = await openScene();
        for (const next of program.filter(({ type }) => type !== 'close')) await scene.play(next);
        scene.socket.broken = true;
        const sent = scene.socket.sent.length;
        for (const next of rest.filter(({ type }) => type !== 'close')) await scene.play(next);
        scene.socket.close();
        for (const { attachment } of scene.connection.release()) attachment.detach();
        assert.equal(scene.socket.sent.length, sent);
        for (const { session, pty } of scene.shown) {
          assert(!session.isWatched);
          assert(!pty.paused);
        }
        assert.deepEqual(scene.connection.release(), []);
      }),
      { numRuns: runs(100) },
    );
  });

  it('stops reading from a client that takes no answers, and goes on once it does', () => {
    const answer = fc.record({ type: fc.constant('answer' as const), bytes: fc.nat(200_000) });
    const take = fc.record({ type: fc.constant('take' as const), bytes: fc.nat(900_000) });
    fc.assert(
      fc.property(fc.array(fc.oneof(answer, take), { maxLength: 40, size: 'max' }), (program) => {
        const socket = new FakeSocket(false);
        const connection = new Connection(socket, new FakeClock());
        for (const { type, bytes } of program) {
          if (type === 'answer') connection.send({ type: 'tmux_sessions', requestId: 'r'.repeat(bytes) });
          else socket.take(bytes);
          assert.equal(socket.reading, socket.bufferedAmount <= ANSWERS_HIGH_WATER_BYTES);
        }
        socket.take(Infinity);
        assert(socket.reading);
      }),
      { numRuns: runs(200) },
    );
  });
});

function decoded(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

function typeAndSession(message: ServerMessage): string {
  return 'sessionId' in message ? `${message.type} ${message.sessionId}` : message.type;
}

function lastAbout(socket: FakeSocket, id: string): string | undefined {
  return socket.sent.findLast((message) => 'sessionId' in message && message.sessionId === id)?.type;
}
