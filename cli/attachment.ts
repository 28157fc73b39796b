import { constants } from 'node:os';
import {
  type Closure,
  type ErrorMessage,
  type Exit,
  type RemoteSession,
  type SessionHandlers,
  type TerminalClient,
} from '../client/trex-client.js';
import { CommandFailed, failureOf, startFailure } from './command-failed.js';
import { keyNames } from './detach-keys.js';
import { Output } from './output.js';
import { OwnTerminal, type Size, sizeOfTerminal, STUCK_MS } from './own-terminal.js';
import { type Server } from './server.js';
import { shown } from './shown.js';
import { Typing } from './typing.js';

/** Makes or finds the session that is to be shown. */
export type AskFor = (
  client: TerminalClient,
  handlers: SessionHandlers,
  size?: Size,
) => Promise<RemoteSession>;

export interface AttachmentOptions {
  readonly detachKeys: readonly number[];
  readonly readOnly: boolean;
}

/** How it came to an end. */
type Ending =
  | { readonly how: 'exit'; readonly code: number }
  | { readonly how: 'detached' }
  | { readonly how: 'failed'; readonly failure: Error }
  | { readonly how: 'signal'; readonly signal: NodeJS.Signals };

/** As much input waits for the network and the session before no more is read of a pipe: twice what may be on its way. */
const MOST_INPUT_BYTES = 512 * 1024;
const ENOUGH_INPUT_BYTES = 256 * 1024;
/** What a short interruption takes is not worth a word. */
const QUIET_MS = 1000;
/** How long it tries to come back: as long as a server keeps what is a client's own, unless it is set otherwise. */
const GIVE_UP_MS = 60_000;
/** Where nobody listens any more, sooner: sessions end with their server. */
const GIVE_UP_REFUSED_MS = 5000;
/** How long what was typed is waited for that the session has not taken, when it is left. */
const UNTAKEN_MS = 1000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/**
 * A session on this program's own terminal, or on its pipes: until it ends, the keys are typed that detach, a signal comes,
 * or the server is lost. The terminal is left as it was found, whichever it is.
 */
export class Attachment {
  private readonly output = new Output((error) => this.end(lostReader(error)));
  private readonly terminal = new OwnTerminal(this.output);
  private readonly input = process.stdin;
  private readonly typing: Typing;
  private session?: RemoteSession;
  /** Typed before there was a session. */
  private readonly early: Uint8Array[] = [];
  private isReadOnly = false;
  private inControl = false;
  private replayEnd = 0;
  private ending?: Ending;
  private readonly waiting: ((ending: Ending) => void)[] = [];
  /** Of what was typed, as far as it was told while the session is being left. */
  private untakenBytes = 0;
  /** Called when that is none, or changes no more. */
  private takenOrOver?: () => void;
  /** Whether the session had ended when it was left. */
  private isOver = false;
  private lastError?: ErrorMessage;
  private lost?: {
    newest: Closure;
    readonly at: number;
    isTold: boolean;
    readonly timers: readonly NodeJS.Timeout[];
  };
  /** What the terminal was set to by others while it was ours. */
  private readonly undo: (() => void)[] = [];

  constructor(
    private readonly server: Server,
    private readonly options: AttachmentOptions,
  ) {
    this.typing = new Typing(options.detachKeys);
  }

  /** @returns the exit code @throws {CommandFailed} */
  async run(askFor: AskFor): Promise<number> {
    const { client, leave } = await this.server.connect({
      handlers: {
        state: (state, closure) => this.follow(state, closure),
        error: (error) => (this.lastError = error),
      },
    });
    for (const signal of SIGNALS) this.on(process, signal, () => this.interrupt(signal));
    this.on(process, 'uncaughtException', (failure: Error) => this.end({ how: 'failed', failure }));
    this.on(process, 'exit', () => this.terminal.leaveAtOnce());
    await Promise.race([this.show(client, askFor), this.untilEnded()]);
    const ending = await this.untilEnded();
    const isWhole = ending.how === 'exit';
    // What is typed from now on is for whoever reads it next; but a terminal that takes nothing has to be left by a key.
    if (!isWhole) this.input.pause();
    const untaken = isWhole ? 0 : await this.untaken(ending.how === 'detached' ? UNTAKEN_MS : 0);
    this.isOver = this.session?.isOver ?? false;
    if (!isWhole) this.session?.detach();
    await this.terminal.leave(isWhole);
    this.input.pause();
    await leave();
    this.stopListening();
    return this.finish(ending, untaken);
  }

