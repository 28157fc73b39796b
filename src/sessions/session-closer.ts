import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { AppConfig } from '../config/app-config.js';
import { Clock, type Timer } from '../core/clock.js';
import { type SessionError } from '../core/session-error.js';
import { type SessionEvent, SessionEvents } from '../core/session-events.js';
import { type Session } from '../core/session.js';
import { SessionRegistry } from './session-registry.js';

/** A process that survives SIGKILL this long hangs in the kernel: whoever waits is told so. */
export const CLOSE_TIMEOUT_MS = 5000;

/** Decides when a session leaves the registry. */
@Injectable()
export class SessionCloser implements OnApplicationShutdown {
  private readonly logger = new Logger(SessionCloser.name);
  private readonly lingering = new Map<string, Timer>();
  /** Sessions that have ended by themselves and are kept, in the order of their ending. */
  private readonly kept = new Set<string>();

  constructor(
    private readonly config: AppConfig,
    private readonly registry: SessionRegistry,
    private readonly clock: Clock,
    events: SessionEvents,
  ) {
    events.subscribe((event) => this.observe(event));
  }

  /**
   * Ends a session and takes it out of the registry; one that has ended already goes at once. Of a session that is
   * gone, silent. @throws {SessionError} `SESSION_NOT_FOUND` when there never was such a session.
   */
  close(id: string): void {
    this.registry.assertKnown(id);
    const session = this.registry.find(id);
    if (!session) return;
    session.close();
    if (session.hasEnded) this.registry.delete(id);
  }

  /**
   * As {@link close}, and resolves once the process is gone and the session out of the registry.
   * @throws {SessionError} `SESSION_NOT_FOUND` when there is no such session, `CLOSE_TIMEOUT`
   */
  async closeAndWait(id: string): Promise<void> {
    const session = this.registry.get(id);
    this.close(id);
    try {
      await session.whenEnded(CLOSE_TIMEOUT_MS);
    } catch (error) {
      // Whoever asked is told, but it is the operator who can do something about such a process.
      const { code, message } = error as SessionError;
      this.logger.error({ sessionId: id, reason: code, msg: message });
      throw error;
    }
  }

  /** Ends every session; resolves when all are gone, or when those that are left cannot be ended. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.allSettled(this.registry.list().map(({ id }) => this.closeAndWait(id)));
  }

  private observe({ type, session }: SessionEvent): void {
    switch (type) {
      case 'ended':
        this.leaveAfterEnd(session);
        break;
      case 'viewerLeft':
        this.lingerUnlessWatched(session);
        break;
      case 'viewerJoined':
        this.stopLingering(session);
        break;
      case 'removed':
        this.stopLingering(session);
        this.kept.delete(session.id);
        break;
      case 'created':
      case 'started':
      case 'closing':
        break;
    }
  }

  private leaveAfterEnd(session: Session): void {
    if (session.exit?.cause !== 'ended') {
      this.registry.delete(session.id);
      return;
    }
    this.lingerUnlessWatched(session);
    this.kept.add(session.id);
    this.dropOldestKept();
  }

  private lingerUnlessWatched(session: Session): void {
    if (!session.hasEnded || session.isWatched || session.isRemoved) return;
    this.stopLingering(session);
    const lingerMs = this.config.exitedLingerSeconds * 1000;
    this.lingering.set(
      session.id,
      this.clock.after(lingerMs, () => void this.registry.delete(session.id)),
    );
  }

  private stopLingering(session: Session): void {
    this.lingering.get(session.id)?.cancel();
    this.lingering.delete(session.id);
  }

  /**
   * Ended sessions are no load but memory: as many are kept as may run, watched or not. Whoever still reads one reads
   * it to its end.
   */
  private dropOldestKept(): void {
    const surplus = Math.max(0, this.kept.size - this.config.maxSessions);
    for (const id of [...this.kept].slice(0, surplus)) this.registry.delete(id);
  }
}
