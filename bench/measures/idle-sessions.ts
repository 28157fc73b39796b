import { get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '../clients/connect.js';
import { nameOf, OUR_PROTOCOLS } from '../clients/protocol.js';
import { Terminal } from '../clients/terminal.js';
import { type Figures } from '../harness/figures.js';
import { type Measure } from '../harness/measure.js';
import { memory } from '../harness/process-usage.js';
import { type Target } from '../harness/server-process.js';
import { median } from '../harness/statistics.js';
import { eachOfOurs } from './each-of-ours.js';

const WARM_UP_SESSIONS = 20;
const SESSIONS = 500;
const LISTS = 50;
/** For the shells to print their prompts. */
const SETTLE_MS = 2000;

/** Opens 500 sessions on one connection, after a few that are not counted, and lists them. */
export async function client(target: Target): Promise<Figures> {
  const connection = await connect(target.protocol, target.port);
  for (let n = 0; n < WARM_UP_SESSIONS; n++) await Terminal.open(connection);
  await listMs(target);
  await delay(SETTLE_MS);
  const before = await memory(target);
  for (let n = 0; n < SESSIONS; n++) await Terminal.open(connection);
  await delay(SETTLE_MS);
  const after = await memory(target);
  const lists: number[] = [];
  for (let n = 0; n < LISTS; n++) lists.push(await listMs(target));
  return {
    'RSS KB per session': (after.rss - before.rss) / 1000 / SESSIONS,
    'heap and buffers KB per session': (after.heapAndBuffers - before.heapAndBuffers) / 1000 / SESSIONS,
    'list ms': median(lists),
  };
}

/** Until the whole list is there. */
function listMs({ port }: Target): Promise<number> {
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/api/sessions' }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`the list is answered with ${answer.statusCode}`));
      answer.resume().on('end', () => resolve(performance.now() - begun));
    }).on('error', reject);
  });
}

export const idleSessions: Measure = {
  name: 'idle-sessions',
  about: `${SESSIONS} sessions on one connection that have printed a prompt: the server’s memory for each, after garbage collection, and the time of \`GET /api/sessions\`.`,
  repetitions: 5,
  rows: OUR_PROTOCOLS.flatMap((protocol) => [
    { figure: `${nameOf[protocol]}, RSS KB per session`, goal: { atMost: 60 } },
    { figure: `${nameOf[protocol]}, heap and buffers KB per session` },
    { figure: `${nameOf[protocol]}, list ms`, goal: { atMost: 5 } },
  ]),

  repeat: (bench, repetition) =>
    eachOfOurs(bench, repetition, (protocol) => bench.run('idle-sessions', protocol)),
};
