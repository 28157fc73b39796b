import { FakeClock } from '../../test/fakes/fake-clock.js';
import { FakeViewer } from '../../test/fakes/fake-viewer.js';
import { runningSession } from '../../test/support/running-session.js';
import { Counts, type Echo, EchoTimer, Pauses, Statistics } from './statistics.js';

describe('counts', () => {
  it('begin with nothing and go up one by one', () => {
    const counts = new Counts();
    expect(counts.entries()).toEqual([]);
    counts.add('READ_ONLY');
    counts.add('SESSION_LIMIT');
    counts.add('READ_ONLY');
    expect(counts.entries()).toEqual([
      ['READ_ONLY', 2],
      ['SESSION_LIMIT', 1],
    ]);
    expect(counts.of('INTERNAL')).toBe(0);
  });

  it('of what is known begin with 0', () => {
    const counts = new Counts();
    counts.add('INTERNAL');
    counts.know(['INTERNAL', 'READ_ONLY']);
    expect(counts.entries()).toEqual([
      ['INTERNAL', 1],
      ['READ_ONLY', 0],
    ]);
  });
});

describe('pauses', () => {
  it('add up, those that last included', () => {
    const pauses = new Pauses();
    pauses.began(100);
    pauses.began(150);
    expect([pauses.now, pauses.totalMs(200)]).toEqual([2, 150]);
    pauses.ended(200);
    expect([pauses.now, pauses.totalMs(300)]).toEqual([1, 250]);
    pauses.ended(300);
    expect([pauses.now, pauses.totalMs(1000)]).toEqual([0, 250]);
  });
});

describe('an echo', () => {
  function timed(): { clock: FakeClock; timer: EchoTimer; echoes: Echo[]; statistics: Statistics } {
    const clock = new FakeClock();
    const statistics = new Statistics();
    const echoes: Echo[] = [];
    statistics.echoed = (echo) => echoes.push(echo);
    return { clock, timer: new EchoTimer(clock, statistics), echoes, statistics };
  }

  it('is timed from the first key to the first output after it, and the server’s part of it apart', () => {
    const { clock, timer, echoes } = timed();
    timer.typed();
    clock.advance(3);
    timer.typed();
    clock.advance(2);
    timer.hasPrinted(100, true);
    timer.hasPrinted(101, true);
    clock.advance(1);
    timer.sent(102, clock.elapsed());
    timer.sent(103, clock.elapsed());
    expect(echoes).toEqual([{ totalMs: 6, serverMs: 1 }]);
  });

  it('is not what had been printed before the key', () => {
    const { clock, timer, echoes } = timed();
    timer.hasPrinted(0, true);
    timer.typed();
    timer.sent(50, clock.elapsed());
    timer.hasPrinted(60, true);
    timer.sent(60, clock.elapsed());
    expect(echoes).toEqual([]);
    timer.sent(61, clock.elapsed());
    expect(echoes).toHaveLength(1);
  });

  it('is not what nobody looks at', () => {
    const { clock, timer, echoes } = timed();
    timer.typed();
    timer.hasPrinted(0, false);
    timer.hasPrinted(1, true);
    timer.sent(2, clock.elapsed());
    expect(echoes).toEqual([]);
  });

  it('is not what somebody is sent who comes back for it', () => {
    const { clock, timer, echoes } = timed();
    timer.typed();
    timer.hasPrinted(0, true);
    timer.viewerLost();
    clock.advance(40_000);
    timer.sent(2, clock.elapsed());
    expect(echoes).toEqual([]);
    timer.typed();
    timer.viewerLost();
    timer.hasPrinted(2, true);
    timer.sent(3, clock.elapsed());
    expect(echoes).toEqual([{ totalMs: 0, serverMs: 0 }]);
  });

  it('is not timed where nobody wants to know', () => {
    const { clock, timer, echoes, statistics } = timed();
    statistics.echoed = undefined;
    timer.typed();
    statistics.echoed = (echo) => echoes.push(echo);
    timer.hasPrinted(0, true);
    timer.sent(2, clock.elapsed());
    expect(echoes).toEqual([]);
  });
});

describe('what passes through a session is counted', () => {
  it('echoes for whoever is to be sent them next, and not behind what a slow viewer has not taken', async () => {
    const { session, ptys, clock, statistics } = await runningSession();
    const echoes: Echo[] = [];
    statistics.echoed = (echo) => echoes.push(echo);
    const viewer = session.attach(new FakeViewer(false));
    const type = (): void => void session.write(Buffer.from('k'));
    const send = (): void => {
      viewer.advance(session.log.end);
      session.sent(session.log.end, clock.elapsed());
    };

    ptys.last.print('before it');
    type();
    ptys.last.print('k');
    clock.advance(1000);
    send();
    expect(echoes).toEqual([]);

    type();
    clock.advance(3);
    ptys.last.print('k');
    clock.advance(1);
    send();
    expect(echoes).toEqual([{ totalMs: 4, serverMs: 1 }]);

    type();
    ptys.last.print('k');
    viewer.hold();
    clock.advance(1000);
    send();
    type();
    ptys.last.print('k');
    clock.advance(1000);
    send();
    expect(echoes).toHaveLength(1);
  });

  it('output as it is printed, input as it is accepted and as its terminal takes it', async () => {
    const { session, ptys, statistics } = await runningSession();
    ptys.last.print('four');
    ptys.last.room = 2;
    session.write(Buffer.from('typed'));
    expect(statistics.outputReadBytes).toBe(4);
    expect([statistics.inputAcceptedBytes, statistics.inputWrittenBytes, session.queuedBytes]).toEqual([
      5, 2, 3,
    ]);
    session.close();
    expect([statistics.inputWrittenBytes, session.queuedBytes]).toEqual([2, 0]);
  });

  it('how long its process waits for a viewer, until it is closed at the latest', async () => {
    const { session, ptys, clock, statistics } = await runningSession();
    const viewer = session.attach(new FakeViewer(false));
    ptys.last.print('x'.repeat(70_000));
    clock.advance(20);
    expect(statistics.pauses.now).toBe(1);
    viewer.advance(70_000);
    expect([statistics.pauses.now, statistics.pauses.totalMs(clock.elapsed())]).toEqual([0, 20]);
    ptys.last.print('x'.repeat(70_000));
    clock.advance(5);
    session.close();
    clock.advance(5);
    expect([statistics.pauses.now, statistics.pauses.totalMs(clock.elapsed())]).toEqual([0, 25]);
  });
});
