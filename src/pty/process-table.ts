import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** One living process, as the kernel's table has it. */
export interface ProcessEntry {
  readonly pid: number;
  /** The POSIX session it belongs to: the pid of the process that called setsid(2). */
  readonly session: number;
  /** Clock ticks since boot. With the pid it names a process for good; the pid alone is reused. */
  readonly startTime: string;
}

/** Reading one entry takes about 35 µs; the loop is held for two milliseconds, not for a thousand processes. */
const ENTRIES_PER_TURN = 64;

/**
 * One process as it is now. A zombie counts as gone: it holds nothing and no signal reaches it.
 * @returns undefined when there is no such process.
 * @throws when the table cannot be read, as when the server is out of descriptors.
 */
export function readProcess(pid: number): ProcessEntry | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
  return parseStat(pid, stat);
}

/** Every living process. Synchronous reads in slices: a third of the CPU time that asynchronous ones cost. */
export async function readProcesses(): Promise<ProcessEntry[]> {
  const entries: ProcessEntry[] = [];
  let turn = 0;
  for (const name of await readdir('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    if (++turn % ENTRIES_PER_TURN === 0) await nextTurn();
    const entry = readProcess(pid);
    if (entry) entries.push(entry);
  }
  return entries;
}

/** Exported for its spec. The command's name stands in brackets and may hold anything, brackets included. */
export function parseStat(pid: number, stat: string): ProcessEntry | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, , , session] = fields;
  const [threads, , startTime] = fields.slice(17);
  if (state === undefined || session === undefined || startTime === undefined) return undefined;
  // A process whose first thread has returned while others run shows as a zombie too, and is very much alive.
  const gone = 'ZXx'.includes(state) && Number(threads) <= 1;
  return gone ? undefined : { pid, session: Number(session), startTime };
}

/** ESRCH: it went between opening its file and reading it. */
function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ESRCH';
}
