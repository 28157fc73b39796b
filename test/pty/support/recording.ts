import { type ProcessExit, type PtyEvents } from '../../../src/core/pty.js';

/** Everything a process said, in the order it said it; tests wait for claims about it. */
export class Recording implements PtyEvents {
  readonly exits: ProcessExit[] = [];
  writables = 0;
  /** How many bytes had come when the process ended. */
  bytesAtEnd?: number;
  bytes = 0;
  private readonly chunks: Buffer[] = [];
  private readonly waiting = new Set<() => void>();

  /** @param onOutput runs inside the event, as a consumer does that pauses from there. */
  constructor(private readonly onOutput: (bytes: Uint8Array) => void = () => undefined) {}

  get all(): Buffer {
    return Buffer.concat(this.chunks);
  }

  get text(): string {
    return this.all.toString();
  }

  output(bytes: Uint8Array): void {
    this.chunks.push(Buffer.from(bytes));
    this.bytes += bytes.length;
    this.onOutput(bytes);
    this.happened();
  }

  writable(): void {
    this.writables++;
    this.happened();
  }

  ended(exit: ProcessExit): void {
    this.exits.push(exit);
    this.bytesAtEnd ??= this.bytes;
    this.happened();
  }

  /** Resolves when the claim holds, which is looked at after each event. */
  until(claim: () => boolean, what: string, deadlineMs = 10_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const heardSoFar = (): string => JSON.stringify(this.text.slice(-200));
      const deadline = setTimeout(() => {
        this.waiting.delete(look);
        reject(
          new Error(`not within ${deadlineMs} ms: ${what}; heard ${this.bytes} bytes, last ${heardSoFar()}`),
        );
      }, deadlineMs);
      const look = (): void => {
        if (!claim()) return;
        clearTimeout(deadline);
        this.waiting.delete(look);
        resolve();
      };
      this.waiting.add(look);
      look();
    });
  }

  untilText(text: string, deadlineMs?: number): Promise<void> {
    return this.until(
      () => this.text.includes(text),
      `the process prints ${JSON.stringify(text)}`,
      deadlineMs,
    );
  }

  async untilEnded(deadlineMs?: number): Promise<ProcessExit> {
    await this.until(() => this.exits.length > 0, 'the process ends', deadlineMs);
    return this.exits[0]!;
  }

  private happened(): void {
    for (const look of [...this.waiting]) look();
  }
}
