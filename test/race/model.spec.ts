import fc from 'fast-check';
import assert from 'node:assert/strict';
import { SessionError } from '../../src/core/session-error.js';
import { type SessionState } from '../../src/core/lifecycle.js';
import { type SessionStatus, STALLED_MS } from '../../src/core/session.js';
import { terminalSize } from '../../src/core/terminal-size.js';
import { JSON_PROTOCOL, type Protocol } from '../../src/terminal/subprotocol.js';
import { type ProcessEvent, type ScheduledPty } from '../fakes/scheduled-pty.js';
import { settled } from '../support/running-session.js';
import {
  DETACHED_SECONDS,
  FLOOD_BYTES,
  HOLD_SECONDS,
  LINGER_SECONDS,
  LOG_BYTES,
  MAX_SESSIONS,
  MAX_VIEWERS,
  Model,
  type ModelClient,
  type ModelConnection,
  type ModelNews,
  type ModelSession,
  type Phase,
  RESUME_SECONDS,
  type Size,
  typedBy,
  type Wish,
} from './support/model.js';
import { assertToldInOrder, type Client, type Heard, Server } from './support/server.js';
import { runs } from '../support/runs.js';

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
const FIRST_PROTOCOLS: readonly Protocol[] = ['trex.v1', 'trex.v2', 'trex.v2'];

/** A server whose processes start and die when a command says so. */
class Real {
  readonly server = new Server((event) => this.later(event), {
    maxSessions: MAX_SESSIONS,
    maxViewers: MAX_VIEWERS,
    logBytes: LOG_BYTES,
    exitedLingerSeconds: LINGER_SECONDS,
    resumeSeconds: RESUME_SECONDS,
    resumeHoldSeconds: HOLD_SECONDS,
    detachedSeconds: DETACHED_SECONDS,
  });
  private readonly awaited = new Map<string, (error?: Error) => void>();

  happen(type: ProcessEvent['type'], { process }: ModelSession, error?: Error): void {
    this.awaited.get(`${type} ${process}`)!(error);
  }

  private later({ type, process }: ProcessEvent): Promise<void> {
    // That a death is known is no event of its own here: `interleavings.spec.ts` sets it apart.
    if (type === 'closed') return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.awaited.set(`${type} ${process}`, (error) => (error ? reject(error) : resolve()));
    });
  }
}

type Command = fc.AsyncCommand<Model, Real>;

/** How often each command ran, each way was gone and each refusal was given, in all lives together. */
const commandsRun = new Map<string, number>();
const waysGone = new Map<string, number>();
const refusals = new Map<string, number>();
const notes = new Map<string, number>();

const LEAST_COMMANDS = 100;
const LEAST_WAYS = 10;
/** Some need a session that lives long and a viewer that falls far behind. */
const LEAST_NOTES = 5;
const WAYS = [
  'announced → spawning',
  'announced → ended',
  'spawning → running',
  'spawning → closingUnspawned',
  'spawning → ended',
  'running → closing',
  'running → ended',
  'closingUnspawned → closing',
  'closingUnspawned → ended',
  'closing → ended',
  'ended → gone: closed',
  'ended → gone: failed',
  'ended → gone: lingered out',
  'ended → gone: oldest',
];
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

/** Does one thing to both, and compares them. */
class Step implements Command {
  constructor(
    private readonly name: string,
    private readonly details: string,
    private readonly applies: (model: Model) => boolean,
    private readonly act: (model: Model, real: Real) => void,
  ) {}

  check(model: Readonly<Model>): boolean {
    return this.applies(model as Model);
  }

  async run(model: Model, real: Real): Promise<void> {
    count(commandsRun, this.name);
    this.act(model, real);
    real.server.catchUp();
    await settled();
    real.server.catchUp();
    compare(model, real.server);
  }

  toString(): string {
    return `${this.name}(${this.details})`;
  }
}

