import {
  INPUT_QUEUE_BYTES,
  newSession,
  runningSession,
  sessionOf,
  settled,
} from '../../test/support/running-session.js';
import { FakePtyFactory } from '../../test/fakes/fake-pty.js';
import { FakeViewer } from '../../test/fakes/fake-viewer.js';
import { type Attachment } from './attachment.js';
import { MAX_NAME_LENGTH, TELL_CHANGE_MS } from './caption.js';
import { SessionError } from './session-error.js';
import { NUDGE_MS, type Session, STALLED_MS } from './session.js';

const text = (input: string): Uint8Array => Buffer.from(input);

describe('T004, T005 · a session’s life', () => {
  it('is Running and connecting until its process has started, then active', async () => {
    const { session } = newSession();
    expect([session.state, session.status]).toEqual(['Running', 'connecting']);
    session.start();
    await settled();
    expect([session.state, session.status]).toEqual(['Running', 'active']);
  });

  it('is Closing and active until its process is gone, then Closed and exited', async () => {
    const { session } = await runningSession();
    session.close();
    expect([session.state, session.status]).toEqual(['Closing', 'active']);
    await session.whenEnded(5000);
    expect([session.state, session.status]).toEqual(['Closed', 'exited']);
  });

  it('closes once, however often it is asked', async () => {
    const { session, happened, clock } = await runningSession();
    session.close();
    session.close();
    await Promise.all([session.whenEnded(5000), session.whenEnded(5000)]);
    session.close();
    await session.whenEnded(5000);
    expect(happened).toEqual(['started', 'closing', 'ended']);
    expect(clock.timers).toBe(0);
  });

  it('says how its process ended', async () => {
    const { session, pty } = await runningSession();
    pty.end({ code: 137, signal: 'SIGKILL' });
    expect(session.exit).toEqual({ code: 137, signal: 'SIGKILL', cause: 'ended' });
  });

  it('tells whoever waits that its process cannot be ended, and goes on trying', async () => {
    const { session, pty, clock } = await runningSession();
    pty.diesWhenClosed = false;
    session.close();
    const waiting = session.whenEnded(5000);
    clock.advance(5000);
    await expect(waiting).rejects.toMatchObject({ code: 'CLOSE_TIMEOUT' });
    expect(session.state).toBe('Closing');
    pty.end({ code: 137, signal: 'SIGKILL' });
    expect(session.exit?.cause).toBe('closed');
  });
});

describe('T005 · starting a session', () => {
  it('waits for its first resize, and starts in that size', async () => {
    const { session, ptys, clock } = newSession();
    session.startWithin(500);
    await settled();
    expect(ptys.ptys).toHaveLength(0);
    session.resize({ columns: 100, rows: 30 });
    await settled();
    expect(ptys.last.sizes).toEqual([{ columns: 100, rows: 30 }]);
    expect(clock.timers).toBe(0);
  });

  it('starts by itself when nothing comes', async () => {
    const { session, ptys, clock } = newSession();
    session.startWithin(500);
    clock.advance(499);
    expect(ptys.ptys).toHaveLength(0);
    clock.advance(1);
    await settled();
    expect(ptys.ptys).toHaveLength(1);
  });

  it('starts once, whatever comes first and after', async () => {
    const { session, ptys, clock } = newSession();
    session.startWithin(500);
    session.write(text('a'));
    session.resize({ columns: 100, rows: 30 });
    session.start();
    clock.advance(500);
    await settled();
    expect(ptys.ptys).toHaveLength(1);
  });

  it.each([
    [
      ['100x30', 'a', 'b'],
      ['100x30', 'ab'],
    ],
    [
      ['a', '100x30'],
      ['80x24', 'a', '100x30'],
    ],
    [
      ['a', '100x30', 'b', '90x20', 'c'],
      ['80x24', 'a', '100x30', 'b', '90x20', 'c'],
    ],
    [
      ['100x30', 'a', '90x20'],
      ['100x30', 'a', '90x20'],
    ],
  ])('gives its process what comes while that is starting, %j, in its order: %j', async (came, received) => {
    const { session, ptys } = newSession();
    ptys.hold();
    for (const one of came) {
      const [columns, rows] = one.split('x').map(Number);
      if (rows === undefined) session.write(text(one));
      else session.resize({ columns: columns!, rows });
    }
    ptys.release();
    await settled();
    expect(ptys.last.received).toEqual(received);
  });

  it('sizes a terminal at once, ahead of input that it has no room for', async () => {
    const { session, pty } = await runningSession();
    pty.room = 1;
    session.write(text('ab'));
    session.resize({ columns: 100, rows: 30 });
    pty.read(1);
    expect(pty.received).toEqual(['80x24', 'a', '100x30', 'b']);
  });

  it('ends with 127 and the reason when its process cannot be started', async () => {
    const { session, ptys } = newSession();
    ptys.failure = new SessionError('INVALID_CWD', 'no such directory');
    const viewer = new FakeViewer();
    session.attach(viewer);
    session.start();
    await settled();
    expect(viewer.exits).toEqual([
      { code: 127, cause: 'failed', failure: expect.objectContaining({ code: 'INVALID_CWD' }) as Error },
    ]);
  });

  it('calls what it does not expect a failed start, and keeps the cause', async () => {
    const { session, ptys } = newSession();
    const bug = new TypeError('a bug');
    ptys.failure = bug as unknown as SessionError;
    session.start();
    await settled();
    expect(session.exit?.failure).toMatchObject({ code: 'SPAWN_FAILED', cause: bug });
  });

  it('ends with 0 when it is closed before its process was asked for', () => {
    const { session, ptys, clock } = newSession();
    session.startWithin(500);
    session.close();
    expect(session.exit).toEqual({ code: 0, cause: 'closed' });
    session.start();
    expect(ptys.ptys).toHaveLength(0);
    expect(clock.timers).toBe(0);
  });

  it('ends the process that comes after it was closed', async () => {
    const { session, ptys, happened } = newSession();
    ptys.hold();
    session.start();
    session.close();
    ptys.release();
    await session.whenEnded(5000);
    expect(ptys.last.isOver).toBe(true);
    expect(session.exit).toEqual({ code: 0, cause: 'closed' });
    expect(happened).not.toContain('started');
  });

  it('ends with 0 when the process that comes after it was closed cannot be started', async () => {
    const { session, ptys } = newSession();
    ptys.hold();
    ptys.failure = new SessionError('SPAWN_FAILED', 'no');
    session.start();
    session.close();
    ptys.release();
    await session.whenEnded(5000);
    expect(session.exit).toEqual({ code: 0, cause: 'closed' });
  });
});

