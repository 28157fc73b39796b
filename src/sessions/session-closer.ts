import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { AppConfig } from '../config/app-config.js';
import { Clock, type Timer } from '../core/clock.js';
import { type SessionError } from '../core/session-error.js';
import { type SessionEvent, SessionEvents } from '../core/session-events.js';
import { type Session } from '../core/session.js';
import { SessionRegistry } from './session-registry.js';

/** A process that survives SIGKILL this long hangs in the kernel: whoever waits is told so. */
const SURVIVES_SECONDS = 4;

/** How long to wait for a process that is being closed. */
export function closeTimeoutMs({ killSeconds }: Pick<AppConfig, 'killSeconds'>): number {
  return (killSeconds + SURVIVES_SECONDS) * 1000;
}

/** Decides when a session leaves the registry. */
@Injectable()
export class SessionCloser implements OnApplicationShutdown {
  private readonly logger = new Logger(SessionCloser.name);
  /** Sessions that nobody views: when they go. */
  private readonly leaving = new Map<string, Timer>();
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
      await session.whenEnded(closeTimeoutMs(this.config));
    } catch (error) {
      // Whoever asked is told, but it is the operator who can do something about such a process.
      const { code, message } = error as SessionError;
      this.logger.error({ sessionId: id, reason: code, msg: message });
      throw error;
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.closeAll();
  }

  /**
   * Ends every session: all have been told to go when this returns. Resolves when all are gone, or when those that are left
   * cannot be ended.
   */
  async closeAll(): Promise<void> {
    await Promise.allSettled(this.registry.list().map(({ id }) => this.closeAndWait(id)));
  }

  private observe({ type, session }: SessionEvent): void {
    switch (type) {
      case 'ended':
        this.leaveAfterEnd(session);
        break;
      case 'viewerLeft':
        this.leaveUnlessWatched(session);
        break;
      case 'viewerJoined':
      case 'closing':
        this.stay(session);
        break;
      case 'removed':
        this.stay(session);
        this.kept.delete(session.id);
        break;
      case 'created':
      case 'started':
      case 'changed':
        break;
    }
  }

  private leaveAfterEnd(session: Session): void {
    if (session.exit?.cause !== 'ended') {
      this.registry.delete(session.id);
      return;
    }
    this.leaveUnlessWatched(session);
    this.kept.add(session.id);
    this.dropOldestKept();
  }

  /** One that has ended can be read for a while; one that runs on for nobody does so for as long as it may. */
  private leaveUnlessWatched(session: Session): void {
    if (session.isWatched || session.isRemoved) return;
    this.stay(session);
    const { exitedLingerSeconds, detachedSeconds } = this.config;
    if (session.hasEnded) {
      this.leaveAfter(session, exitedLingerSeconds, () => void this.registry.delete(session.id));
    } else if (session.persistent && session.state === 'Running' && detachedSeconds > 0) {
      this.leaveAfter(session, detachedSeconds, () => this.close(session.id));
    }
  }

  private leaveAfter(session: Session, seconds: number, leave: () => void): void {
    this.leaving.set(session.id, this.clock.after(seconds * 1000, leave));
  }

  private stay(session: Session): void {
    this.leaving.get(session.id)?.cancel();
    this.leaving.delete(session.id);
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
