import { type Machine, SessionEnder } from './posix-session.js';
import { type ProcessEntry } from './process-table.js';

interface Actor extends ProcessEntry {
  /** Signals that do not end it. */
  readonly deafTo: readonly NodeJS.Signals[];
}

/** Far more than anybody takes who waits in between. */
const MOST_TURNS = 20_000;

/** A table of processes that tests play, and time that passes only while everybody waits for it. */
class FakeMachine implements Machine {
  readonly kills: string[] = [];
  scans = 0;
  /** How long one scan takes. */
  scanMs = 0;
  /** Runs before each scan ends: what happens in the meantime. */
  meanwhile: () => void = () => undefined;
  private readonly actors = new Map<number, Actor>();
  private readonly alarms: { readonly at: number; readonly task: () => void }[] = [];
  private time = 1000;
  private readonly lastTasks = new Set<() => void>();

  start(pid: number, { deafTo = [], ...entry }: Partial<Actor> = {}): void {
    this.actors.set(pid, { pid, group: pid, session: pid, startTime: String(this.time), ...entry, deafTo });
  }

  end(pid: number): void {
    this.actors.delete(pid);
  }

  get living(): number[] {
    return [...this.actors.keys()].sort((a, b) => a - b);
  }

  read(pid: number): ProcessEntry | undefined {
    return this.actors.get(pid);
  }

  readAll(): Promise<ProcessEntry[]> {
    this.scans++;
    const found = [...this.actors.values()];
    this.time += this.scanMs;
    this.meanwhile();
    return Promise.resolve(found);
  }

  readAllNow(): ProcessEntry[] {
    return [...this.actors.values()];
  }

  atExit(task: () => void): () => void {
    this.lastTasks.add(task);
    return () => this.lastTasks.delete(task);
  }

  /** The process that ends others ends itself. */
  exit(): void {
    for (const task of this.lastTasks) task();
  }

  get waitsForExit(): boolean {
    return this.lastTasks.size > 0;
  }

  kill(pid: number, signal: NodeJS.Signals): void {
    this.kills.push(`${signal} ${pid}`);
    const hit = [...this.actors.values()].filter((actor) =>
      pid < 0 ? actor.group === -pid : actor.pid === pid,
    );
    if (hit.length === 0) throw new Error('ESRCH');
    for (const actor of hit) if (!actor.deafTo.includes(signal) && signal !== 'SIGCONT') this.end(actor.pid);
  }

  now(): number {
    return this.time;
  }

  after(ms: number, task: () => void): () => void {
    const alarm = { at: this.time + ms, task };
    this.alarms.push(alarm);
    return () => {
      const index = this.alarms.indexOf(alarm);
      if (index >= 0) this.alarms.splice(index, 1);
    };
  }

  /** Lets time pass until nobody waits for it any more. @throws when somebody looks again and again and lets none pass */
  async passes(mostMs = 20_000): Promise<void> {
    const until = this.time + mostMs;
    for (let turns = 0; turns < MOST_TURNS; turns++) {
      this.alarms.sort((a, b) => a.at - b.at);
      const [next] = this.alarms;
      if (!next || next.at > until) return;
      this.alarms.shift();
      this.time = Math.max(this.time, next.at);
      next.task();
      await new Promise((turn) => setImmediate(turn));
    }
    throw new Error('time does not pass');
  }
}

const SHELL = 100;