describe('output', () => {
  it('replays only what a returning viewer has not seen', async () => {
    const { session, pty } = await runningSession();
    pty.print('one ');
    pty.print('two');
    const viewer = new FakeViewer();
    session.attach(viewer, 4);
    expect(viewer.text).toBe('two');
  });

  it('comes whole to a viewer that joins late, then as it is printed', async () => {
    const { session, pty } = await runningSession();
    pty.print('before ');
    const viewer = new FakeViewer();
    session.attach(viewer);
    pty.print('after');
    expect(viewer.text).toBe('before after');
  });

  it('is all delivered before the exit, once', async () => {
    const { session, pty } = await runningSession();
    const viewer = new FakeViewer(false);
    session.attach(viewer);
    pty.print('last words');
    pty.end({ code: 3 });
    expect(viewer.exits).toEqual([]);
    viewer.startReading();
    expect(viewer.text).toBe('last words');
    expect(viewer.exits).toEqual([{ code: 3, cause: 'ended' }]);
    session.close();
    expect(viewer.exits).toHaveLength(1);
  });

  it('that a viewer has not taken is dropped when somebody closes the session', async () => {
    const { session, pty } = await runningSession();
    const viewer = new FakeViewer(false);
    session.attach(viewer);
    pty.print('a flood');
    session.close();
    pty.print('more of it');
    await session.whenEnded(5000);
    viewer.startReading();
    expect(viewer.text).toBe('');
    expect(viewer.exits).toEqual([{ code: 129, signal: 'SIGHUP', cause: 'closed' }]);
  });

  it('that waits is dropped when a session that ended by itself is closed', async () => {
    const { session, pty } = await runningSession();
    const viewer = new FakeViewer(false);
    session.attach(viewer);
    pty.print('unread');
    pty.end();
    session.close();
    viewer.startReading();
    expect(viewer.text).toBe('');
    expect(viewer.exits).toHaveLength(1);
  });

  it('pauses the process while its slowest viewer is far behind', async () => {
    const { session, pty } = await runningSession();
    const slow = new FakeViewer(false);
    session.attach(new FakeViewer());
    session.attach(slow);
    pty.print(Buffer.alloc(64 * 1024));
    expect(pty.paused).toBe(false);
    pty.print('x');
    expect(pty.paused).toBe(true);
    slow.startReading();
    expect(pty.paused).toBe(false);
  });

  it('runs on when its slow viewer leaves, and when nobody watches', async () => {
    const { session, pty, happened } = await runningSession();
    const attachment = session.attach(new FakeViewer(false));
    pty.print(Buffer.alloc(100_000));
    expect(pty.paused).toBe(true);
    attachment.detach();
    attachment.detach();
    expect(pty.paused).toBe(false);
    pty.print(Buffer.alloc(100_000));
    expect(pty.paused).toBe(false);
    expect(happened.filter((type) => type === 'viewerLeft')).toHaveLength(1);
  });

  it('that has fallen off the log is a jump in the offset', async () => {
    const { session, pty } = await runningSession({ logBytes: 10 });
    pty.print('0123456789abcdef');
    const viewer = new FakeViewer();
    const attachment = session.attach(viewer);
    expect(viewer.text).toBe('6789abcdef');
    expect(attachment.offset).toBe(16);
  });
});

describe('input', () => {
  it('waits for a process that does not read, in order and whole', async () => {
    const { session, pty } = await runningSession();
    pty.room = 3;
    session.write(text('one '));
    session.write(text('two'));
    expect(pty.input).toBe('one');
    pty.read(100);
    expect(pty.input).toBe('one two');
  });

  it('that does not fit is refused whole', async () => {
    const { session, pty } = await runningSession();
    pty.room = 0;
    session.write(new Uint8Array(INPUT_QUEUE_BYTES - 1));
    expect(() => session.write(text('ab'))).toThrow(
      expect.objectContaining({ code: 'INPUT_QUEUE_FULL' }) as Error,
    );
    session.write(text('c'));
    pty.read(Infinity);
    expect(pty.input).toHaveLength(INPUT_QUEUE_BYTES);
    expect(pty.input.at(-1)).toBe('c');
  });

  it('that waits in other sessions too is bounded for the server', async () => {
    const { session, pty } = await runningSession({ inputBudgetBytes: 10 });
    pty.room = 0;
    session.write(new Uint8Array(10));
    expect(() => session.write(text('a'))).toThrow(SessionError);
  });

  it('and sizes are refused once the session is closing or ended', async () => {
    const { session } = await runningSession();
    session.close();
    expect(() => session.write(text('a'))).toThrow(
      expect.objectContaining({ code: 'SESSION_ENDED' }) as Error,
    );
    await session.whenEnded(5000);
    expect(() => session.resize({ columns: 1, rows: 1 })).toThrow(
      expect.objectContaining({ code: 'SESSION_ENDED' }) as Error,
    );
  });
});

describe('leaving the registry', () => {
  it('is told to viewers once they have the exit', async () => {
    const { session, pty, happened } = await runningSession();
    const attachment = session.attach(new FakeViewer());
    pty.end();
    expect(attachment.isOver).toBe(false);
    session.remove();
    session.remove();
    expect(attachment.isOver).toBe(true);
    expect(happened.filter((type) => type === 'removed')).toHaveLength(1);
  });
});

