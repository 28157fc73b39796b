import { type Dirent } from 'node:fs';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { pidsCgroups } from './cgroups.js';
import { type Limit, NEEDED } from './headroom.js';

/** What /proc/<pid>/ns/pid of the machine's first process is, on every kernel. */
const INITIAL_PID_NAMESPACE = 'pid:[4026531836]';
const CAP_SYS_ADMIN = 21n;
const CAP_SYS_RESOURCE = 24n;

/** Everything that a machine may run short of when a session starts. A limit that cannot be read is no limit. */
export async function readMachineLimits(): Promise<Limit[]> {
  // By itself and first: the other readings hold descriptors of their own.
  const descriptors = await openDescriptors();
  const [limits, status, tasks] = await Promise.all([
    text('/proc/self/limits'),
    text('/proc/self/status'),
    allTasks(),
  ]);
  const found = await Promise.all([
    userTaskLimit(softLimit(limits, 'Max processes'), status, tasks),
    threadLimit(tasks),
    pidLimit(tasks),
    terminalLimit(),
    ...(await pidsCgroups()).map(cgroupLimit),
  ]);
  const openFiles = softLimit(limits, 'Max open files');
  return [
    limit('file descriptors (RLIMIT_NOFILE)', NEEDED.descriptors, descriptors, openFiles),
    ...found,
  ].filter((one) => one !== undefined);
}

function limit(what: string, needed: number, used?: number, max?: number): Limit | undefined {
  return used === undefined || max === undefined ? undefined : { what, used, max, needed };
}

async function openDescriptors(): Promise<number> {
  // Reading the directory takes one itself.
  return (await readdir('/proc/self/fd')).length - 1;
}

/** Threads of the whole machine: the last but one field, "running/all". */
async function allTasks(): Promise<number | undefined> {
  const all = /\/(\d+) /.exec(await text('/proc/loadavg'))?.[1];
  return all === undefined ? undefined : Number(all);
}

/** RLIMIT_NPROC counts a user's threads on the whole machine, and does not bind the privileged. */
async function userTaskLimit(
  max: number | undefined,
  status: string,
  all?: number,
): Promise<Limit | undefined> {
  if (max === undefined || !(await isBoundByTaskLimit(status))) return undefined;
  const what = 'processes of this user (RLIMIT_NPROC)';
  // A user has no more than the machine has. Counting exactly reads every process, and is rarely needed.
  if (all !== undefined && all + NEEDED.tasks <= max) return limit(what, NEEDED.tasks, all, max);
  return limit(what, NEEDED.tasks, await tasksOfUser(realUid(status)), max);
}

/** As kernel/fork.c asks: the machine's root and whoever may exceed resources is not bound. */
async function isBoundByTaskLimit(status: string): Promise<boolean> {
  const isMachinesOwn = /^\s*0\s+0\s+4294967295\s*$/.test(await text('/proc/self/uid_map'));
  // Root of a user namespace, as in a rootless container, is an ordinary user outside, whatever it may do inside.
  if (!isMachinesOwn) return true;
  const capabilities = BigInt(`0x${field(status, 'CapEff') ?? '0'}`);
  const mayExceed = [CAP_SYS_ADMIN, CAP_SYS_RESOURCE].some((one) => (capabilities >> one) & 1n);
  return realUid(status) !== '0' && !mayExceed;
}

async function tasksOfUser(uid?: string): Promise<number> {
  let tasks = 0;
  for (const { name } of await processes()) {
    const status = await text(`/proc/${name}/status`);
    if (realUid(status) === uid) tasks += Number(field(status, 'Threads') ?? 0);
  }
  return tasks;
}

async function processes(): Promise<Dirent[]> {
  return (await readdir('/proc', { withFileTypes: true })).filter(({ name }) => /^\d+$/.test(name));
}

async function threadLimit(tasks?: number): Promise<Limit | undefined> {
  return limit(
    'threads (kernel.threads-max)',
    NEEDED.tasks,
    tasks,
    await number('/proc/sys/kernel/threads-max'),
  );
}

/** Only where it can be counted: inside a pid namespace the machine's threads say nothing about the pids left. */
async function pidLimit(tasks?: number): Promise<Limit | undefined> {
  if ((await readlink('/proc/self/ns/pid').catch(() => '')) !== INITIAL_PID_NAMESPACE) return undefined;
  return limit('process ids (kernel.pid_max)', NEEDED.tasks, tasks, await number('/proc/sys/kernel/pid_max'));
}

async function terminalLimit(): Promise<Limit | undefined> {
  const [used, max, reserve] = await Promise.all(
    ['nr', 'max', 'reserve'].map((name) => number(`/proc/sys/kernel/pty/${name}`)),
  );
  if (max === undefined) return undefined;
  // Containers cannot have the reserve, and nothing tells whether this is one; outside, it is more than we need.
  const ours = reserve !== undefined && reserve < max ? max - reserve : max;
  return limit('pseudo-terminals (kernel.pty.max)', NEEDED.terminals, used, ours);
}

async function cgroupLimit(directory: string): Promise<Limit | undefined> {
  // `max` in words is no limit, and no number.
  const [used, max] = await Promise.all([
    number(`${directory}/pids.current`),
    number(`${directory}/pids.max`),
  ]);
  return limit('processes in its control group (pids.max)', NEEDED.tasks, used, max);
}

function softLimit(limits: string, name: string): number | undefined {
  const soft = new RegExp(`^${name}\\s+(\\d+)`, 'm').exec(limits)?.[1];
  return soft === undefined ? undefined : Number(soft);
}

function realUid(status: string): string | undefined {
  return field(status, 'Uid');
}

function field(status: string, name: string): string | undefined {
  return new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1];
}

async function number(path: string): Promise<number | undefined> {
  const digits = /^\d+$/.exec((await text(path)).trim())?.[0];
  return digits === undefined ? undefined : Number(digits);
}

/** @throws when there is no descriptor left to read with: the one case in which not knowing is an answer. */
async function text(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EMFILE' || error.code === 'ENFILE') throw error;
    return '';
  });
}
