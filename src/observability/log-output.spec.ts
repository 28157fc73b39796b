import * as fc from 'fast-check';
import { LogOutput } from './log-output.js';

/** A file or pipe that takes what it has room for. */
class FakeFile {
  room = Infinity;
  /** What a write without room fails with. */
  errorCode = 'EAGAIN';

  private readonly pieces: Uint8Array[] = [];

  get text(): string {
    return Buffer.concat(this.pieces).toString();
  }

  readonly write = (bytes: Uint8Array): number => {
    if (this.room === 0) throw Object.assign(new Error('write'), { code: this.errorCode });
    const taken = Math.min(this.room, bytes.length);
    this.room -= taken;
    this.pieces.push(bytes.subarray(0, taken));
    return taken;
  };
}

function outputTo(file: FakeFile): { output: LogOutput; retry: () => void; retries: () => number } {
  const tasks: (() => void)[] = [];
  const output = new LogOutput({ write: file.write, later: (task) => tasks.push(task) });
  return { output, retry: () => tasks.shift()?.(), retries: () => tasks.length };
}

describe('LogOutput', () => {
  it('writes a line at once', () => {
    const file = new FakeFile();
    const { output, retries } = outputTo(file);

    output.write('one\n');

    expect(file.text).toBe('one\n');
    expect(retries()).toBe(0);
  });

  it('writes the rest, in order, when a slow reader has made room', () => {
    const file = new FakeFile();
    const { output, retry, retries } = outputTo(file);
    file.room = 6;

    output.write('one\n');
    output.write('two\n');
    output.write('three\n');
    retry();
    expect(file.text).toBe('one\ntw');
    file.room = Infinity;
    retry();

    expect(file.text).toBe('one\ntwo\nthree\n');
    expect(output.droppedLines).toBe(0);
    expect(retries()).toBe(0);
  });

  it('holds one mebibyte for a reader that has stopped and drops the rest', () => {
    const file = new FakeFile();
    const { output, retry, retries } = outputTo(file);
    const line = `${'x'.repeat(1023)}\n`;
    file.room = 0;

    for (let i = 0; i < 1034; i++) output.write(line);
    expect(output.droppedLines).toBe(10);
    expect(retries()).toBe(1);
    file.room = Infinity;
    retry();

    expect(file.text).toHaveLength(1_048_576);
  });

  it.each(['EPIPE', 'ENOSPC', 'EIO', 'EBADF'])(
    'drops lines while writing fails with %s, then goes on',
    (errorCode) => {
      const file = new FakeFile();
      const { output, retries } = outputTo(file);
      file.errorCode = errorCode;
      file.room = 0;

      output.write('one\n');
      output.write('two\n');
      expect(output.droppedLines).toBe(2);
      file.room = Infinity;
      output.write('three\n');

      expect(file.text).toBe('three\n');
      expect(retries()).toBe(0);
    },
  );

  it('begins a new line after one that was cut', () => {
    const file = new FakeFile();
    const { output } = outputTo(file);
    file.errorCode = 'ENOSPC';
    file.room = 2;

    output.write('one\n');
    output.write('two\n');
    file.room = Infinity;
    output.write('three\n');
    output.write('four\n');

    expect(file.text).toBe('on\nthree\nfour\n');
  });

  it('makes one last attempt when flushed', () => {
    const file = new FakeFile();
    const { output, retry, retries } = outputTo(file);
    file.room = 0;
    output.write('one\n');

    output.flushSync();
    expect(file.text).toBe('');
    file.room = Infinity;
    output.flushSync();
    retry();

    expect(file.text).toBe('one\n');
    expect(retries()).toBe(0);
  });

  it('writes every line whole and in order as long as the reader is only slow', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.nat(20))), (steps) => {
        const file = new FakeFile();
        const { output, retry } = outputTo(file);
        const lines: string[] = [];
        for (const step of steps) {
          if (typeof step === 'number') {
            file.room = step;
            retry();
          } else {
            lines.push(`${step}\n`);
            output.write(`${step}\n`);
          }
        }
        file.room = Infinity;
        retry();
        expect(file.text).toBe(lines.join(''));
        expect(output.droppedLines).toBe(0);
      }),
    );
  });
});
