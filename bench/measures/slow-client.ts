import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '../clients/connect.js';
import { ECHO, echoes, latency } from '../clients/echo.js';
import { nameOf, type Protocol } from '../clients/protocol.js';
import { Renderer } from '../clients/renderer.js';
import { Terminal } from '../clients/terminal.js';
import { type Figures, labelled } from '../harness/figures.js';
import { type Measure, type Row } from '../harness/measure.js';
import { median, rotated } from '../harness/statistics.js';
import { type Target } from '../harness/server-process.js';
import { type WorkloadFile } from '../harness/workload.js';

const BYTES_PER_MS = 4000;
const INTERRUPTS = 5;
const KEYS = 100;
/** Where an echo takes a second, a few must do. */
const ECHOES_MS = 10_000;
/** How long it floods before something is asked of it. */
const FLOOD_MS = 1000;
const PROMPT_MS = 60_000;

/** A person's: the shell's own prompt, and a command that floods. */
const PROMPT = 'PROMPT>';
const setPrompt = ` stty -echo; PS1='PROM''PT>'\n`;

/** Shows 4 MB/s, in one queue for all its sessions, as a page does. */
export async function client({ protocol, port }: Target, { path }: WorkloadFile): Promise<Figures> {
  const connection = await connect(protocol, port);
  const renderer = new Renderer(BYTES_PER_MS, connection);
  const flooded = await Terminal.open(connection, { renderer });
  await prompted(flooded, setPrompt);
  const interrupts: number[] = [];
  const rates: number[] = [];
  for (let n = 0; n < INTERRUPTS; n++) {
    const [begun, before] = [performance.now(), flooded.screen.end];
    flooded.type(` while cat ${path}; do :; done\n`);
    await delay(FLOOD_MS);
    rates.push((flooded.screen.end - before) / 1000 / (performance.now() - begun));
    interrupts.push(await prompted(flooded, '\x03'));
  }
  const figures = { 'Ctrl-C to prompt': median(interrupts), 'flood MB/s': median(rates) };
  return hasManySessions(protocol) ? { ...figures, ...(await echoBeside()) } : figures;

  async function echoBeside(): Promise<Figures> {
    const beside = await Terminal.open(connection, { renderer });
    await beside.run(ECHO);
    flooded.type(` while cat ${path}; do :; done\n`);
    await delay(FLOOD_MS);
    const [found] = await echoes([beside], KEYS, ECHOES_MS);
    return labelled('echo in another session', latency(found));
  }
}

async function prompted(terminal: Terminal, text: string): Promise<number> {
  const shown = terminal.screen.shows(PROMPT, PROMPT_MS);
  const typed = performance.now();
  terminal.type(text);
  await shown;
  return performance.now() - typed;
}

function hasManySessions(protocol: Protocol): boolean {
  return protocol === 'v2' || protocol === 'json';
}

/** JSON clients that acknowledge nothing are told beside it, for comparison. */
const compared = ['v2', 'json', 'baseline'] as const;

const v2Goals: Record<string, Row['goal']> = {
  'Ctrl-C to prompt': { atMost: 50 },
  'echo in another session, p50': { atMost: 25 },
  'echo in another session, p99': { atMost: 50 },
};

export const slowClient: Measure = {
  name: 'slow-client',
  about:
    'A client that shows 4 MB/s, first come, first served, in slices of at most 16 ms, while a session floods: from Ctrl-C to the next prompt (the median of five), and from a key to its echo in another session of the connection; in ms, when the client shows it.',
  repetitions: 15,
  rows: compared.flatMap((protocol) =>
    [...Object.keys(v2Goals), 'flood MB/s'].map((figure) => ({
      figure: `${nameOf[protocol]}, ${figure}`,
      goal: protocol === 'v2' ? v2Goals[figure] : undefined,
    })),
  ),

  async repeat(bench, repetition) {
    const protocols = compared.filter((protocol) => bench.protocols.includes(protocol));
    const found: Figures[] = [];
    for (const protocol of rotated(protocols, repetition)) {
      found.push(labelled(nameOf[protocol], await bench.run('slow-client', protocol, bench.workload.plain)));
    }
    return Object.assign({}, ...found) as Figures;
  },
};
