import fc from 'fast-check';
import assert from 'node:assert/strict';
import { type Attachment, type Viewer } from '../../src/core/attachment.js';
import { DEFAULT_FLOW_LIMITS } from '../../src/core/flow-control.js';
import { PtyFactory, type Pty, type PtyEvents, type PtyLaunch } from '../../src/core/pty.js';
import { SessionEvents, type SessionEventType } from '../../src/core/session-events.js';
import { STALLED_MS } from '../../src/core/session.js';
import { FakePty } from '../fakes/fake-pty.js';
import { FakeViewer } from '../fakes/fake-viewer.js';
import { runningSession, sessionOf, settled } from '../support/running-session.js';
import { runs } from '../support/runs.js';

const LOG_BYTES = 8 * 1024 * 1024;

type Step =
  | { readonly type: 'print'; readonly length: number }
  /** From which part of what is there: 0 is all of it, 1 none. */
  | { readonly type: 'attach'; readonly share: number; readonly reads: boolean }
  | { readonly type: 'stop' | 'read' | 'detach'; readonly which: number };

const which = fc.nat(20);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('print' as const),
      length: fc.oneof(fc.nat(50), fc.nat(60_000)),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('attach' as const),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      reads: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constantFrom('stop' as const, 'read' as const), which }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('detach' as const), which }) },
);
const steps = fc.array(step, { maxLength: 50, size: 'max' });

/** A viewer that came at an offset, and may have left. */
class Watcher extends FakeViewer {
  attachment?: Attachment;
  /** How much it had been given when it left. */
  left?: number;

  constructor(
    readonly from: number,
    reads: boolean,
  ) {
    super(reads);
  }

  override wake(attachment: Attachment): void {
    this.attachment = attachment;
    // The exit is behind the last byte, for whoever asks early too.
    if (attachment.hasOutput) assert.equal(attachment.takeExit(), undefined);
    super.wake(attachment);
  }
}

/** A process that tells before it is paused or resumed. */
class WatchedPty extends FakePty {
  constructor(
    launch: PtyLaunch,
    readonly news: PtyEvents,
    private readonly paces: (pause: boolean) => void,
  ) {
    super(launch, news);
  }

  override pause(): void {
    this.paces(true);
    super.pause();
  }

  override resume(): void {
    this.paces(false);
    super.resume();
  }
}

class WatchedPtys extends PtyFactory {
  last?: WatchedPty;

  constructor(private readonly paces: (pause: boolean) => void) {
    super();
  }

  spawn(launch: PtyLaunch, events: PtyEvents): Promise<Pty> {
    this.last = new WatchedPty(launch, events, this.paces);
    return Promise.resolve(this.last);
  }
}

/** One session, its process, and everybody who ever looked at it. */
class Scene {
  readonly watchers: Watcher[] = [];
  readonly printed: Buffer[] = [];
  pauses = 0;
  /** Who came and who left, as listeners are told. */
  readonly told: SessionEventType[] = [];
  private readonly events = new SessionEvents();
  private readonly ptys = new WatchedPtys((pause) => this.paces(pause));
  readonly session = sessionOf({
    ptys: this.ptys,
    events: this.events,
    logBytes: LOG_BYTES,
    maxViewers: 100,
  });

  constructor() {
    this.events.subscribe(({ type }) => this.told.push(type));
  }

  get pty(): WatchedPty {
    return this.ptys.last!;
  }

  get present(): Watcher[] {
    return this.watchers.filter(({ left }) => left === undefined);
  }

  play(next: Step): void {
    switch (next.type) {
      case 'print':
        this.print(next.length);
        break;
      case 'attach':
        this.attach(Math.round(this.session.log.end * next.share), next.reads);
        break;
      case 'stop':
        this.oneOfThePresent(next.which)?.stopReading();
        return;
      case 'read':
        this.oneOfThePresent(next.which)?.startReading();
        return;
      case 'detach':
        this.detach(this.oneOfThePresent(next.which));
        break;
    }
    if (this.backlog > DEFAULT_FLOW_LIMITS.pauseAboveBytes) assert(this.pty.paused);
  }

  attach(from: number, reads: boolean): void {
    const watcher = new Watcher(from, reads);
    this.watchers.push(watcher);
    this.session.attach(watcher, from);
  }

  /** How far behind the slowest viewer is; not at all when nobody looks. */
  get backlog(): number {
    const { end } = this.session.log;
    return Math.max(0, ...this.present.map(({ attachment, from }) => end - (attachment?.offset ?? from)));
  }

  private print(length: number): void {
    const bytes = Buffer.alloc(length, `${this.printed.length}. the quick brown fox; `);
    this.printed.push(bytes);
    this.pty.print(bytes);
  }

  private detach(watcher: Watcher | undefined): void {
    if (!watcher) return;
    watcher.left = watcher.bytes.length;
    watcher.attachment?.detach();
    watcher.attachment?.detach();
  }

  private oneOfThePresent(number: number): Watcher | undefined {
    return this.present[number % this.present.length];
  }

