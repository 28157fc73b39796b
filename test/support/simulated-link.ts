import { DeliveryWindow, type Sent } from '../../src/core/delivery-window.js';
import { seededRandom } from '../../bench/harness/statistics.js';
import { ACKNOWLEDGE_BYTES, ACKNOWLEDGE_MS } from '../../src/protocol/limits.js';

export interface Link {
  /** Time there and back of an empty link. */
  readonly roundTripMs: number;
  readonly megabytesPerSecond: number | ((atMs: number) => number);
  /** Without them the client consumes what arrives when it arrives. */
  readonly turns?: Turns;
}

/**
 * A client that consumes in turns, as an emulator in a browser does: for so long at most, at such a rate; and draws after
 * that, once in a frame of the screen. What arrives meanwhile waits, and so do its timers.
 */
export interface Turns {
  readonly workMs: number;
  readonly megabytesPerSecond: number;
  /** Give or take a fifth. */
  readonly drawMs: number;
}

/** How it stood at a moment. */
export interface Reading {
  readonly atMs: number;
  readonly consumedBytes: number;
  /** How long the last byte sent has to wait for those before it. */
  readonly queueMs: number;
  /** From when the last byte consumed was sent. */
  readonly ageMs: number;
  readonly windowBytes: number;
}

interface Arrival {
  readonly end: number;
  readonly bytes: number;
  readonly sentAt: number;
}

const READ_EVERY_MS = 100;
const FRAME_MS = 1000 / 60;
const SCRAP_BYTES = 4096;

/**
 * A server that always has more to send, a link, and a client that consumes what arrives and acknowledges as the
 * protocol asks; in time that only this counts. @returns a reading for every tenth of a second.
 */
export function simulate({ roundTripMs, megabytesPerSecond, turns }: Link, seconds: number): Reading[] {
  const window = new DeliveryWindow();
  const rate = typeof megabytesPerSecond === 'number' ? () => megabytesPerSecond : megabytesPerSecond;
  const agenda = new Agenda();
  const unacknowledged: { readonly end: number; readonly piece: Sent }[] = [];
  const readings: Reading[] = [];
  let linkFreeAt = 0;
  let sent = 0;
  let consumed = 0;
  let acknowledging = 0;
  let acknowledged = 0;
  let timerIsSet = false;
  let ageMs = 0;
  const random = seededRandom(7);
  const inbox: Arrival[] = [];
  let isTurnPlanned = false;
  let turnEnds = 0;
  let drawnAt = 0;

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
      linkFreeAt = Math.max(agenda.now, linkFreeAt);
      linkFreeAt += bytes / (rate(linkFreeAt) * 1000);
      const arrival = { end: sent, bytes, sentAt: agenda.now };
      agenda.at(linkFreeAt + roundTripMs / 2, () => arrive(arrival));
    }
  }

  function arrive(arrival: Arrival): void {
    if (!turns) return consume(arrival);
    inbox.push(arrival);
    planTurn(turns);
  }

  function planTurn({ workMs, megabytesPerSecond: rate, drawMs }: Turns): void {
    if (isTurnPlanned || inbox.length === 0) return;
    isTurnPlanned = true;
    agenda.at(Math.max(agenda.now, turnEnds), () => {
      turnEnds = agenda.now;
      const worksUntil = turnEnds + workMs;
      while (inbox[0] && turnEnds < worksUntil) {
        const arrival = inbox.shift()!;
        turnEnds += arrival.bytes / (rate * 1000);
        agenda.at(turnEnds, () => consume(arrival));
      }
      if (turnEnds - drawnAt >= FRAME_MS) {
        drawnAt = turnEnds;
        turnEnds += drawMs * (0.8 + 0.4 * random());
      }
      agenda.at(turnEnds, () => {
        isTurnPlanned = false;
        planTurn(turns!);
      });
    });
  }

  function consume({ end, sentAt }: Arrival): void {
    consumed = end;
    ageMs = agenda.now - sentAt;
    if (consumed - acknowledging >= ACKNOWLEDGE_BYTES) acknowledge();
    else if (!timerIsSet) {
      timerIsSet = true;
      agenda.at(Math.max(agenda.now + ACKNOWLEDGE_MS, turnEnds), () => {
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
        ageMs,
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
