import { UseFilters } from '@nestjs/common';
import { type OnGatewayDisconnect, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { SessionEvents } from '../core/session-events.js';
import { type Session } from '../core/session.js';
import {
  type CloseMessage,
  type CreateMessage,
  type DetachMessage,
  type InputMessage,
  type ListTmuxSessionsMessage,
  type ResizeMessage,
} from '../protocol/messages.js';
import { SessionCloser } from '../sessions/session-closer.js';
import { SessionOpener, type SessionRequest } from '../sessions/session-opener.js';
import { SessionRegistry } from '../sessions/session-registry.js';
import { type Connection } from './connection.js';
import { TerminalErrorFilter } from './terminal-error.filter.js';

export const WEBSOCKET_PATH = '/ws';

/**
 * Messages by type, one call each. They come checked (`terminal.adapter.ts`) and take effect in the order they came:
 * no pipes, guards or interceptors here, each would let a later message overtake.
 */
@WebSocketGateway({ path: WEBSOCKET_PATH })
@UseFilters(TerminalErrorFilter)
export class TerminalGateway implements OnGatewayDisconnect<Connection> {
  private readonly owners = new WeakMap<Session, Connection>();

  constructor(
    private readonly registry: SessionRegistry,
    private readonly opener: SessionOpener,
    private readonly closer: SessionCloser,
    events: SessionEvents,
  ) {
    events.subscribe(({ type, session }) => {
      // An owner may have stopped viewing its session long ago, and would not hear that it is gone.
      if (type === 'removed') this.owners.get(session)?.disown(session.id);
    });
  }

  handleDisconnect(connection: Connection): void {
    for (const { id } of connection.release()) this.closer.close(id);
  }

  @SubscribeMessage('create')
  create(connection: Connection, { requestId, ...request }: CreateMessage): void {
    this.open(connection, request, requestId);
  }

  @SubscribeMessage('input')
  input(connection: Connection, { sessionId, bytes, requestId }: InputMessage): void {
    this.addressed(connection, sessionId, requestId).write(bytes);
  }

  @SubscribeMessage('resize')
  resize(connection: Connection, { sessionId, size, requestId }: ResizeMessage): void {
    this.addressed(connection, sessionId, requestId).resize(size);
  }

  @SubscribeMessage('close')
  close(connection: Connection, { sessionId = connection.oldestNotEnded()?.id }: CloseMessage): void {
    if (sessionId !== undefined) this.closer.close(sessionId);
  }

  @SubscribeMessage('detach')
  detach(connection: Connection, { sessionId = connection.oldestNotEnded()?.id }: DetachMessage): void {
    if (sessionId === undefined) return;
    this.registry.assertKnown(sessionId);
    connection.detach(sessionId);
  }

  /** Existing clients configure a tmux poller that this server does not have, and expect no answer. */
  @SubscribeMessage('tmux_config')
  tmuxConfig(): void {
    // Accepted.
  }

  @SubscribeMessage('list_tmux_sessions')
  listTmuxSessions(connection: Connection, { requestId }: ListTmuxSessionsMessage): void {
    connection.send({ type: 'tmux_sessions', requestId });
  }

  /** The session a message means; a client that knows of one session only names none, and gets its first here. */
  private addressed(
    connection: Connection,
    sessionId: string | undefined,
    requestId: string | undefined,
  ): Session {
    if (sessionId !== undefined) return this.registry.get(sessionId);
    const oldest = connection.oldestNotEnded();
    if (oldest) return oldest;
    return this.open(connection, {}, requestId);
  }

  private open(connection: Connection, request: SessionRequest, requestId: string | undefined): Session {
    const session = this.opener.open(request);
    this.owners.set(session, connection);
    connection.own(session, requestId);
    return session;
  }
}
