import assert from 'node:assert/strict';
import { type SessionState } from '../../../src/core/lifecycle.js';
import { type SessionStatus } from '../../../src/core/session.js';
import { type Heard } from './hearing.js';
import { type Model, type ModelNews, type Phase } from './model.js';

/** What is seen of a session in each phase. */
export const seenAs: Record<Phase, { state: SessionState; status: SessionStatus }> = {
  announced: { state: 'Running', status: 'connecting' },
  spawning: { state: 'Running', status: 'connecting' },
  running: { state: 'Running', status: 'active' },
  closingUnspawned: { state: 'Closing', status: 'active' },
  closing: { state: 'Closing', status: 'active' },
  ended: { state: 'Closed', status: 'exited' },
};

/** By what it is about, in order; output in one piece, as long as nothing else comes in between. */
export function told(news: readonly (Heard | ModelNews)[], model: Model): Map<string, string[]> {
  const lines = new Map<string, string[]>();
  const runs = new Map<string, { offset: number; end: number }>();
  for (const one of news) {
    // Where it has the exit, or leaves, it is not told: which is first depends on how fast it reads.
    if ('line' in one && one.line.startsWith('taken ') && !model.find(one.about.split(' ').at(-1)!)) continue;
    const about = lines.get(one.about) ?? [];
    lines.set(one.about, about);
    if ('line' in one) {
      runs.delete(one.about);
      about.push(one.line);
      continue;
    }
    if ('bytes' in one) assertPrinted(one, model);
    const run = runs.get(one.about);
    const goesOn = run?.end === one.offset;
    if (goesOn) about.pop();
    const whole = { offset: goesOn ? run.offset : one.offset, end: one.end };
    runs.set(one.about, whole);
    about.push(`output ${whole.offset}–${whole.end}`);
  }
  return lines;
}

/** What came is what was printed there: as text to existing clients, byte for byte to others. */
export function assertPrinted(
  { about, offset, end, bytes }: Extract<Heard, { bytes: string }>,
  model: Model,
): void {
  const printed = model.all.get(about)!.printed.subarray(offset, end);
  // Not `equal`, which would print them.
  assert(bytes === printed.toString('latin1') || bytes === printed.toString());
}
