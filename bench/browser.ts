/** What the page bears: 100 MB of log lines in one of its terminals while keys are typed; see README.md, "browser". */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { writeLog } from './browser/log-file.js';
import { type Sign } from './browser/probe.js';
import { Tab } from './browser/tab.js';
import { type Figures, labelled, ratios } from './harness/figures.js';
import { type Measure } from './harness/measure.js';
import { memory } from './harness/process-usage.js';
import { reachesAll, report } from './harness/report.js';
import { ServerProcess, type Target } from './harness/server-process.js';
import { median, quantile, seededRandom } from './harness/statistics.js';
import { type WorkloadFile } from './harness/workload.js';
import { BROWSERS, installedBrowser } from '../test/browser/support/installed-browser.js';

/** Places in the list of sessions. */
const FLOODED = 1;
const OTHER = 2;

/** Where the flooded terminal is, and by what is seen that the one in view has answered a key. */
const SIGNS = { 'in view': 'bell', behind: 'text' } as const;
type Where = keyof typeof SIGNS;

const WARM_UP_KEYS = 30;
const IDLE_KEYS = 60;
const SHORTEST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 20;
const FLOOD_MS = 300_000;

interface Logs {
  /** A tenth: it fills what can be scrolled back to, and all else that only the first output fills. */
  readonly part: WorkloadFile;
  readonly whole: WorkloadFile;
}

const { values: options } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '100' },
    repetitions: { type: 'string', default: '5' },
  },
});

async function main(): Promise<void> {
  const executable = installedBrowser();
  if (executable === undefined) {
    return console.log(`No browser is installed (${BROWSERS.join(', ')}): the page is not measured.`);
  }
  console.log(`Node ${process.versions.node}, ${availableParallelism()} × ${cpus()[0]?.model}`);
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'trex-bench-')));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const bytes = Number(options.megabytes) * 1e6;
  const logs = {
    part: writeLog(join(folder, 'part.log'), bytes / 10),
    whole: writeLog(join(folder, 'whole.log'), bytes),
  };
  const browser = browserMeasure(() => repeat(executable, folder, logs));
  const found: Figures[] = [];
  for (let repetition = 0; repetition < browser.repetitions; repetition++) {
    process.stderr.write(`${browser.name} ${repetition + 1}/${browser.repetitions}\n`);
    found.push(await browser.repeat());
  }
  console.log(report(browser, found));
  // As the table judges.
  if (!reachesAll(browser, [medians(found)])) process.exitCode = 1;
}

function browserMeasure(repeat: () => Promise<Figures>): Measure & { repeat: typeof repeat } {
  return {
    name: 'browser',
    about:
      'One of two terminals in the page prints the log, in view or behind the other one, while keys are typed into the one in view. In ms from a key to its echo on the screen, to the next frame, and from frame to frame; memory in MB without garbage, and its growth by two logs after a tenth of one.',
    repetitions: Number(options.repetitions),
    rows: [
      ...Object.keys(SIGNS).flatMap((where) => [
        { figure: `flood ${where}, echo p95`, goal: { atMost: 100 } },
        { figure: `flood ${where}, key to frame p95`, goal: { atMost: 100 } },
        ...['echo p50', 'echo max', 'key to frame p50', 'key to frame max', 'keys', 'frame p95', 'MB/s'].map(
          (figure) => ({ figure: `flood ${where}, ${figure}` }),
        ),
        { figure: `idle, as ${where}, echo p50` },
        { figure: `idle, as ${where}, echo p95` },
        { figure: `flood ${where} : idle, echo p50` },
      ]),
      { figure: 'tab, heap and buffers, growth', goal: { atMost: 5 } },
      { figure: 'tab, heap and buffers' },
      { figure: 'tab, RSS, growth' },
      { figure: 'tab, peak RSS, growth' },
      { figure: 'tab, peak RSS' },
      { figure: 'server, heap and buffers, growth' },
      { figure: 'server, RSS, growth' },
      { figure: 'server, RSS' },
    ],
    repeat,
  };
}

/** With a server and a browser of its own. */
async function repeat(executable: string, folder: string, logs: Logs): Promise<Figures> {
  const server = await ServerProcess.start('v2', folder);
  try {
    const tab = await Tab.open(executable, folder, `http://127.0.0.1:${server.target.port}/`);
    try {
      return await measure(tab, server.target, logs);
    } finally {
      await tab.close();
    }
  } finally {
    await server.stop();
  }
}