  private paces(pause: boolean): void {
    assert(this.pty.isOver || pause !== this.pty.paused);
    if (pause) assert(this.backlog > DEFAULT_FLOW_LIMITS.pauseAboveBytes);
    else assert(this.backlog < DEFAULT_FLOW_LIMITS.resumeBelowBytes);
    if (pause) this.pauses += 1;
  }
}

async function openScene(): Promise<Scene> {
  const scene = new Scene();
  scene.session.start();
  await settled();
  return scene;
}

const SMALL_LOG_BYTES = 200 * 1024;

type CrowdStep =
  | { readonly type: 'print'; readonly length: number }
  | { readonly type: 'wait'; readonly ms: number }
  | { readonly type: 'attach'; readonly share: number }
  | { readonly type: 'take'; readonly which: number; readonly bytes: number }
  | { readonly type: 'detach'; readonly which: number };

const crowdSteps = fc.array(
  fc.oneof<fc.WeightedArbitrary<CrowdStep>[]>(
    {
      weight: 6,
      arbitrary: fc.record({
        type: fc.constant('print' as const),
        length: fc.integer({ min: 1, max: 60_000 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        type: fc.constant('wait' as const),
        ms: fc.constantFrom(1, 5000, STALLED_MS - 1, STALLED_MS, 2 * STALLED_MS),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ type: fc.constant('attach' as const), share: fc.constantFrom(0, 0.5, 1) }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        type: fc.constant('take' as const),
        which,
        bytes: fc.oneof(fc.nat(1000), fc.nat(60_000), fc.constant(Infinity)),
      }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('detach' as const), which }) },
  ),
  { maxLength: 60, size: 'max' },
);

/** A viewer that takes what it is told to, and remembers what it got and what it missed. */
class Reader implements Viewer {
  readonly pieces: { readonly offset: number; readonly bytes: Uint8Array }[] = [];
  attachment!: Attachment;
  /** When it last took something, or came. */
  movedAt: number;
  /** It has stood still for so long, with others there, that nobody has to wait for it until it has caught up. */
  isExcused = false;

  constructor(
    readonly from: number,
    now: number,
  ) {
    this.movedAt = now;
  }

  wake(): void {
    // It looks when it is told to.
  }

  hear(): void {
    // Of no matter here.
  }

  take(bytes: number, now: number): void {
    const { offset, bytes: taken } = this.attachment.peek(bytes);
    if (taken.length === 0) return;
    assert(
      offset === this.attachment.offset || !this.attachment.isPacing,
      'whoever is waited for misses nothing',
    );
    this.pieces.push({ offset, bytes: taken });
    this.movedAt = now;
    this.attachment.advance(offset + taken.length);
  }
}

/** One session of which little is kept, and several who look at it as they like. */
class Crowd {
  readonly readers: Reader[] = [];
  readonly everybody: Reader[] = [];
  private readonly printed: Uint8Array[] = [];
  /** When something happened last beside the passing of time. */
  private touchedAt = 0;
  readonly seen = new Set<string>();

  constructor(private readonly lone: Awaited<ReturnType<typeof runningSession>>) {}

  play(next: CrowdStep): void {
    const { session, pty, clock } = this.lone;
    const before = session.log.end;
    const reader = 'which' in next ? this.readers[next.which % this.readers.length] : undefined;
    switch (next.type) {
      case 'print': {
        const bytes = Buffer.alloc(next.length, `${this.printed.length}. the quick brown fox; `);
        this.printed.push(bytes);
        pty.print(bytes);
        break;
      }
      case 'wait':
        clock.advance(next.ms);
        break;
      case 'attach':
        if (this.readers.length < 4) this.attach(Math.floor(session.log.end * next.share));
        break;
      case 'take':
        reader?.take(next.bytes, clock.elapsed());
        break;
      case 'detach':
        reader?.attachment.detach();
        if (reader) this.readers.splice(this.readers.indexOf(reader), 1);
        break;
    }
    const isQuiet = session.log.end === before && (next.type === 'print' || next.type === 'wait');
    if (!isQuiet) this.touchedAt = clock.elapsed();
    this.assertPaced();
  }

  /** Everybody takes what is left, the process says what it has not said. */
  finish(): void {
    while (this.readers.some(({ attachment }) => attachment.hasOutput)) {
      for (const reader of this.readers) reader.take(Infinity, this.lone.clock.elapsed());
    }
  }

  /** What they got is what was printed there, and with what they missed it is all. */
  assertExact(): void {
    const whole = Buffer.concat(this.printed);
    for (const { from, pieces, attachment } of this.everybody) {
      let next = from;
      for (const { offset, bytes } of pieces) {
        assert(offset >= next);
        if (offset > next) this.seen.add('a gap');
        assert(whole.subarray(offset, offset + bytes.length).equals(bytes));
        next = offset + bytes.length;
      }
      assert.equal(next, attachment.offset);
    }
    for (const { attachment } of this.readers) assert.equal(attachment.offset, whole.length);
  }

  private attach(from: number): void {
    const { session, clock } = this.lone;
    const reader = new Reader(Math.max(from, session.log.start), clock.elapsed());
    reader.attachment = session.attach(reader, from);
    this.readers.push(reader);
    this.everybody.push(reader);
  }

