import assert from 'node:assert/strict';
import { type Frame } from '../../../src/protocol/frames.js';
import {
  type Consumed,
  type ErrorReason,
  type Output,
  type ServerMessage,
  type Shown,
  type Welcome,
} from '../../../src/protocol/messages.js';

/** What a client was sent: output, or anything else as a line; of a session, of what it typed there, or of none. */
export type Heard =
  | { readonly about: string; readonly line: string }
  | { readonly about: string; readonly offset: number; readonly end: number; readonly bytes: string };

/** Why a session that was announced has failed. */
const WHY_NOT_STARTED: readonly ErrorReason[] = ['SPAWN_FAILED', 'INVALID_SHELL'];

/** What a client makes of all that one connection sends it: what belongs where, and what is new. */
export class Hearing {
  private readonly channels = new Map<number, string>();
  /** Where the next output of each session belongs. */
  private readonly positions = new Map<string, number>();
  private readonly acknowledged = new Map<string, number>();
  private readonly heard: Heard[] = [];
  private welcome?: Welcome;

  /** `token`: with which its client came back, if it did. */
  constructor(private readonly token?: string) {}

  /** With what its client may come back. */
  get resumeToken(): string {
    assert(this.welcome);
    return this.welcome.resumeToken;
  }

  /** What has not been taken yet. */
  get untaken(): readonly Heard[] {
    return this.heard;
  }

  /** What it was sent since it was asked last. */
  take(): Heard[] {
    return this.heard.splice(0);
  }

  positionIn(sessionId: string): number | undefined {
    return this.positions.get(sessionId);
  }

  /** The newest on which a session is shown. */
  channelOf(sessionId: string): number | undefined {
    return [...this.channels].findLast(([, id]) => id === sessionId)?.[0];
  }

  /** What has come since it was asked last, and is to be acknowledged now. */
  toAcknowledge(): Consumed[] {
    const sessions = [...this.positions]
      .filter(([id, offset]) => this.acknowledged.get(id) !== offset)
      .map(([sessionId, offset]) => ({ sessionId, offset }));
    for (const { sessionId, offset } of sessions) this.acknowledged.set(sessionId, offset);
    return sessions;
  }

  hear(news: ServerMessage | Frame): void {
    if ('kind' in news) this.hearOutput(this.channels.get(news.channel)!, news.offset, news.bytes);
    else if (news.type === 'output') this.hearOutput(news.sessionId, news.offset, news);
    else this.hearMessage(news);
  }

  private hearOutput(about: string, offset: number, output: Uint8Array | Output): void {
    assert.equal(offset, this.positions.get(about), 'output where it belongs');
    const isText = 'data' in output;
    if (isText && output.end === offset) {
      // Not of the session's: what sets the terminal's modes where its output begins.
      assert(output.data.length > 0);
      this.heard.push({ about, line: 'modes' });
      return;
    }
    const end = isText ? output.end : offset + output.length;
    const bytes = isText ? output.data : Buffer.from(output).toString('latin1');
    this.positions.set(about, end);
    this.heard.push({ about, offset, end, bytes });
  }

  private hearMessage(message: ServerMessage): void {
    if (message.type === 'session_created') this.learn(message.sessionId, message.channel, 0);
    if (message.type === 'attached') this.learn(message.sessionId, message.channel, message.offset);
    if (message.type === 'welcome') this.learnAll(message);
    if (message.type === 'gap') {
      assert.equal(message.offset, this.positions.get(message.sessionId), 'a gap where it belongs');
      this.positions.set(message.sessionId, message.end);
    }
    if (message.type === 'welcome') this.heard.push(...this.welcomed(message));
    else this.heard.push(lineOf(message));
  }

  private learnAll(welcome: Welcome): void {
    this.welcome = welcome;
    for (const one of welcome.sessions) {
      if ('channel' in one) this.learn(one.sessionId, one.channel, one.offset);
    }
  }

  /** Whether it is known, with which sessions it goes on, and of each how. */
  private welcomed({ resumeToken, sessions }: Welcome): Heard[] {
    const back = resumeToken === this.token ? ['back'] : [];
    const names = sessions.map(({ sessionId }) => sessionId);
    return [
      { about: '', line: ['welcome', ...back, ...names].join(' ') },
      ...sessions.map((one) => {
        if (!('reason' in one)) {
          const line = `resumed ${one.requestId ?? 'another'} ${one.data} ${lookOf(one)}`;
          return { about: one.sessionId, line };
        }
        const { reason, code, signal, cause } = one;
        return { about: one.sessionId, line: `not resumed: ${sentence([reason, code, signal, cause])}` };
      }),
    ];
  }

  private learn(sessionId: string, channel: number | undefined, offset: number): void {
    if (channel !== undefined) {
      assert(channel > Math.max(0, ...this.channels.keys()), 'a channel is used once');
      this.channels.set(channel, sessionId);
    }
    this.positions.set(sessionId, offset);
    this.acknowledged.set(sessionId, offset);
  }
}

/** What a message says, in short. */
function lineOf(message: Exclude<ServerMessage, Welcome>): Heard {
  switch (message.type) {
    case 'session_created':
      return { about: message.sessionId, line: `session_created ${message.data}` };
    case 'attached':
      return { about: message.sessionId, line: `attached ${lookOf(message)}` };
    case 'gap': {
      const { sessionId, offset, end, modes } = message;
      return {
        about: sessionId,
        line: sentence([`gap ${offset}–${end}`, modes !== undefined && 'with modes']),
      };
    }
    case 'control':
      return { about: message.sessionId, line: `control ${message.inControl}` };
    case 'resized':
      return {
        about: message.sessionId,
        line: `resized ${message.cols}x${message.rows}@${message.offset}`,
      };
    case 'exit': {
      const { sessionId, code, signal, cause } = message;
      return { about: sessionId, line: sentence(['exit', code, signal, cause]) };
    }
    case 'error':
      // A refusal belongs to what was asked; why a session failed, to the session.
      return {
        about: WHY_NOT_STARTED.includes(message.reason) ? message.sessionId! : '',
        line: sentence(['error', message.reason, message.inputOffset]),
      };
    case 'input_acknowledged':
      return { about: `typing into ${message.sessionId}`, line: `taken ${message.offset}` };
    case 'output':
    case 'sessions':
    case 'session_changed':
    case 'cwd_update':
    case 'tmux_sessions':
      return { about: '', line: message.type };
  }
}

/** How a session is shown from there on. */
function lookOf({ offset, end, inputOffset, inControl, cols, rows, sizes, gap, modes }: Shown): string {
  return sentence([
    `${offset}–${end}`,
    inputOffset !== undefined && `typed ${inputOffset}`,
    `${inControl}`,
    `${cols}x${rows}`,
    sizes.map((size) => `${size.cols}x${size.rows}@${size.offset}`).join(),
    gap && `without ${gap.offset}–${gap.end}`,
    modes !== undefined && 'with modes',
  ]);
}

function sentence(parts: readonly (string | number | false | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== false).join(' ');
}