async function measure(tab: Tab, server: Target, { part, whole }: Logs): Promise<Figures> {
  const logs = [part, whole, whole].map(({ path }) => path).join(' ');
  // A bell that is typed is echoed as a bell: among 100 MB, nothing else can be seen to have come.
  await tab.newSession(
    `stty echo -echoctl; n=0; for log in ${logs}; do read go; cat $log; printf END$((n=n+1)); done; read stay`,
  );
  // Without the terminal's own echo: a key has been to a program and back.
  await tab.newSession('stty raw; exec cat');
  await echoes(tab, 'text', WARM_UP_KEYS);
  const idleBehind = spread('echo', await echoes(tab, 'text', IDLE_KEYS));
  await flood(tab, 'in view', part, 'END1');
  const idleInView = spread('echo', await echoes(tab, 'bell', IDLE_KEYS));
  const before = await held(tab, server);
  const inView = await flood(tab, 'in view', whole, 'END2');
  const behind = await flood(tab, 'behind', whole, 'END3');
  const after = await held(tab, server);
  return {
    ...compared('in view', inView, idleInView),
    ...compared('behind', behind, idleBehind),
    ...after,
    ...grown(before, after),
  };
}

function compared(where: Where, flooded: Figures, idle: Figures): Figures {
  return {
    ...labelled(`flood ${where}`, flooded),
    ...labelled(`idle, as ${where}`, idle),
    ...labelled(`flood ${where} : idle`, ratios(flooded, idle)),
  };
}

/** Prints the log, and types until it is printed. @throws when not exactly its bytes come */
async function flood(tab: Tab, where: Where, log: WorkloadFile, end: string): Promise<Figures> {
  await tab.show(FLOODED);
  await tab.expectFlood(log.printedBytes);
  await tab.press('enter');
  if (where === 'behind') await tab.show(OTHER);
  const deadline = performance.now() + FLOOD_MS;
  const times = await echoes(tab, SIGNS[where], Infinity, async () => {
    if (performance.now() > deadline) throw new Error(`${log.path} is not printed within ${FLOOD_MS} ms`);
    return tab.isFloodOver();
  });
  await tab.show(FLOODED);
  await tab.untilShown(new RegExp(`${end}$`));
  const { bytes, seconds, frames, answers } = await tab.flood();
  // Before it the echoed line feed, behind it the mark, and within it each key.
  const expected = '\r\n'.length + log.printedBytes + end.length + times.length;
  if (bytes !== expected) throw new Error(`${bytes} bytes came instead of ${expected}`);
  return {
    ...spread('echo', times),
    ...spread('key to frame', answers),
    keys: times.length,
    'frame p95': quantile(frames, 0.95),
    'MB/s': log.printedBytes / 1e6 / seconds,
  };
}

/**
 * Types so many keys, one when the last has come back. The pauses keep them out of step with whatever goes on at regular
 * times. @returns milliseconds from key to echo
 */
async function echoes(
  tab: Tab,
  sign: Sign,
  keys: number,
  isEnough: () => Promise<boolean> = () => Promise.resolve(false),
): Promise<number[]> {
  const random = seededRandom(1);
  const found: number[] = [];
  while (found.length < keys && !(await isEnough())) {
    await delay(SHORTEST_PAUSE_MS + random() * (LONGEST_PAUSE_MS - SHORTEST_PAUSE_MS));
    found.push(await tab.echo(sign));
  }
  return found;
}

function medians(found: readonly Figures[]): Figures {
  const figures = Object.keys(found[0] ?? {});
  return Object.fromEntries(
    figures.map((figure) => [figure, median(found.map((figures) => figures[figure] ?? NaN))]),
  );
}

function spread(name: string, milliseconds: readonly number[]): Figures {
  return {
    [`${name} p50`]: quantile(milliseconds, 0.5),
    [`${name} p95`]: quantile(milliseconds, 0.95),
    [`${name} max`]: Math.max(...milliseconds),
  };
}

/** In MB, once the garbage is gone. */
async function held(tab: Tab, server: Target): Promise<Figures> {
  const inTab = await tab.memory();
  const inServer = await memory(server);
  return {
    'tab, heap and buffers': inTab.heapAndBuffers / 1e6,
    'tab, RSS': inTab.rss / 1e6,
    'tab, peak RSS': inTab.peakRss / 1e6,
    'server, heap and buffers': inServer.heapAndBuffers / 1e6,
    'server, RSS': inServer.rss / 1e6,
  };
}

function grown(before: Figures, after: Figures): Figures {
  return Object.fromEntries(
    Object.entries(after).map(([figure, value]) => [`${figure}, growth`, value - (before[figure] ?? NaN)]),
  );
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
