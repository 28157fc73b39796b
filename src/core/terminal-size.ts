import { SessionError } from './session-error.js';

/** A terminal's size in character cells. One that exists is valid: make it with {@link terminalSize}. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

export const MAX_COLUMNS = 1000;
export const MAX_ROWS = 500;

/** What a terminal has until a client says otherwise: the VT100's size. */
export const DEFAULT_SIZE: TerminalSize = { columns: 80, rows: 24 };

/**
 * The only way a size is made. The kernel takes the low 16 bits of anything (65536 becomes 0, -1 becomes 65535),
 * so nothing else may reach it.
 * @throws {SessionError} `INVALID_SIZE` unless both are whole numbers in 1…1000 × 1…500.
 */
export function terminalSize(columns: unknown, rows: unknown): TerminalSize {
  if (!isCellCount(columns, MAX_COLUMNS) || !isCellCount(rows, MAX_ROWS)) {
    throw new SessionError(
      'INVALID_SIZE',
      `cols must be a whole number from 1 to ${MAX_COLUMNS} and rows from 1 to ${MAX_ROWS}`,
    );
  }
  return { columns, rows };
}

function isCellCount(value: unknown, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max;
}
