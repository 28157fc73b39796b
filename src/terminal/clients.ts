import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { createHash, randomBytes } from 'node:crypto';
import { AppConfig } from '../config/app-config.js';
import { Clock } from '../core/clock.js';
import { SessionEvents } from '../core/session-events.js';
import { Statistics } from '../core/statistics.js';
import { SessionCloser } from '../sessions/session-closer.js';
import { Client } from './client.js';
import { type Connection } from './connection.js';
import { FRAMES_PROTOCOL } from './subprotocol.js';
import { type View } from './view.js';

/** RFC 6455, 7.4.1: the purpose is fulfilled. Whoever says so does not come back. */
const NORMAL_CLOSURE = 1000;
const TAKEN_OVER = 4001;

/** Not to be guessed. */
const TOKEN_BYTES = 16;

/** What a client is told so that it can come back. */
export interface Admission {
  readonly client: Client;
  readonly resumeToken: string;
  /** Whether it has been here before. */
  readonly isKnown: boolean;
}

/** All clients. Tokens are kept as hashes: who reads this memory cannot become one of the clients. */
@Injectable()
export class Clients implements OnApplicationShutdown {
  private readonly all = new Set<Client>();
  private readonly byTokenHash = new Map<string, Client>();
  /** Those without a connection that have nothing to come back to, whoever has been away longest first. */
  private readonly idle = new Set<Client>();

  constructor(
    private readonly config: AppConfig,
    private readonly clock: Clock,
    private readonly closer: SessionCloser,
    events: SessionEvents,
    private readonly statistics: Statistics = new Statistics(),
  ) {
    events.subscribe(({ type, session }) => {
      if (type !== 'removed') return;
      for (const client of this.all) client.forget(session);
    });
  }

  /** A client that is its connection. */
  connect(connection: Connection): Client {
    return this.add(new Client(connection.isReadOnly), connection);
  }

  /**
   * A client that says hello: the one of `token`, whose older connection, if there still is one, is ended with 4001 and
   * ends nothing; or a new one.
   */
  greet(connection: Connection, token: string | undefined): Admission {
    const known = token === undefined ? undefined : this.byTokenHash.get(hashOf(token));
    // Whoever only reads becomes nobody who does more.
    if (known?.isReadOnly === connection.isReadOnly && token !== undefined) {
      this.statistics.resumes.resumed += 1;
      known.stopWaiting();
      this.idle.delete(known);
      const { connection: older } = known;
      if (older) {
        keepViews(known, older);
        older.end(TAKEN_OVER, 'taken over by another connection of this client');
      }
      known.connection = connection;
      return { client: known, resumeToken: token, isKnown: true };
    }
    if (token !== undefined) this.statistics.resumes.unknown += 1;
    const resumeToken = randomBytes(TOKEN_BYTES).toString('base64url');
    const tokenHash = hashOf(resumeToken);
    const client = this.add(new Client(connection.isReadOnly, tokenHash), connection);
    this.byTokenHash.set(tokenHash, client);
    return { client, resumeToken, isKnown: false };
  }

  /** A connection has ended. What its client owns ends with it, or is kept until the client comes back. */
  disconnected(connection: Connection): void {
    const { client } = connection;
    // Superseded, and all that it had is somebody else's by now; or it never said hello.
    if (client?.connection !== connection) return;
    const isResumable = connection.protocol === FRAMES_PROTOCOL && connection.closeCode !== NORMAL_CLOSURE;
    if (!isResumable) {
      for (const { attachment } of connection.release()) attachment.detach();
      this.end(client);
      return;
    }
    for (const { attachment } of keepViews(client, connection)) attachment.hold();
    client.connection = undefined;
    client.absence = {
      hold: this.clock.after(this.config.resumeHoldSeconds * 1000, () => client.letGo()),
      end: this.clock.after(this.config.resumeSeconds * 1000, () => this.end(client)),
    };
    if (client.hasNothing) this.keepIdle(client);
  }

  /** Nobody comes back to a server that stops. */
  onApplicationShutdown(): void {
    for (const client of this.all) client.stopWaiting();
  }

  private add(client: Client, connection: Connection): Client {
    this.all.add(client);
    client.connection = connection;
    return client;
  }

  /** As many as there may be connections: others would come and go without end. */
  private keepIdle(client: Client): void {
    this.idle.add(client);
    const [oldest] = this.idle;
    if (oldest && this.idle.size > this.config.maxConnections) this.end(oldest);
  }

  private end(client: Client): void {
    client.stopWaiting();
    this.idle.delete(client);
    client.connection = undefined;
    this.all.delete(client);
    if (client.tokenHash !== undefined) this.byTokenHash.delete(client.tokenHash);
    for (const { id, persistent } of client.end()) if (!persistent) this.closer.close(id);
  }
}

/** For its next connection, which may be there already: then nobody notices. */
function keepViews(client: Client, connection: Connection): readonly View[] {
  const views = connection.release();
  for (const view of views) client.held.set(view.session.id, view);
  return views;
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}
