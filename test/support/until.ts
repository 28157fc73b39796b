import { setTimeout as wait } from 'node:timers/promises';

const LOOK_EVERY_MS = 5;

/** Long beyond need: what makes a busy machine slow is no failure. Below the time a test has. */
export const PATIENCE_MS = 15_000;

/** Resolves once `claim` holds. For what has no event to wait for; rejects after the deadline, saying `what`. */
export async function until(
  claim: () => boolean | Promise<boolean>,
  what: string,
  deadlineMs = PATIENCE_MS,
): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await claim())) {
    if (performance.now() > deadline) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await wait(LOOK_EVERY_MS);
  }
}