  private async show(client: TerminalClient, askFor: AskFor): Promise<void> {
    this.isReadOnly = this.options.readOnly || client.readOnly;
    if (this.terminal.hasKeys) this.listenToKeys();
    try {
      this.session = await askFor(client, this.handlers, sizeOfTerminal());
    } catch (error) {
      return this.end({ how: 'failed', failure: failureOf(error) });
    }
    if (this.ending) return;
    const { session } = this;
    for (const bytes of this.early.splice(0)) session.write(bytes);
    if (!this.terminal.hasKeys && !this.isReadOnly) this.listenToPipe(session);
    this.tellOfBeginning(session.id);
    if (this.isReadOnly || !this.terminal.isSeen) return;
    const follow = (): void => {
      const size = sizeOfTerminal();
      if (size) session.resize(size);
    };
    follow();
    this.on(process.stdout, 'resize', follow);
  }

  private tellOfBeginning(id: string): void {
    if (!this.terminal.hasKeys || !this.terminal.isSeen) return;
    const keys = keyNames(this.options.detachKeys);
    const looking = this.isReadOnly ? ', to look on: nothing is typed' : '';
    this.terminal.note(`${shown(id)}${looking}${keys === '' ? '' : `; ${keys} detaches`}`);
  }

  /** From before there is a session: a server that does not answer can be left by the keys that detach. */
  private listenToKeys(): void {
    this.terminal.setRaw(true);
    // A shell that has stopped and continued this program has set the terminal to its own.
    this.on(process, 'SIGCONT', () => {
      if (this.ending) return;
      this.terminal.setRaw(false);
      this.terminal.setRaw(true);
    });
    this.on(this.input, 'data', (chunk: Buffer) => {
      const { bytes, isDetaching } = this.typing.read(chunk, this.inControl);
      if (this.ending) return isDetaching ? this.terminal.abandon() : undefined;
      if (!this.isReadOnly && bytes.length > 0) {
        if (this.session) this.session.write(bytes);
        else this.early.push(bytes);
      }
      if (isDetaching) this.end({ how: 'detached' });
    });
    const gone = (): void => this.end({ how: 'signal', signal: 'SIGHUP' });
    this.on(this.input, 'end', gone);
    this.on(this.input, 'error', gone);
  }

  /** Its end is the end of what is typed, and of nothing else. */
  private listenToPipe(session: RemoteSession): void {
    this.on(this.input, 'data', (chunk: Buffer) => {
      session.write(chunk);
      if (session.bufferedInput > MOST_INPUT_BYTES) this.input.pause();
    });
    this.on(this.input, 'error', () => undefined);
  }

  private readOn(): void {
    if (!this.ending && (this.session?.bufferedInput ?? 0) < ENOUGH_INPUT_BYTES) this.input.resume();
  }

  /** Waits at most so long for the session to take what was typed. @returns how many bytes of it may not have been taken */
  private async untaken(mostMs: number): Promise<number> {
    const early = this.early.reduce((sum, { length }) => sum + length, 0);
    this.untakenBytes = this.session?.bufferedInput ?? early;
    if (this.untakenBytes > 0 && mostMs > 0) {
      await new Promise<void>((resolve) => {
        const late = setTimeout(resolve, mostMs);
        this.takenOrOver = () => {
          clearTimeout(late);
          resolve();
        };
      });
    }
    return this.untakenBytes;
  }

  private readonly handlers: SessionHandlers = {
    output: (bytes, offset, consumed) => {
      // The terminal is being left.
      if (this.ending) return consumed();
      const old = Math.min(Math.max(this.replayEnd - offset, 0), bytes.length);
      if (old > 0) this.terminal.show(bytes.subarray(0, old), true);
      this.terminal.show(bytes.subarray(old), false, consumed);
    },
    restore: (modes) => {
      if (!this.ending && this.terminal.isSeen && modes !== '') this.terminal.show(Buffer.from(modes), false);
    },
    replay: (end) => {
      this.replayEnd = end;
    },
    control: (inControl) => {
      this.inControl = inControl;
    },
    gap: ({ offset, end }) => this.note(`${end - offset} bytes of output are lost`),
    inputLost: (bytes) => {
      this.note(`${bytes} bytes may not have been typed`);
      this.readOn();
    },
    inputTaken: (waitingBytes) => {
      this.untakenBytes = waitingBytes;
      if (waitingBytes === 0) this.takenOrOver?.();
      this.readOn();
    },
    error: (error) => {
      this.lastError = error;
    },
    exit: (exit) => {
      this.end(this.endingOf(exit));
      this.takenOrOver?.();
    },
    gone: () => {
      const failure = new CommandFailed('the session is gone: it ended while the connection was lost');
      this.end({ how: 'failed', failure });
      this.takenOrOver?.();
    },
  };

