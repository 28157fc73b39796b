import { type RawData } from 'ws';

interface Frame {
  readonly data: Buffer;
  readonly isBinary: boolean;
}

/**
 * Takes a connection's frames one after the other: the next only when the answer to the one before is out. Several
 * frames may arrive in one read, and Nest calls a handler, and a filter after it, a few microtasks late.
 */
export class Inbox {
  private readonly frames: Frame[] = [];
  private working = false;

  /** `handle` must not reject. */
  constructor(private readonly handle: (data: Buffer, isBinary: boolean) => Promise<void>) {}

  add(data: RawData, isBinary: boolean): void {
    this.frames.push({ data: whole(data), isBinary });
    if (!this.working) void this.work();
  }

  /** Forgets what has not been handled. */
  clear(): void {
    this.frames.length = 0;
  }

  private async work(): Promise<void> {
    this.working = true;
    for (let frame = this.frames.shift(); frame; frame = this.frames.shift()) {
      await this.handle(frame.data, frame.isBinary);
    }
    this.working = false;
  }
}

function whole(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}
