import fc from 'fast-check';
import assert from 'node:assert/strict';
import { type Attachment } from '../../src/core/attachment.js';
import { ByteBudget } from '../../src/core/byte-budget.js';
import { DEFAULT_FLOW_LIMITS } from '../../src/core/flow-control.js';
import { PtyFactory, type Pty, type PtyEvents, type PtyLaunch } from '../../src/core/pty.js';
import { SessionEvents, type SessionEventType } from '../../src/core/session-events.js';
import { Session } from '../../src/core/session.js';
import { DEFAULT_SIZE } from '../../src/core/terminal-size.js';
import { FakeClock } from '../fakes/fake-clock.js';
import { FakePty } from '../fakes/fake-pty.js';
import { FakeViewer } from '../fakes/fake-viewer.js';
import { settled } from '../support/running-session.js';

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
  readonly session = new Session(
    { id: 's1', name: 'bash-1', shellType: 'bash', shell: '/bin/bash', cwd: '/', size: DEFAULT_SIZE },
    {
      ptys: this.ptys,
      clock: new FakeClock(),
      events: this.events,
      logBytes: LOG_BYTES,
      inputBudget: new ByteBudget(0),
      maxViewers: 100,
    },
  );

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

/** Takes seconds, and many of them where other work shares the processors. */
const BUSY_MACHINE_MS = 90_000;

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
        { numRuns: 300 },
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
      { numRuns: 100 },
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
      { numRuns: 100 },
    );
  });
});
