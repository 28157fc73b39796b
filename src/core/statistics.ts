import { type Clock } from './clock.js';

/** Where somebody stood who was refused. */
export type Door = 'gate' | 'rest' | 'websocket';

/** How much passes through the server: plain numbers that only grow, counted where it passes, for whoever watches. */
export class Statistics {
  /** What processes have printed. */
  outputReadBytes = 0;
  /** Output that sockets were given: once for each viewer. */
  outputSentBytes = 0;
  /** Input that sessions have accepted, and of that what terminals have taken. */
  inputAcceptedBytes = 0;
  inputWrittenBytes = 0;
  /** Stretches of output that a viewer was told it cannot have, and how much it was. */
  gaps = 0;
  gapBytes = 0;
  /** Clients that have come back with a token: such as were known, and others. */
  readonly resumes = { resumed: 0, unknown: 0 };
  /** Connections, by protocol. */
  readonly connectionsOpened = new Counts();
  readonly connectionsClosed = new Counts();
  /** What was refused, by door and reason. */
  readonly refusals: Readonly<Record<Door, Counts>> = {
    gate: new Counts(),
    rest: new Counts(),
    websocket: new Counts(),
  };
  /** Processes that wait for their viewers. */
  readonly pauses = new Pauses();
  /** Where it is set, it is told how long echoes take; see {@link EchoTimer}. Nothing is timed otherwise. */
  echoed?: (echo: Echo) => void;
}

/** Numbers by name, of which there are few. */
export class Counts {
  private readonly numbers = new Map<string, number>();

  /** What has not happened yet has happened no times, which is not the same as not being known. */
  know(names: readonly string[]): void {
    for (const name of names) this.numbers.set(name, this.of(name));
  }

  add(name: string): void {
    this.numbers.set(name, this.of(name) + 1);
  }

  of(name: string): number {
    return this.numbers.get(name) ?? 0;
  }

  /** All of them together. */
  get all(): number {
    return [...this.numbers.values()].reduce((sum, count) => sum + count, 0);
  }

  entries(): [name: string, count: number][] {
    return [...this.numbers];
  }
}

/** For how long things have been paused, all of them together. */
export class Pauses {
  private paused = 0;
  /** What the elapsed time, once for each that is paused, is to be added to. */
  private baseMs = 0;

  /** How many are paused now. */
  get now(): number {
    return this.paused;
  }

  began(nowMs: number): void {
    this.paused += 1;
    this.baseMs -= nowMs;
  }

  ended(nowMs: number): void {
    this.paused -= 1;
    this.baseMs += nowMs;
  }

  /** Those that last are counted up to now. */
  totalMs(nowMs: number): number {
    return this.baseMs + this.paused * nowMs;
  }
}

/** How long it took until something typed was answered. */
export interface Echo {
  /** From the input's arrival until the first output after it was given to a socket: the program's time is part of it. */
  readonly totalMs: number;
  /** Of that, from when the output had been read: the server's own part. */
  readonly serverMs: number;
}

/** Times one echo of a session after the other: what is typed while one is awaited belongs to it. */
export class EchoTimer {
  private typedAt?: number;
  private printed?: { readonly offset: number; readonly at: number };

  constructor(
    private readonly clock: Clock,
    private readonly statistics: Statistics,
  ) {}

  /** Whether output that is printed now may be an echo. */
  get isAwaited(): boolean {
    return this.typedAt !== undefined && !this.printed;
  }

  typed(): void {
    if (this.statistics.echoed) this.typedAt ??= this.clock.elapsed();
  }

  /** Output begins at `offset` that had not been there; `isNext` is whether somebody sees it as soon as it can be sent. */
  hasPrinted(offset: number, isNext: boolean): void {
    if (!this.isAwaited) return;
    if (isNext) this.printed = { offset, at: this.clock.elapsed() };
    // Whoever comes to see it later, or has not taken what was before it, is not kept waiting by the server.
    else this.typedAt = undefined;
  }

  /** Whoever it was printed for may be gone. */
  viewerLost(): void {
    if (!this.printed) return;
    this.typedAt = undefined;
    this.printed = undefined;
  }

  /** A socket was given the output up to `end`. */
  sent(end: number, now: number): void {
    const { typedAt, printed } = this;
    if (typedAt === undefined || !printed || end <= printed.offset) return;
    this.typedAt = undefined;
    this.printed = undefined;
    this.statistics.echoed?.({ totalMs: now - typedAt, serverMs: now - printed.at });
  }
}