describe('several viewers', () => {
  it('leaves the process free when a viewer has missed everything, to the end', async () => {
    const { session, pty, clock } = await runningSession({ logBytes: 256 * 1024 });
    const stuck = session.attach(new FakeViewer(false), 0, { isResumable: true });
    const reading = session.attach(new FakeViewer(false), 0, { isResumable: true });
    // One picture that is longer than the log: there is no place in it to go on from.
    pty.print('\x1bPq');
    for (let n = 0; n < 40; n++) {
      pty.print('x'.repeat(32 * 1024));
      reading.advance(session.log.end);
      reading.consumed(session.log.end);
      clock.advance(STALLED_MS);
    }
    expect(stuck.takeGap()).toMatchObject({ end: session.log.end });
    reading.detach();
    expect(pty.paused).toBe(false);
  });

  const MARK = 64 * 1024;

  /** A viewer that stands still, and another that reads, after the first is no longer waited for. */
  async function withOneStalled(): Promise<
    Awaited<ReturnType<typeof runningSession>> & {
      readonly stalled: FakeViewer;
      readonly reading: FakeViewer;
      readonly readers: Attachment;
    }
  > {
    const lone = await runningSession();
    const stalled = new FakeViewer(false);
    const reading = new FakeViewer();
    lone.session.attach(stalled);
    const readers = lone.session.attach(reading);
    lone.pty.print(Buffer.alloc(MARK + 1, '1'));
    lone.clock.advance(STALLED_MS);
    return { ...lone, stalled, reading, readers };
  }

  it('wait for one that stands still for 10 s, and no longer', async () => {
    const { session, pty, clock } = await runningSession();
    session.attach(new FakeViewer(false));
    session.attach(new FakeViewer());
    pty.print(Buffer.alloc(MARK + 1));
    clock.advance(STALLED_MS - 1);
    expect(pty.paused).toBe(true);
    clock.advance(1);
    expect(pty.paused).toBe(false);
    expect(clock.timers).toBe(0);
  });

  it('that all stand still are waited for', async () => {
    const { session, pty, clock } = await runningSession();
    session.attach(new FakeViewer(false));
    session.attach(new FakeViewer(false));
    pty.print(Buffer.alloc(MARK + 1));
    clock.advance(6 * STALLED_MS);
    expect(pty.paused).toBe(true);
  });

  it('wait for one that reads however little', async () => {
    const { session, pty, clock } = await runningSession();
    const slow = session.attach(new FakeViewer(false));
    session.attach(new FakeViewer());
    pty.print(Buffer.alloc(MARK + 1));
    for (let looks = 1; looks <= 5; looks++) {
      slow.advance(looks);
      clock.advance(STALLED_MS);
      expect(pty.paused).toBe(true);
    }
  });

  it('wait again for one that has caught up', async () => {
    const { pty, stalled } = await withOneStalled();
    stalled.startReading();
    stalled.stopReading();
    pty.print(Buffer.alloc(MARK + 1));
    expect(pty.paused).toBe(true);
  });

  it('wait for the one that stood still once it is alone', async () => {
    const { pty, clock, readers } = await withOneStalled();
    readers.detach();
    expect(pty.paused).toBe(true);
    clock.advance(6 * STALLED_MS);
    expect(pty.paused).toBe(true);
  });

  it('go on at once when one comes that reads, where only one that stands still was left', async () => {
    const { session, pty, readers } = await withOneStalled();
    readers.detach();
    session.attach(new FakeViewer(), session.log.end);
    expect(pty.paused).toBe(false);
  });

  it('wait at once for one that comes far behind', async () => {
    const { session, pty } = await runningSession();
    pty.print(Buffer.alloc(MARK + 1));
    const late = new FakeViewer(false);
    session.attach(late);
    expect(pty.paused).toBe(true);
    late.startReading();
    expect(pty.paused).toBe(false);
  });

  it('leave no timer behind when their session is closed, though its process does not end', async () => {
    const { session, pty, clock } = await runningSession();
    pty.diesWhenClosed = false;
    const attachment = session.attach(new FakeViewer(false));
    pty.print(Buffer.alloc(MARK + 1));
    expect(clock.timers).toBe(1);
    session.close();
    expect(clock.timers).toBe(0);
    attachment.detach();
    session.attach(new FakeViewer(false));
    expect(clock.timers).toBe(0);
  });

  it('are watched by one timer, also when the process has more to say at once', async () => {
    const { session, pty, clock } = await runningSession();
    session.attach(new FakeViewer(false));
    const slow = session.attach(new FakeViewer(false));
    pty.print(Buffer.alloc(MARK + 1));
    pty.print(Buffer.alloc(MARK + 1));
    slow.advance(session.log.end);
    clock.advance(STALLED_MS);
    expect([session.log.end, pty.paused, clock.timers]).toEqual([2 * (MARK + 1), true, 1]);
    slow.advance(session.log.end);
    expect([pty.paused, clock.timers]).toEqual([false, 0]);
  });

  it('hear nothing more after the exit', async () => {
    const { session, pty } = await runningSession();
    const inControl = session.attach(new FakeViewer());
    const other = new FakeViewer();
    session.attach(other);
    pty.end();
    inControl.detach();
    expect([other.exits.length, other.news]).toEqual([1, []]);
  });
});

