/**
 * Calls an application's handler, at once. What it throws is no affair of the protocol's: the promise, which nobody
 * waits for, is rejected with it, and the platform reports that.
 */
export function tell(handler: () => void): Promise<void> {
  return new Promise((resolve) => resolve(handler()));
}
