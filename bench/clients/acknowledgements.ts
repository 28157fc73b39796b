const ACKNOWLEDGE_BYTES = 16 * 1024;
const ACKNOWLEDGE_MS = 5;

export interface Acknowledgement {
  readonly sessionId: string;
  readonly offset: number;
}

/** When a connection says what it has consumed: after 16 KiB, or 5 ms after the first byte it has not told of. */
export class Acknowledgements {
  private readonly known = new Map<string, number>();
  private readonly waiting = new Map<string, number>();
  private bytes = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly send: (sessions: readonly Acknowledgement[]) => void) {}

  /** What lies before `offset` is not to be acknowledged. */
  begin(sessionId: string, offset: number): void {
    this.known.set(sessionId, offset);
  }

  consumed(sessionId: string, end: number): void {
    this.bytes += end - (this.known.get(sessionId) ?? 0);
    this.known.set(sessionId, end);
    this.waiting.set(sessionId, end);
    if (this.bytes >= ACKNOWLEDGE_BYTES) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), ACKNOWLEDGE_MS);
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.send([...this.waiting].map(([sessionId, offset]) => ({ sessionId, offset })));
    this.waiting.clear();
    this.bytes = 0;
  }
}
