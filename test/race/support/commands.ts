import fc from 'fast-check';
import { SessionError } from '../../../src/core/session-error.js';
import { terminalSize } from '../../../src/core/terminal-size.js';
import { JSON_PROTOCOL, type Protocol } from '../../../src/terminal/subprotocol.js';
import {
  FLOOD_BYTES,
  type Model,
  type ModelClient,
  type ModelConnection,
  type ModelSession,
  type Phase,
  type Size,
  typedBy,
  type Wish,
} from './model.js';
import { type System, type Terminal } from './system.js';

export type Command = fc.AsyncCommand<Model, System>;

const FIRST_PROTOCOLS: readonly Protocol[] = ['trex.v1', 'trex.v2', 'trex.v2'];

/** Does one thing to both, and compares them. */
export class Step implements Command {
  constructor(
    private readonly name: string,
    private readonly details: string,
    private readonly applies: (model: Model) => boolean,
    private readonly act: (model: Model, system: System) => void,
  ) {}

  check(model: Readonly<Model>): boolean {
    return this.applies(model as Model);
  }

  async run(model: Model, system: System): Promise<void> {
    await system.awaitTurn(model);
    // Something may have happened since it was checked.
    if (!this.applies(model)) return;
    model.commands.push(this.name);
    this.act(model, system);
    await system.agreeWith(model);
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
export const FLOOD = Buffer.alloc(FLOOD_BYTES, 'flood ');
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

export const commands = {
  create: fc
    .tuple(client, fc.option(size, { nil: undefined }), fc.constantFrom(false, false, true))
    .map(([number, wanted, persistent]) =>
      stepBy('create', number, { wanted, persistent }, (by, terminal, model) => {
        model.create(by, wanted, persistent);
        terminal.create(wanted && sizeOf(wanted), persistent);
      }),
    ),
  spawned: pick.map((number) =>
    stepOn('spawned', ['spawning', 'closingUnspawned'], number, (session, model, system) => {
      model.spawned(session);
      system.happen('spawn', session);
    }),
  ),
  spawnFailed: pick.map((number) =>
    stepOn('spawnFailed', ['spawning', 'closingUnspawned'], number, (session, model, system) => {
      model.spawnFailed(session);
      system.happen('spawn', session, new SessionError('SPAWN_FAILED', 'the shell could not be started'));
    }),
  ),
  print: fc
    .tuple(pick, fc.constantFrom('prompt $ ', 'é', '€'))
    .map(([number, text]) =>
      stepOn('print', ['running', 'closing'], number, (session, model, system) =>
        print(session, Buffer.from(text), model, system),
      ),
    ),
  flood: fc.tuple(pick, fc.constantFrom(1, 1, 1, 4)).map(([number, times]) =>
    stepOn('flood', ['running'], number, (session, model, system) => {
      for (let time = 0; time < times; time += 1) {
        print(session, FLOOD, model, system);
        system.catchUp();
      }
    }),
  ),
  stick: pick.map((number) =>
    stepOn('stick', ['running'], number, (session, model, system) => {
      model.stick(session);
      system.stick(session);
    }),
  ),
  unstick: pick.map((number) =>
    stepOn('unstick', ['running'], number, (session, model, system) => {
      model.unstick(session);
      system.unstick(session);
    }),
  ),
  /** One at a time waits with its end to be read: which of two is read first, and is the oldest then, is not predicted. */
  processEnds: fc
    .tuple(pick, fc.constantFrom({ code: 0 }, { code: 3 }, { code: 137, signal: 'SIGKILL' }))
    .map(([number, exit]) =>
      stepOn('processEnds', ['running', 'closing'], number, (session, model, system) => {
        if (session.paused && model.inPhase('running').some(({ over }) => over)) return;
        model.processEnds(session, exit);
        system.end(session, exit);
      }),
    ),
  processDies: pick.map((number) =>
    stepOn('processDies', ['closing'], number, (session, model, system) => {
      model.processEnds(session, { code: 129, signal: 'SIGHUP' });
      system.happen('death', session);
    }),
  ),
  input: fc
    .tuple(client, target, fc.constantFrom('x', 'ls\r'), fc.constantFrom(0, 0, 1, -1))
    .map(([number, wanted, text, skip]) =>
      stepBy('input', number, { wanted, text, skip }, (by, terminal, model, system) => {
        const sessionId = idOf(model, wanted, by);
        if (system.echoesEarlyInput && model.startsWith(by, sessionId)) return;
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
    step('closeOverRest', { wanted }, (model, system) => {
      const sessionId = idOf(model, wanted) ?? 's0';
      model.closeOverRest(sessionId);
      system.closeOverRest(sessionId);
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
    stepBy('disconnect', number, { next }, (by, terminal, model, system) => {
      readOn(by, terminal, model, system);
      model.disconnect(by);
      terminal.leave();
      model.connect(next);
      system.connect(next);
    }),
  ),
  drop: fc.tuple(client, fc.constantFrom(undefined, 'a word', FLOOD), pick).map(([number, unheard, which]) =>
    stepBy('drop', number, { unheard: unheard?.length, which }, (by, terminal, model, system) => {
      if (by.protocol === JSON_PROTOCOL) readOn(by, terminal, model, system);
      else if (unheard !== undefined) printUnheard(by, terminal, Buffer.from(unheard), which, model, system);
      model.drop(by);
      terminal.drop();
      // Existing clients do not come back.
      if (by.protocol === JSON_PROTOCOL) {
        model.connect(by.protocol);
        system.connect(by.protocol);
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
      (older) => older.takenOver(endsSoon),
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
    step('tick', { ms }, (model, system) => {
      model.tick(ms);
      system.pass(ms);
    }),
  ),
} satisfies Record<string, fc.Arbitrary<Command>>;

export type Weights = Record<keyof typeof commands, number>;

/** Sessions have to run more often than they are closed, or little is seen. */
export const weights: Weights = {
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

/** `also`: commands that only some systems know. */
export function programsOf(
  often: Weights,
  maxCommands = 100,
  also: fc.Arbitrary<Command>[] = [],
): fc.Arbitrary<Iterable<Command>> {
  const shared = Object.entries(commands).flatMap(([name, command]: [string, fc.Arbitrary<Command>]) =>
    Array.from({ length: often[name as keyof typeof commands] }, () => command),
  );
  return fc.commands([...shared, ...also], { maxCommands, size: 'max' });
}

/** Those who are there at the beginning. */
export function connectAll(model: Model, system: System): void {
  for (const spoken of FIRST_PROTOCOLS) {
    model.connect(spoken);
    system.connect(spoken);
  }
}

/** A session runs, and two look at it that may lose their connections. */
export async function openForTwo(model: Model, system: System): Promise<void> {
  const [, owner, other] = model.connections;
  const session = model.create(owner!, '80x24')!;
  system.terminals[1]!.create(sizeOf('80x24'));
  await system.agreeWith(model);
  if (session.phase === 'spawning') {
    model.spawned(session);
    system.happen('spawn', session);
    await system.agreeWith(model);
  }
  model.attach(other!, session.id, 0, false);
  system.terminals[2]!.send({ type: 'attach', sessionId: session.id, from: 0 });
  await system.agreeWith(model);
}

function step(name: string, details: object, act: (model: Model, system: System) => void): Step {
  return new Step(name, JSON.stringify(details), () => true, act);
}

/** A step of one connection that there is. */
function stepBy(
  name: string,
  number: number,
  details: object,
  act: (by: ModelConnection, terminal: Terminal, model: Model, system: System) => void,
): Step {
  return new Step(
    name,
    JSON.stringify({ number, ...details }),
    (model) => openConnections(model).length > 0,
    (model, system) => {
      const open = openConnections(model);
      const by = open[number % open.length]!;
      act(by, system.terminals[by.number]!, model, system);
    },
  );
}

/** One of `clients` connects with the token it has. */
function stepAs(
  name: string,
  clients: (model: Model) => ModelClient[],
  number: number,
  wanted: Wishes,
  then: (older: Terminal) => void = () => undefined,
): Step {
  return new Step(
    name,
    JSON.stringify({ number, wanted }),
    (model) => clients(model).length > 0,
    (model, system) => {
      const may = clients(model);
      const returning = may[number % may.length]!;
      const { protocol, number: last } = returning.last;
      const older = system.terminals[last]!;
      const { resumeToken } = older;
      const sessions = wishesOf(returning, wanted, older, model);
      model.connect(protocol, returning, sessions);
      system.connect(protocol, { resumeToken, sessions });
      then(older);
    },
  );
}

/** What it looked at, what there is, what is gone, and what never was. */
function wishesOf(client: ModelClient, wanted: Wishes, older: Terminal, model: Model): Wish[] {
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
function readOn(by: ModelConnection, terminal: Terminal, model: Model, system: System): void {
  if (!model.sessions.some(({ owner, unread }) => owner === by.client && unread.length > 0)) return;
  model.startReading(by);
  terminal.startReading();
  system.catchUp();
}

/** Something is printed for a connection that is about to be lost; how much of it is sent is not predicted. */
function printUnheard(
  by: ModelConnection,
  terminal: Terminal,
  bytes: Buffer,
  which: number,
  model: Model,
  system: System,
): void {
  const seen = by.views.map(({ session }) => session).filter(({ phase }) => phase === 'running');
  const session = seen[which % seen.length];
  if (!session) return;
  by.acknowledges = false;
  terminal.stopAcknowledging();
  print(session, bytes, model, system);
  system.catchUp();
  terminal.forgetNews();
  by.news.length = 0;
}

/** A step of one session that is in one of `phases`. */
function stepOn(
  name: string,
  phases: Phase[],
  number: number,
  act: (session: ModelSession, model: Model, system: System) => void,
): Step {
  return new Step(
    name,
    `${number}`,
    (model) => model.inPhase(...phases).length > 0,
    (model, system) => {
      const sessions = model.inPhase(...phases);
      act(sessions[number % sessions.length]!, model, system);
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

export function openConnections({ connections }: Model): ModelConnection[] {
  return connections.filter(({ isOpen }) => isOpen);
}

export function print(session: ModelSession, bytes: Buffer, model: Model, system: System): void {
  // A process that has ended does not print, though nobody may know of its end yet.
  if (session.over || !system.mayPrint(session, bytes)) return;
  system.print(session, bytes);
  model.print(session, bytes);
}

export function sizeOf(wanted: Size): ReturnType<typeof terminalSize> {
  const [columns, rows] = wanted.split('x').map(Number);
  return terminalSize(columns, rows);
}
