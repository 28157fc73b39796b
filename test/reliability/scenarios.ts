import { median } from '../../bench/harness/statistics.js';
import { type Plan } from '../support/cutting-proxy.js';
import { type Gates } from './expect-clean.js';
import { exoticPrograms, printHostile } from './exotic.js';
import {
  endProcesses,
  endServer,
  endServerTwice,
  fallSilent,
  hangUpLog,
  jumpClock,
  killClient,
  killServer,
  stall,
  stopClient,
  vanish,
} from './faults.js';
import { sweep, unlessRoot } from './limits.js';
import { loseLink, unlessNamespaces } from './link.js';
import { churn, fanOut, firehose, talkers } from './loads.js';
import { type Fault, type Figures, type Growth, type Load, type Run } from './run.js';

/** How long one may take: seconds each in `npm test`, two hours for all at night, hours each before a release. */
export type Tier = 'quick' | 'nightly' | 'soak';

interface About {
  readonly name: string;
  readonly about: string;
  /** Why it cannot be run here, if it cannot. */
  readonly skip?: () => string | undefined;
}

/** A load, and a fault that is injected while it runs. */
export interface LoadScenario extends About {
  readonly load: () => Load;
  readonly fault?: Fault;
  /** What the proxy does to each connection. */
  readonly plan?: (number: number, random: () => number, tier: Tier) => Plan;
  /** Whether that was felt: a fault that has not happened proves nothing. */
  readonly hasHappened?: (run: Run) => boolean;
  readonly gates: Gates;
  readonly growth?: Growth;
  readonly settings?: Readonly<Record<string, string>>;
  /** The file that its log goes to, instead of being looked at. */
  readonly logTo?: string;
  /** In which tiers it is run, and for how long; at most so long, where it knows itself when it is done. */
  readonly seconds: Partial<Record<Tier, number>>;
}

/** What has to have a server of another kind, and does everything itself. @returns problems, in words */
export interface CheckScenario extends About {
  readonly check: (figures: Figures, tier: Tier) => Promise<string[]>;
  readonly tiers: readonly Tier[];
  /** About how long it takes. */
  readonly takesSeconds: number;
}

export type Scenario = LoadScenario | CheckScenario;

const KIB = 1024;
const MIB = 1024 * KIB;
const HOUR = 3600;
const HOURLY_BYTES = 5_000_000;
export const STORM_SESSIONS = 64;

const none: Gates = { echoP50Ms: Infinity, echoP99Ms: Infinity };
/** What others do, nobody feels who types. */
const unfelt: Gates = { echoP50Ms: 20, echoP99Ms: 200 };
/** Whoever is cut off waits until they are back, no longer. */
const returning: Gates = { echoP50Ms: 100, echoP99Ms: 1000, mayReturn: true };

const loads: readonly LoadScenario[] = [
  {
    name: 'L1',
    about: '16 sessions, 20 keys a second and 64 KiB/s out in each',
    load: () => talkers({ clients: 16, sessionsEach: 1, bytesPerSecond: 64 * KIB, keysPerSecond: 20 }),
    gates: { echoP50Ms: 5, echoP99Ms: 30, isHeld: true },
    seconds: { quick: 4, nightly: 60 },
  },
  {
    name: 'L2',
    about: '64 sessions that two look at, one over each protocol, 128 KiB/s out in each',
    load: () =>
      talkers({ clients: 16, sessionsEach: 4, bytesPerSecond: 128 * KIB, keysPerSecond: 1, watchers: 1 }),
    gates: { echoP50Ms: Infinity, echoP99Ms: 100, isHeld: true },
    seconds: { nightly: 300 },
  },
  {
    name: 'L3',
    about: 'one session prints 1 GiB as fast as it can',
    load: () => firehose(1024 * MIB),
    gates: { echoP50Ms: Infinity, echoP99Ms: 200 },
    seconds: { nightly: 240 },
  },
  {
    name: 'L3-short',
    about: 'one session prints 128 MiB as fast as it can',
    load: () => firehose(128 * MIB),
    gates: { echoP50Ms: Infinity, echoP99Ms: 200 },
    seconds: { quick: 30 },
  },
  {
    name: 'L4',
    about: '8 look at 4 MiB/s, one of whom takes nothing, and one 64 KiB/s',
    load: () => fanOut(4 * MIB),
    gates: { ...none, mayMiss: true },
    // Who takes nothing answers no ping: after four times as long, which else is two minutes, it would be given up.
    settings: { TREX_DEAD_SECONDS: '60' },
    seconds: { quick: 3, nightly: 120 },
  },
  {
    name: 'L5',
    about: '10,000 sessions are created, used and closed, 32 at a time',
    load: () => churn(32, 10_000),
    gates: none,
    growth: {
      per: 'sessions',
      units: 1000,
      atMostBytes: 1000 * KIB,
      residentAtMostBytes: 3000 * KIB,
      least: 3000,
    },
    seconds: { quick: 3, nightly: 600 },
  },
  {
    name: 'L6',
    about: `${STORM_SESSIONS} sessions with 256 KiB/s out in each; every client is cut off every 2 s, give or take one`,
    load: () => storm(STORM_SESSIONS),
    gates: { ...returning, isHeld: true },
    // Of the ten minutes of a night nobody can tell.
    growth: { per: 'hours', units: 1, atMostBytes: HOURLY_BYTES, least: 0.4 },
    // Each client comes back 300 times.
    seconds: { nightly: 680, soak: HOUR },
  },
  {
    name: 'L6-small',
    about: '16 sessions with 256 KiB/s out in each; every client is cut off about every 0.4 s',
    load: () =>
      talkers({
        clients: 8,
        sessionsEach: 2,
        bytesPerSecond: 256 * KIB,
        keysPerSecond: 5,
        reconnectEveryMs: 400,
      }),
    gates: returning,
    seconds: { quick: 5 },
  },
];