describe('control', () => {
  const told = ({ news }: FakeViewer): unknown[] =>
    news.map((one) => (one.type === 'control' ? one.inControl : one.type));

  async function withTwo(): Promise<
    Awaited<ReturnType<typeof runningSession>> & {
      readonly viewers: readonly [FakeViewer, FakeViewer];
      readonly first: Attachment;
      readonly second: Attachment;
    }
  > {
    const lone = await runningSession();
    const viewers = [new FakeViewer(), new FakeViewer()] as const;
    const first = lone.session.attach(viewers[0]);
    const second = lone.session.attach(viewers[1]);
    return { ...lone, viewers, first, second };
  }

  it('is the first viewer’s, who is not told', async () => {
    const { session, viewers, first, second } = await withTwo();
    expect([session.isControlledBy(first), session.isControlledBy(second)]).toEqual([true, false]);
    expect(viewers.map(told)).toEqual([[], []]);
  });

  it.each([
    ['types', (session: Session, by: Attachment) => session.write(text('x'), by)],
    ['resizes', (session: Session, by: Attachment) => session.resize({ columns: 90, rows: 20 }, by)],
  ])('goes to whoever %s, and is told when it changes', async (_what, act) => {
    const { session, viewers, first, second } = await withTwo();
    act(session, second);
    act(session, second);
    expect(viewers.map((viewer) => told(viewer).filter((news) => news !== 'resized'))).toEqual([
      [false],
      [true],
    ]);
    expect([session.isControlledBy(first), session.isControlledBy(second)]).toEqual([false, true]);
  });

  it('stays where it is when the input is refused', async () => {
    const { session, pty, viewers, second } = await withTwo();
    pty.room = 0;
    session.write(new Uint8Array(INPUT_QUEUE_BYTES));
    expect(() => session.write(text('x'), second)).toThrow(SessionError);
    expect(viewers.map(told)).toEqual([[], []]);
  });

  it('stays where it is when somebody types of whom nobody knows', async () => {
    const { session, viewers, first } = await withTwo();
    session.write(text('x'));
    expect(session.isControlledBy(first)).toBe(true);
    expect(viewers.map(told)).toEqual([[], []]);
  });

  it('goes to the longest there of those who may type, when its viewer leaves', async () => {
    const { session, first, viewers } = await withTwo();
    const reader = new FakeViewer();
    session.attach(reader, 0, { readOnly: true });
    session.attach(new FakeViewer());
    first.detach();
    expect([...viewers, reader].map(told)).toEqual([[], [true], []]);
  });

  it('stays when another leaves', async () => {
    const { first, second, session, viewers } = await withTwo();
    second.detach();
    expect(session.isControlledBy(first)).toBe(true);
    expect(viewers.map(told)).toEqual([[], []]);
  });

  it('is nobody’s while all only read, and the first one’s who may type', async () => {
    const { session } = await runningSession();
    const reader = session.attach(new FakeViewer(), 0, { readOnly: true });
    expect(session.isControlledBy(reader)).toBe(false);
    const typist = session.attach(new FakeViewer());
    expect(session.isControlledBy(typist)).toBe(true);
    typist.detach();
    expect([session.isControlledBy(reader), session.isControlledBy(typist)]).toEqual([false, false]);
  });

  it('goes over to the view that replaces the one that had it', async () => {
    const { session, viewers, first } = await withTwo();
    const again = session.attach(viewers[0], 0, { replaced: first });
    expect(session.isControlledBy(again)).toBe(true);
    expect(viewers.map(told)).toEqual([[], []]);
  });

  it('goes to another when the view that replaces it only reads', async () => {
    const { session, viewers, first, second } = await withTwo();
    session.attach(viewers[0], 0, { replaced: first, readOnly: true });
    expect(session.isControlledBy(second)).toBe(true);
    expect(viewers.map(told)).toEqual([[], [true]]);
  });
});

describe('viewing', () => {
  it('of a new size tells the others, and from where on', async () => {
    const { session, pty } = await runningSession();
    const viewers = [new FakeViewer(), new FakeViewer()] as const;
    const resizer = session.attach(viewers[0]);
    session.attach(viewers[1]);
    pty.print('12345');
    session.resize({ columns: 90, rows: 20 }, resizer);
    session.resize({ columns: 91, rows: 21 });
    const resized = (columns: number, rows: number): object => ({
      type: 'resized',
      offset: 5,
      size: { columns, rows },
    });
    expect(viewers.map(({ news }) => news)).toEqual([[resized(91, 21)], [resized(90, 20), resized(91, 21)]]);
    expect(session.sizesFrom(0).map(({ offset }) => offset)).toEqual([0, 5]);
  });

  it('for reading only types and resizes nothing', async () => {
    const { session, pty } = await runningSession();
    const reader = session.attach(new FakeViewer(), 0, { readOnly: true });
    const refusal = expect.objectContaining({ code: 'READ_ONLY' }) as Error;
    expect(() => session.write(text('x'), reader)).toThrow(refusal);
    expect(() => session.resize({ columns: 90, rows: 20 }, reader)).toThrow(refusal);
    expect([pty.received, session.sizesFrom(0).length]).toEqual([['80x24'], 1]);
  });

  it('is for so many at a time; whoever looks already may look anew, and whoever leaves makes room', async () => {
    const { session, happened } = await runningSession();
    const [first] = Array.from({ length: 8 }, () => session.attach(new FakeViewer()));
    const refusal = expect.objectContaining({ code: 'SESSION_LIMIT' }) as Error;
    expect(() => session.attach(new FakeViewer())).toThrow(refusal);
    const again = session.attach(new FakeViewer(), 0, { replaced: first! });
    expect(() => session.attach(new FakeViewer())).toThrow(refusal);
    again.detach();
    session.attach(new FakeViewer());
    expect(happened.filter((type) => type === 'viewerJoined')).toHaveLength(10);
    expect(happened.filter((type) => type === 'viewerLeft')).toHaveLength(2);
  });

  it('anew is told as coming before the old is told as going: somebody looks all the time', async () => {
    const { session, happened } = await runningSession();
    const before = session.attach(new FakeViewer());
    session.attach(new FakeViewer(), 0, { replaced: before });
    expect(happened.slice(-3)).toEqual(['viewerJoined', 'viewerJoined', 'viewerLeft']);
  });

  it('from what is not there yet is refused, and nobody comes', async () => {
    const { session, pty, happened } = await runningSession();
    pty.print('123');
    expect(() => session.attach(new FakeViewer(), 4)).toThrow(
      expect.objectContaining({ code: 'BAD_OFFSET' }) as Error,
    );
    session.attach(new FakeViewer(), 3);
    expect(happened.filter((type) => type === 'viewerJoined')).toHaveLength(1);
  });

  it('anew shows no more through the old view, and one exit through the new', async () => {
    const { session, pty } = await runningSession();
    const viewer = new FakeViewer();
    const before = session.attach(viewer);
    pty.print('once ');
    session.attach(viewer, 0, { replaced: before });
    pty.print('more');
    pty.end();
    expect(viewer.text).toBe('once once more');
    expect(viewer.exits).toHaveLength(1);
  });
});

