import { setTimeout as delay } from 'node:timers/promises';
import { ReturningClient, Talk } from '../clients/returning-client.js';
import { type Figures } from '../harness/figures.js';
import { type Measure } from '../harness/measure.js';
import { type Target } from '../harness/server-process.js';

const BYTES_PER_SECOND = 4_000_000;
const STAY_MS = 500;
/** Within the time for which the process is held, and beyond it, but in time to come back. */
const HELD_MS = 10_000;
const TOO_LONG_MS = 35_000;

/** Is away for longer than the log is long, once within the hold, once beyond it. */
export async function client({ port }: Target): Promise<Figures> {
  const returning = new ReturningClient(port);
  await returning.client.connect();
  const [held, missed] = [new Talk(), new Talk()];
  await held.begin(returning, BYTES_PER_SECOND);
  await delay(STAY_MS);
  returning.leave();
  await delay(HELD_MS);
  await returning.comeBack();
  await delay(STAY_MS);
  const first = await held.end();

  await missed.begin(returning, BYTES_PER_SECOND);
  await delay(STAY_MS);
  returning.leave();
  await delay(TOO_LONG_MS);
  await returning.comeBack();
  await delay(STAY_MS);
  const second = await missed.end();
  returning.client.close();
  return {
    'away 10 s, bytes lost': held.gapBytes + held.lost,
    'away 10 s, wrong lines': first.wrongLines,
    'away 35 s, gaps': missed.gaps,
    'away 35 s, MB missing as announced': missed.gapBytes / 1e6,
    'away 35 s, wrong lines beside the gap': second.wrongLines,
    'sessions that were typed something else': first.wrongInput + second.wrongInput,
  };
}

export const outages: Measure = {
  name: 'outages',
  about:
    'A session prints 4 MB/s of lines that say where they belong while its client is away: for 10 s, within the hold of 30 s, in which the process stands still once the log is full; and for 35 s, after which exactly what is announced is missing.',
  repetitions: 1,
  rows: [
    { figure: 'away 10 s, bytes lost', goal: { atMost: 0 } },
    { figure: 'away 10 s, wrong lines', goal: { atMost: 0 } },
    { figure: 'away 35 s, gaps', goal: { atMost: 1 } },
    { figure: 'away 35 s, MB missing as announced', goal: { atLeast: 1 } },
    { figure: 'away 35 s, wrong lines beside the gap', goal: { atMost: 0 } },
    { figure: 'sessions that were typed something else', goal: { atMost: 0 } },
  ],
  repeat: (bench) => bench.run('outages', 'v2'),
};
