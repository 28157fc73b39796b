import { newSession, runningSession, settled } from '../../test/support/running-session.js';
import { FakeViewer } from '../../test/fakes/fake-viewer.js';
import { type Attachment } from './attachment.js';
import { SessionError } from './session-error.js';
import { INPUT_QUEUE_BYTES, type Session, STALLED_MS } from './session.js';

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
