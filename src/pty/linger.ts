/** A survivor that stays silent this long has nothing to say that belongs to the session. */
const QUIET_MS = 250;
/** A survivor that never stops talking is not listened to for longer. */
const LISTEN_MS = 2000;

/**
 * How long to go on reading after the shell has ended while others hold its terminal: until they have been quiet
 * for a while or have been listened to long enough. Time during which nobody read counts for neither.
 */
export class Linger {
  private listenedMs = 0;
  private listeningSince?: number;
  private quietSince = 0;

  listen(now: number): void {
    this.listeningSince ??= now;
    this.quietSince = now;
  }

  heard(now: number): void {
    this.quietSince = now;
  }

  rest(now: number): void {
    if (this.listeningSince !== undefined) this.listenedMs += now - this.listeningSince;
    this.listeningSince = undefined;
  }

  /** Whether they have been listened to for long enough, whatever they still say. */
  isExhausted(now: number): boolean {
    return this.listenMs(now) <= 0;
  }

  /** Milliseconds to go, 0 when it is over; Infinity while nobody reads. */
  remainingMs(now: number): number {
    if (this.listeningSince === undefined) return Infinity;
    const quiet = QUIET_MS - (now - this.quietSince);
    return Math.max(0, Math.min(quiet, this.listenMs(now)));
  }

  private listenMs(now: number): number {
    return LISTEN_MS - this.listenedMs - (now - (this.listeningSince ?? now));
  }
}
