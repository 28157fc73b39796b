import { type ProcessExit, type PtyEvents } from '../../../src/core/pty.js';
import { Claims } from '../../support/claims.js';
import { PATIENCE_MS } from '../../support/until.js';

/** Everything a process said, in the order it said it; tests wait for claims about it. */
export class Recording implements PtyEvents {
  readonly exits: ProcessExit[] = [];
  writables = 0;
  /** How many bytes had come when the process ended. */
  bytesAtEnd?: number;
  bytes = 0;
  private readonly chunks: Buffer[] = [];
  private readonly claims = new Claims();

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
    this.claims.look();
  }

  writable(): void {
    this.writables++;
    this.claims.look();
  }

  ended(exit: ProcessExit): void {
    this.exits.push(exit);
    this.bytesAtEnd ??= this.bytes;
    this.claims.look();
  }

  /** Resolves when the claim holds, which is looked at after each event. */
  until(claim: () => boolean, what: string, deadlineMs = PATIENCE_MS): Promise<void> {
    const heard = (): string => `heard ${this.bytes} bytes, last ${JSON.stringify(this.text.slice(-200))}`;
    return this.claims.until(claim, () => `${what}; ${heard()}`, deadlineMs);
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
}
