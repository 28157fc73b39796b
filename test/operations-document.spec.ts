import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  defaultSettings,
  type Load,
  memoryBound,
  type MemorySettings,
  worstLoad,
} from '../bench/memory-bound.js';
import { NEEDED } from '../src/pty/headroom.js';
import { useProgram } from './support/program.js';
import { useTestBed } from './support/test-bed.js';
import { until } from './support/until.js';

const ROOT = resolve(__dirname, '..');
const text = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const page = text('docs/operations.md');

/** The cells of the row that begins with `first`. */
function row(first: string): string[] {
  const line = page.split('\n').find((one) => one.startsWith(`| ${first}`));
  if (line === undefined) throw new Error(`docs/operations.md has no row “${first}”`);
  return line
    .split('|')
    .slice(2, -1)
    .map((cell) => cell.trim());
}

const MIB = 1024 * 1024;
const figure = (number: number): string => number.toLocaleString('en-US');

/** What a server of no sessions has: see the table. */
const IDLE = { descriptors: 24, threads: 11 };

describe('how large a server is, in docs/operations.md,', () => {
  const named = {
    maxSessions: 'TREX_MAX_SESSIONS',
    maxViewers: 'TREX_MAX_VIEWERS',
    maxConnections: 'TREX_MAX_CONNECTIONS',
    logBytes: 'TREX_LOG_BYTES',
    maxMessageBytes: 'TREX_MAX_MESSAGE_BYTES',
    inputQueueBytes: 'TREX_INPUT_QUEUE_BYTES',
    inputTotalBytes: 'TREX_INPUT_TOTAL_BYTES',
  };

  it.each([0, 1, 2])('is what the formulas say in column %i of its examples', (column) => {
    const set = Object.entries(named).map(
      ([key, name]) => [key, Number(row(`\`${name}\``)[column])] as const,
    );
    const settings: MemorySettings = { ...defaultSettings, ...Object.fromEntries(set) };
    const { maxSessions, maxConnections } = settings;
    const usual: Load = {
      sessions: maxSessions,
      typedAhead: 0,
      views: maxSessions,
      connections: maxConnections,
      unread: 0,
      sending: 0,
      trickling: 0,
      requests: 0,
    };
    const mib = (load: Load): number => Math.ceil(memoryBound(settings, load) / MIB);
    const told = ['clients hold', '… everything hostile', 'descriptors it may', 'processes and threads'];

    expect(told.map((first) => row(first)[column])).toEqual([
      `${figure(mib(usual))} MiB`,
      figure(mib(worstLoad(settings))),
      figure(IDLE.descriptors + maxSessions + 2 * maxConnections + NEEDED.descriptors),
      figure(IDLE.threads + 2 * maxSessions + NEEDED.tasks),
    ]);
    if (column === 1) expect(settings).toEqual(defaultSettings);
  });

  it('names what has to be free, and the sums', () => {
    expect(row('has to be free')).toEqual([
      `${NEEDED.descriptors}`,
      `${NEEDED.tasks}`,
      '',
      `${NEEDED.terminals}`,
    ]);
    expect(row('open files')[0]).toContain(
      `${IDLE.descriptors + NEEDED.descriptors} + \`TREX_MAX_SESSIONS\``,
    );
    expect(row('tasks')[0]).toContain(`${IDLE.threads + NEEDED.tasks} + 2 × \`TREX_MAX_SESSIONS\``);
    expect(row('`kernel.pty.max`')[0]).toContain(`${NEEDED.terminals} + \`TREX_MAX_SESSIONS\``);
    expect(row('server in which').slice(0, 2)).toEqual([`${IDLE.descriptors}`, `${IDLE.threads}`]);
  });
});

describe('what a running server takes of the machine', () => {
  const start = useProgram();
  const bed = useTestBed();
  const EACH = 5;

  it('is what docs/operations.md says of each session and connection', async () => {
    const program = await start().listening();
    const taken = (): { descriptors: number; threads: number; processes: number } => {
      const proc = (path: string): string => `/proc/${program.pid}/${path}`;
      return {
        descriptors: readdirSync(proc('fd')).length,
        threads: readdirSync(proc('task')).length,
        processes: readFileSync(proc(`task/${program.pid}/children`), 'utf8')
          .split(' ')
          .filter(Boolean).length,
      };
    };
    const comesTo = (expected: ReturnType<typeof taken>): Promise<void> =>
      until(() => JSON.stringify(taken()) === JSON.stringify(expected), 'it is as said', 5000).catch(() =>
        expect(taken()).toEqual(expected),
      );

    // How many threads V8 has depends on the machine.
    const { descriptors, threads } = taken();
    expect(descriptors).toBeLessThanOrEqual(IDLE.descriptors);
    const clients = [];
    for (let count = 0; count < EACH; count += 1) clients.push(await bed.connect(program));
    await comesTo({ descriptors: descriptors + EACH, threads, processes: 0 });
    for (const client of clients) {
      const sessionId = await client.create({ cols: 80, rows: 24 });
      client.send({ type: 'input', sessionId, data: 'echo $((6*7))\r' });
      await client.untilOutput(sessionId, '42\r\n');
    }
    expect([row('session'), row('WebSocket')]).toEqual([
      ['1', '1', '1 or more', '1'],
      ['1', '0', '0', '0'],
    ]);
    await comesTo({ descriptors: descriptors + 2 * EACH, threads: threads + EACH, processes: EACH });
  });
});

describe('what docs/operations.md says of the log', () => {
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.spec.ts'))
    .map((path) => ({ path, source: text(join('src', path)) }));

  /** Those that have no sentence of their own: what they log has a code. */
  const byCode = ['admission/gate.ts', 'sessions/session-closer.ts', 'observability/session-log.ts'];

  it('is all that is logged at warn and above', () => {
    const calls = sources
      .filter(({ path }) => path !== 'observability/logger.ts')
      .flatMap(({ path, source }) =>
        [...source.matchAll(/\blog(?:ger)?\??\.(?:warn|error|fatal)\(([^]*?)\);/g)].map(([, said = '']) => ({
          path,
          sentence: /(?:^|msg: )['`](.*?)['`]/.exec(said)?.[1]?.replaceAll(/\$\{.*?\}/g, '…'),
        })),
      );

    expect(
      calls
        .filter(({ sentence }) => sentence === undefined)
        .map(({ path }) => path)
        .sort(),
    ).toEqual([...byCode].sort());
    const told = calls.flatMap(({ sentence }) => sentence ?? []);
    expect(told.length).toBeGreaterThan(4);
    expect(told.filter((sentence) => !page.includes(`\`${sentence}\``))).toEqual([]);
  });

  it.each([
    ['REFUSAL_REASONS', 'src/admission/admit.ts'],
    ['SessionErrorCode', 'src/core/session-error.ts'],
    ['ProtocolErrorCode', 'src/protocol/protocol-error.ts'],
  ])('has each %s', (name, path) => {
    const [, list = ''] = new RegExp(`export (?:type|const) ${name} =([^;]*);`).exec(text(path))!;
    const codes = Array.from(list.matchAll(/'(\w+)'/g), ([, code]) => code!);
    expect(codes.length).toBeGreaterThan(5);
    const [, tables = ''] = page.split('### Codes');
    expect(codes.filter((code) => !tables.includes(`\`${code}\``))).toEqual([]);
  });
});
