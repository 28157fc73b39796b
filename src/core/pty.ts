import { type TerminalSize } from './terminal-size.js';

/** What is to run. `file` and `cwd` are absolute and hold no NUL; that they exist is checked by the factory. */
export interface PtyLaunch {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly size: TerminalSize;
}

/** How a process ended. `signal` is a name such as `SIGKILL`; then `code` is 128 + its number, as shells count. */
export interface ProcessExit {
  readonly code: number;
  readonly signal?: string;
}

/** News from a process, told to whoever spawned it. Handlers must not throw. */
export interface PtyEvents {
  /** The next bytes of output, in order, none lost. The memory is reused: `bytes` is valid during the call only. */
  output(bytes: Uint8Array): void;
  /** After a `write` that took less than it was offered: worth offering the rest now. */
  writable(): void;
  /**
   * Exactly once, and the last thing ever said: the process is reaped and its output drained (see ARCHITECTURE.md for
   * what a process that left children behind means for "drained").
   */
  ended(exit: ProcessExit): void;
}

/** One process on a pseudo-terminal. After its end every method is a no-op. */
export interface Pty {
  readonly pid: number;
  /**
   * Offers input. Never blocks, never keeps a reference.
   * @returns how many leading bytes the terminal took; when fewer than offered, `writable` follows. 0 after the end.
   */
  write(bytes: Uint8Array): number;
  resize(size: TerminalSize): void;
  /** Stops reading: once the kernel's buffer is full the process blocks. A few reads' worth may still arrive. */
  pause(): void;
  resume(): void;
  /** The absolute path of the directory its process is in now; `undefined` when nobody can tell. */
  directory(): Promise<string | undefined>;
  /**
   * Ends every process of the terminal's POSIX session, politely and then not; output not yet told is dropped.
   * Resolves once they are gone and `ended` has been told. Repeats share one ending.
   */
  close(): Promise<void>;
}

/** Port: where a session's process comes from. Also its own injection token. */
export abstract class PtyFactory {
  /**
   * Starts a process; events may come as soon as the promise has resolved, never before.
   * @throws {SessionError} `INVALID_SHELL`, `INVALID_CWD`: missing or not usable; `SESSION_LIMIT`: the machine is
   * short of descriptors, processes or pseudo-terminals; `SPAWN_FAILED`: anything else. Nothing is left behind.
   */
  abstract spawn(launch: PtyLaunch, events: PtyEvents): Promise<Pty>;
}
