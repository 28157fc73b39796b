/**
 * Takes one protection after another out of a scratch copy of the working tree, and sees that a test notices
 * (`npm run test:mutate-security`). What is taken out, and which tests are to notice, is in security-mutations.mjs.
 *
 *   --only T02,T08   these threats only
 *   --table reliability   takes out what keeps bytes whole and in order, as reliability-mutations.mjs says, instead
 *   --why            tells which tests noticed
 *   --check          runs no test: sees that every mutation can be made, and that no threat is left out
 */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs, stripVTControlCharacters } from 'node:util';

const ROOT = resolve(import.meta.dirname, '..');

/** Generated, fetched or of no concern to a test. */
const NOT_COPIED = ['.cache', '.ci', '.git', 'coverage', 'dist', 'dist-bench', 'dist-page', 'node_modules'];

/** Long beyond need, for a machine that does other things as well: what takes longer hangs, and proves nothing. */
const UNCHANGED_MS = 600_000;
const MUTATED_MS = 150_000;
/** How long a run that is told to end may take to give back what it holds. */
const POLITE_MS = 2000;
/** Of what a threat is called. */
const WIDTH = 8;

/** Failures of a test that say nothing of what it expects. */
const NOT_ABOUT_THE_CODE = [/Exceeded timeout of \d+ ms/, /Command failed: .*\btsc\b/];

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    why: { type: 'boolean' },
    check: { type: 'boolean' },
    table: { type: 'string', default: 'security' },
  },
});
const { documented, mutations, threats } = await import(`./${options.table}-mutations.mjs`);

/** The run that is going on, if one is. */
let running;
let scratch;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    end(running, 'SIGKILL');
    removeScratch();
    process.exit(128 + constants.signals[signal]);
  });
}

const wanted = options.only?.split(',') ?? threats;
const problems = [
  ...tableProblems(),
  ...wanted
    .filter((threat) => !threats.includes(threat))
    .map((threat) => `${threat} is no threat that is named`),
];
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exitCode = 1;
} else if (!options.check) {
  try {
    const chosen = mutations.filter(({ threat }) => wanted.includes(threat));
    process.exitCode = (await mutateAll(chosen)) ? 0 : 1;
  } finally {
    removeScratch();
  }
}

/** What is wrong with the table, as sentences. */
function tableProblems() {
  const covered = new Set([...mutations, ...documented].map(({ threat }) => threat));
  return [
    ...threats.filter((threat) => !covered.has(threat)).map((threat) => `${threat} has no mutation`),
    ...[...covered].filter((one) => !threats.includes(one)).map((one) => `${one} is no threat that is named`),
    ...mutations.flatMap(mutationProblems),
    ...documented
      .filter(({ where, says }) => !textOf(where).includes(says))
      .map(({ threat, where, says }) => `${threat}: ${where} does not say “${says}”`),
  ];
}

function mutationProblems({ threat, what, file, find, replace, tests }) {
  const times = textOf(file).split(find).length - 1;
  return [
    ...(times === 1 ? [] : [`${file} has ${times} times, not once: ${find}`]),
    ...(find === replace ? ['nothing is changed'] : []),
    ...(tests.length > 0 ? [] : ['no tests are named']),
    ...tests.filter((test) => !existsSync(join(ROOT, test))).map((test) => `there is no ${test}`),
  ].map((problem) => `${threat}, ${what}: ${problem}`);
}

function textOf(file) {
  return existsSync(join(ROOT, file)) ? readFileSync(join(ROOT, file), 'utf8') : '';
}

/** @returns whether every mutation was noticed */
async function mutateAll(chosen) {
  makeScratch();
  if (!(await isGreenUnchanged(chosen))) return false;
  const survivors = [];
  for (const mutation of chosen) {
    const began = performance.now();
    const { verdict, noticed } = await mutate(mutation);
    const seconds = `${((performance.now() - began) / 1000).toFixed(1)} s`;
    if (verdict !== 'red') survivors.push({ ...mutation, verdict });
    console.log(
      `${mutation.threat.padEnd(WIDTH)} ${verdict.padEnd(5)} ${seconds.padStart(7)}  ${mutation.what}`,
    );
    if (options.why) tellWhy(noticed);
  }
  if (survivors.length === 0) {
    console.log(`all ${chosen.length} were noticed`);
    return true;
  }
  console.log(`\n${survivors.length} of ${chosen.length} were not noticed:`);
  for (const { threat, verdict, file, what, tests } of survivors)
    console.log(`${threat.padEnd(4)} ${verdict}: ${what}\n     ${file} · ${tests.join(' ')}`);
  return false;
}

/** The working tree, as it is, with the same packages. */
function makeScratch() {
  scratch = mkdtempSync(join(tmpdir(), 'trex-mutate-'));
  // Some tests start programs as another user.
  chmodSync(scratch, 0o755);
  cpSync(ROOT, join(scratch, 'tree'), {
    recursive: true,
    filter: (path) => !NOT_COPIED.some((name) => path === join(ROOT, name)),
  });
  symlinkSync(join(ROOT, 'node_modules'), join(scratch, 'tree/node_modules'));
  // Where the tests and jest's cache have their files: whatever they leave goes with the rest.
  mkdirSync(join(scratch, 'tmp'));
  chmodSync(join(scratch, 'tmp'), 0o1777);
}

