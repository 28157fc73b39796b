import { spawnSync } from 'node:child_process';
import { writeSync } from 'node:fs';
import { constants } from 'node:os';
import { isatty } from 'node:tty';
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
import { Output, STDERR, STDOUT } from './output.js';
import { Screen } from './screen.js';
import { type Server } from './server.js';
import { shown } from './shown.js';
import { Typing } from './typing.js';

export interface Size {
  readonly cols: number;
  readonly rows: number;
}

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

/** As much input waits for the network and the session before no more is read: twice what may be on its way. */
const MOST_INPUT_BYTES = 512 * 1024;
const ENOUGH_INPUT_BYTES = 256 * 1024;
/** What a short interruption takes is not worth a word. */
const QUIET_MS = 1000;
/** How long it tries to come back: as long as a server keeps what is a client's own, unless it is set otherwise. */
const GIVE_UP_MS = 60_000;
/** Where nobody listens any more, sooner: sessions end with their server. */
const GIVE_UP_REFUSED_MS = 5000;
/** How long a terminal that takes nothing is waited for, when something else is to happen. */
const STUCK_MS = 500;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/**
 * A session on this program's own terminal, or on its pipes: until it ends, the keys are typed that detach, a signal comes,
 * or the server is lost. The terminal is left as it was found, whichever it is.
 */
