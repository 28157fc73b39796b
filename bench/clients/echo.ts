import { setTimeout as delay } from 'node:timers/promises';
import { type Figures } from '../harness/figures.js';
import { quantile, seededRandom } from '../harness/statistics.js';
import { type Terminal } from './terminal.js';

/** For {@link Terminal.run}: prints every byte as it comes. */
export const ECHO = 'stty raw; exec cat';

const ECHO_MS = 20_000;
const SHORTEST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 20;

/**
 * Types keys into each terminal in turn, one when the last has come back. The pauses keep them out of step with
 * whatever goes on at regular times. After `enoughMs`, no more keys. @returns for each terminal, milliseconds from key to echo
 */
export async function echoes(
  terminals: readonly Terminal[],
  keys: number,
  enoughMs = Infinity,
): Promise<number[][]> {
  const enough = performance.now() + enoughMs;
  const random = seededRandom(keys);
  const found = terminals.map((): number[] => []);
  for (let key = 0; key < keys && performance.now() < enough; key++) {
    for (const [n, terminal] of terminals.entries()) {
      await delay(SHORTEST_PAUSE_MS + random() * (LONGEST_PAUSE_MS - SHORTEST_PAUSE_MS));
      found[n]?.push(await echo(terminal));
    }
  }
  return found;
}

/** Types as fast as keys come back, until the code is compiled that a key runs through. */
export async function warmUp(terminal: Terminal, keys: number): Promise<void> {
  for (let key = 0; key < keys; key++) await echo(terminal);
}

export function latency(milliseconds: readonly number[] = []): Figures {
  return { p50: quantile(milliseconds, 0.5), p99: quantile(milliseconds, 0.99) };
}

async function echo(terminal: Terminal): Promise<number> {
  const { screen } = terminal;
  const shown = screen.reaches(screen.end + 1, ECHO_MS);
  const typed = performance.now();
  terminal.type('x');
  await shown;
  return performance.now() - typed;
}