describe('a viewer that may lose its connection', () => {
  const KIB = 1024;
  const LOG_BYTES = 256 * KIB;
  /** What may be printed ahead of it: the log, but for the reads that cross the mark. */
  const MOST_AHEAD = 128 * KIB;
  type Lone = Awaited<ReturnType<typeof runningSession>>;

  async function watched(reading = true): Promise<Lone & { viewer: FakeViewer; attachment: Attachment }> {
    const lone = await runningSession({ logBytes: LOG_BYTES });
    const viewer = new FakeViewer(reading);
    const attachment = lone.session.attach(viewer, 0, { isResumable: true });
    return { ...lone, viewer, attachment };
  }

  it('is waited for until it has consumed what it was sent: it may ask for that again', async () => {
    const { pty, viewer, attachment } = await watched();
    for (let printed = 0; printed < MOST_AHEAD; printed += 16 * KIB) pty.print(Buffer.alloc(16 * KIB));
    expect(pty.paused).toBe(false);
    pty.print('x');
    expect([pty.paused, viewer.bytes.length]).toEqual([true, MOST_AHEAD + 1]);
    // Runs on from 32 KiB below.
    attachment.consumed(32 * KIB + 1);
    expect(pty.paused).toBe(true);
    attachment.consumed(32 * KIB + 2);
    attachment.consumed(5);
    expect([pty.paused, attachment.consumedOffset]).toEqual([false, 32 * KIB + 2]);
  });

  it('is not waited for so that cannot ask again', async () => {
    const { session, pty } = await runningSession({ logBytes: LOG_BYTES });
    session.attach(new FakeViewer());
    pty.print(Buffer.alloc(LOG_BYTES));
    expect(pty.paused).toBe(false);
  });

  it('lets its process run on while it is away, until the log is full from where it left off', async () => {
    const { session, pty, attachment } = await watched(false);
    pty.print(Buffer.alloc(64 * KIB + 1));
    expect(pty.paused).toBe(true);
    attachment.hold();
    expect([pty.paused, attachment.isHeld, session.isWatched]).toEqual([false, true, true]);
    pty.print(Buffer.alloc(MOST_AHEAD - 64 * KIB));
    expect(pty.paused).toBe(true);
    pty.print(Buffer.alloc(LOG_BYTES));
    expect(session.log.start).toBe(0);
    attachment.detach();
    expect([pty.paused, session.log.end]).toEqual([false, MOST_AHEAD + 1 + LOG_BYTES]);
  });

  it('takes nothing while it is away; whoever comes in its place goes on from where it left off', async () => {
    const { session, pty, viewer, attachment } = await watched();
    pty.print('seen sent ');
    attachment.consumed(5);
    viewer.stopReading();
    attachment.hold();
    pty.print('missed');
    const next = new FakeViewer();
    const again = session.attach(next, attachment.neededFrom, { isResumable: true, replaced: attachment });
    expect([viewer.text, next.text, again.isHeld]).toEqual(['seen sent ', 'sent missed', false]);
  });

  it('that is away is not waited for once it has stood still for 10 s and another reads', async () => {
    const { session, pty, clock, attachment } = await watched(false);
    session.attach(new FakeViewer());
    attachment.hold();
    pty.print(Buffer.alloc(MOST_AHEAD + 1));
    clock.advance(STALLED_MS - 1);
    expect(pty.paused).toBe(true);
    clock.advance(1);
    expect(pty.paused).toBe(false);
    pty.print(Buffer.alloc(LOG_BYTES));
    expect([pty.paused, attachment.neededFrom, attachment.consumedOffset]).toEqual([
      false,
      session.log.start,
      0,
    ]);
  });

  it('is waited for while it consumes however little of what it was sent, though others read on', async () => {
    const { session, pty, clock, viewer, attachment } = await watched();
    session.attach(new FakeViewer());
    while (!pty.paused) pty.print(Buffer.alloc(16 * KIB));
    expect(viewer.bytes.length).toBe(session.log.end);
    for (let consumed = 1; consumed <= 5; consumed++) {
      attachment.consumed(consumed);
      clock.advance(STALLED_MS);
      expect(pty.paused).toBe(true);
    }
    clock.advance(STALLED_MS);
    expect(pty.paused).toBe(false);
  });

  it('alone is waited for as long as it is kept', async () => {
    const { pty, clock, attachment } = await watched(false);
    attachment.hold();
    pty.print(Buffer.alloc(MOST_AHEAD + 1));
    clock.advance(6 * STALLED_MS);
    expect([pty.paused, clock.timers]).toEqual([true, 1]);
    attachment.detach();
    expect([pty.paused, clock.timers]).toEqual([false, 0]);
  });

  it('and has gone on behind a gap is waited for again from there', async () => {
    const { session, pty, clock, viewer, attachment } = await watched(false);
    session.attach(new FakeViewer());
    pty.print(Buffer.alloc(MOST_AHEAD + 1));
    clock.advance(STALLED_MS);
    pty.print(Buffer.alloc(LOG_BYTES));
    const end = session.log.end;
    expect(attachment.takeGap()).toEqual({ offset: 0, end: session.log.start, restoring: '\x18\x1b[!p' });
    viewer.startReading();
    attachment.consumed(end);
    pty.print(Buffer.alloc(MOST_AHEAD + 1));
    expect(pty.paused).toBe(true);
  });

  describe('and is in control', () => {
    const told = ({ news }: FakeViewer): unknown[] =>
      news.map((one) => (one.type === 'control' ? one.inControl : one.type));

    it('hands that to the longest there of those who can answer', async () => {
      const { session, viewer, attachment } = await watched();
      const viewers = [new FakeViewer(), new FakeViewer(), new FakeViewer(), new FakeViewer()] as const;
      session.attach(viewers[0], 0, { readOnly: true });
      session.attach(viewers[1]).hold();
      session.attach(viewers[2]);
      session.attach(viewers[3]);
      attachment.hold();
      expect(viewers.map(told)).toEqual([[], [], [true], []]);
      expect(told(viewer)).toEqual([false]);
    });

    it('keeps it while nobody else can have it, and so does whoever comes in its place', async () => {
      const { session, attachment } = await watched();
      const reader = new FakeViewer();
      session.attach(reader, 0, { readOnly: true });
      attachment.hold();
      expect(session.isControlledBy(attachment)).toBe(true);
      const again = session.attach(new FakeViewer(), 0, { replaced: attachment });
      expect([session.isControlledBy(again), told(reader)]).toEqual([true, []]);
    });

    it('loses it to whoever comes meanwhile and may type', async () => {
      const { session, attachment } = await watched();
      attachment.hold();
      session.attach(new FakeViewer(), 0, { readOnly: true });
      expect(session.isControlledBy(attachment)).toBe(true);
      const other = session.attach(new FakeViewer());
      expect(session.isControlledBy(other)).toBe(true);
      const again = session.attach(new FakeViewer(), 0, { replaced: attachment });
      expect([session.isControlledBy(other), session.isControlledBy(again)]).toEqual([true, false]);
    });

    it('takes nothing from anybody when it is held without it', async () => {
      const { session, attachment } = await watched();
      const other = new FakeViewer();
      session.attach(other).hold();
      expect([session.isControlledBy(attachment), told(other)]).toEqual([true, []]);
    });

    it('keeps it when all is over: the exit is to be the last word', async () => {
      const { session, pty, attachment } = await watched();
      const other = new FakeViewer();
      session.attach(other);
      pty.end();
      attachment.hold();
      expect([session.isControlledBy(attachment), told(other), other.exits.length]).toEqual([true, [], 1]);
    });
  });
});

