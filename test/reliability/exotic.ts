import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ReturningClient } from '../../bench/clients/returning-client.js';
import { until } from '../support/until.js';
import { connectClient } from './loads.js';
import { type Fault, type Run } from './run.js';

/** A script of /bin/sh in a session of its own, and what of its output is to come out at the other end. */
interface Program {
  readonly what: string;
  readonly script: string;
  readonly prints?: Buffer;
  /** It does not end by itself. */
  readonly isClosed?: boolean;
  /** What it is typed, and does not read. */
  readonly types?: number;
  /** What ends it, where that is a signal. */
  readonly signal?: string;
}

const ESC = '\x1b';
const REP = 2_147_483_647;

/** Twelve bytes and more that are known to have crashed, hung or filled terminal emulators. */
const HOSTILE = Buffer.from(
  [
    `${ESC}[24;80H${ESC}[1J`,
    ...['S', 'T', 'L', 'M', 'b', 'I', 'Z'].map((final) => `x${ESC}[${REP}${final}`),
    `${ESC}]0;${'t'.repeat(300_000)}`,
    `${ESC}P${'q'.repeat(300_000)}`,
    `${ESC}\\e${'\u0301'.repeat(100_000)}`,
    `${ESC}]8;;http://example.com/${'l'.repeat(2000)}\x07link${ESC}]8;;\x07`.repeat(100),
    `${ESC}[c${ESC}[6n${ESC}]52;c;?\x07`,
  ].join(''),
);
const TEXT = Buffer.from('é€🚀你好 größer ─│ '.repeat(40));

/** R13: what makes terminal emulators hang or crash passes through, as it is. */
export const printHostile: Fault = (run) => runAll(run, [printed(run, 'hostile', HOSTILE, 'cat')]);

/** R14: programs that treat their terminal as few do. */
export function exoticPrograms(bytes: number): Fault {
  return async (run) => {
    await runAll(run, [
      printed(run, 'bytes that are no text', Buffer.alloc(bytes, 0xff), 'cat'),
      printed(run, 'text, a byte at a time', TEXT, 'dd bs=1 status=none <'),
      printed(run, 'many single bytes', Buffer.alloc(bytes, 'x'), 'dd bs=1 status=none <'),
      killedAfter(printed(run, 'what is printed right before a kill', TEXT, 'cat')),
      { what: 'lets go of its terminal', script: 'exec <&- >&- 2>&-; exec sleep 60', isClosed: true },
      { what: 'is in another session', script: 'setsid timeout 0.3 tail -f /dev/null <&- >&- 2>&- & exit 0' },
      { what: 'has forked twice', script: '(sleep 0.3 &) ; (sleep 60 &) ; exec sleep 60', isClosed: true },
      {
        what: 'ignores being hung up',
        script: 'trap "" HUP TERM; while :; do sleep 60; done',
        isClosed: true,
      },
      { what: 'reads nothing', script: 'exec sleep 60', isClosed: true, types: 1_000_000 },
    ]);
  };
}

function printed({ server }: Run, what: string, bytes: Buffer, command: string): Program {
  const file = join(server.folder, `${createHash('sha256').update(what).digest('hex').slice(0, 8)}.bin`);
  writeFileSync(file, bytes);
  return { what, script: `${command} ${file}`, prints: bytes };
}

/** The same, and then it is killed by what nothing can hold up. */
function killedAfter(program: Program): Program {
  return { ...program, script: `${program.script}; kill -KILL $$`, signal: 'SIGKILL' };
}

async function runAll(run: Run, programs: readonly Program[]): Promise<void> {
  const client = await connectClient(run);
  for (const program of programs) {
    await runOne(run, client, program).catch((error: Error) =>
      run.problems.push(`R14: ${program.what}: ${error.message}`),
    );
    run.figures.faults += 1;
  }
}

const BEGIN = 'BEG|IN\n'.replace('|', '');

async function runOne(run: Run, { client }: ReturningClient, program: Program): Promise<void> {
  const { what, script, prints = Buffer.alloc(0), isClosed = false, types = 0 } = program;
  const chunks: Buffer[] = [];
  let exits = 0;
  let endedBy: string | undefined;
  const session = await client.create(
    {
      output: (bytes, _offset, consumed) => {
        chunks.push(Buffer.from(bytes));
        consumed();
        if (exits > 0) run.problems.push(`I8: ${what}: output after the exit`);
      },
      exit: ({ signal }) => {
        exits += 1;
        endedBy = signal;
      },
      gone: () => exits++,
      gap: () => run.problems.push(`I1: ${what}: a gap`),
    },
    { cols: 80, rows: 24 },
  );
  session.write(` exec /bin/sh -c 'stty raw -echo; printf "BEG""IN\\n"; ${script}'\n`);
  let begin = -1;
  await until(() => (begin = Buffer.concat(chunks).indexOf(BEGIN)) >= 0, 'it begins');
  if (types > 0) session.write('x'.repeat(types));
  if (isClosed) {
    // All of these end up as that, and none is left of the one before.
    await until(() => run.server.runs('sleep'), 'it does what it is to be closed in');
    const { status } = await run.server.request('DELETE', `/api/sessions/${session.id}`);
    if (status !== 204) run.problems.push(`R14: ${what}: DELETE was answered with ${status}`);
  }
  await until(() => exits > 0, 'its exit is told', 60_000);
  const shown = Buffer.concat(chunks).subarray(begin + BEGIN.length);
  if (program.signal !== undefined && endedBy !== program.signal)
    run.problems.push(`I8: ${what}: it was told to have ended by ${endedBy}, not ${program.signal}`);
  if (!shown.equals(prints))
    run.problems.push(`I1: ${what}: ${shown.length} bytes were shown, and ${prints.length} printed`);
  run.figures.sessions += 1;
  run.figures.bytesChecked += shown.length;
}
