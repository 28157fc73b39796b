import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A home directory of their own for the shells of the surrounding `describe`: nobody's settings or history. */
export function useTemporaryHome(): () => string {
  const before = process.env.HOME;
  let home = '';
  beforeAll(() => {
    home = realpathSync(mkdtempSync(join(tmpdir(), 'trex-home-')));
    process.env.HOME = home;
  });
  afterAll(() => {
    if (before === undefined) delete process.env.HOME;
    else process.env.HOME = before;
    rmSync(home, { recursive: true });
  });
  return () => home;
}
