import fc from 'fast-check';
import assert from 'node:assert/strict';
import { ACKNOWLEDGE_BYTES, INPUT_CREDIT_BYTES } from '../../src/protocol/limits.js';
import { type Consumed } from '../../src/protocol/messages.js';
import { FakeApplication } from '../fakes/fake-application.js';
import { type FakeClock } from '../fakes/fake-clock.js';
import { type FakeWebSocket } from '../fakes/fake-web-socket.js';
import { attach, connectedClient } from '../support/connected-client.js';
import { runs } from '../support/runs.js';

/** The protocol's: slower than this, and the server takes the client for a slow one. */
const LATEST_MS = 10;
const SESSIONS = 3;

type Step =
  /** The server sends so many bytes. */
  | { readonly type: 'output'; readonly session: number; readonly bytes: number }
  /** The server drops so many bytes. */
  | { readonly type: 'gap'; readonly session: number; readonly bytes: number }
  /** Somebody resizes, for the output so many bytes ahead. */
  | { readonly type: 'resize'; readonly session: number; readonly ahead: number }
  /** The application consumes one of the chunks it has. */
  | { readonly type: 'consume'; readonly session: number; readonly which: number }
  | { readonly type: 'wait'; readonly ms: number };

const session = fc.nat(SESSIONS - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constant('output' as const), session, bytes: fc.nat(9000) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('gap' as const), session, bytes: fc.nat(100_000) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('resize' as const), session, ahead: fc.nat(9000) }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('consume' as const), session, which: fc.nat() }) },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 12 }) }),
  },
);

/** Byte `offset` of everything that session `index` prints. */
const printed = (index: number, offset: number): number => (offset * 7 + (offset >> 8) + index * 31) % 256;

/** One session as the simplest model knows it. */
class Model {
  readonly id: string;
  readonly channel: number;
  readonly application = new FakeApplication(false);
  sent = 0;
  acknowledged = 0;
  /** Since when the application has consumed more than was acknowledged. */
  overdueSince?: number;
  readonly gaps: { readonly offset: number; readonly end: number }[] = [];
  private readonly consumed = new Set<object>();

  constructor(private readonly index: number) {
    this.id = `s${index}`;
    this.channel = index + 1;
  }

  output(socket: FakeWebSocket, bytes: number): void {
    const data = Uint8Array.from({ length: bytes }, (_, at) => printed(this.index, this.sent + at));
    socket.receiveFrame(this.channel, this.sent, data);
    this.sent += bytes;
  }

  gap(socket: FakeWebSocket, bytes: number): void {
    const gap = { offset: this.sent, end: this.sent + bytes };
    socket.receive({ type: 'gap', sessionId: this.id, ...gap });
    this.gaps.push(gap);
    this.sent = gap.end;
  }

  consume(which: number): void {
    const left = this.application.chunks.filter((chunk) => !this.consumed.has(chunk));
    const chunk = left[which % Math.max(left.length, 1)];
    if (!chunk) return;
    this.consumed.add(chunk);
    chunk.consumed();
  }

  /** Bytes delivered, and the end of what has been consumed of them without a hole. */
  get progress(): { readonly bytes: number; readonly end: number } {
    let [bytes, end] = [0, 0];
    for (const chunk of this.application.chunks) {
      if (!this.consumed.has(chunk)) break;
      bytes += chunk.bytes.length;
      end = chunk.offset + chunk.bytes.length;
    }
    return { bytes, end };
  }

  /** Everything that was sent has been delivered: once, in order, unchanged. */
  assertDelivered(): void {
    let next = 0;
    const gaps = [...this.gaps];
    const pass = (): void => {
      for (let gap = gaps[0]; gap?.offset === next; gap = gaps[0]) next = gaps.shift()!.end;
    };
    for (const { offset, bytes } of this.application.chunks) {
      pass();
      assert.equal(offset, next);
      bytes.forEach((byte, at) => assert.equal(byte, printed(this.index, offset + at)));
      next += bytes.length;
    }
    pass();
    assert.equal(next, this.sent);
  }
}