export class Attachment {
  private readonly output = new Output((error) => this.end(lostReader(error)));
  /** What the output has made of the terminal, if it is shown on one: else every byte goes on as it is. */
  private readonly screen = isatty(STDOUT) ? new Screen() : undefined;
  private readonly input = process.stdin;
  private readonly typing: Typing;
  private session?: RemoteSession;
  private inControl = false;
  private replayEnd = 0;
  private isRaw = false;
  private hasLeft = false;
  private ending?: Ending;
  private readonly waiting: ((ending: Ending) => void)[] = [];
  /** What was to be told while a program filled the screen. */
  private readonly untold: string[] = [];
  private lastError?: ErrorMessage;
  private lost?: { readonly at: number; isTold: boolean; readonly timers: readonly NodeJS.Timeout[] };
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
      state: (state, closure) => this.follow(state, closure),
      error: (error) => (this.lastError = error),
    });
    for (const signal of SIGNALS) this.on(process, signal, () => this.interrupt(signal));
    this.on(process, 'uncaughtException', (failure: Error) => this.end({ how: 'failed', failure }));
    this.on(process, 'exit', () => this.leaveTerminalAtOnce());
    await Promise.race([this.show(client, askFor), this.untilEnded()]);
    const ending = await this.untilEnded();
    // What is typed from now on is for whoever reads it next.
    this.input.pause();
    if (ending.how === 'detached') this.session?.detach();
    await this.restore(ending);
    await leave();
    this.stopListening();
    return this.finish(ending);
  }

  private async show(client: TerminalClient, askFor: AskFor): Promise<void> {
    const size = sizeOfTerminal();
    try {
      this.session = await askFor(client, this.handlers, size);
    } catch (error) {
      return this.end({ how: 'failed', failure: failureOf(error) });
    }
    if (this.ending) return;
    const isReadOnly = this.options.readOnly || client.readOnly;
    this.listen(this.session, isReadOnly);
    this.tellOfBeginning(this.session.id, isReadOnly);
    if (size && !isReadOnly) this.session.resize(size);
  }

  private tellOfBeginning(id: string, isReadOnly: boolean): void {
    if (!this.input.isTTY || !this.screen) return;
    const keys = keyNames(this.options.detachKeys);
    const looking = isReadOnly ? ', to look on: nothing is typed' : '';
    const sentence = `${shown(id)}${looking}${keys === '' ? '' : `; ${keys} detaches`}`;
    this.output.write(`trex: ${sentence}\r\n`, undefined, STDERR);
  }

  private listen(session: RemoteSession, isReadOnly: boolean): void {
    const { input } = this;
    if (input.isTTY) {
      this.setRaw(true);
      // A shell that has stopped and continued this program has set the terminal to its own.
      this.on(process, 'SIGCONT', () => {
        this.setRaw(false);
        this.setRaw(true);
      });
    } else if (isReadOnly) return;
    this.on(input, 'data', (chunk: Buffer) => this.typed(session, chunk, isReadOnly));
    // Of a pipe that is the end of what is typed, and of nothing else; a terminal has gone.
    const gone = (): void => (input.isTTY ? this.end({ how: 'signal', signal: 'SIGHUP' }) : undefined);
    this.on(input, 'end', gone);
    this.on(input, 'error', gone);
    if (this.screen && !isReadOnly) {
      this.on(process.stdout, 'resize', () => {
        const size = sizeOfTerminal();
        if (size) session.resize(size);
      });
    }
  }

  private typed(session: RemoteSession, chunk: Buffer, isReadOnly: boolean): void {
    const { bytes, isDetaching } = this.input.isTTY
      ? this.typing.read(chunk, this.inControl)
      : { bytes: chunk, isDetaching: false };
    if (!isReadOnly && bytes.length > 0) session.write(bytes);
    if (isDetaching) this.end({ how: 'detached' });
    else if (session.bufferedInput > MOST_INPUT_BYTES) this.input.pause();
  }

  private readonly handlers: SessionHandlers = {
    output: (bytes, offset, consumed) => {
      const old = Math.min(Math.max(this.replayEnd - offset, 0), bytes.length);
      const { screen } = this;
      if (screen && old > 0) this.output.write(screen.show(bytes.subarray(0, old), true));
      const rest = screen ? screen.show(bytes.subarray(old), false) : bytes;
      this.output.write(rest, consumed);
    },
    restore: (modes) => {
      if (this.screen && modes !== '') this.output.write(this.screen.show(Buffer.from(modes), false));
    },
    replay: (end) => {
      this.replayEnd = end;
    },
    control: (inControl) => {
      this.inControl = inControl;
    },
    gap: ({ offset, end }) => this.note(`${end - offset} bytes of output are lost`),
    inputLost: (bytes) => this.note(`${bytes} bytes may not have been typed`),
    inputTaken: (waitingBytes) => {
      if (waitingBytes < ENOUGH_INPUT_BYTES && !this.ending) this.input.resume();
    },
    error: (error) => {
      this.lastError = error;
    },
    exit: (exit) => this.end(this.endingOf(exit)),
    gone: () =>
      this.end({
        how: 'failed',
        failure: new CommandFailed('the session is gone: it ended while the connection was lost'),
      }),
  };

  private endingOf({ code, cause }: Pick<Exit, 'code' | 'cause'>): Ending {
    if (cause !== 'failed') return { how: 'exit', code };
    return { how: 'failed', failure: startFailure(this.lastError) };
  }

  private follow(state: TerminalClient['state'], closure?: Closure): void {
    if (state === 'open') return this.tellOfReturn();
    if (this.ending || !closure) return;
    if (state === 'closed') return this.giveUp(closure);
    if (!this.lost) {
      const quiet = setTimeout(() => this.tellOfLoss(), QUIET_MS);
      const most = setTimeout(() => this.giveUp(closure), GIVE_UP_MS);
      this.lost = { at: performance.now(), isTold: false, timers: [quiet, most] };
    } else if (codeOf(closure) === 'ECONNREFUSED' && performance.now() - this.lost.at > GIVE_UP_REFUSED_MS) {
      this.giveUp(closure);
    }
  }

  private tellOfLoss(): void {
    if (!this.lost) return;
    this.lost.isTold = true;
    const keys = this.input.isTTY ? keyNames(this.options.detachKeys) : '';
    this.note(`the connection is lost, and tried again${keys === '' ? '' : `; ${keys} detaches`}`);
  }

  private tellOfReturn(): void {
    if (this.lost?.isTold) this.note('connected again');
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
    this.setRaw(false);
    void dieOf(signal);
  }

  private end(ending: Ending): void {
    if (this.ending) return;
    this.ending = ending;
    this.lost?.timers.forEach(clearTimeout);
    this.lost = undefined;
    for (const resolve of this.waiting.splice(0)) resolve(ending);
  }

  private untilEnded(): Promise<Ending> {
    if (this.ending) return Promise.resolve(this.ending);
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Tells the person something, behind what is being shown; while a program fills the screen, later. */
  private note(sentence: string): void {
    if (this.screen?.isFullScreen && isatty(STDERR)) this.untold.push(sentence);
    else this.tell(sentence);
  }

  private tell(sentence: string): void {
    const [before, after] = this.isRaw ? ['\r\n', '\r\n'] : ['', '\n'];
    this.output.write(`${before}trex: ${sentence}${after}`, undefined, STDERR);
  }

  /** Behind the last of the output; when it is not the end of that, only if the terminal takes it. */
  private async restore({ how }: Ending): Promise<void> {
    await this.output.flushed(how === 'exit' ? undefined : STUCK_MS);
    const leaving = this.leaving();
    if (leaving !== '') this.output.write(how === 'exit' ? leaving : `${leaving}\r\n`);
    await this.output.flushed(STUCK_MS);
    if (this.isRaw) this.setRaw(false);
  }

  /** For when nothing can be waited for any more. */
  private leaveTerminalAtOnce(): void {
    if (this.isRaw) this.setRaw(false);
    try {
      writeSync(STDOUT, this.leaving());
    } catch {
      // It has gone, or takes nothing.
    }
  }

  /** What leaves the terminal as it was found; once. */
  private leaving(): string {
    const isShown = this.session !== undefined && !this.hasLeft;
    this.hasLeft = true;
    return isShown ? (this.screen?.leave() ?? '') : '';
  }

  private async finish(ending: Ending): Promise<number> {
    for (const sentence of this.untold.splice(0)) this.tell(sentence);
    if (ending.how === 'detached')
      this.tell(`detached; it goes on: trex attach ${shown(this.session?.id ?? '')}`);
    await this.output.flushed(STUCK_MS);
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

  private setRaw(raw: boolean): void {
    try {
      this.input.setRawMode(raw);
      // Node leaves the terminal to make two characters of each line feed, by which programs move their cursor down.
      if (raw) spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
    } catch {
      // It has gone, as at a hang-up.
    }
    this.isRaw = raw;
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

/** The terminal's, if it is one and knows. */
export function sizeOfTerminal(): Size | undefined {
  // Node makes of what is no terminal one that does not wait, for whoever only looks.
  if (!isatty(STDOUT)) return undefined;
  const { columns: cols, rows } = process.stdout;
  return cols > 0 && rows > 0 ? { cols, rows } : undefined;
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
