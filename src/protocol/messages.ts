import { type ExitCause } from '../core/session.js';
import { type SessionErrorCode } from '../core/session-error.js';
import { type TerminalSize } from '../core/terminal-size.js';
import { type ProtocolErrorCode } from './protocol-error.js';

/** Every message a client may send, by its `type` on the wire. */
export const CLIENT_MESSAGE_TYPES = [
  'create',
  'input',
  'resize',
  'close',
  'detach',
  'tmux_config',
  'list_tmux_sessions',
] as const;
export type ClientMessageType = (typeof CLIENT_MESSAGE_TYPES)[number];

interface Request {
  /** Echoed in the answer and in errors. */
  readonly requestId?: string;
}

/** Without `sessionId`: the connection's oldest session that has not ended. */
interface Addressed extends Request {
  readonly sessionId?: string;
}

/** Asks for a new session; answered by `session_created` or by an `error` without `sessionId`, in the order asked. */
export interface CreateMessage extends Request {
  readonly type: 'create';
  readonly size?: TerminalSize;
  readonly cwd?: string;
  readonly shell?: string;
}

export interface InputMessage extends Addressed {
  readonly type: 'input';
  readonly bytes: Uint8Array;
}

export interface ResizeMessage extends Addressed {
  readonly type: 'resize';
  readonly size: TerminalSize;
}

export interface CloseMessage extends Addressed {
  readonly type: 'close';
}

/** Stops viewing; the session goes on. */
export interface DetachMessage extends Addressed {
  readonly type: 'detach';
}

/** Sent by existing clients; accepted, and nothing follows. */
export interface TmuxConfigMessage extends Request {
  readonly type: 'tmux_config';
}

/** Sent by existing clients; answered with no tmux sessions. */
export interface ListTmuxSessionsMessage extends Request {
  readonly type: 'list_tmux_sessions';
}

export type ClientMessage =
  | CreateMessage
  | InputMessage
  | ResizeMessage
  | CloseMessage
  | DetachMessage
  | TmuxConfigMessage
  | ListTmuxSessionsMessage;

export interface SessionCreated extends Request {
  readonly type: 'session_created';
  readonly sessionId: string;
  readonly shellType: string;
  /** The session's name: `bash-1`. */
  readonly data: string;
  readonly cwd: string;
}

/** Output, whole characters only; bytes that are no UTF-8 read U+FFFD. */
export interface Output {
  readonly type: 'output';
  readonly sessionId: string;
  readonly data: string;
  /** Position of `data`'s first byte in all the session's output, in raw bytes. */
  readonly offset: number;
  /** Position behind `data`'s last byte. */
  readonly end: number;
}

/** The session has ended: once per viewer, after its last output. */
export interface Exit {
  readonly type: 'exit';
  readonly sessionId: string;
  readonly code: number;
  /** Name of the signal that ended it; `code` is then 128 + its number. */
  readonly signal?: string;
  readonly cause: ExitCause;
}

/** Why a message was refused: `reason` for programs, `error` for people. */
export type ErrorReason = ProtocolErrorCode | SessionErrorCode | 'INTERNAL';

export interface ErrorMessage extends Addressed {
  readonly type: 'error';
  readonly reason: ErrorReason;
  readonly error: string;
}

export interface TmuxSessions extends Request {
  readonly type: 'tmux_sessions';
}

export type ServerMessage = SessionCreated | Output | Exit | ErrorMessage | TmuxSessions;
