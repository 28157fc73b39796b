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
    const deadline = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
    child.on('message', (message: ClientAnswer) => (answer = message));
    child.on('exit', (code, signal) => {
      clearTimeout(deadline);
      if (answer.found) resolve(answer.found);
      else if (signal === 'SIGKILL') reject(new Error(`no result within ${deadlineMs} ms`));
      else reject(new Error(answer.failure ?? `the client ended with ${code ?? signal}`));
    });
  });
}
