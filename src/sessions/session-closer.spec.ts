import { useFakeLogger } from '../../test/fakes/fake-logger.js';
import { FakeViewer } from '../../test/fakes/fake-viewer.js';
import { settled } from '../../test/support/running-session.js';
import { testConfig, TestSessions } from '../../test/support/test-sessions.js';
import { type AppConfig } from '../config/app-config.js';
import { SessionError } from '../core/session-error.js';
import { closeTimeoutMs } from './session-closer.js';

const size = { columns: 80, rows: 24 };

async function withSessions(count: number, config: Partial<AppConfig> = {}): Promise<TestSessions> {
  const sessions = new TestSessions(config);
  for (let n = 0; n < count; n++) sessions.opener.open({ size });
  await settled();
  return sessions;
}

describe('closing', () => {
  const logger = useFakeLogger();

  it('T008 · resolves when the process is gone and the session out of the registry', async () => {
    const { closer, registry, ptys } = await withSessions(1);
    const closing = closer.closeAndWait('s1');
    expect(registry.count()).toBe(1);
    await closing;
    expect(ptys.last.isOver).toBe(true);
    expect(registry.count()).toBe(0);
  });

  it('ten times at once is closing once', async () => {
    const sessions = await withSessions(1);
    await Promise.all(Array.from({ length: 10 }, () => sessions.closer.closeAndWait('s1')));
    expect(sessions.times('s1', 'closing')).toBe(1);
    expect(sessions.times('s1', 'removed')).toBe(1);
    expect(sessions.clock.timers).toBe(0);
  });

  it('of one that has ended takes it out at once', async () => {
    const { closer, registry, ptys } = await withSessions(1);
    ptys.last.end();
    expect(registry.count()).toBe(1);
    closer.close('s1');
    expect(registry.count()).toBe(0);
  });

  it('is silent of a session that was, and refused of one that never was', async () => {
    const { closer } = await withSessions(1);
    await closer.closeAndWait('s1');
    expect(() => closer.close('s1')).not.toThrow();
    const notFound = expect.objectContaining({ code: 'SESSION_NOT_FOUND' }) as Error;
    expect(() => closer.close('s2')).toThrow(notFound);
    await expect(closer.closeAndWait('s1')).rejects.toThrow(notFound);
  });

  it('that takes too long is told, and the session stays', async () => {
    const { closer, clock, ptys, registry } = await withSessions(1);
    ptys.last.diesWhenClosed = false;
    const closing = closer.closeAndWait('s1');
    clock.advance(closeTimeoutMs(testConfig()));
    await expect(closing).rejects.toMatchObject({ code: 'CLOSE_TIMEOUT' });
    expect(logger().records).toEqual([
      {
        level: 'error',
        context: 'SessionCloser',
        sessionId: 's1',
        reason: 'CLOSE_TIMEOUT',
        msg: 'the process of s1 could not be ended within 5000 ms',
      },
    ]);
    expect(registry.get('s1').status).toBe('active');
    ptys.last.end({ code: 137, signal: 'SIGKILL' });
    expect(registry.count()).toBe(0);
  });

  it('of all of them waits for the last, and gives up on what cannot be ended', async () => {
    const { closer, clock, ptys, registry } = await withSessions(3);
    ptys.last.diesWhenClosed = false;
    const stopping = closer.onApplicationShutdown();
    await settled();
    expect(registry.list().map(({ id }) => id)).toEqual(['s3']);
    clock.advance(closeTimeoutMs(testConfig()));
    await stopping;
    expect(logger().records).toEqual([expect.objectContaining({ level: 'error', sessionId: 's3' })]);
  });

  it('a session that could not be started is not kept', async () => {
    const { opener, ptys, registry } = await withSessions(0);
    ptys.failure = new SessionError('SPAWN_FAILED', 'no');
    opener.open({ size });
    await settled();
    expect(registry.count()).toBe(0);
  });
});

