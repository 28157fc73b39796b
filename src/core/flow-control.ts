/** Output not yet sent to the slowest viewer at which its process is paused, and below which it runs on. */
export interface FlowLimits {
  readonly pauseAboveBytes: number;
  readonly resumeBelowBytes: number;
}

/**
 * Far below the log's capacity: whatever waits here is printed before the answer to a Ctrl-C, and a client that shows
 * 4 MB/s needs 16 ms for 64 KiB.
 */
export const DEFAULT_FLOW_LIMITS: FlowLimits = { pauseAboveBytes: 64 * 1024, resumeBelowBytes: 32 * 1024 };

/** Whether a process should be paused, given whether it is and how far behind its slowest viewer is. */
export function shouldPause(paused: boolean, backlogBytes: number, limits: FlowLimits): boolean {
  return paused ? backlogBytes >= limits.resumeBelowBytes : backlogBytes > limits.pauseAboveBytes;
}
