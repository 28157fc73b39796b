import { writeSync } from 'node:fs';
import { openAgain } from '../config/open-again.js';

/** About 5,000 lines: a reader that far behind has stopped, and memory is not the place to wait for it. */
const WAITING_BYTES = 1_048_576;
const RETRY_MS = 50;
const NEWLINE = 0x0a;

interface LogOutputOptions {
  /** As `fs.writeSync`: returns how many bytes were taken, or throws. */
  readonly write?: (bytes: Uint8Array) => number;
  /** Runs `task` a little later, without keeping the process alive for it. */
  readonly later?: (task: () => void) => void;
}

/**
 * Standard output as a place for log lines. It never throws and never waits for a reader: what cannot be written, for
 * want of room or of anyone reading, is dropped, and once there is room again the next line is written.
 */
export class LogOutput {
  /** How many lines have been lost, in whole or in part. */
  droppedLines = 0;

  private readonly tryToWrite: (bytes: Uint8Array) => number;
  private readonly later: (task: () => void) => void;
  private waiting: Uint8Array[] = [];
  private waitingBytes = 0;
  private isInsideLine = false;

  constructor({ write = standardOutput(), later = soon }: LogOutputOptions = {}) {
    this.tryToWrite = write;
    this.later = later;
  }

  /** @param line ends with its newline. */
  write(line: string): void {
    if (this.waiting.length > 0) {
      // A retry is on its way; this line has its turn then.
      this.keep(Buffer.from(line));
    } else {
      // What was lost may have been the end of a line: it must not take this one with it.
      this.keep(Buffer.from(this.isInsideLine ? `\n${line}` : line));
      this.writeWaiting();
    }
  }

  /** One last attempt at what is waiting, for when the process is about to exit. */
  flushSync(): void {
    this.tryWaiting();
  }

  private keep(bytes: Uint8Array): void {
    if (this.waitingBytes + bytes.length > WAITING_BYTES) {
      this.droppedLines++;
      return;
    }
    this.waiting.push(bytes);
    this.waitingBytes += bytes.length;
  }

  private writeWaiting(): void {
    this.tryWaiting();
    if (this.waiting.length > 0) this.later(() => this.writeWaiting());
  }

  private tryWaiting(): void {
    try {
      for (let next = this.waiting[0]; next !== undefined; next = this.waiting[0]) this.writeSome(next);
    } catch (error) {
      if (!isBusy(error)) this.dropWaiting();
    }
  }

  private writeSome(bytes: Uint8Array): void {
    const taken = this.tryToWrite(bytes);
    this.waitingBytes -= taken;
    if (taken > 0) this.isInsideLine = bytes[taken - 1] !== NEWLINE;
    if (taken === bytes.length) this.waiting.shift();
    else this.waiting[0] = bytes.subarray(taken);
  }

  private dropWaiting(): void {
    this.droppedLines += this.waiting.length;
    this.waiting = [];
    this.waitingBytes = 0;
  }
}

/** The reader has not kept up; EPIPE, ENOSPC and all others mean that these bytes will not be written. */
function isBusy(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EAGAIN';
}

function standardOutput(): (bytes: Uint8Array) => number {
  // Node's own stream is not written to. But making it turns a pipe non-blocking, so that a reader that has stopped
  // gives EAGAIN and not a server that stands still; and its errors would end the process if somebody else wrote to it.
  const { fd, isTTY } = process.stdout.on('error', () => undefined);
  // To a terminal Node writes blockingly: a Ctrl-S there, or a window that nobody draws, would stop the server and all
  // its sessions. The shell that shares the first opening keeps its own.
  const output = (isTTY ? openAgain(fd) : undefined) ?? fd;
  return (bytes) => writeSync(output, bytes);
}

function soon(task: () => void): void {
  setTimeout(task, RETRY_MS).unref();
}
