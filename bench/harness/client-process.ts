import { fork } from 'node:child_process';
import { join } from 'node:path';
import { withUs } from './children.js';
import { type Figures } from './figures.js';
import { type Target } from './server-process.js';

/** What a measure does in a client's process. */
export type ClientTask = (target: Target, given: unknown) => Promise<Figures>;

export interface ClientAnswer {
  readonly found?: Figures;
  readonly failure?: string;
}

const KILL_MS = 5000;

/** Runs the `client` function of a measure's file in a process of its own. @throws what failed there */
export function runClient(
  measure: string,
  target: Target,
  given: unknown,
  deadlineMs: number,
): Promise<Figures> {
  return new Promise((resolve, reject) => {
    const child = withUs(
      fork(join(__dirname, 'client-main.js'), [measure, JSON.stringify({ target, given })]),
    );
    let answer: ClientAnswer = {};
    let isLate = false;
    let killing: NodeJS.Timeout | undefined;
    const deadline = setTimeout(() => {
      isLate = true;
      // What it has started ends with it, unless it is too busy for that.
      child.kill('SIGTERM');
      killing = setTimeout(() => child.kill('SIGKILL'), KILL_MS);
    }, deadlineMs);
    child.on('message', (message: ClientAnswer) => (answer = message));
    child.on('exit', (code, signal) => {
      clearTimeout(deadline);
      clearTimeout(killing);
      if (answer.found) resolve(answer.found);
      else if (isLate) reject(new Error(`no result within ${deadlineMs} ms`));
      else reject(new Error(answer.failure ?? `the client ended with ${code ?? signal}`));
    });
  });
}
