import { type Pty, type PtyEvents, type PtyFactory } from '../../src/core/pty.js';
import { SessionError } from '../../src/core/session-error.js';
import { Recording } from '../pty/support/recording.js';

/** A process that does what a test says: played by a fake, or a real one that takes orders. */
export interface Actor {
  readonly pty: Pty;
  /** Where its process starts: an absolute path. */
  readonly home: string;
  /** Goes to another directory, and is there. */
  goTo(path: string): void;
  /** Prints what is not empty and holds no line break. */
  print(text: string): void;
  exit(code: number): void;
  killedBy(signal: 'SIGKILL'): void;
  /** Reads `bytes` of its input and prints them. */
  repeat(bytes: number): void;
  /** Reads `bytes` of its input and keeps them to itself. It reads nothing unless told to. */
  swallow(bytes: number): void;
}

export interface Stage {
  /** The process hears of nothing before its test gives it an order. */
  start(events: PtyEvents): Promise<Actor>;
  /** A spawn that must be refused. */
  refused(events: PtyEvents): ReturnType<PtyFactory['spawn']>;
  dispose(): Promise<void>;
}

const LARGE = Buffer.alloc(300_000, 'input ');

/** What every implementation of the port keeps: run against the fake it keeps the fake honest. */
export function ptyContract(name: string, newStage: () => Stage): void {
  describe(`${name} keeps the promises of a process on a pseudo-terminal:`, () => {
    let stage: Stage;
    let heard: Recording;
    beforeEach(() => {
      stage = newStage();
      heard = new Recording();
    });
    afterEach(() => stage.dispose());

    it('it tells its output once, whole and in order', async () => {
      const actor = await stage.start(heard);
      const words = Array.from({ length: 200 }, (_, index) => `<${index}>`);
      for (const word of words) actor.print(word);
      await heard.untilText('<199>');
      expect(heard.text).toBe(words.join(''));
    });

    it('it tells its end once, after its last byte, with its code', async () => {
      const actor = await stage.start(heard);
      actor.print('last words');
      actor.exit(3);
      expect(await heard.untilEnded()).toEqual({ code: 3 });
      expect(heard.text).toBe('last words');
      expect(heard.bytesAtEnd).toBe(heard.bytes);
      await actor.pty.close();
      expect(heard.exits).toHaveLength(1);
    });

    it('a signal that ended it has a name, and the code that shells give it', async () => {
      const actor = await stage.start(heard);
      actor.killedBy('SIGKILL');
      expect(await heard.untilEnded()).toEqual({ code: 137, signal: 'SIGKILL' });
    });

    it('it takes input in order and never keeps the memory it came in', async () => {
      const actor = await stage.start(heard);
      const bytes = Buffer.from('first ');
      expect(actor.pty.write(bytes)).toBe(bytes.length);
      bytes.fill('x');
      expect(actor.pty.write(Buffer.from('second'))).toBe(6);
      actor.repeat(12);
      await heard.untilText('second');
      expect(heard.text).toBe('first second');
    });

    it('what it has no room for is refused, and offered again when it says so', async () => {
      const actor = await stage.start(heard);
      expect(actor.pty.write(LARGE)).toBeLessThan(LARGE.length);
      actor.swallow(LARGE.length);
      await heard.until(() => heard.writables > 0, 'there is room again');
    });

    it('a large input arrives whole, offered piece by piece', async () => {
      const actor = await stage.start(heard);
      actor.swallow(LARGE.length);
      await typed(actor, heard, LARGE);
      await typed(actor, heard, Buffer.from('the end'));
      actor.repeat(7);
      await heard.untilText('the end');
    });

    it('nothing offered is nothing taken, and nothing is announced', async () => {
      const actor = await stage.start(heard);
      expect(actor.pty.write(new Uint8Array())).toBe(0);
      actor.print('printed');
      await heard.untilText('printed');
      expect(heard.writables).toBe(0);
    });

    it('paused it says nothing, and resumed it says everything', async () => {
      const actor = await stage.start(heard);
      actor.print('before ');
      await heard.untilText('before ');
      actor.pty.pause();
      actor.print('meanwhile ');
      await somethingElse(stage);
      expect(heard.text).toBe('before ');
      actor.pty.resume();
      actor.print('after');
      await heard.untilText('after');
      expect(heard.text).toBe('before meanwhile after');
    });

    it('an end that comes while it is paused is told with everything before it, once resumed', async () => {
      const actor = await stage.start(heard);
      actor.pty.pause();
      actor.print('unread');
      actor.exit(3);
      await somethingElse(stage);
      expect(heard.exits).toEqual([]);
      actor.pty.resume();
      expect(await heard.untilEnded()).toEqual({ code: 3 });
      expect(heard.text).toBe('unread');
    });

    it('closed it ends, says nothing more, and is one closing however often it is asked for', async () => {
      const actor = await stage.start(heard);
      actor.pty.pause();
      actor.print('unread');
      const closing = [actor.pty.close(), actor.pty.close()];
      actor.pty.resume();
      await Promise.all(closing);
      await actor.pty.close();
      expect(heard.text).toBe('');
      expect(heard.exits).toHaveLength(1);
    });

    it('closed while an earlier end waits to be read, it tells that end', async () => {
      const actor = await stage.start(heard);
      actor.pty.pause();
      actor.exit(3);
      await actor.pty.close();
      expect(heard.exits).toHaveLength(1);
    });

    it('after its end everything is a no-op', async () => {
      const actor = await stage.start(heard);
      actor.exit(0);
      await heard.untilEnded();
      expect(actor.pty.write(Buffer.from('late'))).toBe(0);
      actor.pty.resize({ columns: 10, rows: 10 });
      actor.pty.pause();
      actor.pty.resume();
      await actor.pty.close();
      await somethingElse(stage);
      expect([heard.bytes, heard.writables, heard.exits.length]).toEqual([0, 0, 1]);
    });

    it('it tells where its process is, until that is over', async () => {
      const actor = await stage.start(heard);
      expect(await actor.pty.directory()).toBe(actor.home);
      actor.goTo('/');
      actor.print('there');
      await heard.untilText('there');
      expect(await actor.pty.directory()).toBe('/');
      actor.exit(0);
      const asked = actor.pty.directory();
      await heard.untilEnded();
      expect(['/', undefined]).toContain(await asked);
      expect(await actor.pty.directory()).toBeUndefined();
    });

    it('one that cannot be started is a SessionError and no event', async () => {
      const refusal: unknown = await stage.refused(heard).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(SessionError);
      await somethingElse(stage);
      expect([heard.bytes, heard.writables, heard.exits.length]).toEqual([0, 0, 0]);
    });
  });
}

/** Types what the terminal will take, again and again until it has taken all. */
async function typed({ pty }: Actor, heard: Recording, input: Uint8Array): Promise<void> {
  for (let left = input.subarray(pty.write(input)); left.length > 0; left = left.subarray(pty.write(left))) {
    const before = heard.writables;
    await heard.until(() => heard.writables > before, 'there is room again');
  }
}

/** The life of another process: what was on its way has come by then. */
async function somethingElse(stage: Stage): Promise<void> {
  const heard = new Recording();
  const actor = await stage.start(heard);
  actor.print('else');
  actor.exit(0);
  await heard.untilEnded();
}