/** Looks at what the client has acknowledged since it looked last. */
function look(models: readonly Model[], socket: FakeWebSocket, clock: FakeClock): void {
  for (const { sessions } of socket.sent('acknowledge').splice(0)) {
    for (const { sessionId, offset } of sessions as Consumed[]) {
      const model = models.find(({ id }) => id === sessionId)!;
      assert(offset > model.acknowledged, 'grows');
      assert(offset <= model.progress.end, 'says no more than was consumed');
      model.acknowledged = offset;
    }
  }
  socket.messages.length = 0;
  for (const model of models) {
    if (model.acknowledged === model.progress.end) model.overdueSince = undefined;
    else model.overdueSince ??= clock.now();
    assert(clock.now() - (model.overdueSince ?? clock.now()) <= LATEST_MS, 'is in time');
  }
}

function bytesUnacknowledged(models: readonly Model[]): number {
  return models.reduce((sum, { application, acknowledged, progress }) => {
    const waiting = application.chunks.filter(
      ({ offset }) => offset >= acknowledged && offset < progress.end,
    );
    return sum + waiting.reduce((bytes, chunk) => bytes + chunk.bytes.length, 0);
  }, 0);
}

describe('properties of a client’s sessions', () => {
  it('deliver every byte once, and acknowledge in time all that was consumed and nothing else', async () => {
    let acknowledged = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
        const connected = connectedClient();
        const { client, socket, clock } = connected;
        const models = Array.from({ length: SESSIONS }, (_, index) => new Model(index));
        for (const { id, channel, application } of models) {
          await attach(connected, application, { sessionId: id, channel });
        }
        socket.messages.length = 0;

        const take = (next: Step): void => {
          if (next.type === 'wait') {
            for (let ms = 0; ms < next.ms; ms += 1) {
              clock.advance(1);
              look(models, socket, clock);
            }
            return;
          }
          const model = models[next.session]!;
          if (next.type === 'output') model.output(socket, next.bytes);
          if (next.type === 'gap') model.gap(socket, next.bytes);
          if (next.type === 'consume') model.consume(next.which);
          if (next.type === 'resize') {
            const size = { offset: model.sent + next.ahead, cols: 80, rows: 24 };
            socket.receive({ type: 'resized', sessionId: model.id, ...size });
          }
          look(models, socket, clock);
          assert(bytesUnacknowledged(models) < ACKNOWLEDGE_BYTES);
        };

        for (const next of steps) take(next);
        for (const model of models) {
          model.assertDelivered();
          for (const { type } of model.application.chunks.map(() => ({ type: 'consume' }) as const)) {
            take({ type, session: models.indexOf(model), which: 0 });
          }
        }
        take({ type: 'wait', ms: LATEST_MS });
        for (const model of models) {
          assert.equal(model.acknowledged, model.progress.end);
          assert.equal(
            model.progress.bytes,
            Buffer.byteLength(Buffer.concat(model.application.chunks.map(({ bytes }) => bytes))),
          );
          acknowledged += model.acknowledged;
        }
        assert.equal(client.state, 'open');
        client.close();
        assert.equal(clock.timers, 0);
      }),
      { numRuns: runs(100) },
    );
    assert(acknowledged > 0);
  });

  it('type every byte once, in its place, however it is cut', async () => {
    // Their lengths only: of what is in them, a failure would be made smaller for many minutes.
    const lengths = fc.array(fc.nat(200_000), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(lengths, fc.nat(1000), async (pieces, inputOffset) => {
        const written = pieces.map((length, index) =>
          Uint8Array.from({ length }, (_, at) => printed(index, at)),
        );
        const connected = connectedClient();
        const shown = await attach(connected, new FakeApplication(), { inputOffset });
        const { frames } = connected.socket;
        let acknowledged = inputOffset;
        const end = (): number => frames.reduce((sum, { bytes }) => sum + bytes.length, inputOffset);
        for (const piece of written) assert(shown.write(piece));
        // The terminal takes what has come, whereupon more comes.
        while (acknowledged < end()) {
          acknowledged = end();
          connected.socket.receive({ type: 'input_acknowledged', sessionId: 's1', offset: acknowledged });
          assert(end() - acknowledged <= INPUT_CREDIT_BYTES);
        }
        assert.equal(shown.bufferedInput, 0);
        let next = inputOffset;
        for (const { offset, bytes } of frames) {
          assert.equal(offset, next);
          next += bytes.length;
        }
        const typed = Buffer.concat(frames.map(({ bytes }) => bytes));
        assert(typed.equals(Buffer.concat(written)));
      }),
      { numRuns: runs(30) },
    );
  });
});