describe('ending a POSIX session', () => {
  let machine: FakeMachine;
  let ender: SessionEnder;
  beforeEach(() => {
    machine = new FakeMachine();
    ender = new SessionEnder(1000, machine);
    machine.start(1);
    machine.start(SHELL);
  });

  function end(): { over: boolean } {
    const ending = { over: false };
    const session = { id: SHELL, startTime: machine.read(SHELL)?.startTime };
    void ender.end(session).then(() => (ending.over = true));
    return ending;
  }

  it('hangs up on everyone in it and on nobody else, and wakes who is stopped', async () => {
    machine.start(101, { session: SHELL, group: SHELL });
    machine.start(200);
    const ending = end();
    expect(machine.kills).toEqual(['SIGHUP 100', 'SIGCONT 100']);
    await machine.passes();
    expect([ending.over, machine.living]).toEqual([true, [1, 200]]);
    expect(machine.kills).toEqual(['SIGHUP 100', 'SIGCONT 100', 'SIGHUP 101', 'SIGCONT 101']);
  });

  it.each([1, 3000])('waits for %i ms before it kills, where it is told to', async (politeMs) => {
    ender = new SessionEnder(politeMs, machine);
    machine.start(101, { session: SHELL, group: 101, deafTo: ['SIGHUP'] });
    const ending = end();
    await machine.passes(politeMs - 1);
    expect(machine.living).toContain(101);
    await machine.passes(200);
    expect([ending.over, machine.living]).toEqual([true, [1]]);
  });

  it('kills who is deaf, with its group, after a second', async () => {
    machine.start(101, { session: SHELL, group: 101, deafTo: ['SIGHUP'] });
    const ending = end();
    await machine.passes(900);
    expect(machine.living).toContain(101);
    await machine.passes();
    expect([ending.over, machine.living]).toEqual([true, [1]]);
    expect(machine.kills).toContain('SIGKILL -101');
  });

  it('catches processes that are replaced faster than they are found', async () => {
    const deaf = { session: SHELL, group: SHELL, deafTo: ['SIGHUP'] } as const;
    machine.start(101, deaf);
    machine.start(300, deaf);
    let newest = 300;
    machine.meanwhile = () => {
      if (!machine.living.includes(newest)) return;
      machine.end(newest);
      machine.start(++newest, deaf);
    };
    const ending = end();
    await machine.passes();
    expect([ending.over, machine.living]).toEqual([true, [1]]);
  });

  it('never kills the group of a shell that has no session yet: it is the server’s', async () => {
    machine.start(SHELL, { session: 1, group: 1, deafTo: ['SIGHUP'] });
    end();
    await machine.passes();
    expect(machine.living).toEqual([1]);
    expect(machine.kills.filter((kill) => kill.includes('-'))).toEqual([]);
  });

  it('spares a stranger who was given the shell’s number, and whoever is in the stranger’s session', async () => {
    const ending = end();
    machine.start(SHELL, { startTime: 'later' });
    machine.start(500, { session: SHELL, group: 500 });
    await machine.passes();
    expect([ending.over, machine.living]).toEqual([true, [1, SHELL, 500]]);
    expect(machine.kills).toEqual(['SIGHUP 100', 'SIGCONT 100']);
  });

  it('spares a stranger who was given the shell’s number in another session', async () => {
    const ending = end();
    machine.start(SHELL, { session: 7, group: 7, startTime: 'later' });
    await machine.passes();
    expect([ending.over, machine.living]).toEqual([true, [1, SHELL]]);
  });

  it('spares a stranger who was given a member’s number between the scan and the signal', async () => {
    machine.start(101, { session: SHELL, group: SHELL });
    machine.meanwhile = () => {
      if (machine.scans === 1) machine.start(101, { startTime: 'later' });
    };
    const ending = end();
    await machine.passes();
    expect([ending.over, machine.living]).toEqual([true, [1, 101]]);
    expect(machine.kills).toEqual(['SIGHUP 100', 'SIGCONT 100']);
  });

  it('looks twice before it says that nobody is left', async () => {
    machine.end(SHELL);
    machine.meanwhile = () => {
      // Its parent was gone when its file was read, and it was not listed yet.
      if (machine.scans === 1) machine.start(102, { session: SHELL, group: SHELL });
    };
    void ender.end({ id: SHELL, startTime: '1000' });
    await machine.passes();
    expect(machine.living).toEqual([1]);
  });

  it('scans once for all that are ending, however many', async () => {
    for (let shell = 200; shell < 300; shell++) machine.start(shell, { deafTo: ['SIGHUP'] });
    const shells = machine.living.filter((pid) => pid >= 200);
    const all = shells.map((id) => ender.end({ id, startTime: machine.read(id)!.startTime }));
    await machine.passes();
    await Promise.all(all);
    expect(machine.living).toEqual([1, SHELL]);
    expect(machine.scans).toBeLessThan(40);
  });

  it('looks again a tenth of a second after a scan at the latest, however long that took', async () => {
    machine.scanMs = 400;
    machine.start(101, { session: SHELL, group: SHELL, deafTo: ['SIGHUP'] });
    const began = machine.now();
    const ending = end();
    await machine.passes();
    expect(ending.over).toBe(true);
    // Four scans until a second has passed and SIGKILL is sent, and two that find nobody.
    expect(machine.now() - began).toBeLessThanOrEqual(6 * 500);
  });

  it('kills who is left, and nobody else, when the server ends before them', async () => {
    machine.start(101, { session: SHELL, group: 101, deafTo: ['SIGHUP'] });
    machine.start(102, { session: SHELL, group: 102, deafTo: ['SIGHUP', 'SIGKILL'] });
    machine.start(200, { deafTo: ['SIGHUP'] });
    end();
    await machine.passes(100);
    machine.exit();
    expect(machine.living).toEqual([1, 102, 200]);
  });

  it('sends no signal at the end of the server when it cannot see to whom', async () => {
    machine.start(101, { session: SHELL, group: 101, deafTo: ['SIGHUP'] });
    end();
    await machine.passes(100);
    machine.readAllNow = () => {
      throw new Error('EMFILE');
    };
    machine.exit();
    expect(machine.living).toEqual([1, 101]);
  });

  it('waits for the end of the server only while somebody is ending', async () => {
    expect(machine.waitsForExit).toBe(false);
    end();
    expect(machine.waitsForExit).toBe(true);
    await machine.passes();
    expect(machine.waitsForExit).toBe(false);
  });

  it('sets no timer when nobody is ending', async () => {
    end();
    await machine.passes();
    const { scans } = machine;
    await machine.passes();
    expect(machine.scans).toBe(scans);
  });
});
