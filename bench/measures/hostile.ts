import { mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '../clients/connect.js';
import { ECHO, echoes, latency, warmUp } from '../clients/echo.js';
import { Terminal } from '../clients/terminal.js';
import { type Figures, labelled } from '../harness/figures.js';
import { HostileProcess } from '../harness/hostile-process.js';
import { type Measure, type Row } from '../harness/measure.js';
import { forgetPeak, memory, peakBytes } from '../harness/process-usage.js';
import { ServerProcess, type Target } from '../harness/server-process.js';
import { type AttackName, type Tally } from '../hostile/attacks.js';
import { defaultSettings, GARBAGE_BYTES, type Load, memoryBound } from '../memory-bound.js';

const SECONDS = 60;
const WARM_UP_KEYS = 1000;
const QUIET_MS = 5000;
/** For what they fill to be full. */
const LEAD_MS = 3000;
const LIST_EVERY_MS = 500;
/** Whoever asks does not wait for longer. */
const LIST_MS = 5000;
const SETTLE_MS = 3000;

/** An echo may always take so long; beyond, three times as long as that of a server that nobody attacks. */
const MOST_MS = 100;
const MOST_TIMES = 3;

interface Attackers {
  readonly connections: number;
  /** What is counted as sent. */
  readonly unit: string;
  /** Less would be no attack. */
  readonly atLeast: number;
  /** How their connections may end, beside those that are told anyway. */
  readonly ends: readonly string[];
}

/** All TCP connections that there may be, in vain; the others are few, and do much. */
const attackers: Record<AttackName, Attackers> = {
  pings: { connections: 1, unit: 'pings', atLeast: 10_000, ends: ['cut off'] },
  pongs: { connections: 1, unit: 'pongs', atLeast: 100_000, ends: [] },
  unread: { connections: 2, unit: 'sessions', atLeast: 2, ends: [] },
  heads: {
    connections: 2 * defaultSettings.maxConnections,
    unit: 'bytes',
    atLeast: 5000,
    ends: ['408', 'cut off'],
  },
  messages: { connections: 2, unit: 'messages', atLeast: 5000, ends: ['1008'] },
  inputs: { connections: 2, unit: 'keys', atLeast: 100_000, ends: [] },
  acknowledgements: { connections: 1, unit: 'messages', atLeast: 1000, ends: [] },
  large: { connections: 1, unit: 'messages', atLeast: 100, ends: [] },
  comings: { connections: 2, unit: 'connections', atLeast: 500, ends: ['cut off', 'refused'] },
};
const names = Object.keys(attackers) as AttackName[];

/** What all of them have the server hold; each session is viewed by its owner. */
function loadWith(sessions: number): Load {
  const webSockets = names.filter((name) => name !== 'heads');
  const connections = webSockets.reduce((sum, name) => sum + attackers[name].connections, 1);
  const { pings, unread, messages, inputs, large, heads } = attackers;
  return {
    sessions,
    typedAhead: inputs.connections,
    views: sessions,
    connections,
    unread: pings.connections + unread.connections + messages.connections,
    sending: large.connections,
    trickling: 0,
    requests: heads.connections,
  };
}

/**
 * `probe` is the baseline, which nobody attacks. One client types into both by turns, so that the machine is the same. The
 * server under attack has the limits of one that nobody configured; it ends with this process.
 */
export async function client(probe: Target): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), 'trex-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const maxSessions = String(defaultSettings.maxSessions);
  const { target } = await ServerProcess.start('v2', folder, [], { TREX_MAX_SESSIONS: maxSessions });
  const terminals = [
    await Terminal.open(await connect('v2', target.port)),
    await Terminal.open(await connect('baseline', probe.port)),
  ];
  for (const terminal of terminals) {
    await terminal.run(ECHO);
    await warmUp(terminal, WARM_UP_KEYS);
  }
  const quiet = (await echoes(terminals, Infinity, QUIET_MS)).map(latency);
  // What only the first collection gives back is none of theirs.
  await memory(target);
  const before = await memory(target);
  forgetPeak(target.pid);

  const processes = await Promise.all(
    names.map((name) => HostileProcess.start(name, target.port, attackers[name].connections)),
  );
  await delay(LEAD_MS);
  const lists = listing(target.port);
  const [echo = {}, bare = {}] = (await echoes(terminals, Infinity, SECONDS * 1000)).map(latency);
  const listed = await lists.end();
  const peak = peakBytes(target.pid);
  const during = await memory(target);
  const tallies = await Promise.all(processes.map((one) => one.end()));
  await delay(SETTLE_MS);
  const after = await memory(target);

  const held = during.heapAndBuffers - before.heapAndBuffers;
  const bound = memoryBound(defaultSettings, loadWith(listed.mostSessions));
  const mostMs = Math.max(MOST_MS, MOST_TIMES * bare.p99!);
  return {
    'echo p99 : bound': echo.p99! / mostMs,
    'bound ms': mostMs,
    ...labelled('echo, ms', echo),
    ...labelled('probe, ms', bare),
    ...labelled('echo before, ms', quiet[0] ?? {}),
    ...labelled('probe before, ms', quiet[1] ?? {}),
    'lists not answered': listed.failures,
    ...labelled('list, ms', listed.took),
    'held : formula': held / bound,
    'RSS : formula and garbage': peak / (before.rss + bound + GARBAGE_BYTES),
    'held MB': held / 1e6,
    'formula MB': bound / 1e6,
    'RSS before MB': before.rss / 1e6,
    'RSS peak MB': peak / 1e6,
    'RSS after MB': after.rss / 1e6,
    'held after MB': (after.heapAndBuffers - before.heapAndBuffers) / 1e6,
    sessions: listed.mostSessions,
    ...(Object.assign({}, ...names.map((name, n) => told(name, tallies[n]!))) as Figures),
  };
}

