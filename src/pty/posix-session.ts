import { readProcess, readProcesses, readProcessesNow, type ProcessEntry } from './process-table.js';

/** A shell and every process that has not left its POSIX session (setsid(2) leaves it). */
export interface PosixSession {
  /** The shell's pid. */
  readonly id: number;
  /** When the shell started; undefined when it was gone before that could be read. */
  readonly startTime?: string;
}

/** How long a process has, after its hang-up, to tidy and go by itself, unless somebody says otherwise. */
const POLITE_MS = 1000;
const FASTEST_TICK_MS = 4;
const SLOWEST_TICK_MS = 100;
/** What survives SIGKILL this long cannot be killed by us; it is still looked for, to learn when it goes. */
const HOPELESS_MS = 4000;
const HOPELESS_TICK_MS = 1000;
/** Whoever was started while others were killed is found by the next scan. */
const LAST_SCANS = 3;

/** What ending sessions takes: the table of processes, signals, and time. */
export interface Machine {
  /** As {@link readProcess}. */
  read(pid: number): ProcessEntry | undefined;
  /** As {@link readProcesses}. */
  readAll(): Promise<readonly ProcessEntry[]>;
  /** As {@link readProcessesNow}. */
  readAllNow(): readonly ProcessEntry[];
  /** As kill(2): a negative pid names a process group. Throws when there is nobody, or nobody of ours. */
  kill(pid: number, signal: NodeJS.Signals): void;
  /** In milliseconds, never going back. */
  now(): number;
  /** @returns the way to prevent it. */
  after(ms: number, task: () => void): () => void;
  /** Has the task done as the last thing before this process ends by itself. @returns the way to prevent it. */
  atExit(task: () => void): () => void;
}

const thisMachine: Machine = {
  read: readProcess,
  readAll: readProcesses,
  readAllNow: readProcessesNow,
  kill: (pid, signal) => void process.kill(pid, signal),
  now: () => performance.now(),
  after: (ms, task) => {
    const timer = setTimeout(task, ms);
    return () => clearTimeout(timer);
  },
  atExit: (task) => {
    process.on('exit', task);
    return () => process.off('exit', task);
  },
};

export function posixSessionOf(shell: number): PosixSession {
  return { id: shell, startTime: readProcess(shell)?.startTime };
}

/**
 * Ends POSIX sessions: hang-up first, then, after a while, SIGKILL, again and again until nobody is left. One scan of the
 * process table serves every session that is ending; when none is, no timer runs. Should this process end before them, it
 * kills them: they have been hung up on, and nobody is left to wait.
 */
export class SessionEnder {
  private readonly endings = new Set<Ending>();
  private cancelTick: () => void = () => undefined;
  private forgetExit?: () => void;
  private scanning = false;

  constructor(
    private readonly politeMs = POLITE_MS,
    private readonly machine: Machine = thisMachine,
  ) {}

  /** Resolves when no process of the session is left. The shell has been signalled when this returns. */
  end(session: PosixSession): Promise<void> {
    return new Promise((gone) => {
      const ending = new Ending(this.machine, session, this.politeMs, gone);
      ending.hangUpShell();
      this.endings.add(ending);
      this.forgetExit ??= this.machine.atExit(() => this.killAll());
      this.tickIn(0);
    });
  }

  private killAll(): void {
    for (let scans = 0; scans < LAST_SCANS; scans++) {
      const found = this.lastLook();
      const left = [...this.endings].filter((ending) => ending.killAll(found));
      if (left.length === 0) return;
    }
  }

  private lastLook(): readonly ProcessEntry[] {
    try {
      return this.machine.readAllNow();
    } catch {
      // Without a free descriptor nobody can be told from a stranger.
      return [];
    }
  }

  private tickIn(ms: number): void {
    if (this.scanning) return;
    this.cancelTick();
    this.cancelTick = this.machine.after(ms, () => void this.tick());
  }

  private async tick(): Promise<void> {
    // Whoever comes during the scan is judged by the next one: this one has passed some of its processes already.
    const judged = [...this.endings];
    const began = this.machine.now();
    this.scanning = true;
    const found = await this.machine.readAll().catch(() => undefined);
    this.scanning = false;
    // Unreadable, as without a free descriptor: nothing is known, so nothing is judged, and the next tick asks again.
    if (found) this.judge(judged, found);
    if (this.endings.size > 0) this.tickIn(this.nextTickMs(this.machine.now() - began));
  }

