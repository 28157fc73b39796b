/**
 * Runs the scenarios of a tier, each against a server of its own, and tells what was found.
 *
 *   --tier quick|nightly|soak   which; `nightly` unless said otherwise
 *   --only L1,R03               of these those only
 *   --seed 1                    what is left to chance is the same for the same seed
 *   --seconds 5                 another duration for each; or --hours 1
 *   --sessions 64               of the soak: how many it is to have
 *   --list                      only tells their names
 *   --json file                 where to write everything found
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { type Outcome, runScenario } from './run-scenario.js';
import {
  estimateSeconds,
  type Scenario,
  scenariosOf,
  storm,
  STORM_SESSIONS,
  type Tier,
} from './scenarios.js';

const { values: options } = parseArgs({
  options: {
    tier: { type: 'string', default: 'nightly' },
    only: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    seconds: { type: 'string' },
    hours: { type: 'string' },
    sessions: { type: 'string' },
    list: { type: 'boolean' },
    json: { type: 'string' },
  },
});

async function main(): Promise<void> {
  const tier = options.tier as Tier;
  const seed = Number(options.seed);
  const names = options.only?.split(',');
  const chosen = scenariosOf(tier)
    .filter(({ name }) => names?.includes(name) ?? true)
    .map((scenario) => changed(scenario, tier));
  const unknown = names?.filter((name) => !chosen.some((one) => one.name === name)) ?? [];
  if (unknown.length > 0) throw new Error(`the tier ${tier} has no scenario ${unknown.join(', ')}`);
  if (chosen.length === 0) throw new Error(`there is no tier ${tier}`);
  if (options.list) return console.log(chosen.map(({ name }) => name).join('\n'));
  const minutes = Math.ceil(estimateSeconds(chosen, tier) / 60);
  console.log(`${chosen.length} scenarios, about ${minutes} minutes at most; seed ${seed}`);
  const machine = `${availableParallelism()} × ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release().split('-')[0]}`;
  const isLong = tier === 'soak' ? Number(options.hours ?? 1) >= 1 : options.hours === undefined;
  const isFull = Number(options.sessions ?? STORM_SESSIONS) >= STORM_SESSIONS;
  const isAsUsual = !names && options.seconds === undefined && isFull;
  const about = {
    tier,
    seed,
    date: new Date().toISOString().slice(0, 10),
    machine,
    node: process.versions.node,
  };
  const outcomes: Outcome[] = [];
  for (const scenario of chosen) {
    const outcome = await runScenario(scenario, tier, seed);
    outcomes.push(outcome);
    console.log(told(outcome));
    const isWhole = isAsUsual && tier !== 'quick' && isLong && outcomes.length === chosen.length;
    // What is known of a night that does not come to its end is there.
    if (options.json)
      writeFileSync(options.json, `${JSON.stringify({ ...about, isWhole, outcomes }, null, 2)}\n`);
  }
  const failed = outcomes.filter(({ problems }) => problems.length > 0);
  console.log(`${outcomes.length - failed.length} of ${outcomes.length} went as they should; seed ${seed}`);
  if (failed.length > 0) process.exitCode = 1;
}

/** As the options say. */
function changed(scenario: Scenario, tier: Tier): Scenario {
  if ('check' in scenario) return scenario;
  const { hours, seconds = hours && String(Number(hours) * 3600), sessions } = options;
  return {
    ...scenario,
    ...(seconds && { seconds: { [tier]: Number(seconds) } }),
    ...(sessions && tier === 'soak' && { load: () => storm(Number(sessions)) }),
  };
}

function told({ name, about, skipped, problems, notes = [], figures }: Outcome): string {
  if (skipped !== undefined) return `–  ${name}: ${about}: not run: ${skipped}`;
  const numbers = Object.entries(figures ?? {})
    .filter(([, value]) => value !== 0)
    .map(([figure, value]) => `${figure} ${Number.isInteger(value) ? value : value.toFixed(2)}`);
  const lines = [...problems, ...notes].map((problem) => `     ${problem}`);
  return [
    `${problems.length === 0 ? '✓' : '✗'}  ${name}: ${about}`,
    `     ${numbers.join(', ')}`,
    ...lines,
  ].join('\n');
}

// Sockets that have been let go of may still be closing.
main().then(
  () => process.exit(),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
