import { type Session } from '../core/session.js';
import { type SessionInfo } from '../protocol/messages.js';

/** A session as lists show it, over REST and the WebSocket alike. */
export function infoOf(session: Session): SessionInfo {
  const { id, name, shellType, status, createdAt, persistent, cwd, title, exit } = session;
  return {
    id,
    name,
    shellType,
    status,
    createdAt,
    persistent,
    cwd,
    ...(title !== undefined && { title }),
    ...(exit && { exitCode: exit.code }),
    ...(exit?.signal && { signal: exit.signal }),
  };
}
