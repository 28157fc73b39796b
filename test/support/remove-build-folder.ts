/** After the last test. */
import { rmSync } from 'node:fs';

export default function removeFolder(): void {
  const folder = process.env.TREX_TEST_BUILD;
  if (folder !== undefined) rmSync(folder, { recursive: true });
}
