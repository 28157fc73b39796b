import { type DestinationStream } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { type LogOutput } from './log-output.js';

/** Where a logger's lines go: {@link LogOutput}, or a fake. */
export type LineOutput = Pick<LogOutput, 'write' | 'flushSync'>;

/** Control characters, and those that reorder or break the text around them: each can forge what a reader sees. */
const UNPRINTABLE = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;
const LINE_BREAK_IN_STACK = /[\n\t]/;

/** One JSON object per line, for programs. */
export function jsonLines(output: LineOutput): DestinationStream & LineOutput {
  return {
    // JSON escapes only what is below U+0020, and the one such character left in a line is the newline at its end.
    write: (line) =>
      output.write(line.replace(UNPRINTABLE, (char) => (char === '\n' ? char : escaped(char)))),
    flushSync: () => output.flushSync(),
  };
}

/** Text for a person at a terminal. Nothing a log line holds can act on that terminal. */
export function prettyLines(
  output: LineOutput,
  { colors }: { colors: boolean },
): DestinationStream & LineOutput {
  const format = prettyFactory({
    colorize: colors,
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss',
    ignore: 'context',
    messageFormat: ({ context, msg = '' }) =>
      context === undefined ? text(msg) : `${text(context)}: ${text(msg)}`,
  });
  return {
    write: (line) => output.write(format(printable(JSON.parse(line)))),
    flushSync: () => output.flushSync(),
  };
}

/** pino-pretty undoes JSON's escapes, so they are made again, as text, before it sees them. */
function printable(value: unknown, key = ''): unknown {
  if (typeof value === 'string') {
    return value.replace(UNPRINTABLE, (char) =>
      key === 'stack' && LINE_BREAK_IN_STACK.test(char) ? char : escaped(char),
    );
  }
  if (Array.isArray(value)) return value.map((item) => printable(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [printable(name), printable(field, name)] as const),
  );
}

function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