/** One of the things there are, whichever that is when the command runs. */
const pick = fc.nat(50);
const client = fc.constantFrom(0, 0, 1, 1, 2);
const size = fc.constantFrom<Size>('80x24', '100x30', '1000x500', '1x1');
/** An id: mostly of a session that is there, sometimes of one that is gone or never was, or none. */
const target = fc.oneof(
  { weight: 16, arbitrary: fc.record({ kind: fc.constant('listed' as const), pick }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('everKnown' as const), pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('unknown' as const), pick }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('none' as const), pick }) },
);
/** Where in what there is to begin: anywhere, or nowhere yet. */
const from = fc.constantFrom(undefined, 0, 0.3, 0.9999, 1, 1, 2);
const readOnly = fc.constantFrom(false, false, true);
const protocol = fc.constantFrom<Protocol>('trex.v1', 'trex.v2');
const FLOOD = Buffer.alloc(FLOOD_BYTES, 'flood ');
type Target = typeof target extends fc.Arbitrary<infer T> ? T : never;

/** Which of the sessions a client knows of it goes on with, and where. */
const wishes = fc.array(
  fc.record({
    where: fc.constantFrom<Where>('unnamed', 'unnamed', 'heard', 'heard', 'oldest', 'anywhere', 'beyond'),
    share: fc.constantFrom(0, 0.3, 0.9999, 1),
    readOnly,
  }),
  { minLength: 1, maxLength: 4 },
);
type Where = 'unnamed' | 'heard' | 'oldest' | 'anywhere' | 'beyond';
type Wishes = typeof wishes extends fc.Arbitrary<infer T> ? T : never;