describe('output that does not begin where it was asked for', () => {
  const RESTORING = '\x18\x1b[!p';

  it('begins at a place where it can be shown, with what a terminal is to be given first', async () => {
    const { session, pty } = await runningSession({ logBytes: 10 });
    pty.print('\x1b[?2004h0123456\x1b[31mred');
    const { log } = session;
    expect([log.start, log.end]).toEqual([13, 23]);
    const { look } = session.attach(new FakeViewer());
    expect(look).toMatchObject({ offset: 13, restoring: `${RESTORING}\x1b[?2004h` });
    pty.print('123');
    const cut = { offset: 20, restoring: `${RESTORING}\x1b[?2004h` };
    for (const from of [undefined, 0, 14])
      expect(session.attach(new FakeViewer(), from).look).toMatchObject(cut);
  });

  it('is given as it is from an offset that is still there, whatever that is inside of', async () => {
    const { session, pty } = await runningSession({ logBytes: 10 });
    pty.print('0123456789\x1b[31mred');
    const { look } = session.attach(new FakeViewer(), 12);
    expect([look.offset, look.restoring]).toEqual([12, undefined]);
  });

  it('needs nothing before it at its very beginning', async () => {
    const { session, pty } = await runningSession();
    pty.print('\x1b[?1049h');
    expect(session.attach(new FakeViewer()).look.restoring).toBeUndefined();
    expect(pty.sizes).toHaveLength(1);
  });

  it.each([
    ['is being closed', 'Closing'],
    ['was closed', 'Closed'],
  ] as const)('is none of a session that %s: there is the exit, and nothing else', async (_what, state) => {
    const { session, pty } = await runningSession();
    pty.print('12345');
    pty.diesWhenClosed = state === 'Closed';
    session.close();
    await settled();
    expect(session.state).toBe(state);
    const viewers = [new FakeViewer(), new FakeViewer(), new FakeViewer()];
    const looks = viewers.map((viewer, index) => session.attach(viewer, [undefined, 0, 5][index]).look);
    for (const { offset, restoring } of looks) expect([offset, restoring]).toEqual([5, undefined]);
    pty.end({ code: 137 });
    expect(viewers.map(({ text: shown, exits }) => [shown, exits.length])).toEqual([
      ['', 1],
      ['', 1],
      ['', 1],
    ]);
    expect(() => session.attach(new FakeViewer(), 6)).toThrow(
      expect.objectContaining({ code: 'BAD_OFFSET' }) as Error,
    );
  });

  it('is all there is of a session that ended by itself and was closed then', async () => {
    const { session, pty } = await runningSession();
    pty.print('12345');
    pty.end();
    session.close();
    const viewer = new FakeViewer();
    session.attach(viewer);
    expect([viewer.text, viewer.exits.length]).toEqual(['12345', 1]);
  });
});

describe('a program that fills the screen', () => {
  type Lone = Awaited<ReturnType<typeof runningSession>>;

  /** One that has painted more than the log keeps. */
  async function painting(): Promise<Lone> {
    const lone = await runningSession({ logBytes: 10 });
    lone.pty.print('\x1b[?1049h0123456789');
    return lone;
  }
  const received = ({ pty }: Lone): string[] => pty.received.slice(1);

  it('is made to paint anew for who has missed output: it has another size for 60 ms, then its own', async () => {
    const lone = await painting();
    const { session, clock } = lone;
    session.attach(new FakeViewer());
    expect(NUDGE_MS).toBeGreaterThanOrEqual(50);
    clock.advance(NUDGE_MS - 1);
    expect(received(lone)).toEqual(['80x23']);
    clock.advance(1);
    expect(received(lone)).toEqual(['80x23', '80x24']);
    expect([clock.timers, session.size]).toEqual([0, { columns: 80, rows: 24 }]);
    expect(session.sizesFrom(0)).toHaveLength(1);
  });

  it('is so too for one that takes a gap', async () => {
    const lone = await painting();
    const attachment = lone.session.attach(new FakeViewer(false), 8);
    lone.pty.print('abc');
    expect(received(lone)).toEqual([]);
    expect(attachment.takeGap()).toMatchObject({ offset: 8, end: 11 });
    expect(received(lone)).toEqual(['80x23']);
    expect(attachment.takeGap()).toBeUndefined();
    lone.clock.advance(NUDGE_MS);
    expect(received(lone)).toEqual(['80x23', '80x24']);
  });

  it('is told of no size when nothing was missed, or when it is none any more', async () => {
    const lone = await painting();
    const { session, pty, clock } = lone;
    session.attach(new FakeViewer(), 8);
    session.attach(new FakeViewer(), session.log.end);
    pty.print('\x1b[?1049l');
    session.attach(new FakeViewer());
    expect([received(lone), clock.timers]).toEqual([[], 0]);
  });

  it('paints once for many that come at once', async () => {
    const lone = await painting();
    for (let n = 0; n < 5; n++) lone.session.attach(new FakeViewer());
    lone.clock.advance(NUDGE_MS);
    expect(received(lone)).toEqual(['80x23', '80x24']);
  });

  it('on a screen of one row has two rows for the moment', async () => {
    const lone = await painting();
    lone.session.resize({ columns: 80, rows: 1 });
    lone.session.attach(new FakeViewer());
    lone.clock.advance(NUDGE_MS);
    expect(received(lone)).toEqual(['80x1', '80x2', '80x1']);
  });

  it('has the size at once that somebody resizes to meanwhile, and keeps it', async () => {
    const lone = await painting();
    const { session, clock } = lone;
    session.attach(new FakeViewer());
    session.resize({ columns: 100, rows: 30 });
    expect([received(lone), clock.timers]).toEqual([['80x23', '100x30'], 0]);
    clock.advance(NUDGE_MS);
    expect(received(lone)).toEqual(['80x23', '100x30']);
  });

  it('keeps the other size for its time when somebody resizes to what it is to have', async () => {
    const lone = await painting();
    const { session, clock } = lone;
    const viewers = [new FakeViewer(), new FakeViewer()] as const;
    session.attach(viewers[0]);
    session.resize({ columns: 80, rows: 24 }, session.attach(viewers[1]));
    expect(received(lone)).toEqual(['80x23']);
    // For viewers it is a resize as any other.
    expect(viewers[0].news.map(({ type }) => type)).toEqual(['control', 'resized']);
    clock.advance(NUDGE_MS);
    expect(received(lone)).toEqual(['80x23', '80x24']);
  });

  it.each([
    ['is closed', (session: Session) => session.close()],
    ['ends', (_session: Session, pty: Lone['pty']) => pty.end()],
  ])('that %s meanwhile is told nothing more, and no timer is left', async (_what, act) => {
    const lone = await painting();
    lone.session.attach(new FakeViewer());
    act(lone.session, lone.pty);
    expect(lone.clock.timers).toBe(0);
    await settled();
    lone.clock.advance(NUDGE_MS);
    expect(received(lone)).toEqual(['80x23']);
  });

  it('that has ended paints no more for who looks at what it left', async () => {
    const lone = await painting();
    lone.pty.end();
    const viewer = new FakeViewer();
    lone.session.attach(viewer);
    expect([received(lone), lone.clock.timers, viewer.exits.length]).toEqual([[], 0, 1]);
  });
});

