import { forgetPeak, peakBytes, residentBytes } from '../../bench/harness/process-usage.js';

/** How much memory a process has had at most since this was asked for; what is collected later counts. */
export function watchMemory(pid: number): { grownBytes(): number } {
  forgetPeak(pid);
  const before = residentBytes(pid);
  return { grownBytes: () => peakBytes(pid) - before };
}