  private judge(endings: readonly Ending[], found: readonly ProcessEntry[]): void {
    for (const ending of endings) {
      if (ending.isOver(found)) this.endings.delete(ending);
    }
    if (this.endings.size > 0) return;
    this.forgetExit?.();
    this.forgetExit = undefined;
  }

  /** Waiting twice as long as a scan takes keeps scanning below a third of one core, unless that would be too late. */
  private nextTickMs(scanMs: number): number {
    const due = Math.min(...[...this.endings].map((ending) => ending.nextTickMs));
    return Math.max(due, Math.min(2 * scanMs, SLOWEST_TICK_MS));
  }
}

/** One session on its way out. */
class Ending {
  private readonly began: number;
  private readonly hungUp = new Set<number>();
  private emptyScans = 0;

  constructor(
    private readonly machine: Machine,
    private readonly session: PosixSession,
    private readonly politeMs: number,
    private readonly gone: () => void,
  ) {
    this.began = machine.now();
  }

  get ageMs(): number {
    return this.machine.now() - this.began;
  }

  /** Often at first, when most go, and again after the first SIGKILL; then ever less often. */
  get nextTickMs(): number {
    const age = this.ageMs;
    const left = this.politeMs - age;
    if (-left > HOPELESS_MS) return HOPELESS_TICK_MS;
    if (left < 0) return Math.min(Math.max(-left, FASTEST_TICK_MS), SLOWEST_TICK_MS);
    return Math.min(Math.max(age, FASTEST_TICK_MS), SLOWEST_TICK_MS, left);
  }

  hangUpShell(): void {
    this.signal(this.session.id);
  }

  isOver(found: readonly ProcessEntry[]): boolean {
    const members = this.membersIn(found);
    // One empty scan is no proof where names never settle: a parent that was gone when its file was read may have left
    // a child that was not listed yet.
    this.emptyScans = members.length === 0 ? this.emptyScans + 1 : 0;
    if (this.emptyScans < 2) {
      for (const { pid } of members) this.signal(pid);
      return false;
    }
    this.gone();
    return true;
  }

  /** @returns whether there was anybody to kill. */
  killAll(found: readonly ProcessEntry[]): boolean {
    const members = this.membersIn(found).flatMap(({ pid }) => this.look(pid) ?? []);
    for (const member of members) this.kill(member);
    return members.length > 0;
  }

  private membersIn(found: readonly ProcessEntry[]): ProcessEntry[] {
    const { id, startTime } = this.session;
    // The kernel keeps the number while anyone is in the session. A leader of another age says that all of it has
    // gone, that the number was given out again, and that a stranger's session bears it now.
    if (
      found.some(({ pid, session, startTime: other }) => pid === id && session === id && other !== startTime)
    )
      return [];
    return found.filter((entry) => this.owns(entry));
  }

  /** The shell itself is known by its age too: between fork and setsid it is still in the server's session. */
  private owns({ pid, session, startTime }: ProcessEntry): boolean {
    return pid === this.session.id ? startTime === this.session.startTime : session === this.session.id;
  }

  private signal(pid: number): void {
    // Looked at again in the same turn as the kill: since the scan the pid may have become someone else's.
    const entry = this.look(pid);
    if (!entry) return;
    if (this.ageMs >= this.politeMs) return this.kill(entry);
    if (this.hungUp.has(pid)) return;
    this.hungUp.add(pid);
    this.send(pid, 'SIGHUP');
    // A stopped process acts on nothing but SIGKILL until it is continued.
    this.send(pid, 'SIGCONT');
  }

  /** With its whole group, at one blow: children that start others and go are younger than any list of them. */
  private kill({ pid, group, session }: ProcessEntry): void {
    // Before setsid(2) the shell is in the server's own group.
    if (session === this.session.id) this.send(-group, 'SIGKILL');
    this.send(pid, 'SIGKILL');
  }

  private look(pid: number): ProcessEntry | undefined {
    try {
      const entry = this.machine.read(pid);
      return entry && this.owns(entry) ? entry : undefined;
    } catch {
      // The table cannot be read just now: better no signal than one to a stranger. The next tick tries again.
      return undefined;
    }
  }

  private send(pid: number, signal: NodeJS.Signals): void {
    try {
      this.machine.kill(pid, signal);
    } catch {
      // ESRCH: it went by itself in this very moment. EPERM: it runs as another user (sudo); it is not ours to end.
    }
  }
}
