import { type Model } from './model.js';

/** The ways of a session's life that come up in every order of things, if not for as long. */
export const WAYS: readonly string[] = [
  'announced → spawning',
  'announced → ended',
  'spawning → running',
  'spawning → closingUnspawned',
  'spawning → ended',
  'running → closing',
  'running → ended',
  'closingUnspawned → closing',
  'closingUnspawned → ended',
  'closing → ended',
  'ended → gone: closed',
  'ended → gone: failed',
  'ended → gone: lingered out',
];

/** How often what came up, in all lives of a model together. */
export class Coverage {
  readonly commands = new Map<string, number>();
  readonly ways = new Map<string, number>();
  readonly refusals = new Map<string, number>();
  readonly notes = new Map<string, number>();

  add(model: Model): void {
    for (const name of model.commands) count(this.commands, name);
    for (const way of model.transitions) count(this.ways, way);
    for (const note of model.notes) count(this.notes, note);
    for (const reason of model.refusals) count(this.refusals, reason);
    for (const { answer } of model.closeAnswers) count(this.refusals, answer ?? 'waiting');
  }
}

/** Which of `wanted` happened less than `least` times. */
export function rarely(
  counts: ReadonlyMap<string, number>,
  wanted: readonly string[],
  least: number,
): string[] {
  return wanted
    .filter((what) => (counts.get(what) ?? 0) < least)
    .map((what) => `${what}: ${counts.get(what)}`);
}

function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}