const commands = {
  create: fc
    .tuple(client, fc.option(size, { nil: undefined }), fc.constantFrom(false, false, true))
    .map(([number, wanted, persistent]) =>
      stepBy('create', number, { wanted, persistent }, (by, terminal, model) => {
        model.create(by, wanted, persistent);
        terminal.create(wanted && sizeOf(wanted), persistent);
      }),
    ),
  spawned: pick.map((number) =>
    stepOn('spawned', ['spawning', 'closingUnspawned'], number, (session, model, real) => {
      model.spawned(session);
      real.happen('spawn', session);
    }),
  ),
  spawnFailed: pick.map((number) =>
    stepOn('spawnFailed', ['spawning', 'closingUnspawned'], number, (session, model, real) => {
      model.spawnFailed(session);
      real.happen('spawn', session, new SessionError('SPAWN_FAILED', 'the shell could not be started'));
    }),
  ),
  print: fc
    .tuple(pick, fc.constantFrom('prompt $ ', 'é', '€'))
    .map(([number, text]) =>
      stepOn('print', ['running', 'closing'], number, (session, model, real) =>
        print(session, Buffer.from(text), model, real),
      ),
    ),
  flood: fc.tuple(pick, fc.constantFrom(1, 1, 1, 4)).map(([number, times]) =>
    stepOn('flood', ['running'], number, (session, model, real) => {
      for (let time = 0; time < times; time += 1) {
        print(session, FLOOD, model, real);
        real.server.catchUp();
      }
    }),
  ),
  stick: pick.map((number) =>
    stepOn('stick', ['running'], number, (session, model, real) => {
      model.stick(session);
      processOf(session, real).room = 0;
    }),
  ),
  unstick: pick.map((number) =>
    stepOn('unstick', ['running'], number, (session, model, real) => {
      model.unstick(session);
      processOf(session, real).read(Infinity);
    }),
  ),
  processEnds: fc
    .tuple(pick, fc.constantFrom({ code: 0 }, { code: 3 }, { code: 137, signal: 'SIGKILL' }))
    .map(([number, exit]) =>
      stepOn('processEnds', ['running', 'closing'], number, (session, model, real) => {
        model.processEnds(session, exit);
        processOf(session, real).end(exit);
      }),
    ),
  processDies: pick.map((number) =>
    stepOn('processDies', ['closing'], number, (session, model, real) => {
      model.processEnds(session, { code: 129, signal: 'SIGHUP' });
      real.happen('death', session);
    }),
  ),
  input: fc
    .tuple(client, target, fc.constantFrom('x', 'ls\r'), fc.constantFrom(0, 0, 1, -1))
    .map(([number, wanted, text, skip]) =>
      stepBy('input', number, { wanted, text, skip }, (by, terminal, model) => {
        const sessionId = idOf(model, wanted, by);
        if (by.protocol === JSON_PROTOCOL) {
          terminal.send({ type: 'input', sessionId, bytes: Buffer.from(text) });
          model.type(by, sessionId, text);
          return;
        }
        const session = model.all.get(sessionId!);
        const typed = session ? typedBy(by.client, session) : 0;
        const repeated = Math.min(typed, Math.max(skip, 0));
        terminal.type(
          sessionId!,
          typed - skip + (skip > typed ? skip : 0),
          Buffer.from('~'.repeat(repeated) + text),
        );
        model.type(by, sessionId, text, skip);
      }),
    ),
  resize: fc.tuple(client, target, size).map(([number, wanted, to]) =>
    stepBy('resize', number, { wanted, to }, (by, terminal, model) => {
      const sessionId = idOf(model, wanted, by);
      model.resize(by, sessionId, to);
      terminal.send({ type: 'resize', sessionId, size: sizeOf(to) });
    }),
  ),
  close: fc.tuple(client, target).map(([number, wanted]) =>
    stepBy('close', number, { wanted }, (by, terminal, model) => {
      const sessionId = idOf(model, wanted, by);
      model.close(by, sessionId);
      terminal.send({ type: 'close', sessionId });
    }),
  ),
  closeOverRest: target.map((wanted) =>
    step('closeOverRest', { wanted }, (model, real) => {
      const sessionId = idOf(model, wanted) ?? 's0';
      model.closeOverRest(sessionId);
      real.server.closeOverRest(sessionId);
    }),
  ),
  detach: fc.tuple(client, target).map(([number, wanted]) =>
    stepBy('detach', number, { wanted }, (by, terminal, model) => {
      const sessionId = idOf(model, wanted, by);
      model.detach(by, sessionId);
      terminal.send({ type: 'detach', sessionId });
    }),
  ),
  attach: fc.tuple(client, target, from, readOnly).map(([number, wanted, share, isReadOnly]) =>
    stepBy('attach', number, { wanted, share, isReadOnly }, (by, terminal, model) => {
      const sessionId = idOf(model, wanted) ?? 's1';
      const end = model.find(sessionId)?.printed.length ?? 0;
      // Beyond the end is by one, wherever that is.
      const wish = share === undefined ? undefined : share > 1 ? end + 1 : Math.floor(end * share);
      terminal.send({ type: 'attach', sessionId, from: wish, readOnly: isReadOnly });
      model.attach(by, sessionId, wish, isReadOnly);
    }),
  ),
  acknowledge: fc.tuple(client, target, fc.nat(2)).map(([number, wanted, part]) =>
    stepBy('acknowledge', number, { wanted, part }, (by, terminal, model) => {
      const sessionId = idOf(model, wanted) ?? 's1';
      const beyond = (model.all.get(sessionId)?.printed.length ?? 0) + 1;
      const offset = part > 1 ? beyond : Math.floor((terminal.positionIn(sessionId) ?? 0) * part);
      terminal.acknowledge(sessionId, offset);
      model.acknowledge(by, sessionId, offset);
    }),
  ),
  stopReading: client.map((number) =>
    stepBy('stopReading', number, {}, (by, terminal, model) => {
      model.stopReading(by);
      terminal.stopReading();
    }),
  ),
  startReading: client.map((number) =>
    stepBy('startReading', number, {}, (by, terminal, model) => {
      model.startReading(by);
      terminal.startReading();
    }),
  ),
  disconnect: fc.tuple(client, protocol).map(([number, next]) =>
    stepBy('disconnect', number, { next }, (by, terminal, model, real) => {
      readOn(by, terminal, model, real);
      model.disconnect(by);
      terminal.leave();
      model.connect(next);
      real.server.connect(next);
    }),
  ),
  drop: fc.tuple(client, fc.constantFrom(undefined, 'a word', FLOOD), pick).map(([number, unheard, which]) =>
    stepBy('drop', number, { unheard: unheard?.length, which }, (by, terminal, model, real) => {
      if (by.protocol === JSON_PROTOCOL) readOn(by, terminal, model, real);
      else if (unheard !== undefined) printUnheard(by, terminal, Buffer.from(unheard), which, model, real);
      model.drop(by);
      terminal.drop();
      // Existing clients do not come back.
      if (by.protocol === JSON_PROTOCOL) {
        model.connect(by.protocol);
        real.server.connect(by.protocol);
      }
    }),
  ),
  resume: fc
    .tuple(pick, wishes)
    .map(([number, wanted]) =>
      stepAs(
        'resume',
        (model) => model.clients.filter(({ isConnected, isOver }) => !isConnected && !isOver),
        number,
        wanted,
      ),
    ),
  takeOver: fc.tuple(pick, wishes, fc.boolean()).map(([number, wanted, endsSoon]) =>
    stepAs(
      'takeOver',
      (model) => model.clients.filter((one) => one.isConnected && one.last.protocol !== JSON_PROTOCOL),
      number,
      wanted,
      (older) => {
        assert(older.isEnded);
        if (endsSoon) older.endSuperseded();
      },
    ),
  ),
  comeTooLate: fc
    .tuple(pick, wishes)
    .map(([number, wanted]) =>
      stepAs(
        'comeTooLate',
        (model) =>
          openConnections(model).length <= FIRST_PROTOCOLS.length
            ? model.clients.filter(({ isOver, last }) => isOver && last.protocol !== JSON_PROTOCOL)
            : [],
        number,
        wanted,
      ),
    ),
  tick: fc.constantFrom(1, 499, 500, 5000, 10_000, 10_000, 30_000, 60_000, 60_000).map((ms) =>
    step('tick', { ms }, (model, real) => {
      model.tick(ms);
      real.server.pass(ms);
    }),
  ),
} satisfies Record<string, fc.Arbitrary<Command>>;

