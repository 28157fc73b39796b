import { FakeViewer } from '../../test/fakes/fake-viewer.js';
import { runningSession } from '../../test/support/running-session.js';
import { DeliveryWindow, FIRST_WINDOW_BYTES } from '../core/delivery-window.js';
import { View } from './view.js';

const KIB = 1024;
const MOST_BYTES = 64 * KIB;

/** A view of a session that has printed `backlog` bytes, none of them sent. */
async function viewOf(backlog: number, from = 0): Promise<{ view: View; window: DeliveryWindow }> {
  const { session, pty } = await runningSession();
  pty.print(new Uint8Array(backlog));
  return {
    view: new View(session, session.attach(new FakeViewer(false), from), 1),
    window: new DeliveryWindow(),
  };
}

/** Puts `bytes` of another session on their way. */
function fill(window: DeliveryWindow, bytes: number): void {
  window.sent(bytes, 0);
}

function send(view: View, bytes: number, window: DeliveryWindow | undefined, now = 0): void {
  const end = view.attachment.offset + bytes;
  view.sent(bytes, end, window, now);
  view.attachment.advance(end);
}

describe('the room for a session’s next frame', () => {
  it('is a slice of the window while there is room for one', async () => {
    const { view, window } = await viewOf(100 * KIB);
    expect(view.roomIn(window, MOST_BYTES)).toBe(FIRST_WINDOW_BYTES / 16);
  });

  it('is what is left of the window', async () => {
    const { view, window } = await viewOf(100 * KIB);
    fill(window, FIRST_WINDOW_BYTES - 5 * KIB);
    expect(view.roomIn(window, MOST_BYTES)).toBe(5 * KIB);
  });

  it('is never more than a frame takes', async () => {
    const { view, window } = await viewOf(100 * KIB);
    expect(view.roomIn(window, 100)).toBe(100);
    fill(window, FIRST_WINDOW_BYTES);
    expect(view.roomIn(window, 100)).toBe(100);
  });

  it('is none where only a scrap is left of the window, beside what is always its own', async () => {
    const { view, window } = await viewOf(100 * KIB);
    send(view, 4 * KIB, window);
    fill(window, FIRST_WINDOW_BYTES - 4 * KIB - 4095);
    expect(view.roomIn(window, MOST_BYTES)).toBe(0);
  });

  it('is a scrap where that is all there is to send', async () => {
    const { view, window } = await viewOf(4 * KIB + 10);
    send(view, 4 * KIB, window);
    fill(window, FIRST_WINDOW_BYTES - 4 * KIB - 10);
    expect(view.roomIn(window, MOST_BYTES)).toBe(10);
  });

  it('is 4 KiB on its way whatever else is', async () => {
    const { view, window } = await viewOf(100 * KIB);
    fill(window, 2 * FIRST_WINDOW_BYTES);
    expect(view.roomIn(window, MOST_BYTES)).toBe(4 * KIB);
    send(view, 4 * KIB - 4, window);
    expect(view.roomIn(window, MOST_BYTES)).toBe(4);
    send(view, 1, window);
    // No longer enough for any character.
    expect(view.roomIn(window, MOST_BYTES)).toBe(0);
    view.acknowledge(1000, window, 1);
    expect(view.roomIn(window, MOST_BYTES)).toBe(1003);
  });

  it('is the little that is left of its own for the little that is left to send', async () => {
    const { view, window } = await viewOf(4 * KIB);
    fill(window, 2 * FIRST_WINDOW_BYTES);
    send(view, 4 * KIB - 1, window);
    expect(view.roomIn(window, MOST_BYTES)).toBe(1);
  });
});

describe('what a client acknowledges', () => {
  it('leaves the window, in parts of pieces too', async () => {
    const { view, window } = await viewOf(100);
    send(view, 10, window);
    send(view, 20, window);
    const inFlight = [4, 10, 29, 30].map((offset) => {
      view.acknowledge(offset, window, 1);
      return window.inFlight;
    });
    expect(inFlight).toEqual([26, 20, 1, 0]);
  });

  it('counts once, and what is older not at all', async () => {
    const { view, window } = await viewOf(100);
    send(view, 30, window);
    for (const offset of [20, 20, 10, 0]) view.acknowledge(offset, window, 1);
    expect(window.inFlight).toBe(10);
  });

  it('before the offset that it looks from is old', async () => {
    const { view, window } = await viewOf(100, 50);
    send(view, 10, window);
    view.acknowledge(50, window, 1);
    expect(window.inFlight).toBe(10);
  });

  it('is what has been sent, and nothing beyond', async () => {
    const { view, window } = await viewOf(100, 50);
    send(view, 10, window);
    for (const offset of [0, 50, 60]) view.assertSent(offset);
    expect(() => view.assertSent(61)).toThrow(
      expect.objectContaining({ code: 'BAD_OFFSET', about: { sessionId: 's1' } }) as Error,
    );
  });

  it('may have been sent when nothing was acknowledged yet: it is on its way for no window', async () => {
    const { view, window } = await viewOf(100);
    send(view, 10, undefined);
    send(view, 20, window);
    view.acknowledge(10, window, 1);
    expect(window.inFlight).toBe(20);
    view.acknowledge(15, window, 1);
    expect(window.inFlight).toBe(15);
  });

  it('across a gap counts what was sent on both sides of it', async () => {
    const { view, window } = await viewOf(100);
    send(view, 10, window);
    view.attachment.advance(60);
    send(view, 20, window);
    view.acknowledge(65, window, 1);
    expect(window.inFlight).toBe(15);
  });

  it('in a window full of single keys is counted to the byte', async () => {
    const bytes = 128 * KIB;
    const { view, window } = await viewOf(bytes);
    for (let n = 0; n < bytes; n++) send(view, 1, window, n);
    for (const offset of [1, 1000, 1024, 50_000, bytes]) {
      view.acknowledge(offset, window, bytes);
      expect(window.inFlight).toBe(bytes - offset);
    }
  });

  it('tells the window how long the last whole piece was on its way', async () => {
    const { view, window } = await viewOf(100 * KIB);
    // 10 KiB in 100 ms, on a way that takes 10 ms: 3 KiB keep such a client busy, less than the smallest window.
    send(view, 10, window, 0);
    view.acknowledge(10, window, 10);
    for (const now of [20, 120, 220, 320]) {
      send(view, 10 * KIB, window, now);
      window.limited();
      view.acknowledge(view.attachment.offset, window, now + 100);
    }
    expect(window.bytes).toBe(16 * KIB);
  });
});

describe('a session that is shown no more', () => {
  it('leaves nothing of its own on the way', async () => {
    const { view, window } = await viewOf(100);
    fill(window, 1000);
    send(view, 30, window);
    view.acknowledge(10, window, 1);
    view.leave(window);
    expect(window.inFlight).toBe(1000);
    view.leave(window);
    view.acknowledge(30, window, 2);
    expect(window.inFlight).toBe(1000);
  });

  it('has nothing on the way where the socket paces', async () => {
    const { view } = await viewOf(100);
    send(view, 30, undefined, 7);
    view.leave(undefined);
    expect(view.lastSentAt).toBe(7);
  });
});