/** What L6 is, with so many sessions. */
export function storm(sessions: number): Load {
  const sessionsEach = sessions % 4 === 0 ? 4 : 1;
  return talkers({
    clients: sessions / sessionsEach,
    sessionsEach,
    bytesPerSecond: 256 * KIB,
    keysPerSecond: 2,
    reconnectEveryMs: 2000,
  });
}

/** A load that leaves room for what else happens. */
const busy = (): Load =>
  talkers({ clients: 4, sessionsEach: 2, bytesPerSecond: 64 * KIB, keysPerSecond: 10, watchers: 1 });
/** For networks on which little gets through. */
const calm = (): Load =>
  talkers({ clients: 4, sessionsEach: 1, bytesPerSecond: 2 * KIB, keysPerSecond: 5, watchers: 1 });
/** More than a narrow network carries: programs have to wait. */
const tooMuch = (): Load =>
  talkers({ clients: 4, sessionsEach: 1, bytesPerSecond: 24 * KIB, keysPerSecond: 2 });
/** Over nothing but connections that come back. */
function busyAlone(reconnectEveryMs?: number): Load {
  return talkers({
    clients: 4,
    sessionsEach: 2,
    bytesPerSecond: 64 * KIB,
    keysPerSecond: 10,
    reconnectEveryMs,
  });
}
/** What one of those clients sends in some seconds. */
const TYPED_BYTES = 10_000;
/** Not so soon that nothing gets through, or none would ever begin. */
function soon(random: () => number, most: number): number {
  return 2000 + Math.floor(random() * most);
}
const IMPATIENT = { TREX_PING_SECONDS: '2', TREX_DEAD_SECONDS: '5' };

