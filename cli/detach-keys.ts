import { UsageError } from './usage-error.js';

/** As dtach and abduco have it: one key, so that no other has to wait for the next, and one that few programs use. */
export const DEFAULT_DETACH_KEYS = 'ctrl-\\';

const CONTROL = /^ctrl-([a-z@[\\\]^_])$/i;
const PLAIN = /^[!-~]$/;

/**
 * Reads `ctrl-\`, `ctrl-p,ctrl-q`, `ctrl-a,d` or `none`.
 * @returns the bytes that terminals send for them, one for each key; none for `none`
 * @throws {UsageError}
 */
export function parseDetachKeys(text: string): readonly number[] {
  if (text === 'none') return [];
  return text.split(',').map((key) => {
    const control = CONTROL.exec(key)?.[1];
    if (control !== undefined) return controlOf(control);
    if (PLAIN.test(key)) return key.charCodeAt(0);
    throw new UsageError(
      '--detach-keys must be none, or keys separated by commas, each ctrl-x, with a letter or one of @ [ \\ ] ^ _, or a character',
    );
  });
}

/** What a terminal sends for a character that is typed with Ctrl. */
export function controlOf(character: string): number {
  return character.toUpperCase().charCodeAt(0) & 0x1f;
}

/** As a person reads them: `Ctrl-P Ctrl-Q`. */
export function keyNames(keys: readonly number[]): string {
  return keys
    .map((key) => (key < 0x20 ? `Ctrl-${String.fromCharCode(key | 0x40)}` : String.fromCharCode(key)))
    .join(' ');
}
