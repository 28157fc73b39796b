import { setTimeout as delay } from 'node:timers/promises';
import { ReturningClient, Talk } from '../clients/returning-client.js';
import { type Figures } from '../harness/figures.js';
import { type Measure } from '../harness/measure.js';
import { type Target } from '../harness/server-process.js';
import { seededRandom } from '../harness/statistics.js';

const CLIENTS = 10;
const SESSIONS = 4;
const RECONNECTS = 100;
const BYTES_PER_SECOND = 256 * 1024;
const LONGEST_STAY_MS = 300;
const LONGEST_OUTAGE_MS = 2000;
const TYPE_EVERY_MS = 20;

/** Each client loses its connection again and again while its sessions print and it types. */
export async function client({ port }: Target): Promise<Figures> {
  const all = await Promise.all(Array.from({ length: CLIENTS }, (_, n) => one(port, n)));
  const sum = (of: (found: Found) => number): number => all.reduce((total, found) => total + of(found), 0);
  return {
    reconnects: sum(({ reconnects }) => reconnects),
    'MB checked': sum(({ bytes }) => bytes) / 1e6,
    'wrong lines': sum(({ wrongLines }) => wrongLines),
    'sessions that were typed something else': sum(({ wrongInput }) => wrongInput),
    'bytes lost': sum(({ lost }) => lost),
  };
}

interface Found {
  readonly reconnects: number;
  readonly bytes: number;
  readonly wrongLines: number;
  readonly wrongInput: number;
  readonly lost: number;
}

async function one(port: number, number: number): Promise<Found> {
  const random = seededRandom(number + 1);
  const returning = new ReturningClient(port);
  await returning.client.connect();
  const talks = Array.from({ length: SESSIONS }, () => new Talk());
  for (const talk of talks) await talk.begin(returning, BYTES_PER_SECOND);
  const typing = setInterval(() => talks.forEach((talk) => talk.type()), TYPE_EVERY_MS);
  for (let n = 0; n < RECONNECTS; n++) {
    await delay(random() * LONGEST_STAY_MS);
    returning.leave();
    await delay(random() * LONGEST_OUTAGE_MS);
    await returning.comeBack();
  }
  clearInterval(typing);
  const ends = await Promise.all(talks.map((talk) => talk.end()));
  returning.client.close();
  return {
    reconnects: returning.arrivals.length - 1,
    bytes: talks.reduce((sum, { checker }) => sum + checker.offset, 0),
    wrongLines: ends.reduce((sum, { wrongLines }) => sum + wrongLines, 0),
    wrongInput: ends.reduce((sum, { wrongInput }) => sum + wrongInput, 0),
    lost: talks.reduce((sum, { gapBytes, lost }) => sum + gapBytes + lost, 0),
  };
}

export const reconnects: Measure = {
  name: 'reconnects',
  about: `${CLIENTS} clients lose their connection ${RECONNECTS} times each, at random moments, for 0 to 2 s, while ${SESSIONS} sessions of each print 256 KiB/s of lines that say where they belong and are typed lines whose digest they tell in the end.`,
  repetitions: 1,
  rows: [
    { figure: 'reconnects', goal: { atLeast: CLIENTS * RECONNECTS } },
    { figure: 'wrong lines', goal: { atMost: 0 } },
    { figure: 'sessions that were typed something else', goal: { atMost: 0 } },
    { figure: 'bytes lost', goal: { atMost: 0 } },
    { figure: 'MB checked' },
  ],
  repeat: (bench) => bench.run('reconnects', 'v2'),
};
