import { type ExitCause, type SessionStatus } from '../core/session.js';
import { type SessionErrorCode } from '../core/session-error.js';
import { type TerminalSize } from '../core/terminal-size.js';
import { type ProtocolErrorCode } from './protocol-error.js';

/** Every message a client may send, by its `type` on the wire. */
export const CLIENT_MESSAGE_TYPES = [
  'hello',
  'create',
  'attach',
  'acknowledge',
  'input',
  'resize',
  'close',
  'detach',
  'watch',
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

/** A session that a client goes on with: from `from` on, or from the oldest output there is. */
export interface Resumption {
  readonly sessionId: string;
  readonly from?: number;
  readonly readOnly?: boolean;
}

/** The first message of a `trex.v2` client, answered by `welcome`; every other before it is refused. */
export interface HelloMessage extends Request {
  readonly type: 'hello';
  /** Of a `welcome` that it had on another connection. */
  readonly resumeToken?: string;
  readonly sessions?: readonly Resumption[];
}

/** Asks for a new session; answered by `session_created` or by an `error` without `sessionId`, in the order asked. */
export interface CreateMessage extends Request {
  readonly type: 'create';
  readonly size?: TerminalSize;
  readonly cwd?: string;
  readonly shell?: string;
  /** The session outlives its client. */
  readonly persistent?: boolean;
}

/**
 * Asks to view a session, answered by `attached`, then its output from `from` on; without `from`, from the oldest
 * output there is. A connection views a session once: attaching again moves its cursor.
 */
export interface AttachMessage extends Request {
  readonly type: 'attach';
  readonly sessionId: string;
  readonly from?: number;
  /** This connection's input and resizes of the session are refused. Guards against accidents, not against people. */
  readonly readOnly?: boolean;
}

/** Everything before `offset` has been consumed: shown, not only received. */
export interface Consumed {
  readonly sessionId: string;
  readonly offset: number;
}

/** On the wire either the one pair, or a list of them in `sessions`. */
export interface AcknowledgeMessage extends Request {
  readonly type: 'acknowledge';
  readonly sessions: readonly Consumed[];
}

export interface InputMessage extends Addressed {
  readonly type: 'input';
  readonly bytes: Uint8Array;
  /** Position of the first byte in all that this client types there; binary frames say it, text does not. */
  readonly offset?: number;
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

/** Asks for the list of sessions, answered by `sessions`, and to be told from then on how it changes. Once is enough. */
export interface WatchMessage extends Request {
  readonly type: 'watch';
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
  | HelloMessage
  | CreateMessage
  | AttachMessage
  | AcknowledgeMessage
  | InputMessage
  | ResizeMessage
  | CloseMessage
  | DetachMessage
  | WatchMessage
  | TmuxConfigMessage
  | ListTmuxSessionsMessage;

/** What this server allows, in bytes, milliseconds and characters. */
export interface Limits {
  /** Largest WebSocket message it takes. */
  readonly messageBytes: number;
  /** Most terminal bytes in one binary frame, either way. */
  readonly frameBytes: number;
  /** Input of one session that may have been sent and not acknowledged. */
  readonly inputCreditBytes: number;
  /** Acknowledge after consuming this much, or after so long: whichever is first. */
  readonly acknowledgeBytes: number;
  readonly acknowledgeMs: number;
  /** So long after its connection was lost a client may come back; its sessions are kept. */
  readonly resumeSeconds: number;
  /** So long no output is lost meanwhile: a process that prints more than the log holds is paused. */
  readonly resumeHoldSeconds: number;
}

export interface Welcome extends Request {
  readonly type: 'welcome';
  /** Differs from one life of the server to the next: the ids of sessions begin anew. */
  readonly epoch: string;
  /** To be kept secret. The one that `hello` had says that the client is known still; another, that it is a new one. */
  readonly resumeToken: string;
  readonly limits: Limits;
  /** Whether the client was let in to watch, and nothing else. */
  readonly readOnly: boolean;
  /** How it goes on with the sessions it viewed and those it asked for; none of a new client. */
  readonly sessions: readonly (ResumedSession | UnresumedSession)[];
}

export interface SessionCreated extends Request {
  readonly type: 'session_created';
  readonly sessionId: string;
  readonly shellType: string;
  /** The session's name: `bash-1`. */
  readonly data: string;
  readonly cwd: string;
  /** Names the session in binary frames. `trex.v2` only. */
  readonly channel?: number;
}

/** A size that a session has had, from `offset` of its output on. */
export interface SizeAt {
  readonly offset: number;
  readonly cols: number;
  readonly rows: number;
}

/** Output that a viewer can no longer get. */
export interface GapBytes {
  /** Position of its first byte. */
  readonly offset: number;
  /** Position behind its last byte. */
  readonly end: number;
}

/** How a session is shown from here on. */
export interface Shown {
  readonly sessionId: string;
  /** Names the session in binary frames. `trex.v2` only. */
  readonly channel?: number;
  /** Where the output that follows begins. */
  readonly offset: number;
  /** How much output the session has had so far. */
  readonly end: number;
  /** How much of this client's input has been accepted: it goes on from there. `trex.v2` only. */
  readonly inputOffset?: number;
  /** Whether this connection is in control from the start; later changes are told by `control`. */
  readonly inControl: boolean;
  readonly cols: number;
  readonly rows: number;
  /** The sizes in force from `offset` on, oldest first, so that a replay wraps as the original did; at most 64. */
  readonly sizes: readonly SizeAt[];
  /** What had been asked for and is no longer kept. */
  readonly gap?: GapBytes;
  /** What the terminal is to be given first, where output does not begin at 0 or where it was left off. `trex.v2` only. */
  readonly modes?: string;
}

/** Answers `attach`; output from `offset` on follows. */
export interface Attached extends Shown, Request {
  readonly type: 'attached';
}

/** `requestId`: of the `create` by which this client asked for it. */
export interface ResumedSession extends Shown, Omit<SessionCreated, 'type' | 'channel'> {}

/** A session that cannot be gone on with, and why; with its exit, where that is known. */
export interface UnresumedSession {
  readonly sessionId: string;
  readonly reason: SessionErrorCode;
  readonly error: string;
  readonly code?: number;
  readonly signal?: string;
  readonly cause?: ExitCause;
}

/** All of a client's input to a session before `offset` has been taken by the terminal. */
export interface InputAcknowledged {
  readonly type: 'input_acknowledged';
  readonly sessionId: string;
  readonly offset: number;
}

/** The viewer fell so far behind, and others did not, that output was dropped for it: it goes on at `end`. */
export interface Gap extends GapBytes {
  readonly type: 'gap';
  readonly sessionId: string;
  /** What the terminal is to be given before the output from `end` on. `trex.v2` only. */
  readonly modes?: string;
}

/** Whether this connection is in control: the viewer that typed or resized last, whose terminal answers queries. */
export interface Control {
  readonly type: 'control';
  readonly sessionId: string;
  readonly inControl: boolean;
}

/** Somebody else has resized the session; output from `offset` on is for this size. */
export interface Resized extends SizeAt {
  readonly type: 'resized';
  readonly sessionId: string;
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
  /** Of a refused frame of input: how much had been accepted. */
  readonly inputOffset?: number;
}

/** A session as a list shows it, over REST too. */
export interface SessionInfo {
  readonly id: string;
  readonly name: string;
  readonly shellType: string;
  readonly status: SessionStatus;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  /** Whether it outlives the client that created it. */
  readonly persistent: boolean;
  /** Where its shell is, as far as is known: an absolute path. */
  readonly cwd: string;
  /** What its program calls the window: text of anybody's, to be shown and nothing else. */
  readonly title?: string;
  /** Of one that has ended. */
  readonly exitCode?: number;
  readonly signal?: string;
}

/** Answers `watch`: all sessions there are, in the order of their creation. Changes follow. */
export interface Sessions extends Request {
  readonly type: 'sessions';
  readonly sessions: readonly SessionInfo[];
}

/** `ended`: its process has; it can be read for a while. `removed`: it is gone. */
export type SessionChange = 'added' | 'changed' | 'ended' | 'removed';

/** News of the list. A client that is slow to read gets the newest of each session. */
export interface SessionChanged {
  readonly type: 'session_changed';
  readonly sessionId: string;
  readonly change: SessionChange;
  /** As it is now; none once it is removed. */
  readonly session?: SessionInfo;
}

/** Where the shell of a session that the client views is now. `trex.v1` only. */
export interface CwdUpdate {
  readonly type: 'cwd_update';
  readonly sessionId: string;
  readonly cwd: string;
}

export interface TmuxSessions extends Request {
  readonly type: 'tmux_sessions';
}

export type ServerMessage =
  | Welcome
  | SessionCreated
  | Attached
  | Output
  | Gap
  | Control
  | Resized
  | InputAcknowledged
  | Exit
  | ErrorMessage
  | Sessions
  | SessionChanged
  | CwdUpdate
  | TmuxSessions;
