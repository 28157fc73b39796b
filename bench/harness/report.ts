import { type Measure, type Row } from './measure.js';
import { type Figures } from './figures.js';
import { quantile } from './statistics.js';

/** Ratios of fewer pairs than this move by more than what they are to show. */
const ENOUGH = 15;

/** A table, as Markdown, of what all repetitions of a measure have found. */
export function report({ name, about, rows }: Measure, found: readonly Figures[]): string {
  const cells = [
    ['figure', 'median', 'middle half', 'n', 'target', ''],
    ...rows
      .filter(({ figure, goal }) => goal ?? found.some((figures) => figure in figures))
      .map((row) => cellsOf(row, found)),
  ];
  const widths =
    cells[0]?.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0))) ?? [];
  const lines = cells.map(
    (line) => `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`,
  );
  lines.splice(1, 0, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`);
  return [`\n## ${name}\n`, `${about}\n`, ...lines].join('\n');
}

/** Whether every repetition has reached every goal. */
export function reachesAll({ rows }: Measure, found: readonly Figures[]): boolean {
  return rows.every((row) => found.every((figures) => reaches(row, figures[row.figure] ?? NaN)));
}

function cellsOf(row: Row, found: readonly Figures[]): string[] {
  const values = found.map((figures) => figures[row.figure]).filter((value) => value !== undefined);
  if (values.length === 0) return [row.figure, '–', '', '0', goalText(row), 'not measured'];
  const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => quantile(values, share)) as [
    number,
    number,
    number,
  ];
  return [
    row.figure,
    rounded(middle),
    `${rounded(low)} – ${rounded(high)}`,
    String(values.length),
    goalText(row),
    verdict(row, middle, values.length),
  ];
}

function verdict(row: Row, value: number, count: number): string {
  if (!row.goal) return '';
  return `${reaches(row, value) ? 'reached' : 'falls short'}${count < ENOUGH ? ' (few)' : ''}`;
}

function reaches({ goal }: Row, value: number): boolean {
  if (!goal) return true;
  return 'atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost;
}

function goalText({ goal }: Row): string {
  if (!goal) return '';
  return 'atLeast' in goal ? `≥ ${goal.atLeast}` : `≤ ${goal.atMost}`;
}

function rounded(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits);
}
