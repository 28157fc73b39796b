import { SessionError } from '../../../src/core/session-error.js';
import { NodePtyFactory } from '../../../src/pty/node-pty.factory.js';

/** Starts a shell in the directory it is given; prints why that was refused. */
async function startIn(cwd: string): Promise<void> {
  const factory = new NodePtyFactory(() => ({ PATH: process.env.PATH ?? '' }));
  const nobody = { output: () => undefined, writable: () => undefined, ended: () => undefined };
  try {
    const launch = { file: '/bin/sh', args: ['-c', 'read line'], cwd, size: { columns: 80, rows: 24 } };
    const pty = await factory.spawn(launch, nobody);
    await pty.close();
    process.stdout.write('started');
  } catch (error) {
    process.stdout.write(error instanceof SessionError ? `${error.code}: ${error.message}` : String(error));
  }
}

void startIn(process.argv[2] ?? '');