type Weights = Record<keyof typeof commands, number>;

/** Sessions have to run more often than they are closed, or little is seen. */
const weights: Weights = {
  create: 9,
  spawned: 10,
  spawnFailed: 2,
  print: 3,
  flood: 6,
  processEnds: 9,
  processDies: 3,
  stick: 1,
  unstick: 2,
  input: 3,
  resize: 2,
  close: 2,
  closeOverRest: 2,
  attach: 12,
  acknowledge: 2,
  stopReading: 2,
  startReading: 3,
  detach: 8,
  disconnect: 1,
  drop: 2,
  resume: 8,
  takeOver: 1,
  comeTooLate: 2,
  tick: 4,
};

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

  it(
    `finds the smallest model right in ${RUNS} lives of a server`,
    async () => {
      await fc.assert(
        fc.asyncProperty(lives, async ({ begins, program }) => {
          const model = new Model();
          const real = new Real();
          for (const spoken of FIRST_PROTOCOLS) {
            model.connect(spoken);
            real.server.connect(spoken);
          }
          if (begins !== 'with nothing') await openForTwo(model, real);
          if (begins === 'with one who stands still') letStand(model, real);
          if (begins === 'with one who is held') letHold(model, real);
          await fc.asyncModelRun(() => ({ model, real }), program);
          for (const way of model.transitions) count(waysGone, way);
          for (const note of model.notes) count(notes, note);
          for (const { answer } of model.closeAnswers) count(refusals, answer ?? 'waiting');
          assertToldInOrder(real.server);
          assert(real.server.mostRunning <= MAX_SESSIONS);
          assert.deepEqual(unhandled, []);
        }),
        { numRuns: RUNS },
      );
      // It has been everywhere: a model that is never led to a corner says nothing about it.
      expect(rarely(commandsRun, Object.keys(commands), LEAST_COMMANDS)).toEqual([]);
      expect(rarely(waysGone, WAYS, LEAST_WAYS)).toEqual([]);
      expect(rarely(refusals, REFUSALS, LEAST_WAYS)).toEqual([]);
      expect(rarely(notes, NOTES, LEAST_NOTES)).toEqual([]);
      expect([...waysGone.keys()].filter((way) => !WAYS.includes(way))).toEqual([]);
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

function programsOf(often: Weights): fc.Arbitrary<Iterable<Command>> {
  return fc.commands(
    Object.entries(commands).flatMap(([name, command]: [string, fc.Arbitrary<Command>]) =>
      Array.from({ length: often[name as keyof typeof commands] }, () => command),
    ),
    { maxCommands: 100, size: 'max' },
  );
}

function step(name: string, details: object, act: (model: Model, real: Real) => void): Step {
  return new Step(name, JSON.stringify(details), () => true, act);
}

/** A step of one connection that there is. */
function stepBy(
  name: string,
  number: number,
  details: object,
  act: (by: ModelConnection, terminal: Client, model: Model, real: Real) => void,
): Step {
  return new Step(
    name,
    JSON.stringify({ number, ...details }),
    (model) => openConnections(model).length > 0,
    (model, real) => {
      const open = openConnections(model);
      const by = open[number % open.length]!;
      act(by, real.server.clients[by.number]!, model, real);
    },
  );
}

/** One of `clients` connects with the token it has. */
function stepAs(
  name: string,
  clients: (model: Model) => ModelClient[],
  number: number,
  wanted: Wishes,
  then: (older: Client) => void = () => undefined,
): Step {
  return new Step(
    name,
    JSON.stringify({ number, wanted }),
    (model) => clients(model).length > 0,
    (model, real) => {
      const may = clients(model);
      const returning = may[number % may.length]!;
      const { protocol, number: last } = returning.last;
      const older = real.server.clients[last]!;
      const { resumeToken } = older;
      const sessions = wishesOf(returning, wanted, older, model);
      model.connect(protocol, returning, sessions);
      real.server.connect(protocol, { resumeToken, sessions });
      then(older);
    },
  );
}

/** What it looked at, what there is, what is gone, and what never was. */
function wishesOf(client: ModelClient, wanted: Wishes, older: Client, model: Model): Wish[] {
  const looked = client.isConnected ? client.last.views : client.held;
  const ids = new Set([
    ...looked.map(({ session }) => session.id),
    ...model.sessions.map(({ id }) => id),
    ...[...client.exits.keys()].slice(-1),
    `s${model.ever + 1}`,
  ]);
  return [...ids].flatMap((sessionId, index) => {
    const { where, share, readOnly: isReadOnly } = wanted[index % wanted.length]!;
    const end = model.all.get(sessionId)?.printed.length ?? 0;
    switch (where) {
      case 'unnamed':
        return [];
      case 'heard':
        return [{ sessionId, from: older.positionIn(sessionId) ?? 0, readOnly: isReadOnly }];
      case 'oldest':
        return [{ sessionId, readOnly: isReadOnly }];
      case 'anywhere':
        return [{ sessionId, from: Math.floor(end * share), readOnly: isReadOnly }];
      case 'beyond':
        return [{ sessionId, from: end + 1, readOnly: isReadOnly }];
    }
  });
}

/** A process that runs on while its session ends: what of it waits for an acknowledgement then is not predicted. */
function readOn(by: ModelConnection, terminal: Client, model: Model, real: Real): void {
  if (!model.sessions.some(({ owner, unread }) => owner === by.client && unread.length > 0)) return;
  model.startReading(by);
  terminal.startReading();
  real.server.catchUp();
}

/** Something is printed for a connection that is about to be lost; how much of it is sent is not predicted. */
function printUnheard(
  by: ModelConnection,
  terminal: Client,
  bytes: Buffer,
  which: number,
  model: Model,
  real: Real,
): void {
  const seen = by.views.map(({ session }) => session).filter(({ phase }) => phase === 'running');
  const session = seen[which % seen.length];
  if (!session) return;
  by.acknowledges = false;
  terminal.stopAcknowledging();
  print(session, bytes, model, real);
  real.server.catchUp();
  terminal.news();
  by.news.length = 0;
}

/** A session runs, and two look at it that may lose their connections. */
async function openForTwo(model: Model, real: Real): Promise<void> {
  const [, owner, other] = model.connections;
  const session = model.create(owner!, '80x24')!;
  real.server.clients[1]!.create(sizeOf('80x24'));
  await settled();
  model.spawned(session);
  real.happen('spawn', session);
  await settled();
  model.attach(other!, session.id, 0, false);
  real.server.clients[2]!.send({ type: 'attach', sessionId: session.id, from: 0 });
  compare(model, real.server);
}

/** One of them takes nothing, and is not waited for any more. */
function letStand(model: Model, real: Real): void {
  model.stopReading(model.connections[2]!);
  real.server.clients[2]!.stopReading();
  print(model.sessions[0]!, FLOOD, model, real);
  real.server.catchUp();
  model.tick(STALLED_MS);
  real.server.pass(STALLED_MS);
  compare(model, real.server);
}

/** One of them has typed what is not read, and lost its connection; its process waits for it. */
function letHold(model: Model, real: Real): void {
  const [session] = model.sessions;
  model.stick(session!);
  processOf(session!, real).room = 0;
  model.type(model.connections[2]!, session!.id, 'x');
  real.server.clients[2]!.type(session!.id, 0, Buffer.from('x'));
  model.drop(model.connections[2]!);
  real.server.clients[2]!.drop();
  for (const bytes of [FLOOD, FLOOD]) {
    print(session!, bytes, model, real);
    real.server.catchUp();
  }
  compare(model, real.server);
}

/** A step of one session that is in one of `phases`. */
function stepOn(
  name: string,
  phases: Phase[],
  number: number,
  act: (session: ModelSession, model: Model, real: Real) => void,
): Step {
  return new Step(
    name,
    `${number}`,
    (model) => model.inPhase(...phases).length > 0,
    (model, real) => {
      const sessions = model.inPhase(...phases);
      act(sessions[number % sessions.length]!, model, real);
    },
  );
}

/** Existing clients may leave it out; of others that is a message nobody parses. */
function idOf(model: Model, { kind, pick: number }: Target, by?: ModelConnection): string | undefined {
  switch (kind) {
    case 'listed':
      return model.sessions[number % model.sessions.length]?.id ?? 's1';
    case 'everKnown':
      return `s${(number % (model.ever + 1)) + 1}`;
    case 'unknown':
      return `s${model.ever + 1 + number}`;
    case 'none':
      return by && by.protocol !== JSON_PROTOCOL ? 's1' : undefined;
  }
}

function openConnections({ connections }: Model): ModelConnection[] {
  return connections.filter(({ isOpen }) => isOpen);
}

function print(session: ModelSession, bytes: Buffer, model: Model, real: Real): void {
  // A process that has ended does not print, though nobody may know of its end yet.
  if (session.over) return;
  processOf(session, real).print(bytes);
  model.print(session, bytes);
}

function processOf(session: ModelSession, { server }: Real): ScheduledPty {
  return server.ptys.ptys.find(({ process }) => process === session.process)!;
}

function sizeOf(wanted: Size): ReturnType<typeof terminalSize> {
  const [columns, rows] = wanted.split('x').map(Number);
  return terminalSize(columns, rows);
}

/** What can be seen of the server is what the model says. */
function compare(model: Model, server: Server): void {
  assert.deepEqual(
    server.registry.list().map(({ id, name, state, status, isWatched, size: { columns, rows }, exit }) => ({
      id,
      name,
      state,
      status,
      isWatched,
      size: `${columns}x${rows}`,
      exit: exit && { code: exit.code, signal: exit.signal, cause: exit.cause },
    })),
    model.sessions.map(({ id, name, phase, viewers, size: now, exit }) => ({
      id,
      name,
      ...seenAs[phase],
      isWatched: viewers.length > 0,
      size: now,
      exit: exit && { code: exit.code, signal: exit.signal, cause: exit.cause },
    })),
  );
  for (const { number, isOpen, client, news } of model.connections) {
    for (const one of news) {
      if ('line' in one && one.line.startsWith('error ')) count(refusals, one.line.split(' ')[1]!);
    }
    assert.deepEqual(
      told(server.clients[number]!.news(), model),
      told(news.splice(0), model),
      `what connection ${number} is told`,
    );
    if (isOpen) assert.deepEqual(server.clients[number]!.owned, [...client.asked]);
  }
  assert.deepEqual(
    server.ptys.alive.map(({ process, closings }) => ({ process, closings })),
    model
      .inPhase('running', 'closing')
      .filter(({ over }) => !over)
      .map(({ process, phase }) => ({ process, closings: phase === 'closing' ? 1 : 0 }))
      .sort((a, b) => startOrder(server, a.process) - startOrder(server, b.process)),
  );
  for (const { process, size: now, input, paused, over } of model.inPhase('running')) {
    const pty = server.ptys.ptys.find((one) => one.process === process)!;
    assert.equal(pty.paused, paused);
    if (!over) assert.deepEqual([`${pty.size.columns}x${pty.size.rows}`, pty.input], [now, input]);
  }
  assert.deepEqual(
    server.closeAnswers.map(({ sessionId, answer }) => ({ sessionId, answer })),
    model.closeAnswers.map(({ sessionId, answer }) => ({ sessionId, answer })),
  );
  assert.equal(server.ptys.asked.length, model.started);
  assert.equal(server.clock.timers, model.timers);
}

const seenAs: Record<Phase, { state: SessionState; status: SessionStatus }> = {
  announced: { state: 'Running', status: 'connecting' },
  spawning: { state: 'Running', status: 'connecting' },
  running: { state: 'Running', status: 'active' },
  closingUnspawned: { state: 'Closing', status: 'active' },
  closing: { state: 'Closing', status: 'active' },
  ended: { state: 'Closed', status: 'exited' },
};

function startOrder(server: Server, process: number | undefined): number {
  return server.ptys.ptys.findIndex((pty) => pty.process === process);
}

/** By what it is about, in order; output in one piece, as long as nothing else comes in between. */
function told(news: readonly (Heard | ModelNews)[], model: Model): Map<string, string[]> {
  const lines = new Map<string, string[]>();
  const runs = new Map<string, { offset: number; end: number }>();
  for (const one of news) {
    // Where it has the exit, or leaves, it is not told: which is first depends on how fast it reads.
    if ('line' in one && one.line.startsWith('taken ') && !model.find(one.about.split(' ').at(-1)!)) continue;
    const about = lines.get(one.about) ?? [];
    lines.set(one.about, about);
    if ('line' in one) {
      runs.delete(one.about);
      about.push(one.line);
      continue;
    }
    if ('bytes' in one) assertPrinted(one, model);
    const run = runs.get(one.about);
    const goesOn = run?.end === one.offset;
    if (goesOn) about.pop();
    const whole = { offset: goesOn ? run.offset : one.offset, end: one.end };
    runs.set(one.about, whole);
    about.push(`output ${whole.offset}–${whole.end}`);
  }
  return lines;
}

/** What came is what was printed there: as text to existing clients, byte for byte to others. */
function assertPrinted({ about, offset, end, bytes }: Extract<Heard, { bytes: string }>, model: Model): void {
  const printed = model.all.get(about)!.printed.subarray(offset, end);
  // Not `equal`, which would print them.
  assert(bytes === printed.toString('latin1') || bytes === printed.toString());
}

/** Which of `wanted` happened less than `least` times. */
function rarely(counts: ReadonlyMap<string, number>, wanted: readonly string[], least: number): string[] {
  return wanted
    .filter((what) => (counts.get(what) ?? 0) < least)
    .map((what) => `${what}: ${counts.get(what)}`);
}

function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}
