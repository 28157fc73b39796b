import { type Pty } from '../../../src/core/pty.js';
import { SessionError } from '../../../src/core/session-error.js';
import { NodePtyFactory } from '../../../src/pty/node-pty.factory.js';

/** Starts sessions until one is refused, closes some, and starts as many again. Prints what happened as JSON. */
async function untilRefused(): Promise<void> {
  const factory = new NodePtyFactory(() => ({ PATH: process.env.PATH ?? '' }));
  const start = (): Promise<Pty> =>
    factory.spawn(
      { file: '/bin/sh', args: ['-c', 'read line'], cwd: '/', size: { columns: 80, rows: 24 } },
      { output: () => undefined, writable: () => undefined, ended: () => undefined },
    );
  const live: Pty[] = [];
  let refusal: unknown;
  while (refusal === undefined && live.length < 500) {
    await start().then(
      (pty) => live.push(pty),
      (error: unknown) => (refusal = error),
    );
  }
  const started = live.length;
  await Promise.all(live.splice(0, 3).map((pty) => pty.close()));
  for (let again = 0; again < 3; again++) live.push(await start());
  await Promise.all(live.map((pty) => pty.close()));
  const { code, message } =
    refusal instanceof SessionError ? refusal : { code: 'none', message: String(refusal) };
  process.stdout.write(JSON.stringify({ started, code, message }));
}

void untilRefused();