describe('what was typed', () => {
  it('is told to whoever typed it as the terminal takes it', async () => {
    const { session, pty } = await runningSession();
    const told: string[] = [];
    const [one, other] = ['one', 'other'].map(
      (whose) => (bytes: number) => void told.push(`${whose} ${bytes}`),
    );
    pty.room = 2;
    session.write(text('abc'), undefined, undefined, one);
    session.write(text('xy'), undefined, undefined, other);
    session.write(text('nobody’s'));
    pty.read(100);
    expect(told).toEqual(['one 2', 'one 1', 'other 2']);
  });

  it('while its process is starting is told when that takes it', async () => {
    const { session, ptys } = newSession();
    const told: number[] = [];
    const taken = (bytes: number): void => void told.push(bytes);
    session.write(text('abc'), undefined, undefined, taken);
    session.resize({ columns: 90, rows: 20 });
    session.write(text('de'), undefined, undefined, taken);
    expect(told).toEqual([]);
    await settled();
    expect([told, ptys.last.received]).toEqual([
      [3, 2],
      ['80x24', 'abc', '90x20', 'de'],
    ]);
  });
});

describe('a session’s name', () => {
  it('is another once it is renamed, and that is told at once, each time', async () => {
    const { session, happened, clock } = await runningSession();
    for (const name of ['tests', '<img src=x onerror=alert(1)>', '👩‍👩‍👧']) {
      session.rename(name);
      expect(session.name).toBe(name);
    }
    expect(happened).toEqual(['started', 'changed', 'changed', 'changed']);
    expect(clock.timers).toBe(0);
  });

  it('is in normal form C, and the same name again is no news', () => {
    const { session, happened } = newSession();
    session.rename('e\u0301');
    session.rename('\u00e9');
    session.rename('\u00e9');
    expect([session.name, happened]).toEqual(['\u00e9', ['changed']]);
  });

  it('is counted in characters, once it is in normal form', () => {
    const { session } = newSession();
    session.rename('🚀'.repeat(MAX_NAME_LENGTH));
    session.rename('e\u0301'.repeat(MAX_NAME_LENGTH));
    expect(session.name).toBe('é'.repeat(MAX_NAME_LENGTH));
  });

  it.each([
    ['nothing', ''],
    ['blanks', ' \t '],
    ['what has no width', '\u200b\u2060'],
    ['129 characters', 'x'.repeat(129)],
    ['a control character', 'a\nb'],
    ['an escape', '\x1b[31mred'],
    ['an override of direction', 'a\u202eb'],
    ['an isolate', 'a\u2066b'],
    ['half a character', '\ud83d'],
  ])('cannot be %s, and stays what it was', (_what, name) => {
    const { session, happened } = newSession();
    expect(() => session.rename(name)).toThrow(expect.objectContaining({ code: 'INVALID_NAME' }) as Error);
    expect([session.name, happened]).toEqual(['bash-1', []]);
  });

  it('may be another of a session that has ended', async () => {
    const { session, pty, happened } = await runningSession();
    pty.end();
    session.rename('tests');
    expect([session.name, happened]).toEqual(['tests', ['started', 'ended', 'changed']]);
  });
});

