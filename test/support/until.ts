import { setTimeout as wait } from 'node:timers/promises';

const LOOK_EVERY_MS = 5;

/** Resolves once `claim` holds. For what has no event to wait for; rejects after the deadline, saying `what`. */
export async function until(
  claim: () => boolean | Promise<boolean>,
  what: string,
  deadlineMs = 5000,
): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await claim())) {
    if (performance.now() > deadline) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await wait(LOOK_EVERY_MS);
  }
}
