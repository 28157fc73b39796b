import { type SessionHandlers } from '../../client/remote-session.js';
import { type GapBytes, type SizeAt } from '../../src/protocol/messages.js';

/** A program that shows sessions: it notes what it is told, in its order. */
export class FakeApplication implements SessionHandlers {
  /** What came, in words. */
  readonly log: string[] = [];
  readonly chunks: { readonly offset: number; readonly bytes: Uint8Array; readonly consumed: () => void }[] =
    [];

  /** `consuming`: whether it shows everything at once. */
  constructor(private readonly consuming = true) {}

  get text(): string {
    return Buffer.concat(this.chunks.map(({ bytes }) => bytes)).toString();
  }

  output(bytes: Uint8Array, offset: number, consumed: () => void): void {
    this.chunks.push({ offset, bytes, consumed });
    this.log.push(`${offset}: ${Buffer.from(bytes).toString()}`);
    if (this.consuming) consumed();
  }

  gap({ offset, end }: GapBytes): void {
    this.log.push(`gap ${offset}–${end}`);
  }

  restore(modes: string): void {
    this.log.push(`restore ${JSON.stringify(modes)}`);
  }

  replay(end: number): void {
    this.log.push(`replay to ${end}`);
  }

  gone(reason: string): void {
    this.log.push(`gone ${reason}`);
  }

  inputLost(bytes: number): void {
    this.log.push(`input lost ${bytes}`);
  }

  resized({ cols, rows }: SizeAt): void {
    this.log.push(`${cols} × ${rows}`);
  }

  control(inControl: boolean): void {
    this.log.push(inControl ? 'in control' : 'not in control');
  }

  exit({ code }: { readonly code: number }): void {
    this.log.push(`exit ${code}`);
  }

  error({ reason }: { readonly reason: string }): void {
    this.log.push(`error ${reason}`);
  }
}
