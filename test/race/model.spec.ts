import fc from 'fast-check';
import assert from 'node:assert/strict';
import { SessionError } from '../../src/core/session-error.js';
import { type SessionState } from '../../src/core/lifecycle.js';
import { type SessionStatus } from '../../src/core/session.js';
import { terminalSize } from '../../src/core/terminal-size.js';
import { JSON_PROTOCOL, type Protocol } from '../../src/terminal/subprotocol.js';
import { type ProcessEvent, type ScheduledPty } from '../fakes/scheduled-pty.js';
import { settled } from '../support/running-session.js';
import {
  FLOOD_BYTES,
  LINGER_SECONDS,
  LOG_BYTES,
  MAX_SESSIONS,
  MAX_VIEWERS,
  Model,
  type ModelClient,
  type ModelNews,
  type ModelSession,
  type Phase,
  type Size,
  typedBy,
} from './support/model.js';
import { assertToldInOrder, type Client, type Heard, Server } from './support/server.js';

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
 *   bytes       typed before the start lost (m p), into a full terminal lost (p) · input joined backwards (m p) ·
 *               budget leaks on drain, clear, close, end (p) · log: slab reused early, off by one, no copy (p) · never
 *               resumed (p), no hysteresis (p), leaving does not resume (p) or is told twice (p) · output after a
 *               close (p) · UTF-8: overlong, surrogates, four bytes (p)
 *
 * Two were no bugs, because what they take away is done in two places: the start timer is cancelled by `close` and by
 * the end, and viewers of an ended session are woken by `close` and by its removal. Both places together: red.
 */

const RUNS = 3000;
const FIRST_PROTOCOLS: readonly Protocol[] = ['trex.v1', 'trex.v2', 'trex.v2'];

