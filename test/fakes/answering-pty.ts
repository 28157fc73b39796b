import { Module } from '@nestjs/common';
import { PtyFactory, type PtyEvents, type PtyLaunch } from '../../src/core/pty.js';
import { FakePty, FakePtyFactory } from './fake-pty.js';

/** What is printed for a line that was typed: it says which, and is longer. */
export function answerTo(line: string): string {
  return `[${line}] ${[...line].reverse().join('')}\r\n`;
}

/** A process that answers each line it is given, a turn of the event loop later. */
class AnsweringPty extends FakePty {
  private line = '';

  override write(bytes: Uint8Array): number {
    const count = super.write(bytes);
    this.line += Buffer.from(bytes.subarray(0, count)).toString();
    const lines = this.line.split('\r');
    this.line = lines.pop()!;
    setImmediate(() => {
      for (const line of lines) if (!this.isOver) this.print(answerTo(line));
    });
    return count;
  }
}

/** Processes that answer; each is found by the directory that it was started in. */
export class AnsweringPtyFactory extends FakePtyFactory {
  startedIn(cwd: string): FakePty | undefined {
    return this.ptys.find(({ launch }) => launch.cwd === cwd);
  }

  protected override make(launch: PtyLaunch, events: PtyEvents): FakePty {
    return new AnsweringPty(launch, events);
  }
}

@Module({
  providers: [{ provide: PtyFactory, useFactory: () => new AnsweringPtyFactory() }],
  exports: [PtyFactory],
})
export class AnsweringPtyModule {}