function removeScratch() {
  // Whoever was ended may have been writing still.
  if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
}

/** Every test that is to notice something is there, and green while there is nothing to notice. */
async function isGreenUnchanged(chosen) {
  const began = performance.now();
  const whole = chosen.filter(({ only }) => only === undefined);
  const partly = chosen.filter(({ only }) => only !== undefined);
  const problems = [];
  for (const group of [whole, partly].filter(({ length }) => length > 0)) {
    const tests = [...new Set(group.flatMap((mutation) => mutation.tests))];
    const patterns = [...new Set(group.flatMap(({ only }) => only ?? []))];
    const report = await jest(tests, patterns.map((one) => `(${one})`).join('|'), UNCHANGED_MS);
    const wrong = brokenness(report) ?? failuresOf(report).map(({ fullName }) => fullName);
    problems.push(...[wrong].flat());
    if (typeof wrong === 'string') continue;
    for (const mutation of group)
      for (const test of mutation.tests)
        if (!ranOf(report, test, mutation.only))
          problems.push(`${test}: no test was run that is named ${mutation.only ?? ''}`);
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  if (problems.length === 0) console.log(`unchanged, all is green (${seconds} s)`);
  else console.log(`unchanged, not all is green:\n${[...new Set(problems)].join('\n')}`);
  return problems.length === 0;
}

async function mutate({ file, find, replace, tests, only }) {
  const path = join(scratch, 'tree', file);
  const text = readFileSync(path, 'utf8');
  // A function: in a text `$&` would mean what was found.
  writeFileSync(
    path,
    text.replace(find, () => replace),
  );
  try {
    const report = await jest(tests, only ?? '', MUTATED_MS);
    return { verdict: verdictOn(report), noticed: failuresOf(report).filter(isAboutTheCode) };
  } finally {
    writeFileSync(path, text);
  }
}

function verdictOn(report) {
  const broken = brokenness(report);
  if (broken !== undefined) return broken;
  const failures = failuresOf(report);
  if (failures.some(isAboutTheCode)) return 'red';
  return failures.length > 0 ? 'a test did not get to its end' : 'GREEN';
}

/** Some of the tests that noticed, and what the first of them says. */
function tellWhy([first, ...others]) {
  if (!first) return;
  const [says] = stripVTControlCharacters(first.failureMessages[0]).split('\n');
  console.log(`       ${first.fullName}\n         ${says}`);
  if (others.length > 0) console.log(`       and ${others.length} more`);
}

/** Why a run proves nothing, whatever its tests say. */
function brokenness(report) {
  if (typeof report === 'string') return report;
  const broken = report.testResults.find(({ assertionResults, status }) => {
    return status === 'failed' && assertionResults.every((one) => one.status !== 'failed');
  });
  if (report.numRuntimeErrorTestSuites > 0) return `does not compile or load: ${firstLines(broken?.message)}`;
  if (report.numPassedTests + report.numFailedTests === 0) return 'no test was run';
  return undefined;
}

function failuresOf(report) {
  if (typeof report === 'string') return [];
  return report.testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === 'failed'),
  );
}

function isAboutTheCode({ failureMessages }) {
  return failureMessages.some((message) => !NOT_ABOUT_THE_CODE.some((pattern) => pattern.test(message)));
}

function ranOf(report, test, only) {
  const pattern = new RegExp(only ?? '', 'i');
  return report.testResults
    .filter(({ name }) => name === join(scratch, 'tree', test))
    .some(({ assertionResults }) =>
      assertionResults.some(({ fullName, status }) => status === 'passed' && pattern.test(fullName)),
    );
}

function firstLines(text = '') {
  return text.trim().split('\n').slice(0, 3).join(' ');
}

/** @returns jest's report, or a sentence that says why there is none */
async function jest(tests, pattern, withinMs) {
  const output = join(scratch, 'report.json');
  rmSync(output, { force: true });
  const child = spawn(
    process.execPath,
    [
      'node_modules/jest/bin/jest.js',
      ...['--coverage=false', '--runInBand', '--forceExit', '--json', '--outputFile', output],
      ...(pattern ? ['--testNamePattern', pattern] : []),
      ...['--runTestsByPath', ...tests],
    ],
    {
      cwd: join(scratch, 'tree'),
      // As often as each time, however often this is to run its own tests.
      env: { ...process.env, TMPDIR: join(scratch, 'tmp'), TREX_TEST_RUNS: '1' },
      stdio: ['ignore', 'ignore', 'pipe'],
      // A group of its own, which ends with it, whatever its tests have started.
      detached: true,
    },
  );
  running = child;
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (said += text));
  let isLate = false;
  const deadlines = [
    setTimeout(() => {
      isLate = true;
      end(child, 'SIGTERM');
    }, withinMs),
    setTimeout(() => end(child, 'SIGKILL'), withinMs + POLITE_MS),
  ];
  await new Promise((over) => child.once('exit', over));
  deadlines.forEach(clearTimeout);
  end(child, 'SIGKILL');
  running = undefined;
  if (isLate) return `not over within ${withinMs / 1000} s`;
  return existsSync(output) ? JSON.parse(readFileSync(output, 'utf8')) : `no report: ${firstLines(said)}`;
}

function end(child, signal) {
  if (child?.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Nobody is left of it.
  }
}
