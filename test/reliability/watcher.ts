import { once } from 'node:events';
import { WebSocket } from 'ws';
import { type Talk } from '../../bench/clients/returning-client.js';
import { LineChecker } from '../../bench/programs/lines.js';
import { Claims } from '../support/claims.js';
import { PATIENCE_MS } from '../support/until.js';

interface Message {
  readonly type: string;
  readonly sessionId?: string;
  readonly data?: string;
  readonly offset?: number;
  readonly end?: number;
}

/** Looks at one talker over a connection of `trex.v1`, as existing clients do; checks what it is sent, and in which order. */
export class Watcher {
  readonly checker = new LineChecker();
  gaps = 0;
  gapBytes = 0;
  exits = 0;
  /** The longest that it had no output. */
  stillMs = 0;
  /** What should not have come, in words. */
  readonly problems: string[] = [];
  closeCode?: number;
  private shownAt = performance.now();
  private end?: number;
  private reading?: NodeJS.Timeout;
  private readonly claims = new Claims();

  private constructor(
    private readonly socket: WebSocket,
    readonly talk: Talk,
  ) {
    socket.on('message', (frame: Buffer) => this.take(JSON.parse(frame.toString()) as Message));
    // The close that follows tells the same.
    socket.on('error', () => undefined);
    socket.on('close', (code) => {
      this.closeCode = code;
      clearInterval(this.reading);
      this.claims.look();
    });
  }

  /** Resolves once it looks: from where that begins to talk, or from what is still kept of it. */
  static async begin(port: number, talk: Talk): Promise<Watcher> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, 'trex.v1');
    const { sessionId, beganAt } = talk;
    const watcher = new Watcher(socket, talk);
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'attach', sessionId, from: beganAt }));
    await watcher.until(() => watcher.end !== undefined, 'it is attached');
    return watcher;
  }

  /** What it has waited until now counts as still, too. */
  lookStill(): void {
    this.stillMs = Math.max(this.stillMs, performance.now() - this.shownAt);
  }

  /** From now on it takes nothing. */
  stall(): void {
    this.socket.pause();
  }

  goOn(): void {
    clearInterval(this.reading);
    this.socket.resume();
  }

  /** From now on it takes about so much a second: what one read brings, and then nothing for as long as that should take. */
  slowDownTo(bytesPerSecond: number): void {
    let taken = this.checker.offset;
    const begun = performance.now();
    const first = taken;
    this.reading = setInterval(() => {
      taken = this.checker.offset - this.gapBytes;
      const due = first + ((performance.now() - begun) / 1000) * bytesPerSecond;
      if (taken > due) this.socket.pause();
      else this.socket.resume();
    }, 20);
  }

  /** Resolves once it has been told of the end, or its connection has. */
  ended(): Promise<void> {
    return this.until(() => this.exits > 0 || this.closeCode !== undefined, 'the exit is told');
  }

  close(): void {
    clearInterval(this.reading);
    this.socket.terminate();
  }

  private take(message: Message): void {
    if (message.sessionId !== this.talk.sessionId) return;
    if (this.exits > 0) this.problems.push(`${message.type} after the exit`);
    switch (message.type) {
      case 'attached':
        this.beginAt(message.offset ?? NaN);
        break;
      case 'output':
        this.show(message);
        break;
      case 'gap':
        this.skip(message);
        break;
      case 'exit':
        this.exits += 1;
        break;
      case 'error':
        this.problems.push(`an error: ${JSON.stringify(message)}`);
        break;
    }
    this.claims.look();
  }

  private show({ data = '', offset = NaN, end = NaN }: Message): void {
    if (offset !== this.end) this.problems.push(`output from ${offset} came behind ${this.end}`);
    // What sets the modes of its terminal is none of the session's.
    if (end === offset) return;
    this.end = end;
    this.lookStill();
    this.shownAt = performance.now();
    this.checker.add(Buffer.from(data));
  }

  private beginAt(offset: number): void {
    this.end = offset;
    // It has come when not all was kept any more, which is no gap in what it has been sent.
    const missed = offset - this.talk.beganAt;
    if (missed < 0) this.problems.push(`it begins ${-missed} bytes before it asked to`);
    if (missed > 0) this.checker.skip(missed);
    this.gapBytes += missed;
  }

  private skip({ offset = NaN, end = NaN }: Message): void {
    if (offset !== this.end) this.problems.push(`a gap from ${offset} came behind ${this.end}`);
    this.gaps += 1;
    this.gapBytes += end - offset;
    this.end = end;
    this.checker.skip(end - offset);
  }

  private until(claim: () => boolean, what: string): Promise<void> {
    return this.claims.until(claim, () => what, 2 * PATIENCE_MS);
  }
}