  private assertPaced(): void {
    const { pty, clock } = this.lone;
    const { pauseAboveBytes, resumeBelowBytes } = DEFAULT_FLOW_LIMITS;
    const now = clock.elapsed();
    for (const reader of this.readers) {
      const { backlog, isPacing } = reader.attachment;
      if (backlog < resumeBelowBytes) {
        if (reader.isExcused && isPacing) this.seen.add('waited for again');
        reader.isExcused = false;
        assert(isPacing, 'whoever has caught up is waited for');
      } else if (now - reader.movedAt >= STALLED_MS && this.readers.length > 1) reader.isExcused = true;
      if (!isPacing) this.seen.add('not waited for');
      assert(isPacing || reader.isExcused, 'whoever moves, or is alone, is waited for');
    }
    const pacing = this.readers.filter(({ attachment }) => attachment.isPacing);
    const waitedFor = pacing.length > 0 ? pacing : this.readers;
    const slowest = Math.max(0, ...waitedFor.map(({ attachment }) => attachment.backlog));
    if (pty.paused) assert(slowest >= resumeBelowBytes, 'nobody is waited for');
    else assert(slowest <= pauseAboveBytes, 'somebody is not waited for');
    if (pty.paused && pacing.length === 0) this.seen.add('paused for one not waited for before');
    // Twice as long: whoever came while the process was paused is looked at the next time.
    if (pty.paused && now - this.touchedAt >= 2 * STALLED_MS) {
      assert(this.readers.every(({ attachment }) => attachment.backlog >= resumeBelowBytes));
      this.seen.add('all stand still');
    }
    assert.equal(clock.timers, pty.paused ? 1 : 0);
  }
}

/** Takes seconds, and many of them where other work shares the processors. */
const BUSY_MACHINE_MS = runs(90_000);

describe('properties of viewers', () => {
  it(
    'gives each every byte from its offset on, in order and once, then one exit; and paces the process',
    async () => {
      let pauses = 0;
      await fc.assert(
        fc.asyncProperty(steps, async (program) => {
          const scene = await openScene();
          for (const next of program) {
            scene.play(next);
            if (scene.backlog < DEFAULT_FLOW_LIMITS.resumeBelowBytes) assert(!scene.pty.paused);
          }
          scene.pty.end({ code: 3 });
          scene.attach(0, true);
          for (const watcher of scene.present) watcher.startReading();

          const whole = Buffer.concat(scene.printed);
          for (const { bytes, exits, from, left } of scene.watchers) {
            const until = left === undefined ? whole.length : from + left;
            assert(bytes.equals(whole.subarray(from, until)));
            assert.deepEqual(exits, left === undefined ? [{ code: 3, cause: 'ended' }] : []);
          }
          const came = scene.told.filter((type) => type === 'viewerJoined');
          const left = scene.told.filter((type) => type === 'viewerLeft');
          assert.equal(came.length, scene.watchers.length);
          assert.equal(left.length, scene.watchers.length - scene.present.length);
          pauses += scene.pauses;
        }),
        { numRuns: runs(300) },
      );
      expect(pauses).toBeGreaterThan(100);
    },
    BUSY_MACHINE_MS,
  );

  it('never pauses a process nobody looks at', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (program) => {
        const scene = await openScene();
        for (const next of program) {
          scene.play(next);
          if (scene.present.length === 0) assert(!scene.pty.paused);
        }
      }),
      { numRuns: runs(100) },
    );
  });

  it('shows nothing that a process still says once somebody wants it gone', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (program) => {
        const scene = await openScene();
        for (const next of program) scene.play(next);
        const before = scene.present.map(({ bytes }) => bytes.length);
        scene.session.close();
        scene.pty.news.output(Buffer.from('last words'));
        await settled();
        for (const watcher of scene.present) watcher.startReading();
        assert.deepEqual(
          scene.present.map(({ bytes }) => bytes.length),
          before,
        );
        for (const { exits } of scene.present)
          assert.deepEqual(
            exits.map(({ cause }) => cause),
            ['closed'],
          );
      }),
      { numRuns: runs(100) },
    );
  });

  it(
    'gives several each byte or a gap where it was, and waits for the slowest but not for who stands still',
    async () => {
      const seen = new Map<string, number>();
      await fc.assert(
        fc.asyncProperty(crowdSteps, async (program) => {
          const crowd = new Crowd(await runningSession({ logBytes: SMALL_LOG_BYTES }));
          crowd.play({ type: 'attach', share: 0 });
          crowd.play({ type: 'attach', share: 0 });
          for (const next of program) crowd.play(next);
          crowd.finish();
          crowd.assertExact();
          for (const what of crowd.seen) seen.set(what, (seen.get(what) ?? 0) + 1);
        }),
        // The rarest of what is worth seeing comes once in thirty.
        { numRuns: runs(3000) },
      );
      const worthSeeing = [
        'a gap',
        'not waited for',
        'waited for again',
        'paused for one not waited for before',
        'all stand still',
      ];
      expect(worthSeeing.filter((what) => (seen.get(what) ?? 0) < 20)).toEqual([]);
    },
    BUSY_MACHINE_MS,
  );
});
