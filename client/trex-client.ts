/** The package's entry: what is here is for applications, and stays as it is. All else may change. */
export { type BackoffOptions } from './backoff.js';
export { type FailureReason, RequestFailed, ServerViolation } from './client-error.js';
export { type Closure } from './connection.js';
export { whenVisible } from './page-visibility.js';
export { type RemoteSession, type SessionHandlers } from './remote-session.js';
export { type Socket, subprotocols } from './socket.js';
export {
  type Arrival,
  type AttachOptions,
  type ClientHandlers,
  type ConnectionState,
  type CreateOptions,
  TerminalClient,
  type TerminalClientOptions,
  type WatchHandlers,
} from './terminal-client.js';
export { type Timers } from './timers.js';
export { XtermAdapter, type XtermTerminal } from './xterm-adapter.js';
export {
  type ErrorMessage,
  type Exit,
  type GapBytes,
  type Limits,
  type SessionChange,
  type SessionInfo,
  type SizeAt,
  type Welcome,
} from '../src/protocol/messages.js';
