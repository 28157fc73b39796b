import { readdirSync, readFileSync } from 'node:fs';
import { until } from './until.js';

/** What this process holds of the machine, and must give back. */
export interface Holdings {
  /** Zombies are among them until they are reaped. */
  readonly children: number;
  readonly zombies: number;
  readonly descriptors: number;
  /** Open sockets, servers, timers, pending requests to the system …, by kind. */
  readonly resources: Readonly<Record<string, number>>;
  /** Listeners on `process`, by event. */
  readonly listeners: Readonly<Record<string, number>>;
}

/** What is held now; taken before a test, it is the baseline for {@link expectClean} after it. */
export function holdings(): Holdings {
  const children = childrenOf('self');
  return {
    children: children.length,
    zombies: children.filter(isZombie).length,
    descriptors: readdirSync('/proc/self/fd').length,
    resources: counted(process.getActiveResourcesInfo()),
    listeners: Object.fromEntries(
      process.eventNames().map((event) => [String(event), process.listenerCount(event)]),
    ),
  };
}

/** Waits until nothing is held that was not held before; fails with what is left. */
export async function expectClean(baseline: Holdings, deadlineMs = 5000): Promise<void> {
  await until(() => isWithin(holdings(), baseline), 'nothing is left behind', deadlineMs).catch(() => {
    expect(holdings()).toEqual(baseline);
  });
}

/** Pids of the children of a process, whichever of its threads started them. */
export function childrenOf(pid: number | 'self'): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    textOf(`/proc/${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number),
  );
}

/** Whether a process is there; a zombie is not. */
export function lives(pid: number): boolean {
  return textOf(`/proc/${pid}/stat`) !== '' && !isZombie(pid);
}

function isZombie(pid: number): boolean {
  return textOf(`/proc/${pid}/stat`).includes(') Z ');
}

function isWithin(now: Holdings, baseline: Holdings): boolean {
  return (
    now.children <= baseline.children &&
    now.zombies <= baseline.zombies &&
    now.descriptors <= baseline.descriptors &&
    eachWithin(now.resources, baseline.resources) &&
    eachWithin(now.listeners, baseline.listeners)
  );
}

function eachWithin(
  now: Readonly<Record<string, number>>,
  baseline: Readonly<Record<string, number>>,
): boolean {
  return Object.entries(now).every(([kind, count]) => count <= (baseline[kind] ?? 0));
}

function counted(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  // Our own turn of the loop is no holding.
  for (const name of names) if (name !== 'Immediate') counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Empty when the process or thread is gone. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
