import { closeSync } from 'node:fs';
import { type Pty, type PtyEvents, PtyFactory, type PtyLaunch } from '../core/pty.js';
import { SessionError } from '../core/session-error.js';
import { type Limit, requireHeadroom } from './headroom.js';
import { startedAlone } from './inheritance.js';
import { plainLaunch, startable } from './launch-checks.js';
import { readMachineLimits } from './machine-limits.js';
import { NativePty } from './native-pty.js';
import { SessionEnder } from './posix-session.js';

/** The part of node-pty that is used. It is not public there: the version is pinned, and the self-test guards it. */
interface NodePtyNative {
  fork(
    file: string,
    args: readonly string[],
    environment: readonly string[],
    cwd: string,
    columns: number,
    rows: number,
    uid: number,
    gid: number,
    utf8: boolean,
    helperPath: string,
    onExit: (code: number, signal: number) => void,
  ): { fd: number; pid: number };
  resize(fd: number, columns: number, rows: number, pixelWidth: number, pixelHeight: number): void;
}

export interface NodePtyOptions {
  /** Real path of the directory that every process starts in, or below. */
  readonly cwdRoot?: string | undefined;
  /** How long a process has, after its hang-up, before it is killed. */
  readonly politeMs?: number;
}

/** Whatever the server's user is: no change of identity. */
const SAME = -1;

/** Starts processes with node-pty, which forks, resizes and reaps; reading, writing and ending them is ours. */
export class NodePtyFactory extends PtyFactory {
  private readonly ender: SessionEnder;
  private lastSpawn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly environmentOf: (launch: PtyLaunch) => Record<string, string>,
    private readonly readLimits: () => Promise<readonly Limit[]> = readMachineLimits,
    private readonly options: NodePtyOptions = {},
  ) {
    super();
    this.ender = new SessionEnder(options.politeMs);
  }

  async spawn(launch: PtyLaunch, events: PtyEvents): Promise<Pty> {
    const plain = plainLaunch(launch);
    // One at a time through check and fork: otherwise all of a burst would be let through by the same last slot.
    const spawned = this.lastSpawn.then(() => this.spawnNow(plain, events));
    this.lastSpawn = spawned.catch(() => undefined);
    return spawned;
  }

  private async spawnNow(launch: PtyLaunch, events: PtyEvents): Promise<Pty> {
    try {
      const native = await loadNative();
      const checked = await startable(launch, this.options.cwdRoot);
      requireHeadroom(await this.readLimits());
      return this.fork(native, checked, events);
    } catch (error) {
      throw refusal(error);
    }
  }

  private fork(native: NodePtyNative, launch: PtyLaunch, events: PtyEvents): NativePty {
    const { cwd } = launch;
    const { columns, rows } = launch.size;
    const { file, args, environment } = startedAlone({ ...launch, environment: this.environmentOf(launch) });
    const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    let pty: NativePty | undefined;
    const onExit = (code: number, signal: number): void => pty?.reaped(code, signal);
    const forked = native.fork(file, args, variables, cwd, columns, rows, SAME, SAME, true, '', onExit);
    try {
      pty = new NativePty(
        {
          ...forked,
          resize: (fd, to) => native.resize(fd, to.columns, to.rows, 0, 0),
          ender: this.ender,
        },
        events,
      );
      return pty;
    } catch (error) {
      // Hangs up: a process that has just been born has no other holder of its terminal.
      closeSync(forked.fd);
      throw error;
    }
  }
}

/** Loaded with the first process: a broken build is then a refusal with a sentence, not a crash while importing. */
async function loadNative(): Promise<NodePtyNative> {
  const { native } = (await import('node-pty')) as { native?: Partial<NodePtyNative> | null };
  if (typeof native?.fork !== 'function' || typeof native.resize !== 'function') {
    throw new Error(
      'node-pty has no native fork and resize: another version than the pinned one is installed',
    );
  }
  return native as NodePtyNative;
}

function refusal(error: unknown): SessionError {
  if (error instanceof SessionError) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EMFILE' || code === 'ENFILE') {
    return new SessionError('SESSION_LIMIT', 'the server has no file descriptors left for another session', {
      cause: error,
    });
  }
  return new SessionError('SPAWN_FAILED', 'the process could not be started', { cause: error });
}
