import {
  DeliveryWindow,
  FIRST_WINDOW_BYTES,
  MAX_WINDOW_BYTES,
  MIN_WINDOW_BYTES,
  type Sent,
} from './delivery-window.js';

const KIB = 1024;

/** Plays a client that acknowledges everything `roundTripMs` after it was sent. */
function play(
  window: DeliveryWindow,
  pieces: readonly number[],
  startMs: number,
  roundTripMs: number,
): number {
  let now = startMs;
  for (const bytes of pieces) {
    const piece = window.sent(bytes, now);
    now += roundTripMs;
    window.acknowledged(bytes, piece, now);
  }
  return now;
}

/** A server that always has more, and a client that consumes one piece after the other. */
class Flood {
  private readonly pieces: Sent[] = [];

  constructor(
    private readonly window: DeliveryWindow,
    private now: number,
  ) {}

  /** @param mostBytes what something else than the window lets be on the way */
  goOn(bytesPerMs: number, forMs: number, mostBytes = Infinity): void {
    const { window, pieces } = this;
    for (const end = this.now + forMs; this.now < end;) {
      while (window.inFlight + window.sliceBytes <= Math.min(window.bytes, mostBytes))
        pieces.push(window.sent(window.sliceBytes, this.now));
      if (window.bytes <= mostBytes) window.limited();
      const piece = pieces.shift()!;
      this.now += piece.bytes / bytesPerMs;
      window.acknowledged(piece.bytes, piece, this.now);
    }
  }
}

describe('the delivery window', () => {
  it('begins with what fills a long link soon', () => {
    const window = new DeliveryWindow();
    expect([window.bytes, window.inFlight]).toEqual([FIRST_WINDOW_BYTES, 0]);
  });

  it('is never lowered by keystrokes, however many', () => {
    const window = new DeliveryWindow();
    play(window, new Array<number>(5000).fill(3), 0, 40);
    expect(window.bytes).toBe(FIRST_WINDOW_BYTES);
  });

  it('counts what is on its way, in parts too', () => {
    const window = new DeliveryWindow();
    const piece = window.sent(10, 0);
    window.sent(7, 1);
    window.acknowledged(4, undefined, 5);
    expect(window.inFlight).toBe(13);
    window.acknowledged(6, piece, 6);
    window.forgotten(7);
    expect(window.inFlight).toBe(0);
  });

  it('doubles with each round trip while it is what limits and nothing queues', () => {
    const window = new DeliveryWindow();
    const seen: number[] = [];
    for (let now = 0; now < 5 * 50; now += 50) {
      const bytes = window.bytes;
      const piece = window.sent(bytes, now);
      window.limited();
      window.acknowledged(bytes, piece, now + 50);
      seen.push(window.bytes / KIB);
    }
    expect(seen).toEqual([256, 512, 1024, 1024, 1024]);
  });

  it('becomes what keeps the client busy for 10 ms longer than a round trip takes, and one piece', () => {
    const window = new DeliveryWindow();
    // A key first, from which the way is known to take 1 ms.
    new Flood(window, play(window, [1], 0, 1)).goOn(4000, 2000);
    expect(window.bytes).toBeGreaterThanOrEqual(4000 * 11);
    expect(window.bytes).toBeLessThanOrEqual(4000 * 11 + window.sliceBytes + 4000);
  });

  it('shrinks to 16 KiB and no further for a client that is slow', () => {
    const window = new DeliveryWindow();
    new Flood(window, play(window, [1], 0, 1)).goOn(50, 10_000);
    expect(window.bytes).toBe(MIN_WINDOW_BYTES);
  });

  it('shrinks as well where something else keeps the rest from being sent', () => {
    const window = new DeliveryWindow();
    const flood = new Flood(window, play(window, [1], 0, 1));
    flood.goOn(60_000, 2000);
    const before = window.bytes;
    flood.goOn(4000, 2000, 0.9 * before);
    expect(window.bytes).toBeLessThan(before / 4);
  });

  it('is small every 10 s until what was on its way has gone, forgotten or acknowledged, and once again', () => {
    const window = new DeliveryWindow();
    play(window, [1], 0, 1);
    const [first, second] = [window.sent(1000, 10_100), window.sent(2000, 10_100)];
    window.sent(5000, 10_100);
    window.acknowledged(1000, first, 10_102);
    expect(window.bytes).toBe(4 * KIB);
    const third = window.sent(10, 10_150);
    window.limited();
    window.acknowledged(2000, second, 10_200);
    window.acknowledged(10, third, 10_200);
    expect(window.bytes).toBe(4 * KIB);
    window.forgotten(5000);
    expect(window.bytes).toBe(4 * KIB);
    play(window, [1], 10_300, 40);
    expect(window.bytes).toBe(FIRST_WINDOW_BYTES);
  });

  it('is whole bytes between 16 KiB and 1 MiB', () => {
    const window = new DeliveryWindow();
    let now = play(window, [1], 0, 1);
    for (const bytesPerMs of [200.3, 200.3, 200.3, 1e9, 1e9, 1e9, 933.3]) {
      const bytes = window.bytes;
      const piece = window.sent(bytes, now);
      window.limited();
      now += Math.max(30, bytes / bytesPerMs);
      window.acknowledged(bytes, piece, now);
      expect(Number.isInteger(window.bytes)).toBe(true);
      expect(window.bytes).toBeGreaterThanOrEqual(MIN_WINDOW_BYTES);
      expect(window.bytes).toBeLessThanOrEqual(MAX_WINDOW_BYTES);
    }
  });

  it('grows no further than it may', () => {
    const window = new DeliveryWindow(200_000);
    let now = play(window, [1], 0, 1);
    for (let round = 0; round < 20; round++) {
      const piece = window.sent(window.bytes, now);
      window.limited();
      now += 1;
      window.acknowledged(piece.bytes, piece, now);
    }
    expect(window.bytes).toBe(200_000);
  });
});
