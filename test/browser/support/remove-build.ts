/** After the last of the tests in a browser. */
import { rmSync } from 'node:fs';

export default function removeBuild(): void {
  const folder = process.env.TREX_TEST_BUILD;
  if (folder !== undefined) rmSync(folder, { recursive: true });
}
