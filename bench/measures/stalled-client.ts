import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '../clients/connect.js';
import { ECHO, echoes, latency } from '../clients/echo.js';
import { nameOf, OUR_PROTOCOLS } from '../clients/protocol.js';
import { Terminal } from '../clients/terminal.js';
import { type Figures, labelled } from '../harness/figures.js';
import { type Measure } from '../harness/measure.js';
import { type Memory, memory } from '../harness/process-usage.js';
import { type Target } from '../harness/server-process.js';
import { eachOfOurs } from './each-of-ours.js';
import { Yes } from '../clients/yes.js';

const FLOOD_MS = 2000;
const STALL_MS = 20_000;
const KEYS = 400;
const RETURN_MS = 30_000;

/** Reads what `yes` prints, reads nothing for 20 s, and reads on; another connection types before and meanwhile. */
export async function client(target: Target): Promise<Figures> {
  const { protocol, port } = target;
  const beside = await Terminal.open(await connect(protocol, port));
  await beside.run(ECHO);
  const connection = await connect(protocol, port);
  const yes = new Yes();
  const flooded = await Terminal.open(connection, { look: (piece) => yes.look(piece) });
  await flooded.run('read go; exec yes');
  yes.begin(flooded.screen.end);
  // What only the first collection gives back has nothing to do with the client.
  await memory(target);
  const idle = await memory(target);
  flooded.type('\n');
  await delay(FLOOD_MS);
  const [before] = await echoes([beside], KEYS);

  const reading = await memory(target);
  connection.pause();
  const until = performance.now() + STALL_MS;
  const [meanwhile] = await echoes([beside], KEYS);
  await delay(until - performance.now());
  const stalled = await memory(target);

  // More than can have been on its way: what comes now was printed after the client had returned.
  const behind = flooded.screen.end + 16e6;
  connection.resume();
  await flooded.screen.reaches(behind, RETURN_MS);
  return {
    ...growth('idle to stalled', idle, stalled),
    ...growth('reading to stalled', reading, stalled),
    ...labelled('echo elsewhere before', latency(before)),
    ...labelled('echo elsewhere meanwhile', latency(meanwhile)),
    'echo elsewhere, meanwhile : before, p50': latency(meanwhile).p50! / latency(before).p50!,
    'wrong bytes': yes.wrongBytes,
  };
}

function growth(label: string, before: Memory, after: Memory): Figures {
  return labelled(label, {
    'heap and buffers MB': (after.heapAndBuffers - before.heapAndBuffers) / 1e6,
    'RSS MB': (after.rss - before.rss) / 1e6,
  });
}

export const stalledClient: Measure = {
  name: 'stalled-client',
  about:
    'A client reads nothing for 20 s while `yes` runs in its session: what the server then holds more than before `yes` began, and than while the client read, after garbage collection; echo in ms in a session of another connection; bytes that are wrong after it reads on.',
  repetitions: 5,
  rows: OUR_PROTOCOLS.flatMap((protocol) => {
    const name = nameOf[protocol];
    return [
      { figure: `${name}, idle to stalled, heap and buffers MB`, goal: { atMost: 4 } },
      { figure: `${name}, idle to stalled, RSS MB`, goal: { atMost: 10 } },
      { figure: `${name}, wrong bytes`, goal: { atMost: 0 } },
      { figure: `${name}, echo elsewhere, meanwhile : before, p50`, goal: { atMost: 1 } },
      ...['heap and buffers MB', 'RSS MB'].map((unit) => ({
        figure: `${name}, reading to stalled, ${unit}`,
      })),
      ...['before', 'meanwhile'].flatMap((when) =>
        ['p50', 'p99'].map((share) => ({ figure: `${name}, echo elsewhere ${when}, ${share}` })),
      ),
    ];
  }),

  repeat: (bench, repetition) =>
    eachOfOurs(bench, repetition, (protocol) => bench.run('stalled-client', protocol)),
};
