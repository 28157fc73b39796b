import fc from 'fast-check';
import { useProgram } from '../support/program.js';
import { runs } from '../support/runs.js';
import {
  commands,
  connectAll,
  FLOOD,
  openForTwo,
  programsOf,
  Step,
  type Weights,
  weights,
} from './support/commands.js';
import { Coverage, rarely } from './support/coverage.js';
import { LOG_BYTES, MAX_SESSIONS, MAX_VIEWERS, Model } from './support/model.js';
import { ToldProcesses } from './support/processes.js';
import { SocketSystem } from './support/socket-system.js';

const RUNS = runs(100);
const MOST_COMMANDS = 40;

/** As often as without sockets, but for what only fakes can be told. */
const realWeights: Weights = {
  ...weights,
  // Processes start, fail to and die by themselves: `toggleShell` is why some cannot be started.
  spawned: 0,
  spawnFailed: 0,
  processDies: 0,
  // How much the system takes for a client that does not read, or for a program that does not, nobody knows.
  stopReading: 0,
  startReading: 0,
  stick: 0,
  unstick: 0,
  // The server's time is everybody's: nothing falls due in a life as short as these.
  tick: 0,
  comeTooLate: 0,
  create: 14,
  print: 6,
  input: 8,
  resize: 4,
  drop: 4,
  disconnect: 3,
  takeOver: 3,
};

const settings = {
  TREX_MAX_SESSIONS: `${MAX_SESSIONS}`,
  // One more looks at everything.
  TREX_MAX_VIEWERS: `${MAX_VIEWERS + 1}`,
  TREX_LOG_BYTES: `${LOG_BYTES}`,
  TREX_EXITED_LINGER_SECONDS: '3600',
  TREX_RESUME_SECONDS: '3600',
  TREX_RESUME_HOLD_SECONDS: '3600',
  TREX_CREATE_BURST: '10000',
  TREX_MESSAGE_BURST: '1000000',
  TREX_METRICS: 'on',
  TREX_PAGE: 'off',
};

const toggleShell = fc.constant(
  new Step(
    'toggleShell',
    '',
    () => true,
    (_model, system) => (system as SocketSystem).toggleShell(),
  ),
);

/** What comes up in so few lives, however they go. */
const NAMES = [
  'toggleShell',
  ...Object.keys(commands).filter((name) => realWeights[name as keyof typeof commands] > 0),
];
const WAYS = [
  'announced → spawning',
  'spawning → running',
  'spawning → ended',
  'running → closing',
  'running → ended',
  'closing → ended',
  'ended → gone: closed',
  'ended → gone: failed',
];
const REFUSALS = [
  'SESSION_LIMIT',
  'SESSION_NOT_FOUND',
  'SESSION_ENDED',
  'INVALID_SHELL',
  'BAD_OFFSET',
  'closed',
];
const NOTES = [
  'attached',
  'attached again',
  'came after the end',
  'control was handed over',
  'was resumed',
  'went on unnamed',
  'was taken over',
  'outlived its client',
  'came back to nothing',
];

/** Takes seconds, and many of them where other work shares the processors. */
const BUSY_MACHINE_MS = runs(300_000);

describe('T014 · race gate: the model over real sockets', () => {
  const start = useProgram();
  let shell: ToldProcesses;
  beforeAll(() => {
    shell = new ToldProcesses(FLOOD);
  });
  afterAll(() => shell.dispose());

  it(
    `finds the smallest model right in ${RUNS} lives over real sockets`,
    async () => {
      const server = await start([], { ...settings, TREX_SHELL: shell.shell }).listening();
      const seen = new Coverage();
      const lives = programsOf(realWeights, MOST_COMMANDS, [toggleShell]);
      await fc.assert(
        fc.asyncProperty(fc.boolean(), lives, async (isOpen, program) => {
          const system = new SocketSystem(server.port, shell);
          try {
            const model = new Model(await system.created());
            connectAll(model, system);
            await system.agreeWith(model);
            if (isOpen) await openForTwo(model, system);
            await fc.asyncModelRun(() => ({ model, real: system }), program);
            await system.assertTyped(model);
            seen.add(model);
          } finally {
            await system.leave();
          }
          await system.assertNothingLeft();
        }),
        // A failure takes its time, and would again whenever it is tried to make it smaller.
        { numRuns: RUNS, endOnFailure: true },
      );
      expect(rarely(seen.commands, NAMES, 1)).toEqual([]);
      expect(rarely(seen.ways, WAYS, 1)).toEqual([]);
      expect(rarely(seen.refusals, REFUSALS, 1)).toEqual([]);
      expect(rarely(seen.notes, NOTES, 1)).toEqual([]);
    },
    BUSY_MACHINE_MS,
  );
});