const faults: readonly LoadScenario[] = [
  {
    name: 'R01',
    about: 'a client is killed',
    load: busy,
    fault: killClient,
    gates: unfelt,
    seconds: { quick: 2, nightly: 10 },
  },
  {
    name: 'R02-soon',
    about: 'a client stands still, where that is noticed after 5 s',
    load: busy,
    fault: stopClient(5000),
    settings: IMPATIENT,
    gates: unfelt,
    seconds: { nightly: 10 },
  },
  {
    name: 'R02',
    about: 'a client stands still',
    load: busy,
    fault: stopClient(30_000),
    gates: unfelt,
    seconds: { nightly: 50 },
  },
  {
    name: 'R02-silent',
    about: 'the network falls silent, and clients take another way',
    load: busy,
    fault: fallSilent,
    gates: { ...none, mayReturn: true },
    seconds: { quick: 2, nightly: 10 },
  },
  {
    name: 'R03',
    about: 'programs are killed, end in a burst, and are stopped and closed',
    load: busy,
    fault: endProcesses,
    gates: unfelt,
    seconds: { quick: 2, nightly: 10 },
  },
  {
    name: 'R04',
    about: 'the server is asked to end with 64 busy sessions',
    load: () =>
      talkers({ clients: 16, sessionsEach: 4, bytesPerSecond: 64 * KIB, keysPerSecond: 1, watchers: 1 }),
    fault: endServer,
    gates: none,
    seconds: { nightly: 10 },
  },
  {
    name: 'R04-small',
    about: 'the server is asked to end with 8 busy sessions',
    load: busy,
    fault: endServer,
    gates: none,
    seconds: { quick: 1 },
  },
  {
    name: 'R04-twice',
    about: 'the server is told to end twice, with a program that ignores it',
    load: busy,
    fault: endServerTwice,
    settings: { TREX_KILL_SECONDS: '60', TREX_SHUTDOWN_SECONDS: '120' },
    gates: none,
    seconds: { quick: 1, nightly: 5 },
  },
  {
    name: 'R05',
    about: 'the server is killed, and started again',
    load: busyAlone,
    fault: killServer,
    gates: { ...none, mayReturn: true },
    seconds: { quick: 1, nightly: 10 },
  },
  {
    name: 'R08',
    about: 'nobody reads the log any more',
    load: busy,
    fault: hangUpLog,
    settings: { TREX_LOG_LEVEL: 'debug' },
    gates: unfelt,
    seconds: { nightly: 10 },
  },
  {
    name: 'R08-full',
    about: 'the disk that the log goes to is full; every client is cut off about every 0.4 s',
    load: () => busyAlone(400),
    logTo: '/dev/full',
    settings: { TREX_LOG_LEVEL: 'debug' },
    gates: returning,
    seconds: { quick: 2, nightly: 10 },
  },
  {
    name: 'R09',
    about: 'the event loop stands still for 0.2, 1 and 7 s, where clients that say nothing for 5 s are dead',
    load: busy,
    fault: stall(200, 1000, 7000),
    settings: IMPATIENT,
    gates: none,
    seconds: { nightly: 20 },
  },
  {
    name: 'R10',
    about: 'the wall clock goes an hour ahead and two back',
    load: busy,
    fault: jumpClock,
    settings: IMPATIENT,
    gates: { ...unfelt, mayReturn: true },
    seconds: { nightly: 20 },
  },
  {
    name: 'R11-far',
    about: 'everything takes 100 to 300 ms each way',
    load: busy,
    plan: () => ({ delayMs: 100, jitterMs: 200 }),
    hasHappened: ({ echoMs, lateEchoMs }) => median([...echoMs, ...lateEchoMs]) >= 200,
    gates: none,
    seconds: { nightly: 30 },
  },
  {
    name: 'R11-narrow',
    about: '16 KiB/s get through, each way, and 24 are printed',
    load: tooMuch,
    plan: () => ({ bytesPerSecond: 16 * KIB }),
    hasHappened: ({ figures: { heldShare = 1 } }) => heldShare < 0.75,
    gates: none,
    seconds: { nightly: 30 },
  },
  {
    name: 'R11-resets',
    about: 'connections are reset, or end, wherever they are, again and again',
    load: busyAlone,
    plan: (number, random, tier) => ({
      sliceSeed: number % 2 === 0 ? number : undefined,
      mostSliceBytes: 1000,
      cut: {
        how: random() < 0.5 ? 'reset' : 'end',
        ...(random() < 0.7
          ? { direction: 'toClient', afterBytes: soon(random, tier === 'quick' ? 60_000 : 600_000) }
          : { direction: 'toServer', afterBytes: soon(random, TYPED_BYTES) }),
      },
    }),
    // Each about every three seconds, and more seldom where the machine has no time.
    hasHappened: ({ proxy, seconds }) =>
      proxy.connections.filter(({ wasCut }) => wasCut !== undefined).length >= seconds / 3,
    gates: { ...none, mayReturn: true },
    seconds: { quick: 3, nightly: 60 },
  },
  {
    name: 'R12',
    about: 'every byte comes by itself',
    load: calm,
    plan: () => ({ sliceSeed: 1, mostSliceBytes: 1 }),
    hasHappened: ({ proxy }) =>
      proxy.connections.some(
        ({ toClient: { writes, passedBytes } }) => passedBytes > 0 && writes === passedBytes,
      ),
    gates: none,
    seconds: { quick: 2, nightly: 30 },
  },
  {
    name: 'R13',
    about: 'what makes terminal emulators hang or crash is printed',
    load: busy,
    fault: printHostile,
    gates: unfelt,
    seconds: { quick: 1, nightly: 10 },
  },
  {
    name: 'R14',
    about: 'programs treat their terminal as few do',
    load: busy,
    fault: exoticPrograms(1_000_000),
    gates: unfelt,
    seconds: { nightly: 10 },
  },
  {
    name: 'R15',
    about: 'clients create sessions and are gone before anything has started',
    load: busy,
    fault: vanish(300),
    gates: unfelt,
    seconds: { nightly: 20 },
  },
];

const checks: readonly CheckScenario[] = [
  {
    name: 'R02-link',
    about: 'the interface of a client goes down in a flood: for 3 s, and until the server has noticed',
    skip: unlessNamespaces,
    check: loseLink,
    tiers: ['nightly'],
    takesSeconds: 20,
  },
  {
    name: 'R06',
    about: 'the server may have so many descriptors: each number from 60 to 110',
    check: sweep('n', 60, 110),
    tiers: ['nightly'],
    takesSeconds: 120,
  },
  {
    name: 'R07',
    about: 'its user may have so many processes: each number from 30 to 60',
    skip: unlessRoot,
    check: sweep('u', 30, 60),
    tiers: ['nightly'],
    takesSeconds: 90,
  },
];

export const scenarios: readonly Scenario[] = [...loads, ...faults, ...checks];

/** Those of a tier, in order. */
export function scenariosOf(tier: Tier): Scenario[] {
  return scenarios.filter((one) =>
    'check' in one ? one.tiers.includes(tier) : one.seconds[tier] !== undefined,
  );
}

/** What a server, its warming up and its end take, beside what each scenario is given. */
const AROUND_SECONDS = 8;

/** About how long they take on a machine that can hold the loads; those that know when they are done take less. */
export function estimateSeconds(chosen: readonly Scenario[], tier: Tier): number {
  const each = chosen.map((one) =>
    'check' in one ? one.takesSeconds : (one.seconds[tier] ?? 0) + AROUND_SECONDS,
  );
  return each.reduce((sum, seconds) => sum + seconds, 0);
}
