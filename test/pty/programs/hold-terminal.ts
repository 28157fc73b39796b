import { NodePtyFactory } from '../../../src/pty/node-pty.factory.js';

/** Runs a script of /bin/sh in a terminal and repeats what it prints, until it is killed and the terminal is gone. */
async function hold(script: string): Promise<void> {
  const factory = new NodePtyFactory(() => ({ PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/' }));
  await factory.spawn(
    { file: '/bin/sh', args: ['-c', script], cwd: '/', size: { columns: 80, rows: 24 } },
    {
      output: (bytes) => void process.stdout.write(bytes),
      writable: () => undefined,
      ended: () => undefined,
    },
  );
}

void hold(process.argv[2] ?? '');