function told(name: AttackName, { opened, sent, ends }: Tally): Figures {
  const { refused = 0 } = ends;
  const gone = Object.values(ends).reduce((sum, count) => sum + count, 0) - refused;
  return labelled(name, {
    [attackers[name].unit]: sent,
    opened,
    'still there': opened - gone,
    ...Object.fromEntries(Object.entries(ends).map(([end, count]) => [`ended: ${end}`, count])),
  });
}

/** Asks for the list of sessions again and again, each time over a new connection. */
function listing(port: number): {
  end(): Promise<{ failures: number; took: Figures; mostSessions: number }>;
} {
  const tookMs: number[] = [];
  let [failures, mostSessions, isOver] = [0, 0, false];
  const asking = (async () => {
    while (!isOver) {
      const begun = performance.now();
      try {
        mostSessions = Math.max(mostSessions, await sessionsListed(port));
        tookMs.push(performance.now() - begun);
      } catch {
        failures += 1;
      }
      await delay(LIST_EVERY_MS);
    }
  })();
  return {
    async end() {
      isOver = true;
      await asking;
      return { failures, took: latency(tookMs), mostSessions };
    },
  };
}

function sessionsListed(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const timeout = LIST_MS;
    const asked = get({ host: '127.0.0.1', port, path: '/api/sessions', agent: false, timeout }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (text: string) => (body += text));
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve((JSON.parse(body) as unknown[]).length);
        else reject(new Error(`the list is answered with ${answer.statusCode}`));
      });
    });
    asked.on('timeout', () => asked.destroy(new Error('no answer'))).on('error', reject);
  });
}

const shares = ['p50', 'p99'];

export const hostile: Measure = {
  name: 'hostile',
  about: `${names.length} hostile clients together for ${SECONDS} s: what another client's echo takes meanwhile, in ms, beside that of the baseline, which nobody attacks; whether others are still let in; what the server then holds, and the formula of docs/memory.md for what these clients have it hold; what each of them has sent, and how its connections ended.`,
  repetitions: 2,
  mustReach: true,
  rows: [
    { figure: 'echo p99 : bound', goal: { atMost: 1 } },
    ...['echo, ms', 'probe, ms', 'echo before, ms', 'probe before, ms'].flatMap((label) =>
      shares.map((share) => ({ figure: `${label}, ${share}` })),
    ),
    { figure: 'bound ms' },
    { figure: 'lists not answered', goal: { atMost: 0 } },
    ...shares.map((share) => ({ figure: `list, ms, ${share}` })),
    { figure: 'held : formula', goal: { atMost: 1 } },
    { figure: 'RSS : formula and garbage', goal: { atMost: 1 } },
    ...['held', 'formula', 'RSS before', 'RSS peak', 'RSS after', 'held after'].map((what) => ({
      figure: `${what} MB`,
    })),
    { figure: 'sessions' },
    ...names.flatMap((name): Row[] => {
      const { unit, atLeast, ends } = attackers[name];
      return [
        { figure: `${name}, ${unit}`, goal: { atLeast } },
        { figure: `${name}, opened` },
        ...ends.map((end) => ({ figure: `${name}, ended: ${end}` })),
        { figure: `${name}, still there` },
      ];
    }),
  ],

  // The server that the harness starts is the probe.
  repeat: (bench) => bench.run('hostile', 'baseline'),
};
