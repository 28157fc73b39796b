import { type ErrorReason, type ServerMessage } from '../../src/protocol/messages.js';
import { FRAMES_PROTOCOL, JSON_PROTOCOL, type Protocol } from '../../src/terminal/subprotocol.js';

const both = [JSON_PROTOCOL, FRAMES_PROTOCOL] as const;

/** Whose clients are sent what; that it holds every type, and none that is no more, is for the compiler to say. */
export const SERVER_MESSAGE_TYPES: Record<ServerMessage['type'], readonly Protocol[]> = {
  welcome: [FRAMES_PROTOCOL],
  session_created: both,
  attached: both,
  output: both,
  gap: both,
  control: [FRAMES_PROTOCOL],
  resized: [FRAMES_PROTOCOL],
  input_acknowledged: [FRAMES_PROTOCOL],
  exit: both,
  error: both,
  sessions: both,
  session_changed: both,
  cwd_update: [JSON_PROTOCOL],
  tmux_sessions: both,
};

/** The others are told over REST only, where sessions are renamed, and closed by whoever waits for it. */
export const REASONS: Record<Exclude<ErrorReason, 'CLOSE_TIMEOUT' | 'INVALID_NAME'>, true> = {
  BAD_JSON: true,
  BAD_MESSAGE: true,
  UNKNOWN_TYPE: true,
  HELLO_REQUIRED: true,
  RATE_LIMITED: true,
  INVALID_SIZE: true,
  INVALID_SHELL: true,
  INVALID_CWD: true,
  BAD_OFFSET: true,
  BAD_INPUT_OFFSET: true,
  READ_ONLY: true,
  SESSION_NOT_FOUND: true,
  SESSION_ENDED: true,
  SESSION_LIMIT: true,
  INPUT_QUEUE_FULL: true,
  SPAWN_FAILED: true,
  INTERNAL: true,
};
