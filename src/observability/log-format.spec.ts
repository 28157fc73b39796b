import * as fc from 'fast-check';
import { jsonLines, type LineOutput, prettyLines } from './log-format.js';

class FakeOutput implements LineOutput {
  text = '';
  flushed = 0;

  write(line: string): void {
    this.text += line;
  }

  flushSync(): void {
    this.flushed++;
  }
}

/** What pino hands to its destination. */
function line(record: object): string {
  return `${JSON.stringify({ level: 'info', time: '2026-01-02T03:04:05.000Z', ...record })}\n`;
}

function json(record: object): string {
  const output = new FakeOutput();
  jsonLines(output).write(line(record));
  return output.text;
}

function pretty(record: object, colors = false): string {
  const output = new FakeOutput();
  prettyLines(output, { colors }).write(line(record));
  return output.text;
}

const HOSTILE = '\x1b]0;owned\x07 \x9b31m \x7f \r \u202e \u2028';
const HOSTILE_AS_TEXT = '\\u001b]0;owned\\u0007 \\u009b31m \\u007f \\u000d \\u202e \\u2028';

/** Everything a line may hold without acting on a terminal or on the text around it. */
const HARMLESS = /^[^\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]*$/u;

describe('jsonLines', () => {
  it('writes one object per line', () => {
    expect(json({ sessionId: 's1', msg: 'a\nb' })).toBe(
      '{"level":"info","time":"2026-01-02T03:04:05.000Z","sessionId":"s1","msg":"a\\nb"}\n',
    );
  });

  it('T29 · loses nothing and lets nothing act, whatever a record holds', () => {
    const field = fc.oneof(fc.string({ unit: 'binary' }), fc.constant(HOSTILE));
    fc.assert(
      fc.property(fc.dictionary(field, field), (record) => {
        const text = json({ record });
        expect(text.slice(0, -1)).toMatch(HARMLESS);
        expect((JSON.parse(text) as { record: unknown }).record).toEqual(JSON.parse(JSON.stringify(record)));
      }),
    );
  });

  it('passes a flush on', () => {
    const output = new FakeOutput();
    jsonLines(output).flushSync();
    prettyLines(output, { colors: false }).flushSync();

    expect(output.flushed).toBe(2);
  });
});

describe('prettyLines', () => {
  it('writes the time, the level, who says it, what, and the fields', () => {
    expect(pretty({ context: 'Sessions', msg: 'session ended', sessionId: 's1' })).toMatch(
      /^\[\d\d:\d\d:\d\d\] INFO: Sessions: session ended \{"sessionId":"s1"\}\n$/,
    );
  });

  it('does without a context and without a message', () => {
    expect(pretty({ msg: 'ready' })).toMatch(/INFO: ready\n$/);
    expect(pretty({ sessionId: 's1' })).toMatch(/INFO: +\{"sessionId":"s1"\}\n$/);
    expect(pretty({ context: 5, msg: 'ready' })).toMatch(/INFO: 5: ready\n$/);
  });

  it('shows control characters as text', () => {
    expect(pretty({ msg: HOSTILE })).toContain(`INFO: ${HOSTILE_AS_TEXT}\n`);
    expect(pretty({ context: HOSTILE, msg: '' })).toContain(`INFO: ${HOSTILE_AS_TEXT}: \n`);
  });

  it('T29 · cannot be made to show a line that nobody wrote', () => {
    expect(pretty({ msg: 'a\n[03:04:05] ERROR: forged' })).toContain(
      'INFO: a\\u000a[03:04:05] ERROR: forged\n',
    );
  });

  it('keeps a stack readable, and nothing but its line breaks', () => {
    const text = pretty({
      msg: 'oops',
      err: { type: 'Error', message: 'a', stack: 'Error: a\x1b[2J\n    at b.ts:1:2' },
    });

    expect(text).toMatch(/Error: a\\u001b\[2J\n +at b\.ts:1:2\n/);
  });

  it('T29 · lets nothing act on a terminal, wherever it hides', () => {
    const field = fc.oneof(fc.string({ unit: 'binary' }), fc.constant(HOSTILE));
    fc.assert(
      fc.property(field, fc.dictionary(field, field), fc.array(field), (msg, fields, details) => {
        expect(pretty({ ...fields, msg, fields, details }).replace(/\n/g, '')).toMatch(HARMLESS);
      }),
    );
  });

  it('uses colors when asked to', () => {
    expect(pretty({ msg: 'ready' }, true)).toContain('\x1b[32mINFO\x1b[39m');
  });
});
