import { type PtyEvents } from '../../src/core/pty.js';
import { SessionError } from '../../src/core/session-error.js';
import { DEFAULT_SIZE } from '../../src/core/terminal-size.js';
import { FakePtyFactory } from '../fakes/fake-pty.js';
import { type Actor, ptyContract, type Stage } from './pty.contract.js';

const LAUNCH = { file: '/bin/fake', args: [], cwd: '/home', size: DEFAULT_SIZE };

/** About what a kernel holds of input that nobody reads. */
const ROOM_BYTES = 12_000;

class FakeStage implements Stage {
  private readonly factory = new FakePtyFactory();

  async start(events: PtyEvents): Promise<Actor> {
    await this.factory.spawn(LAUNCH, events);
    const fake = this.factory.last;
    fake.room = ROOM_BYTES;
    fake.isIn = LAUNCH.cwd;
    let read = 0;
    return {
      pty: fake,
      home: LAUNCH.cwd,
      goTo: (path) => (fake.isIn = path),
      print: (text) => fake.print(text),
      exit: (code) => fake.end({ code }),
      killedBy: (signal) => fake.end({ code: 137, signal }),
      repeat: (bytes) => {
        fake.print(fake.input.slice(read, read + bytes));
        read += bytes;
      },
      swallow: (bytes) => {
        read += bytes;
        // In pieces, each in a turn of its own, as a process reads.
        const readOn = (left: number): void => {
          if (left <= 0) return;
          fake.read(Math.min(left, ROOM_BYTES));
          setImmediate(() => readOn(left - ROOM_BYTES));
        };
        setImmediate(() => readOn(bytes));
      },
    };
  }

  refused(events: PtyEvents): ReturnType<FakePtyFactory['spawn']> {
    this.factory.failure = new SessionError('INVALID_SHELL', 'the shell does not exist');
    return this.factory.spawn(LAUNCH, events);
  }

  async dispose(): Promise<void> {
    await Promise.all(this.factory.ptys.map((fake) => fake.close()));
  }
}

ptyContract('the fake', () => new FakeStage());