/** A server whose processes start and die when a command says so. */
class Real {
  readonly server = new Server((event) => this.later(event), {
    maxSessions: MAX_SESSIONS,
    maxViewers: MAX_VIEWERS,
    logBytes: LOG_BYTES,
    exitedLingerSeconds: LINGER_SECONDS,
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

const LEAST_COMMANDS = 200;
const LEAST_WAYS = 20;
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

const commands = {
  create: fc.tuple(client, fc.option(size, { nil: undefined })).map(([number, wanted]) =>
    step('create', { number, wanted }, (model, real) => {
      model.create(openClient(model, number), wanted);
      openReal(real, number).send({ type: 'create', size: wanted && sizeOf(wanted) });
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
  flood: pick.map((number) =>
    stepOn('flood', ['running'], number, (session, model, real) => print(session, FLOOD, model, real)),
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
      step('input', { number, wanted, text, skip }, (model, real) => {
        const typist = openClient(model, number);
        const sessionId = idOf(model, wanted, typist);
        const terminal = openReal(real, number);
        if (typist.protocol === JSON_PROTOCOL) {
          terminal.send({ type: 'input', sessionId, bytes: Buffer.from(text) });
          model.type(typist, sessionId, text);
          return;
        }
        const session = model.all.get(sessionId!);
        const typed = session ? typedBy(typist, session) : 0;
        const repeated = Math.min(typed, Math.max(skip, 0));
        terminal.type(
          sessionId!,
          typed - skip + (skip > typed ? skip : 0),
          Buffer.from('~'.repeat(repeated) + text),
        );
        model.type(typist, sessionId, text, skip);
      }),
    ),
  resize: fc.tuple(client, target, size).map(([number, wanted, to]) =>
    step('resize', { number, wanted, to }, (model, real) => {
      const sessionId = idOf(model, wanted, openClient(model, number));
      model.resize(openClient(model, number), sessionId, to);
      openReal(real, number).send({ type: 'resize', sessionId, size: sizeOf(to) });
    }),
  ),
  close: fc.tuple(client, target).map(([number, wanted]) =>
    step('close', { number, wanted }, (model, real) => {
      const sessionId = idOf(model, wanted, openClient(model, number));
      model.close(openClient(model, number), sessionId);
      openReal(real, number).send({ type: 'close', sessionId });
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
    step('detach', { number, wanted }, (model, real) => {
      const sessionId = idOf(model, wanted, openClient(model, number));
      model.detach(openClient(model, number), sessionId);
      openReal(real, number).send({ type: 'detach', sessionId });
    }),
  ),
  attach: fc.tuple(client, target, from, readOnly).map(([number, wanted, share, isReadOnly]) =>
    step('attach', { number, wanted, share, isReadOnly }, (model, real) => {
      const sessionId = idOf(model, wanted) ?? 's1';
      const end = model.find(sessionId)?.printed.length ?? 0;
      // Beyond the end is by one, wherever that is.
      const wish = share === undefined ? undefined : share > 1 ? end + 1 : Math.floor(end * share);
      openReal(real, number).send({ type: 'attach', sessionId, from: wish, readOnly: isReadOnly });
      model.attach(openClient(model, number), sessionId, wish, isReadOnly);
    }),
  ),
  acknowledge: fc.tuple(client, target, fc.nat(2)).map(([number, wanted, part]) =>
    step('acknowledge', { number, wanted, part }, (model, real) => {
      const sessionId = idOf(model, wanted) ?? 's1';
      const terminal = openReal(real, number);
      const beyond = (model.all.get(sessionId)?.printed.length ?? 0) + 1;
      const offset = part > 1 ? beyond : Math.floor((terminal.positionIn(sessionId) ?? 0) * part);
      terminal.acknowledge(sessionId, offset);
      model.acknowledge(openClient(model, number), sessionId, part > 1);
    }),
  ),
  stopReading: client.map((number) =>
    step('stopReading', { number }, (model, real) => {
      model.stopReading(openClient(model, number));
      openReal(real, number).stopReading();
    }),
  ),
  startReading: client.map((number) =>
    step('startReading', { number }, (model, real) => {
      model.startReading(openClient(model, number));
      openReal(real, number).startReading();
    }),
  ),
  disconnect: fc.tuple(client, protocol).map(([number, next]) =>
    step('disconnect', { number, next }, (model, real) => {
      const leaving = openReal(real, number);
      const gone = openClient(model, number);
      // A process that runs on while its session ends: what of it waits for an acknowledgement then is not predicted.
      if (model.sessions.some(({ owner, unread }) => owner === gone && unread.length > 0)) {
        model.startReading(gone);
        leaving.startReading();
        real.server.catchUp();
      }
      model.disconnect(gone);
      leaving.leave();
      model.connect(next);
      real.server.connect(next);
    }),
  ),
  tick: fc.constantFrom(1, 499, 500, 5000, 10_000, 10_000, 60_000, 60_000, 60_000).map((ms) =>
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
  spawnFailed: 1,
  print: 3,
  flood: 6,
  processEnds: 9,
  processDies: 2,
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
  tick: 6,
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

const lives = fc.oneof(
  { weight: 2, arbitrary: fc.record({ isOpen: fc.constant(false), program: programsOf(endingsWeights) }) },
  { weight: 2, arbitrary: fc.record({ isOpen: fc.constant(false), program: programsOf(weights) }) },
  { weight: 2, arbitrary: fc.record({ isOpen: fc.constant(true), program: programsOf(viewersWeights) }) },
);

/** Takes seconds, and many of them where other work shares the processors. */
const BUSY_MACHINE_MS = 90_000;

describe('T014 · race gate: model', () => {
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
  beforeAll(() => void process.on('unhandledRejection', onUnhandled));
  afterAll(() => void process.off('unhandledRejection', onUnhandled));

  it(
    `finds the smallest model right in ${RUNS} lives of a server`,
    async () => {
      await fc.assert(
        fc.asyncProperty(lives, async ({ isOpen, program }) => {
          const model = new Model();
          const real = new Real();
          for (const spoken of FIRST_PROTOCOLS) {
            model.connect(spoken);
            real.server.connect(spoken);
          }
          if (isOpen) await openForTwo(model, real);
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

/** A session runs, and two look at it. */
async function openForTwo(model: Model, real: Real): Promise<void> {
  const [owner, other] = model.clients;
  const session = model.create(owner!, '80x24')!;
  real.server.clients[0]!.send({ type: 'create', size: sizeOf('80x24') });
  await settled();
  model.spawned(session);
  real.happen('spawn', session);
  await settled();
  model.attach(other!, session.id, 0, false);
  real.server.clients[1]!.send({ type: 'attach', sessionId: session.id, from: 0 });
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
function idOf(model: Model, { kind, pick: number }: Target, client?: ModelClient): string | undefined {
  switch (kind) {
    case 'listed':
      return model.sessions[number % model.sessions.length]?.id ?? 's1';
    case 'everKnown':
      return `s${(number % (model.ever + 1)) + 1}`;
    case 'unknown':
      return `s${model.ever + 1 + number}`;
    case 'none':
      return client && client.protocol !== JSON_PROTOCOL ? 's1' : undefined;
  }
}

function openClient(model: Model, number: number): ModelClient {
  return model.clients.filter(({ isOpen }) => isOpen)[number]!;
}

function openReal(real: Real, number: number): Client {
  return real.server.clients.filter(({ isOpen }) => isOpen)[number]!;
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
  for (const { number, news } of model.clients) {
    for (const one of news) {
      if ('line' in one && one.line.startsWith('error ')) count(refusals, one.line.slice('error '.length));
    }
    assert.deepEqual(
      told(server.clients[number]!.news(), model),
      told(news.splice(0), model),
      `what client ${number} is told`,
    );
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
