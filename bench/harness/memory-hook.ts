/** Loaded into a server before its own code (`--require`): tells on SIGUSR2 what it holds once the garbage is gone. */
import { renameSync, writeFileSync } from 'node:fs';

const file = process.env.BENCH_MEMORY_FILE;

process.on('SIGUSR2', () => {
  if (file === undefined) return;
  // The first collection finds objects with finalizers, the second what those held.
  globalThis.gc?.();
  globalThis.gc?.();
  // What other hooks have to tell.
  const { benchFigures } = globalThis as { benchFigures?: object };
  writeFileSync(`${file}.new`, JSON.stringify({ ...process.memoryUsage(), ...benchFigures }));
  renameSync(`${file}.new`, file);
});
