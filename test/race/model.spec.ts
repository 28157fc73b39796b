import fc from 'fast-check';
import assert from 'node:assert/strict';
import { STALLED_MS } from '../../src/core/session.js';
import { runs } from '../support/runs.js';
import {
  type Command,
  commands,
  connectAll,
  FLOOD,
  openForTwo,
  print,
  programsOf,
  type Weights,
  weights,
} from './support/commands.js';
import { CoreSystem } from './support/core-system.js';
import { Coverage, rarely, WAYS } from './support/coverage.js';
import { FLOOD_BYTES, MAX_SESSIONS, Model } from './support/model.js';
import { assertToldInOrder } from './support/server.js';
import { type System } from './support/system.js';

/*
 * Checked by hand: each of these bugs, put into a copy of the source one at a time, turns a test of `test/race` or
 * `test/properties` red (m: this file, i: interleavings, r: registry, p: a property).
 *
 *   sessions    close while spawning leaks the process (m i p) or ends at once (m i) · spawned twice (m i p) · start
 *               timer survives a start (m i) · a failure while closing told as one (m) · an end while closing stays
 *               listed (m i) · listeners told twice (m i) or out of order (m i) · process told to go twice (m i) ·
 *               resize while starting lost (m) · Closed goes back to Closing (m i p)
 *   the list    quota one too many (m i), counts ended (m), forgets closing ones (m i) · ids used again (m i r) ·
 *               linger never cancelled (m i), not begun when the last viewer leaves (m i), begun while watched (m i) ·
 *               longest ended not dropped (m), newest dropped instead (m), first created instead (m) · failed (m i) or
 *               closed (m i) ones stay
 *   closing     DELETE answers too early (m i), never closes (m i), leaves its timer (m i), never gives up (m i) · only
 *               the first of several callers answered (m i) · a gone session is an error (m i p) · stopping gives up
 *               at the first process that cannot be ended (i)
 *   connection  exit sent twice (m i p), before the last byte (p), not into a full socket (p) · failure not told (m) ·
 *               no high water (p) · one session starves others (p) · a taken frame asks for no next (p) · reading
 *               never goes on (p) · unsent output survives a close (p) · disconnect ends nothing (m i), only what
 *               runs (m i), leaves its viewers (m p) · characters cut (p), held back for ever (p)
 *   clients     coming back leaves the timers (m i), the older views (m i), the older connection (m i) · its end, when
 *               known, ends the client (m i) · 1000 waits too (m i), a loss does not (m i) · holds never end (m i),
 *               nobody expires (m i), expiry closes what is persistent (m i), closes nothing (m i), leaves the token
 *               (m i), the views (m) · stopping leaves timers (i) · views detached, not held (m i) · unnamed sessions
 *               not gone on with (m i), or from what was sent (m), from what is kept (m), with more rights (m i) · a
 *               refused wish leaves its view (m) · held twice (m i), beside its old view (m i), given up when gone
 *               (m i) · gap (m), exit (m), request (m) or taken input (m) not told again · typed again (m i), with a
 *               hole (m), forgotten while held (m) or viewed (m), remembered when refused (m), let go (m), detached (m)
 *               · the held pace as others (m) or by what was sent (m), keep control (m), block it (m), get it (m), are
 *               spared when they stand still (m) · strangers resume (m) · left alone: never closed (m), not persistent
 *               (m), looked at again (m)
 *   bytes       typed before the start lost (m p), into a full terminal lost (p) · input joined backwards (m p) ·
 *               budget leaks on drain, clear, close, end (p) · log: slab reused early, off by one, no copy (p) · never
 *               resumed (p), no hysteresis (p), leaving does not resume (p) or is told twice (p) · output after a
 *               close (p) · UTF-8: overlong, surrogates, four bytes (p)
 *
 * Two were no bugs, because what they take away is done in two places: the start timer is cancelled by `close` and by
 * the end, and viewers of an ended session are woken by `close` and by its removal. Both places together: red.
 */

const RUNS = runs(1500);

const LEAST_COMMANDS = 100;
const LEAST_WAYS = 10;
/** Some need a session that lives long and a viewer that falls far behind. */
const LEAST_NOTES = 5;
const LIFE_WAYS = [...WAYS, 'ended → gone: oldest'];
const REFUSALS = [
  'SESSION_LIMIT',
  'SESSION_NOT_FOUND',
  'SESSION_ENDED',
  'SPAWN_FAILED',
  'CLOSE_TIMEOUT',
  'BAD_OFFSET',
  'BAD_INPUT_OFFSET',
  'READ_ONLY',
];
/** What happens to viewers. */
const NOTES = [
  'attached',
  'attached again',
  'came after the end',
  'came while it lingered',
  'control was taken',
  'control was handed over',
  'is not waited for',
  'is waited for again',
  'paused for one not waited for before',
  'read one that was gone',
  'was told of a gap',
  'was resumed',
  'went on unnamed',
  'was taken over',
  'hold ended',
  'client expired',
  'came too late',
  'came back to nothing',
  'came back to one that was gone',
  'came back: BAD_OFFSET',
  'came back: SESSION_LIMIT',
  'was told of its exit again',
  'was told of a gap after resume',
  'exit came after resume',
  'paused for one that is held',
  'is held and not waited for',
  'control was taken from one held',
  'was not there when its input was taken',
  'was told again what was taken',
  'outlived its client',
  'was left alone for too long',
  'came to one left alone',
];

/** To fall far behind takes a session that lives long, and somebody else who reads. */
const viewersWeights: Weights = {
  ...weights,
  create: 1,
  detach: 3,
  flood: 12,
  processEnds: 1,
  close: 1,
  closeOverRest: 1,
  attach: 8,
  stopReading: 5,
  startReading: 6,
  drop: 1,
  tick: 6,
};

