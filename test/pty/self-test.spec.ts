import { type ProcessExit, type Pty, PtyFactory } from '../../src/core/pty.js';
import { SessionError } from '../../src/core/session-error.js';
import { selfTest } from '../../src/pty/self-test.js';
import { FakePtyFactory } from '../fakes/fake-pty.js';
import { settled } from '../support/running-session.js';
import { Shells } from './support/shells.js';

describe('the self-test', () => {
  it('passes where processes can be started, read and reaped', async () => {
    const shells = new Shells();
    await selfTest(shells.factory);
    await shells.dispose();
  });

  it('says in one sentence what keeps processes from being started', async () => {
    const cause = new Error('Cannot find module node-pty\nRequire stack:');
    const factory = new FakePtyFactory();
    factory.failure = new SessionError('SPAWN_FAILED', 'the process could not be started', { cause });
    await expect(selfTest(factory)).rejects.toThrow(
      /^terminals do not work on this machine: the process could not be started \(Cannot find module node-pty\)$/,
    );
  });

  it.each<[string, ProcessExit, RegExp]>([
    ['trex self-te', { code: 7 }, /print "trex self-te" and exit with 7$/],
    ['trex self-test', { code: 1 }, /print "trex self-test" and exit with 1$/],
    ['trex self-test', { code: 137, signal: 'SIGKILL' }, /exit with SIGKILL$/],
  ])('fails when a shell is seen to print %j and end as %j', async (output, exit, message) => {
    const factory = new (class extends PtyFactory {
      async spawn(...[launch, events]: Parameters<PtyFactory['spawn']>): Promise<Pty> {
        const fakes = new FakePtyFactory();
        const pty = await fakes.spawn(launch, events);
        fakes.last.print(output);
        fakes.last.end(exit);
        return pty;
      }
    })();
    await expect(selfTest(factory)).rejects.toThrow(message);
  });

  it('fails when a shell does not end, and closes it', async () => {
    const factory = new FakePtyFactory();
    await expect(selfTest(factory, '/', 20)).rejects.toThrow(/a shell did not end within 20 ms$/);
    expect(factory.last.closing).toBe(true);
  });

  it('fails when a shell does not start, and closes it when it does', async () => {
    const factory = new (class extends FakePtyFactory {
      start!: () => void;
      private readonly started = new Promise<void>((resolve) => (this.start = resolve));

      override async spawn(...launch: Parameters<PtyFactory['spawn']>): Promise<Pty> {
        await this.started;
        return super.spawn(...launch);
      }
    })();
    await expect(selfTest(factory, '/', 20)).rejects.toThrow(/a shell did not end within 20 ms$/);
    factory.start();
    await settled();
    expect(factory.last.closing).toBe(true);
  });
});