describe('what programs say of themselves', () => {
  const title = (of: string): string => `\x1b]2;${of}\x07`;
  const directory = (of: string): string => `\x1b]7;file://here${of}\x1b\\`;
  const changes = (happened: readonly string[]): number => happened.filter((one) => one === 'changed').length;

  it('shows, and is told at once', async () => {
    const { session, pty, happened } = await runningSession();
    expect([session.title, session.cwd]).toEqual([undefined, '/']);
    pty.print(`${title('vim')}${directory('/srv')}`);
    // Once for both: who is told of one of them alone shows what never was.
    expect([session.title, session.cwd, changes(happened)]).toEqual(['vim', '/srv', 1]);
  });

  it('is output all the same', async () => {
    const { session, pty } = await runningSession();
    const viewer = new FakeViewer();
    session.attach(viewer);
    pty.print(`a${title('vim')}b`);
    expect(viewer.text).toBe(`a${title('vim')}b`);
  });

  it('shows no more once it is empty', async () => {
    const { session, pty, happened, clock } = await runningSession();
    pty.print(title('vim'));
    clock.advance(TELL_CHANGE_MS);
    pty.print(title(''));
    expect([session.title, changes(happened)]).toEqual([undefined, 2]);
  });

  it('is told again no sooner than 250 ms later, and then the newest', async () => {
    const { session, pty, happened, clock } = await runningSession();
    expect(TELL_CHANGE_MS).toBe(250);
    for (let ms = 0; ms < 1000; ms += 10) {
      pty.print(title(`at ${ms}`));
      clock.advance(10);
    }
    expect([changes(happened), session.title]).toEqual([1 + 1000 / TELL_CHANGE_MS, 'at 990']);
    clock.advance(TELL_CHANGE_MS);
    expect([changes(happened), clock.timers]).toEqual([1 + 1000 / TELL_CHANGE_MS, 0]);
    clock.advance(10_000);
    pty.print(title('later'));
    expect(changes(happened)).toBe(2 + 1000 / TELL_CHANGE_MS);
  });

  it('is no news when it is what is known', async () => {
    const { pty, happened, clock } = await runningSession();
    pty.print(directory('/'));
    pty.print(title(''));
    expect([changes(happened), clock.timers]).toEqual([0, 0]);
  });

  it('tells viewers where it is, when that is another place', async () => {
    const { session, pty, clock } = await runningSession();
    const viewer = new FakeViewer();
    session.attach(viewer);
    pty.print(directory('/srv'));
    pty.print(directory('/tmp'));
    pty.print(directory('/srv/a'));
    expect(viewer.news).toEqual([{ type: 'moved', cwd: '/srv' }]);
    clock.advance(TELL_CHANGE_MS);
    pty.print(title('vim'));
    clock.advance(TELL_CHANGE_MS);
    expect(viewer.news).toEqual([
      { type: 'moved', cwd: '/srv' },
      { type: 'moved', cwd: '/srv/a' },
    ]);
  });

  it('tells viewers nothing when it is back before it was told', async () => {
    const { session, pty, clock } = await runningSession();
    const viewer = new FakeViewer();
    session.attach(viewer);
    pty.print(title('vim'));
    pty.print(directory('/srv'));
    pty.print(directory('/'));
    clock.advance(TELL_CHANGE_MS);
    expect(viewer.news).toEqual([]);
  });

  it.each([
    ['has ended', (_session: Session, pty: { end(): void }) => pty.end()],
    ['is closed', (session: Session) => session.close()],
  ])('is told no more once it %s, and no timer is left', async (_what, act) => {
    const { session, pty, happened, clock } = await runningSession();
    pty.print(title('one'));
    pty.print(title('two'));
    act(session, pty);
    expect([clock.timers, session.title]).toEqual([0, 'two']);
    await settled();
    clock.advance(10 * TELL_CHANGE_MS);
    expect([changes(happened), clock.timers]).toEqual([1, 0]);
  });

  it.each([
    ['controls the terminal', `${title('a\x9b\u0085\tb')}`, 'ab'],
    ['turns its direction', title('a\u202eb\u2066c'), 'abc'],
    ['is longer than a title', title('x'.repeat(10_000)), 'x'.repeat(256)],
  ])('is shown without what %s', async (_what, output, shown) => {
    const { session, pty } = await runningSession();
    pty.print(output);
    expect(session.title).toBe(shown);
  });

  it.each([
    ['of another machine', '\x1b]7;file://there/srv\x07'],
    ['with an escape in it', directory('/a%1b[31m')],
    ['that reads backwards', directory('/a%E2%80%AEb')],
    ['that is too long', directory(`/${'x'.repeat(10_000)}`)],
  ])('is not heeded of a directory %s: its process is asked', async (_what, output) => {
    const { session, pty, happened } = await runningSession();
    pty.print(output);
    expect([session.cwd, changes(happened)]).toEqual(['/', 0]);
    pty.isIn = '/srv';
    await session.findDirectory();
    expect([session.cwd, changes(happened)]).toEqual(['/srv', 1]);
  });
});

describe('where a shell is', () => {
  const reported = '\x1b]7;file:///reported\x07';

  it('is looked for, and told as what is reported is', async () => {
    const { session, pty, happened, clock } = await runningSession();
    const viewer = new FakeViewer();
    session.attach(viewer);
    for (const isIn of ['/srv', '/tmp', undefined]) {
      pty.isIn = isIn;
      await session.findDirectory();
    }
    expect([session.cwd, happened.slice(-1), viewer.news]).toEqual([
      '/tmp',
      ['changed'],
      [{ type: 'moved', cwd: '/srv' }],
    ]);
    clock.advance(TELL_CHANGE_MS);
    expect(viewer.news).toHaveLength(2);
  });

  it('is not looked for when its programs say it, nor what was found meanwhile', async () => {
    const { session, pty } = await runningSession();
    pty.isIn = '/srv';
    const looking = session.findDirectory();
    pty.print(reported);
    await looking;
    await session.findDirectory();
    expect([session.cwd, pty.asked]).toEqual(['/reported', 1]);
  });

  it.each([
    ['controls a terminal', '/a\x1b[31m\n'],
    ['reads backwards', '/a\u202eb'],
    ['is too long', `/${'x'.repeat(4096)}`],
  ])('is not shown when it %s', async (_what, isIn) => {
    const { session, pty, happened } = await runningSession();
    pty.isIn = isIn;
    await session.findDirectory();
    expect([session.cwd, happened]).toEqual(['/', ['started']]);
  });

  it('shows as it is, also in a normal form that is not C', async () => {
    const { session, pty } = await runningSession();
    pty.isIn = '/e\u0301';
    await session.findDirectory();
    expect(session.cwd).toBe('/e\u0301');
  });

  it('is nowhere before it has started, and no matter once it is closed or has ended', async () => {
    const lone = newSession();
    await lone.session.findDirectory();
    lone.session.start();
    await settled();
    const { last: pty } = lone.ptys;
    pty.isIn = '/srv';
    const looking = lone.session.findDirectory();
    lone.session.close();
    await looking;
    await settled();
    await lone.session.findDirectory();
    expect([lone.session.cwd, lone.happened, lone.clock.timers]).toEqual([
      '/',
      ['started', 'closing', 'ended'],
      0,
    ]);
  });

  it('is where it was to start, or what can be shown of that', async () => {
    const cwd = '/a\x1bb';
    const ptys = new FakePtyFactory();
    const session = sessionOf({ ptys }, { cwd });
    session.start();
    await settled();
    expect([session.cwd, ptys.last.launch.cwd]).toEqual(['/ab', cwd]);
  });
});
