import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type AttackName, type Tally } from '../hostile/attacks.js';
import { withUs } from './children.js';

const BEGIN_MS = 30_000;
const END_MS = 10_000;

/** A hostile client in a process of its own. */
export class HostileProcess {
  private constructor(private readonly child: ChildProcess) {}

  /** Resolves once it attacks. */
  static async start(attack: AttackName, port: number, connections: number): Promise<HostileProcess> {
    const program = join(__dirname, '../hostile/main.js');
    const one = new HostileProcess(withUs(fork(program, [attack, String(port), String(connections)])));
    await one.says(BEGIN_MS);
    return one;
  }

  /** Ends it. @returns what came of it */
  end(): Promise<Tally> {
    const tally = this.says<Tally>(END_MS);
    this.child.send('end');
    return tally;
  }

  /** @throws when it ends instead, or says nothing in time */
  private async says<T>(withinMs: number): Promise<T> {
    const late = setTimeout(() => this.child.kill('SIGKILL'), withinMs);
    const ended = once(this.child, 'exit').then(() => Promise.reject(new Error('a hostile client gave up')));
    try {
      const [message] = (await Promise.race([once(this.child, 'message'), ended])) as [T];
      return message;
    } finally {
      clearTimeout(late);
    }
  }
}
