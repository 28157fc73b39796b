/** How far ahead of its slowest viewer a process is paused, and below what it runs on. */
export interface FlowLimits {
  readonly pauseAboveBytes: number;
  readonly resumeBelowBytes: number;
}

/**
 * Far below the log's capacity: whatever waits here is printed before the answer to a Ctrl-C, and a client that shows
 * 4 MB/s needs 16 ms for 64 KiB.
 */
export const DEFAULT_FLOW_LIMITS: FlowLimits = { pauseAboveBytes: 64 * 1024, resumeBelowBytes: 32 * 1024 };

/**
 * What is held for a viewer that has not consumed it may fill the log but for this: the process is paused with room for
 * the 64 KiB that it is paused by, the read that crosses the mark, and one more.
 */
const RESERVE_BYTES = 192 * 1024;

/**
 * How far ahead of a viewer its process is: what has not been sent to it; or, where that is more, what it has not
 * consumed and may ask for again, less the part of the log that is there for it.
 */
export function aheadBytes(unsentBytes: number, unconsumedBytes: number, logBytes: number): number {
  return Math.max(unsentBytes, unconsumedBytes - Math.max(0, logBytes - RESERVE_BYTES));
}

/** Whether a process should be paused, given whether it is and how far ahead it is of its slowest viewer. */
export function shouldPause(paused: boolean, aheadBytes: number, limits: FlowLimits): boolean {
  return paused ? aheadBytes >= limits.resumeBelowBytes : aheadBytes > limits.pauseAboveBytes;
}
