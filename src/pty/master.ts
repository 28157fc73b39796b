import { readSync, writeSync } from 'node:fs';
import { type ConnectOpts, type SocketConstructorOpts } from 'node:net';
import { ReadStream } from 'node:tty';

/** A paused terminal is read no more, but the read that crossed the mark may have been this large. */
export const LARGEST_READ_BYTES = 64 * 1024;

/** One for all terminals: what has been read is told before anything else is read. */
const readBuffer = Buffer.allocUnsafeSlow(LARGEST_READ_BYTES);

/** `empty`: nothing just now. `hungUp`: nobody has the terminal open, and what they printed has been read. */
export type ReadResult = Uint8Array | 'empty' | 'hungUp';

export interface MasterEvents {
  /** Valid during the call only. */
  output(bytes: Uint8Array): void;
  /** The stream has stopped for good; the descriptor is open still, and what is left is read with `read`. */
  streamEnded(): void;
}

/**
 * The server's end of a pseudo-terminal and the only holder of its descriptor. Everything on it is synchronous and asks
 * first whether it is still open: the kernel gives the number of a closed one to the next session, and what was
 * meant for this terminal must not arrive there (measured with node-pty's own writer: 25 times in 30).
 */
export class Master {
  private readonly stream: MasterStream;
  private open = true;

  constructor(
    private readonly fd: number,
    events: MasterEvents,
  ) {
    this.stream = new MasterStream(fd, events);
  }

  get isOpen(): boolean {
    return this.open;
  }

  /** Lets output flow until {@link halt}. */
  flow(): void {
    if (this.open) this.stream.resume();
  }

  halt(): void {
    if (this.open) this.stream.pause();
  }

  /** Reads what is there, at most {@link LARGEST_READ_BYTES} of it. */
  read(): ReadResult {
    if (!this.open) return 'hungUp';
    try {
      const count = readSync(this.fd, readBuffer);
      return count > 0 ? readBuffer.subarray(0, count) : 'hungUp';
    } catch (error) {
      // Anything else is EIO: the only true end of a terminal.
      return isAgain(error) ? 'empty' : 'hungUp';
    }
  }

  /** @returns how many bytes the kernel took; 0 when it has no room. */
  write(bytes: Uint8Array): number {
    if (!this.open) return 0;
    try {
      return writeSync(this.fd, bytes);
    } catch (error) {
      if (isAgain(error)) return 0;
      // EIO: nobody has the terminal open. Input is discarded then, as the kernel discards it at a hang-up.
      return bytes.length;
    }
  }

  /** Runs `operation` on the descriptor unless it is closed. */
  use(operation: (fd: number) => void): void {
    if (this.open) operation(this.fd);
  }

  /** Hangs up. What has not been read is lost. */
  close(): void {
    if (!this.open) return;
    this.open = false;
    this.stream.release();
  }
}

/**
 * Reads through the event loop, and leaves it to its owner when to close the descriptor. A stream closes it at the
 * first sign of an end: too early, since libuv takes a short read with a hang-up for the end while up to 8 KiB are
 * unread (https://github.com/libuv/libuv/issues/4992), and since a process may close its terminal and open it again.
 */
class MasterStream extends ReadStream {
  private readonly events: MasterEvents;
  private released = false;
  private finish?: () => void;

  constructor(fd: number, events: MasterEvents) {
    const options: SocketConstructorOpts & ConnectOpts = {
      // Otherwise the end of reading destroys the stream.
      allowHalfOpen: true,
      onread: {
        buffer: readBuffer,
        callback: (count, buffer) => {
          events.output(buffer.subarray(0, count));
          return true;
        },
      },
    };
    super(fd, options);
    this.events = events;
    this.once('end', () => {
      if (!this.released) events.streamEnded();
    });
  }

  release(): void {
    this.released = true;
    if (this.finish) this.finish();
    else this.destroy();
  }

  /** Also called by the stream itself when a read fails with EIO. */
  override _destroy(_error: Error | null, callback: (error?: Error | null) => void): void {
    // Without the error: EIO is how every terminal ends, and there is nobody to tell.
    this.finish = () => super._destroy(null, callback);
    if (this.released) this.finish();
    else this.events.streamEnded();
  }
}

function isAgain(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EAGAIN' || code === 'EINTR';
}