describe('a session that has ended by itself', () => {
  it('is kept while somebody views it', async () => {
    const { registry, ptys, clock } = await withSessions(1);
    registry.get('s1').attach(new FakeViewer());
    ptys.last.end();
    clock.advance(3_600_000);
    expect(registry.get('s1').status).toBe('exited');
  });

  it('lingers after its last viewer has left, then goes', async () => {
    const { registry, ptys, clock } = await withSessions(1);
    const attachment = registry.get('s1').attach(new FakeViewer());
    ptys.last.end();
    attachment.detach();
    clock.advance(59_999);
    expect(registry.count()).toBe(1);
    clock.advance(1);
    expect(registry.count()).toBe(0);
    expect(clock.timers).toBe(0);
  });

  it('lingers anew after each viewer', async () => {
    const { registry, ptys, clock } = await withSessions(1);
    ptys.last.end();
    clock.advance(59_999);
    const viewer = new FakeViewer();
    const attachment = registry.get('s1').attach(viewer);
    clock.advance(3_600_000);
    expect(viewer.exits).toHaveLength(1);
    attachment.detach();
    clock.advance(59_999);
    expect(registry.count()).toBe(1);
    clock.advance(1);
    expect(registry.count()).toBe(0);
  });

  it('is not kept waiting for its end by a viewer that left before', async () => {
    const { registry, ptys, clock } = await withSessions(1);
    registry.get('s1').attach(new FakeViewer()).detach();
    expect(clock.timers).toBe(0);
    ptys.last.end();
    expect(clock.timers).toBe(1);
  });

  it('is dropped, the one that ended first, when more are kept than may run', async () => {
    const { opener, registry, ptys, clock } = await withSessions(2, { maxSessions: 2 });
    const [first, second] = ptys.ptys;
    second!.end();
    opener.open({ size });
    await settled();
    ptys.last.end();
    first!.end();
    expect(registry.list().map(({ id }) => id)).toEqual(['s1', 's3']);
    clock.advance(60_000);
    expect([registry.count(), clock.timers]).toEqual([0, 0]);
  });

  it('is dropped in its turn also while somebody views it, who is told all the same', async () => {
    const { opener, registry, ptys } = await withSessions(1, { maxSessions: 1 });
    const viewer = new FakeViewer(false);
    registry.get('s1').attach(viewer);
    ptys.last.print('last words');
    ptys.last.end({ code: 3 });
    opener.open({ size });
    await settled();
    ptys.last.end();
    expect(registry.list().map(({ id }) => id)).toEqual(['s2']);
    viewer.startReading();
    expect([viewer.text, viewer.exits]).toEqual(['last words', [{ code: 3, cause: 'ended' }]]);
  });

  it('makes no other go once it is gone itself', async () => {
    const { opener, closer, registry, ptys } = await withSessions(2, { maxSessions: 2 });
    for (const pty of ptys.ptys) pty.end();
    closer.close('s2');
    opener.open({ size });
    await settled();
    ptys.last.end();
    expect(registry.list().map(({ id }) => id)).toEqual(['s1', 's3']);
  });
});

describe('a session that is to stay', () => {
  const DAY_MS = 86_400_000;

  /** One that is to stay, and that somebody has looked at and left. */
  async function detached(config: Partial<AppConfig> = {}): Promise<TestSessions> {
    const sessions = new TestSessions(config);
    const session = sessions.opener.open({ size, persistent: true });
    await settled();
    session.attach(new FakeViewer()).detach();
    return sessions;
  }

  it('is closed when nobody has viewed it for a day', async () => {
    const { registry, clock, ptys } = await detached();
    clock.advance(DAY_MS - 1);
    expect(registry.get('s1').status).toBe('active');
    clock.advance(1);
    await settled();
    expect([registry.count(), clock.timers, ptys.last.isOver]).toEqual([0, 0, true]);
  });

  it('has all its time again after each viewer, and is not closed while there is one', async () => {
    const { registry, clock } = await detached({ detachedSeconds: 100 });
    clock.advance(99_999);
    const [first, second] = [new FakeViewer(), new FakeViewer()].map((one) => registry.get('s1').attach(one));
    expect(clock.timers).toBe(0);
    clock.advance(DAY_MS);
    first!.detach();
    expect(clock.timers).toBe(0);
    second!.detach();
    clock.advance(99_999);
    expect(registry.count()).toBe(1);
    clock.advance(1);
    await settled();
    expect([registry.count(), clock.timers]).toEqual([0, 0]);
  });

  it('is viewed by whoever is held', async () => {
    const { registry, clock } = await detached({ detachedSeconds: 100 });
    const attachment = registry.get('s1').attach(new FakeViewer());
    attachment.hold();
    clock.advance(DAY_MS);
    expect(registry.count()).toBe(1);
    attachment.detach();
    expect(clock.timers).toBe(1);
  });

  it('is never closed where that is so set', async () => {
    const { registry, clock } = await detached({ detachedSeconds: 0 });
    expect(clock.timers).toBe(0);
    clock.advance(30 * DAY_MS);
    expect(registry.get('s1').status).toBe('active');
  });

  it('that ends by itself lingers as any other', async () => {
    const { registry, clock, ptys } = await detached();
    ptys.last.end();
    clock.advance(59_999);
    expect(registry.get('s1').status).toBe('exited');
    clock.advance(1);
    expect([registry.count(), clock.timers]).toEqual([0, 0]);
  });

  it('that somebody closes leaves no timer, though its process does not end', async () => {
    const { registry, closer, clock, ptys } = await detached();
    ptys.last.diesWhenClosed = false;
    expect(clock.timers).toBe(1);
    closer.close('s1');
    expect(clock.timers).toBe(0);
    registry.get('s1').attach(new FakeViewer()).detach();
    expect(clock.timers).toBe(0);
  });

  it('that cannot be ended when its time is over stays, and is not closed again', async () => {
    const { registry, clock, ptys, happened } = await detached({ detachedSeconds: 1 });
    ptys.last.diesWhenClosed = false;
    clock.advance(DAY_MS);
    expect([registry.get('s1').status, clock.timers]).toEqual(['active', 0]);
    expect(happened.filter((one) => one === 's1 closing')).toHaveLength(1);
  });

  it('any other is its owner’s, whoever looks at it or not', async () => {
    const { registry, clock } = await withSessions(1, { detachedSeconds: 1 });
    registry.get('s1').attach(new FakeViewer()).detach();
    expect(clock.timers).toBe(0);
    clock.advance(DAY_MS);
    expect(registry.get('s1').status).toBe('active');
  });
});
