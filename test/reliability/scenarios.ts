import { type Plan } from '../support/cutting-proxy.js';
import { type Gates } from './expect-clean.js';
import { churn, fanOut, firehose, talkers } from './loads.js';
import { type Fault, type Figures, type Load } from './run.js';

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
  readonly gates: Gates;
  readonly wantsProbe?: boolean;
  readonly settings?: Readonly<Record<string, string>>;
  /** In which tiers it is run, and for how long. */
  readonly seconds: Partial<Record<Tier, number>>;
}

/** What has to have a server of another kind, and does everything itself. @returns problems, in words */
export interface CheckScenario extends About {
  readonly check: (figures: Figures, tier: Tier) => Promise<string[]>;
  readonly tiers: readonly Tier[];
}

export type Scenario = LoadScenario | CheckScenario;

const KIB = 1024;
const MIB = 1024 * KIB;
const HOUR = 3600;

const none: Gates = { echoP50Ms: Infinity, echoP99Ms: Infinity };

const loads: readonly LoadScenario[] = [
  {
    name: 'L1',
    about: '16 sessions, 20 keys a second and 64 KiB/s out in each',
    load: () => talkers({ clients: 16, sessionsEach: 1, bytesPerSecond: 64 * KIB, keysPerSecond: 20 }),
    gates: { echoP50Ms: 5, echoP99Ms: 30 },
    wantsProbe: true,
    seconds: { quick: 4, nightly: 60 },
  },
  {
    name: 'L2',
    about: '64 sessions that two look at, one over each protocol, 128 KiB/s out in each',
    load: () =>
      talkers({ clients: 16, sessionsEach: 4, bytesPerSecond: 128 * KIB, keysPerSecond: 1, watchers: 1 }),
    gates: { echoP50Ms: Infinity, echoP99Ms: 100 },
    wantsProbe: true,
    seconds: { nightly: 300 },
  },
  {
    name: 'L3',
    about: 'one session prints 1 GiB as fast as it can',
    load: () => firehose(1024 * MIB),
    gates: { echoP50Ms: Infinity, echoP99Ms: 200 },
    wantsProbe: true,
    seconds: { nightly: 1 },
  },
  {
    name: 'L3-short',
    about: 'one session prints 16 MiB as fast as it can',
    load: () => firehose(16 * MIB),
    gates: { echoP50Ms: Infinity, echoP99Ms: 200 },
    wantsProbe: true,
    seconds: { quick: 1 },
  },
  {
    name: 'L4',
    about: '8 look at 4 MiB/s, one of whom takes nothing, and one 64 KiB/s',
    load: () => fanOut(4 * MIB),
    gates: none,
    seconds: { quick: 3, nightly: 120 },
  },
  {
    name: 'L5',
    about: 'sessions are created, used and closed, 32 at a time',
    load: () => churn(32),
    gates: none,
    seconds: { quick: 3, nightly: 600 },
  },
  {
    name: 'L6',
    about: '64 sessions with 256 KiB/s out in each; every client is cut off every 2 s, give or take one',
    load: () => storm(64),
    gates: none,
    seconds: { nightly: 600, soak: HOUR },
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
    gates: none,
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

export const scenarios: readonly Scenario[] = [...loads];

/** Those of a tier, in order. */
export function scenariosOf(tier: Tier): Scenario[] {
  return scenarios.filter((one) =>
    'check' in one ? one.tiers.includes(tier) : one.seconds[tier] !== undefined,
  );
}
