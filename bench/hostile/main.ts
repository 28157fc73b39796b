/**
 * A hostile client's process: attacks a server over so many connections, each of which is opened again when it ends, until
 * it is told to end. Tells when it has begun, and in the end what came of it. Arguments: attack, port, connections.
 */
import { constants, setPriority } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { type AttackName, type Attack, attacks, type Tally } from './attacks.js';

/** Whoever is not let in tries again so soon. */
const AGAIN_MS = 50;

const [name = '', port = '', connections = ''] = process.argv.slice(2);
const attack: Attack = (line) => attacks[name as AttackName](line);
const tally: Tally = { opened: 0, sent: 0, ends: {} };

async function keepAttacking(number: number): Promise<never> {
  const line = { port: Number(port), number, opened: () => void (tally.opened += 1), sent };
  for (;;) {
    const end = await attack(line).catch(() => delay(AGAIN_MS, 'refused'));
    tally.ends[end] = (tally.ends[end] ?? 0) + 1;
  }
}

function sent(count: number): void {
  if (tally.sent === 0) process.send?.('begun');
  tally.sent += count;
}

// Elsewhere it would have processors of its own: here it must not take those of the server.
setPriority(constants.priority.PRIORITY_LOW);
for (let number = 0; number < Number(connections); number++) void keepAttacking(number);
process.once('message', () => process.send?.(tally, () => process.exit()));
process.once('disconnect', () => process.exit());
