import { type Piece } from './client.js';

/** What `yes` prints on a terminal, for ever. */
const LINE = 'y\r\n';
const expected = Buffer.from(LINE.repeat(64 * 1024));

/** Looks at every byte of what `yes` prints. */
export class Yes {
  wrongBytes = 0;
  private begun = Infinity;

  /** What comes from here on is its output. */
  begin(offset: number): void {
    this.begun = offset;
  }

  look({ data, end }: Piece): void {
    if (end <= this.begun) return;
    const bytes = Buffer.from(data);
    const phase = (end - bytes.length - this.begun) % LINE.length;
    if (bytes.equals(expected.subarray(phase, phase + bytes.length))) return;
    this.wrongBytes += bytes.filter((byte, n) => byte !== expected[phase + n]).length;
  }
}
