import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type RemoteSession } from '../../client/remote-session.js';
import { ReturningClient } from '../clients/returning-client.js';
import { type Figures } from '../harness/figures.js';
import { type Measure } from '../harness/measure.js';
import { ServerProcess, type Target } from '../harness/server-process.js';
import { quantile } from '../harness/statistics.js';

const SESSIONS = 16;
const RETURNS = 200;
const PAUSE_MS = 20;
const READY_MS = 20_000;

/** Comes back to 16 sessions again and again; then the server is killed, and another takes its place. */
export async function client({ port, pid }: Target): Promise<Figures> {
  const returning = new ReturningClient(port);
  await returning.client.connect();
  let echoed = 0;
  let told = 0;
  let looked: () => void = () => undefined;
  const sessions: RemoteSession[] = [];
  for (let n = 0; n < SESSIONS; n++) {
    let shown = '';
    const session = await returning.client.create(
      {
        output: (bytes, _offset, consumed) => {
          shown = (shown + Buffer.from(bytes).toString('latin1')).slice(-16);
          if (shown.endsWith('READY') || shown.endsWith('x')) echoed += 1;
          consumed();
          looked();
        },
        gone: () => (told += 1),
      },
      { cols: 80, rows: 24 },
    );
    session.write(` exec /bin/sh -c 'stty raw -echo; printf REA""DY; exec cat'\n`);
    sessions.push(session);
  }
  const all = (count: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${echoed} of ${count} sessions answer`)), READY_MS);
      looked = () => {
        if (echoed < count) return;
        clearTimeout(late);
        resolve();
      };
      looked();
    });
  await all(SESSIONS);

  const found: number[] = [];
  for (let n = 0; n < RETURNS; n++) {
    await delay(PAUSE_MS);
    echoed = 0;
    returning.leave();
    await delay(PAUSE_MS);
    // Typed while it was away: comes back when all is as before.
    for (const session of sessions) session.write('x');
    const begun = performance.now();
    void returning.comeBack();
    await all(SESSIONS);
    found.push(performance.now() - begun);
  }

  process.kill(pid, 'SIGKILL');
  const folder = mkdtempSync(join(tmpdir(), 'trex-bench-'));
  const other = await ServerProcess.start('v2', folder);
  returning.port = other.target.port;
  await returning.comeBack();
  const arrival = returning.arrivals.at(-1);
  returning.client.close();
  await other.stop();
  rmSync(folder, { recursive: true, force: true });
  return {
    'to the last of 16 sessions, p50 ms': quantile(found, 0.5),
    'to the last of 16 sessions, p99 ms': quantile(found, 0.99),
    'after a kill, sessions not told gone': SESSIONS - Math.min(told, arrival?.gone.length ?? 0),
    'after a kill, a new server not noticed': arrival?.isServerNew ? 0 : 1,
  };
}

export const comingBack: Measure = {
  name: 'return',
  about:
    'From the first try to connect again to the first byte of the last of 16 sessions that was printed since, 200 times; then the server is killed, and what the client learns from the first answer of the next one.',
  repetitions: 1,
  rows: [
    { figure: 'to the last of 16 sessions, p99 ms', goal: { atMost: 50 } },
    { figure: 'to the last of 16 sessions, p50 ms' },
    { figure: 'after a kill, sessions not told gone', goal: { atMost: 0 } },
    { figure: 'after a kill, a new server not noticed', goal: { atMost: 0 } },
  ],
  repeat: (bench) => bench.run('return', 'v2'),
};
