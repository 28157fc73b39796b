import { DeliveryWindow, type Sent } from '../../src/core/delivery-window.js';
import { ACKNOWLEDGE_BYTES, ACKNOWLEDGE_MS } from '../../src/protocol/limits.js';

export interface Link {
  /** Time there and back of an empty link. */
  readonly roundTripMs: number;
  readonly megabytesPerSecond: number;
}

/** How it stood at a moment. */
export interface Reading {
  readonly atMs: number;
  readonly consumedBytes: number;
  /** How long the last byte sent has to wait for those before it. */
  readonly queueMs: number;
  readonly windowBytes: number;
}

const READ_EVERY_MS = 100;
const SCRAP_BYTES = 4096;

/**
 * A server that always has more to send, a link, and a client that consumes what arrives and acknowledges as the
 * protocol asks; in time that only this counts. @returns a reading for every tenth of a second.
 */
export function simulate({ roundTripMs, megabytesPerSecond }: Link, seconds: number): Reading[] {
  const window = new DeliveryWindow();
  const bytesPerMs = megabytesPerSecond * 1000;
  const agenda = new Agenda();
  const unacknowledged: { readonly end: number; readonly piece: Sent }[] = [];
  const readings: Reading[] = [];
  let linkFreeAt = 0;
  let sent = 0;
  let consumed = 0;
  let acknowledging = 0;
  let acknowledged = 0;
  let timerIsSet = false;

  function pump(): void {
    for (;;) {
      const room = window.bytes - window.inFlight;
      if (room < Math.min(SCRAP_BYTES, window.bytes)) {
        window.limited();
        return;
      }
      const bytes = Math.min(room, window.sliceBytes, 65_536);
      sent += bytes;
      unacknowledged.push({ end: sent, piece: window.sent(bytes, agenda.now) });
      linkFreeAt = Math.max(agenda.now, linkFreeAt) + bytes / bytesPerMs;
      const end = sent;
      agenda.at(linkFreeAt + roundTripMs / 2, () => consume(end));
    }
  }

  function consume(end: number): void {
    consumed = end;
    if (consumed - acknowledging >= ACKNOWLEDGE_BYTES) acknowledge();
    else if (!timerIsSet) {
      timerIsSet = true;
      agenda.at(agenda.now + ACKNOWLEDGE_MS, () => {
        timerIsSet = false;
        if (consumed > acknowledging) acknowledge();
      });
    }
  }

  function acknowledge(): void {
    const offset = (acknowledging = consumed);
    agenda.at(agenda.now + roundTripMs / 2, () => {
      let last: Sent | undefined;
      while (unacknowledged[0] && unacknowledged[0].end <= offset) last = unacknowledged.shift()!.piece;
      window.acknowledged(offset - acknowledged, last, agenda.now);
      acknowledged = offset;
      pump();
    });
  }

  agenda.at(0, pump);
  for (let ms = READ_EVERY_MS; ms <= seconds * 1000; ms += READ_EVERY_MS) {
    agenda.at(ms, () =>
      readings.push({
        atMs: ms,
        consumedBytes: consumed,
        queueMs: Math.max(0, linkFreeAt - ms),
        windowBytes: window.bytes,
      }),
    );
  }
  agenda.runUntil(seconds * 1000);
  return readings;
}

/** What happens when; the same moment's in the order they were put down. */
class Agenda {
  now = 0;
  private readonly items: { readonly at: number; readonly run: () => void }[] = [];

  at(at: number, run: () => void): void {
    let index = this.items.length;
    while (index > 0 && this.items[index - 1]!.at > at) index -= 1;
    this.items.splice(index, 0, { at, run });
  }

  runUntil(ms: number): void {
    for (let next = this.items.shift(); next && next.at <= ms; next = this.items.shift()) {
      this.now = next.at;
      next.run();
    }
  }
}
