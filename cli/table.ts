import { type SessionInfo } from '../client/trex-client.js';
import { shown } from './shown.js';

const BETWEEN = '  ';

/** Scripts and pictures whose characters take two columns (Unicode UAX #11, without its finer points). */
const WIDE =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60]/u;
const WITHOUT_WIDTH = /\p{M}/u;

/**
 * The sessions as a table, a line each, with a line that says what is what.
 * @param columns how wide the terminal is: longer lines are cut
 */
export function sessionTable(sessions: readonly SessionInfo[], nowMs: number, columns = Infinity): string {
  const rows = [
    ['ID', 'NAME', 'SHELL', 'STATE', 'AGE', 'CWD', 'TITLE'],
    ...sessions.map((session) => [
      session.id,
      session.name,
      session.shellType,
      stateOf(session),
      age(nowMs - Date.parse(session.createdAt)),
      session.cwd,
      session.title ?? '',
    ]),
  ].map((row) => row.map(shown));
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => widthOf(row[column]!))));
  const line = (row: readonly string[]): string =>
    row
      .map((text, column) => text + ' '.repeat(widths[column]! - widthOf(text)))
      .join(BETWEEN)
      .trimEnd();
  return rows.map((row) => `${cut(line(row), columns)}\n`).join('');
}

/** `exited 3`, `exited SIGKILL`; of one that runs, whether it outlives its client. */
function stateOf({ status, exitCode, signal, persistent }: SessionInfo): string {
  if (status === 'exited') return `exited ${signal ?? exitCode ?? ''}`.trimEnd();
  return persistent ? `${status}, stays` : status;
}

/** In the largest unit of which there is one. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (!Number.isFinite(seconds)) return '?';
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += widthOfOne(character);
  return width;
}

function widthOfOne(character: string): number {
  if (WITHOUT_WIDTH.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let kept = '';
  let width = 1;
  for (const character of text) {
    width += widthOfOne(character);
    if (width > columns) break;
    kept += character;
  }
  return `${kept}…`;
}
