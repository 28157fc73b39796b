import { PtyFactory, type Pty, type PtyEvents, type PtyLaunch } from '../../src/core/pty.js';
import { FakePty } from './fake-pty.js';

/** Something that will happen to the `process`-th process that was asked for. */
export interface ProcessEvent {
  /** `spawn`: it is there · `death`: it follows its closing · `closed`: and that is known. */
  readonly type: 'spawn' | 'death' | 'closed';
  readonly process: number;
  readonly launch: PtyLaunch;
}

/** A test decides when something happens, by resolving it, and that a process cannot be started, by rejecting it. */
export type Later = (event: ProcessEvent) => Promise<void>;

/** A process that dies some time after it was told to, and says so some time after that. */
export class ScheduledPty extends FakePty {
  /** How often it was told to go. */
  closings = 0;
  private ending?: Promise<void>;

  constructor(
    launch: PtyLaunch,
    events: PtyEvents,
    readonly process: number,
    private readonly later: Later,
  ) {
    super(launch, events);
    this.diesWhenClosed = false;
  }

  override close(): Promise<void> {
    this.closings += 1;
    this.ending ??= this.endLater();
    return this.ending;
  }

  private async endLater(): Promise<void> {
    const { launch, process } = this;
    const gone = super.close();
    await this.later({ type: 'death', process, launch });
    this.end({ code: 129, signal: 'SIGHUP' });
    await gone;
    await this.later({ type: 'closed', process, launch });
  }
}

/** Spawning takes as long as a test wants. */
export class ScheduledPtyFactory extends PtyFactory {
  /** Every process that was asked for, in order. */
  readonly asked: PtyLaunch[] = [];
  /** Every process that was started. */
  readonly ptys: ScheduledPty[] = [];

  constructor(private readonly later: Later) {
    super();
  }

  /** The processes that run. */
  get alive(): ScheduledPty[] {
    return this.ptys.filter(({ isOver }) => !isOver);
  }

  async spawn(launch: PtyLaunch, events: PtyEvents): Promise<Pty> {
    const process = this.asked.push(launch) - 1;
    await this.later({ type: 'spawn', process, launch });
    const pty = new ScheduledPty(launch, events, process, this.later);
    this.ptys.push(pty);
    return pty;
  }
}