  private endingOf({ code, cause }: Pick<Exit, 'code' | 'cause'>): Ending {
    if (cause !== 'failed' && !isExitCode(code))
      return { how: 'failed', failure: new CommandFailed('the server tells no exit code that there is') };
    if (cause !== 'failed') return { how: 'exit', code };
    return { how: 'failed', failure: startFailure(this.lastError) };
  }

  private follow(state: TerminalClient['state'], closure?: Closure): void {
    if (state === 'open') return this.tellOfReturn();
    if (this.ending || !closure) return;
    this.lost ??= {
      newest: closure,
      at: performance.now(),
      isTold: false,
      timers: [
        setTimeout(() => this.tellOfLoss(), QUIET_MS),
        setTimeout(() => this.lost && this.giveUp(this.lost.newest), GIVE_UP_MS),
      ],
    };
    this.lost.newest = closure;
    const isRefused =
      codeOf(closure) === 'ECONNREFUSED' && performance.now() - this.lost.at > GIVE_UP_REFUSED_MS;
    if (state === 'closed' || isRefused || closure.cause instanceof CommandFailed) this.giveUp(closure);
  }

  private tellOfLoss(): void {
    if (!this.lost) return;
    this.lost.isTold = true;
    const keys = this.terminal.hasKeys ? keyNames(this.options.detachKeys) : '';
    this.note(`the connection is lost, and tried again${keys === '' ? '' : `; ${keys} detaches`}`);
  }

  private tellOfReturn(): void {
    if (this.lost?.isTold) this.note('connected again');
    this.forgetLoss();
  }

  private forgetLoss(): void {
    this.lost?.timers.forEach(clearTimeout);
    this.lost = undefined;
  }

  private giveUp({ cause, reason }: Closure): void {
    const { message } = this.server.lastRefusal ?? this.server.unreachable(cause ?? new Error(reason));
    this.end({ how: 'failed', failure: new CommandFailed(`the connection is lost: ${message}`) });
  }

  /** The first ends it; one that comes while that takes its time, at once. */
  private interrupt(signal: NodeJS.Signals): void {
    if (!this.ending) return this.end({ how: 'signal', signal });
    this.stopListening();
    this.terminal.leaveAtOnce();
    void dieOf(signal);
  }

  private end(ending: Ending): void {
    if (this.ending) return;
    this.ending = ending;
    this.forgetLoss();
    for (const resolve of this.waiting.splice(0)) resolve(ending);
  }

  private untilEnded(): Promise<Ending> {
    if (this.ending) return Promise.resolve(this.ending);
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private note(sentence: string): void {
    if (!this.ending) this.terminal.note(sentence);
  }

  private async finish(ending: Ending, untaken: number): Promise<number> {
    await this.terminal.tellFinally([
      ...(untaken > 0 ? [`${untaken} bytes that were typed may not have been taken`] : []),
      ...(ending.how === 'detached' ? [this.goesOn()] : []),
    ]);
    switch (ending.how) {
      case 'exit':
        return ending.code;
      case 'detached':
        return 0;
      case 'failed':
        throw ending.failure;
      case 'signal':
        return dieOf(ending.signal);
    }
  }

  private goesOn(): string {
    if (!this.session) return 'left before the session was there: see `trex ls`';
    if (this.isOver) return `detached from ${shown(this.session.id)}, which has ended`;
    return `detached; it goes on: trex attach ${shown(this.session.id)}`;
  }

  private on(source: NodeJS.EventEmitter, event: string, listener: (...args: never[]) => void): void {
    const listening = listener as (...args: unknown[]) => void;
    source.on(event, listening);
    this.undo.push(() => source.off(event, listening));
  }

  private stopListening(): void {
    for (const stop of this.undo.splice(0)) stop();
  }
}

/** As the system has them; shells tell of signals by such codes, too. */
function isExitCode(code: unknown): boolean {
  return Number.isInteger(code) && Number(code) >= 0 && Number(code) <= 255;
}

function lostReader({ code, message }: NodeJS.ErrnoException): Ending {
  if (code === 'EPIPE') return { how: 'signal', signal: 'SIGPIPE' };
  if (code === 'EIO') return { how: 'signal', signal: 'SIGHUP' };
  return { how: 'failed', failure: new CommandFailed(`the output cannot be written: ${message}`) };
}

function codeOf({ cause }: Closure): unknown {
  return (cause as NodeJS.ErrnoException | undefined)?.code;
}

/** As a program does that knows nothing of signals: whoever waits for it is told so. */
function dieOf(signal: NodeJS.Signals): Promise<number> {
  process.kill(process.pid, signal);
  // Node is deaf to this one.
  return new Promise((resolve) => setTimeout(() => resolve(128 + constants.signals[signal]), STUCK_MS));
}
