import { createHash } from 'node:crypto';
import { readdirSync, readlinkSync } from 'node:fs';
import { Recording } from './support/recording.js';
import { lives, pattern, type Shell, Shells } from './support/shells.js';

const KIB = 1024;

/** Reads until it has EXPECTED bytes and prints their hash; raw: no echo, no lines, Ctrl-C is a byte. */
const RAW_READER = `
  process.stdin.setRawMode(true);
  const hash = require('crypto').createHash('sha256');
  let bytes = 0;
  process.stdin.on('data', (chunk) => {
    hash.update(chunk);
    bytes += chunk.length;
    if (bytes >= EXPECTED) {
      process.stdout.write(hash.digest('hex') + ' ' + bytes + '!', () => process.exit(0));
    }
  });
  process.stdout.write('ready');
`;

describe('input to a real process', () => {
  let shells: Shells;
  beforeEach(() => (shells = new Shells()));
  afterEach(() => shells.dispose());

  /** Offers what the terminal has not taken yet, now and whenever it says that it can take more. */
  function typing({ pty }: Pick<Shell, 'pty'>, input: Buffer): { offer(): void; readonly left: number } {
    let left = input;
    return {
      offer: () => (left = left.subarray(pty.write(left))),
      get left() {
        return left.length;
      },
    };
  }

  class TypingRecording extends Recording {
    onWritable: () => void = () => undefined;

    override writable(): void {
      this.onWritable();
      super.writable();
    }
  }

  it.each([1000 * KIB, 3000 * KIB + 1])('of %i bytes arrives whole and in order', async (bytes) => {
    const input = pattern(bytes);
    const heard = new TypingRecording();
    const shell = await shells.node(RAW_READER.replace('EXPECTED', String(bytes)), heard);
    await heard.untilText('ready');
    const typist = typing(shell, input);
    heard.onWritable = () => typist.offer();
    typist.offer();
    await heard.untilText('!');
    expect(heard.text).toContain(`${createHash('sha256').update(input).digest('hex')} ${bytes}!`);
  });

  it('reaches a process byte for byte, control characters included', async () => {
    const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const shell = await shells.sh(
      'stty raw -echo; printf ready; head -c 256 | od -An -v -tu1 -w256; printf !',
    );
    await shell.heard.untilText('ready');
    expect(shell.pty.write(everyByte)).toBe(256);
    await shell.heard.untilText('!');
    expect(shell.heard.text.match(/\d+/g)!.map(Number)).toEqual([...everyByte]);
  });

  describe('when the process never reads', () => {
    async function deaf(heard: Recording): Promise<Shell> {
      const shell = await shells.sh('stty raw -echo; printf ready; exec sleep 60', heard);
      await heard.untilText('ready');
      return shell;
    }

    it('is taken up to what the kernel holds, and asks for little time after that', async () => {
      const heard = new TypingRecording();
      const shell = await deaf(heard);
      const typist = typing(shell, pattern(1024 * KIB));
      heard.onWritable = () => typist.offer();
      typist.offer();
      // Everything that happens fast has happened once the wait has grown to its longest.
      await heard.until(() => heard.writables >= 20, 'the terminal is asked again');
      const before = { writables: heard.writables, cpu: process.cpuUsage(), at: performance.now() };
      const timer = await shells.sh('sleep 1');
      await timer.heard.untilEnded();
      const seconds = (performance.now() - before.at) / 1000;
      const cpu = process.cpuUsage(before.cpu);
      expect(typist.left).toBeGreaterThan(900 * KIB);
      expect((heard.writables - before.writables) / seconds).toBeLessThan(25);
      expect((cpu.user + cpu.system) / 1e6 / seconds).toBeLessThan(0.3);
    });

    it('is given up at once when the terminal is closed', async () => {
      const heard = new TypingRecording();
      const shell = await deaf(heard);
      const typist = typing(shell, pattern(1024 * KIB));
      heard.onWritable = () => typist.offer();
      typist.offer();
      await shell.pty.close();
      // Not SIGKILL, which comes a second later.
      expect(heard.exits).toEqual([{ code: 129, signal: 'SIGHUP' }]);
      expect(lives(shell.pty.pid)).toBe(false);
      expect(shell.pty.write(Buffer.from('late'))).toBe(0);
    });

    it('asks once, however often input is offered meanwhile', async () => {
      const heard = new Recording();
      const shell = await deaf(heard);
      for (let offers = 0; offers < 50; offers++) shell.pty.write(pattern(64 * KIB));
      await heard.until(() => heard.writables > 0, 'room is announced');
      await new Promise((turn) => setImmediate(turn));
      expect(heard.writables).toBe(1);
    });
  });

  it('never reaches the next terminal, which is given the same descriptor', async () => {
    let reused = 0;
    for (let trial = 0; trial < 60; trial++) {
      const heard = new TypingRecording();
      const a = await shells.sh('stty raw -echo; printf ready; exec sleep 60', heard);
      await heard.untilText('ready');
      const secret = typing(a, Buffer.alloc(256 * KIB, 'SECRET'));
      const retry = (): void => secret.offer();
      heard.onWritable = retry;
      secret.offer();
      expect(secret.left).toBeGreaterThan(0);

      const before = masterDescriptors();
      process.kill(a.pty.pid, 'SIGKILL');
      const next = trial % 2 === 0 ? heard.untilEnded() : a.pty.close();
      const b = await next.then(() => shells.sh('stty raw -echo; printf ready; head -c 3; stty size; cat'));
      if (masterDescriptors() === before) reused++;
      await b.heard.untilText('ready');
      // Everyone who ever held A tries once more, and what B is really sent comes back behind whatever else came.
      retry();
      expect(a.pty.write(Buffer.from('SECRET'))).toBe(0);
      a.pty.resize({ columns: 7, rows: 7 });
      b.pty.write(Buffer.from('own'));
      await b.heard.untilText('80\n');
      expect(b.heard.text).toBe('readyown24 80\n');
      await b.pty.close();
    }
    // Otherwise the trials would prove nothing.
    expect(reused).toBeGreaterThan(50);
  }, 90_000);
});

/** The numbers of all terminals that this process holds. */
function masterDescriptors(): string {
  const names = readdirSync('/proc/self/fd').filter((name) => linkOf(name).startsWith('/dev/pt'));
  return names.join();
}

function linkOf(name: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${name}`);
  } catch {
    // The descriptor that the directory itself was read with.
    return '';
  }
}
