import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** What a process has used and holds, seen from outside. */

/** Of Linux, on every machine that Node runs on (`getconf CLK_TCK`). */
const TICKS_PER_SECOND = 100;

const MEMORY_MS = 10_000;

/** Processor time of the process and all its threads, not of its children. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name before it may hold spaces and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** What is in memory now, in bytes. */
export function residentBytes(pid: number): number {
  return statusBytes(pid, 'VmRSS');
}

/** The most that has been in memory at once, garbage and all, since the process began or {@link forgetPeak}. */
export function peakBytes(pid: number): number {
  return statusBytes(pid, 'VmHWM');
}

/** From now on the peak is what there is now, or more (proc(5)). */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

function statusBytes(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
}

export interface Memory {
  readonly rss: number;
  /** JavaScript objects and buffers. */
  readonly heapAndBuffers: number;
}

interface Hooked {
  readonly pid: number;
  readonly memoryFile: string;
}

/** In bytes, after a garbage collection in a server that was started with the memory hook. */
export async function memory(server: Hooked): Promise<Memory> {
  const { rss, heapUsed, external } = await told(server);
  return { rss, heapAndBuffers: heapUsed + external };
}

/** For how long a server that was started with the search hook has searched. */
export async function searchedMs(server: Hooked): Promise<number> {
  return (await told(server)).searchedMs ?? NaN;
}

/** Which part of its time a server that was started with the telemetry hook has spent in telemetry since it was asked last. */
export async function telemetryShare(server: Hooked): Promise<number> {
  return (await told(server)).telemetryShare ?? NaN;
}

async function told({
  pid,
  memoryFile,
}: Hooked): Promise<NodeJS.MemoryUsage & { readonly searchedMs?: number; readonly telemetryShare?: number }> {
  rmSync(memoryFile, { force: true });
  process.kill(pid, 'SIGUSR2');
  const deadline = performance.now() + MEMORY_MS;
  while (!existsSync(memoryFile)) {
    if (performance.now() > deadline) throw new Error(`no answer from the memory hook in ${MEMORY_MS} ms`);
    await delay(5);
  }
  return JSON.parse(readFileSync(memoryFile, 'utf8')) as NodeJS.MemoryUsage;
}
