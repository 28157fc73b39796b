/**
 * Writes the figures of a run into docs/reliability.md: `node scripts/reliability-table.mjs found.json`, which
 * `npm run test:nightly` and `npm run test:soak` leave in dist-bench/. Of both, one after the other; each has a table.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { format, resolveConfig } from 'prettier';

const DOCUMENT = resolve(import.meta.dirname, '../docs/reliability.md');
const found = JSON.parse(readFileSync(process.argv[2], 'utf8'));

if (!found.isWhole) throw new Error('these are not the figures of a whole run');

const columns = [
  ['minutes', 'seconds', 60],
  ['sessions', 'sessions', 1],
  ['MB checked', 'bytesChecked', 1e6],
  ['KB typed', 'inputBytes', 1e3],
  ['resumes', 'resumes', 1],
  ['faults', 'faults', 1],
  ['gaps', 'gaps', 1],
  ['echo p50, ms', 'echoP50Ms', 1],
  ['p99', 'echoP99Ms', 1],
  ['bare p99', 'probeP99Ms', 1],
  ['load held', 'heldShare', 0.01, '%'],
  ['most RSS, MB', 'peakRssBytes', 1e6],
  ['growth at most, MB', 'growthAtMostBytes', 1e6],
  ['of RSS', 'residentGrowthAtMostBytes', 1e6],
  ['fewest descriptors', 'descriptorsLeast', 1],
  ['most descriptors', 'descriptorsMost', 1],
];

function cell(figures = {}, [, name, unit, suffix = '']) {
  const value = figures[name];
  if (typeof value !== 'number') return '';
  const scaled = value / unit;
  const digits = Math.abs(scaled) < 10 && !Number.isInteger(scaled) ? 1 : 0;
  // Not “-0.0”.
  return `${(Number(scaled.toFixed(digits)) || 0).toFixed(digits)}${suffix}`;
}

function verdict({ skipped, problems, notes = [] }) {
  if (skipped !== undefined) return `not run: ${skipped}`;
  if (problems.length > 0) return `${problems.length} violated`;
  return notes.length > 0 ? 'as it should; not all judged' : 'as it should';
}

const rows = found.outcomes.map((outcome) => [
  `${outcome.name}: ${outcome.about}`,
  ...columns.map((column) => cell(outcome.figures, column)),
  verdict(outcome),
]);
const head = ['', ...columns.map(([title]) => title), 'went'];
const table = [head, head.map(() => '-'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
const about = `On ${found.date}, seed ${found.seed}, Node ${found.node}, ${found.machine}.`;

const tier = found.tier;
const [begin, end] = [`<!-- ${tier} -->`, `<!-- end of ${tier} -->`];
const text = readFileSync(DOCUMENT, 'utf8');
const [before, rest] = text.split(begin);
if (rest === undefined) throw new Error(`${DOCUMENT} has no place for the tier ${tier}`);
const after = rest.slice(rest.indexOf(end));
const whole = `${before}${begin}\n\n${about}\n\n${table}\n\n${after}`;
writeFileSync(DOCUMENT, await format(whole, { ...(await resolveConfig(DOCUMENT)), filepath: DOCUMENT }));