/** Connections are lost, and come back before everything is over or after it. */
const dropsWeights: Weights = {
  ...weights,
  create: 4,
  detach: 2,
  flood: 8,
  processEnds: 2,
  close: 1,
  closeOverRest: 1,
  attach: 6,
  stopReading: 3,
  startReading: 4,
  stick: 2,
  unstick: 3,
  input: 6,
  drop: 9,
  resume: 16,
  takeOver: 4,
  comeTooLate: 6,
  tick: 8,
};

/** Sessions are kept until too many have ended: some go while somebody has not read them to their end. */
const endingsWeights: Weights = {
  ...weights,
  create: 20,
  spawned: 20,
  print: 14,
  flood: 1,
  processEnds: 20,
  input: 1,
  resize: 1,
  close: 1,
  closeOverRest: 1,
  attach: 3,
  stopReading: 8,
  startReading: 5,
  detach: 1,
  tick: 1,
};

/** How a life begins, before anything is left to chance. */
type Opening = 'with nothing' | 'with two who look' | 'with one who stands still' | 'with one who is held';

const lives = fc.oneof(
  lifeThat('with nothing', endingsWeights),
  lifeThat('with nothing', weights),
  lifeThat('with two who look', dropsWeights),
  lifeThat('with one who is held', dropsWeights),
  lifeThat('with one who stands still', viewersWeights),
);

/** Takes seconds, and many of them where other work shares the processors. */
const BUSY_MACHINE_MS = runs(300_000);

describe('T014 · race gate: model', () => {
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
  beforeAll(() => void process.on('unhandledRejection', onUnhandled));
  afterAll(() => void process.off('unhandledRejection', onUnhandled));

  it('finds it right in a life that had proven an older one wrong', async () => {
    const model = new Model();
    const system = new CoreSystem();
    connectAll(model, system);
    await openForTwo(model, system);
    const session = model.sessions[0]!;
    const { id } = session;
    const [, reader, held] = model.connections;
    const prints = async (bytes: Buffer): Promise<void> => {
      print(session, bytes, model, system);
      system.catchUp();
      await system.agreeWith(model);
    };
    model.stopReading(reader!);
    system.terminals[1]!.stopReading();
    await prints(FLOOD);
    // One is held with so much before it as does not pause a process, and with another flood keeps it paused.
    const from = Math.floor(0.3 * FLOOD_BYTES);
    model.stopReading(held!);
    system.terminals[2]!.stopReading();
    model.attach(held!, id, from, false);
    system.terminals[2]!.send({ type: 'attach', sessionId: id, from });
    await system.agreeWith(model);
    model.drop(held!);
    system.terminals[2]!.drop();
    await prints(FLOOD);

    // The other reads one flood, and the next before it has acknowledged the first: both together pause the process.
    model.startReading(reader!);
    system.terminals[1]!.startReading();
    await system.agreeWith(model);
    assert(session.paused);
    await prints(Buffer.from('waits'));
    assert.equal(session.printed.length, 2 * FLOOD_BYTES);
  });

  it(
    `finds the smallest model right in ${RUNS} lives of a server`,
    async () => {
      const seen = new Coverage();
      await fc.assert(
        fc.asyncProperty(lives, async ({ begins, program }) => {
          const model = new Model();
          const system = new CoreSystem();
          connectAll(model, system);
          if (begins !== 'with nothing') await openForTwo(model, system);
          if (begins === 'with one who stands still') await letStand(model, system);
          if (begins === 'with one who is held') await letHold(model, system);
          await fc.asyncModelRun(() => ({ model, real: system }), program);
          seen.add(model);
          assertToldInOrder(system.server);
          assert(system.server.mostRunning <= MAX_SESSIONS);
          assert.deepEqual(unhandled, []);
        }),
        { numRuns: RUNS },
      );
      // It has been everywhere: a model that is never led to a corner says nothing about it.
      expect(rarely(seen.commands, Object.keys(commands), LEAST_COMMANDS)).toEqual([]);
      expect(rarely(seen.ways, LIFE_WAYS, LEAST_WAYS)).toEqual([]);
      expect(rarely(seen.refusals, REFUSALS, LEAST_WAYS)).toEqual([]);
      expect(rarely(seen.notes, NOTES, LEAST_NOTES)).toEqual([]);
      expect([...seen.ways.keys()].filter((way) => !LIFE_WAYS.includes(way))).toEqual([]);
    },
    BUSY_MACHINE_MS,
  );
});

function lifeThat(
  begins: Opening,
  often: Weights,
): fc.Arbitrary<{ begins: Opening; program: Iterable<Command> }> {
  return fc.record({ begins: fc.constant(begins), program: programsOf(often) });
}

/** One of them takes nothing, and is not waited for any more. */
async function letStand(model: Model, system: System): Promise<void> {
  model.stopReading(model.connections[2]!);
  system.terminals[2]!.stopReading();
  print(model.sessions[0]!, FLOOD, model, system);
  system.catchUp();
  model.tick(STALLED_MS);
  system.pass(STALLED_MS);
  await system.agreeWith(model);
}

/** One of them has typed what is not read, and lost its connection; its process waits for it. */
async function letHold(model: Model, system: System): Promise<void> {
  const [session] = model.sessions;
  model.stick(session!);
  system.stick(session!);
  model.type(model.connections[2]!, session!.id, 'x');
  system.terminals[2]!.type(session!.id, 0, Buffer.from('x'));
  model.drop(model.connections[2]!);
  system.terminals[2]!.drop();
  for (const bytes of [FLOOD, FLOOD]) {
    print(session!, bytes, model, system);
    system.catchUp();
  }
  await system.agreeWith(model);
}
