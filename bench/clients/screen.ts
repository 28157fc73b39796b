import { type Piece } from './client.js';

const TAIL_LENGTH = 32;

/** What a person would look at: waits for words, or for so many bytes. */
export class Screen {
  /** Bytes shown so far. */
  end = 0;
  /** The last bytes shown, one character each. */
  tail = '';
  private marker: string | undefined;
  private wanted = Infinity;
  private found: () => void = () => undefined;

  show({ data, end }: Piece): void {
    this.end = end;
    if (this.marker !== undefined && (this.tail + latin1(data)).includes(this.marker)) this.find();
    const last = latin1(data.length > TAIL_LENGTH ? data.slice(-TAIL_LENGTH) : data);
    this.tail = (this.tail + last).slice(-TAIL_LENGTH);
    if (end >= this.wanted) this.find();
  }

  /** What has been shown before does not count. */
  shows(marker: string, deadlineMs: number): Promise<void> {
    this.tail = '';
    this.marker = marker;
    return this.waits(`"${marker}"`, deadlineMs);
  }

  reaches(end: number, deadlineMs: number): Promise<void> {
    this.wanted = end;
    return this.end >= end ? Promise.resolve() : this.waits(`${end} bytes`, deadlineMs);
  }

  private waits(what: string, deadlineMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(
        () => reject(new Error(`not within ${deadlineMs} ms: ${what}; ${this.end} bytes were shown`)),
        deadlineMs,
      );
      this.found = () => {
        clearTimeout(deadline);
        resolve();
      };
    });
  }

  private find(): void {
    this.marker = undefined;
    this.wanted = Infinity;
    this.found();
  }
}

/** The markers are ASCII: it does not matter what else becomes of the text. */
function latin1(data: Uint8Array | string): string {
  return typeof data === 'string'
    ? data
    : Buffer.from(data.buffer, data.byteOffset, data.length).toString('latin1');
}
