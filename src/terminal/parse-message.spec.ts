import { IsString, validateSync } from 'class-validator';
import fc from 'fast-check';
import { type ProtocolErrorCode } from '../protocol/protocol-error.js';
import { AddressedDto } from './messages.dto.js';
import { parseMessage } from './parse-message.js';
import { PROTOCOLS } from './subprotocol.js';

const parse = (message: unknown): unknown => parseMessage(Buffer.from(JSON.stringify(message)));
const refusal = (code: ProtocolErrorCode, about: object = expect.anything() as object): Error =>
  expect.objectContaining({ name: 'ProtocolError', code, about }) as Error;

describe('a message', () => {
  it.each([
    [{ type: 'create' }, { type: 'create' }],
    [
      { type: 'create', cols: 100, rows: 30, cwd: '/tmp', shell: 'zsh', requestId: 'r1' },
      { type: 'create', size: { columns: 100, rows: 30 }, cwd: '/tmp', shell: 'zsh', requestId: 'r1' },
    ],
    [
      { type: 'input', sessionId: 's1', data: 'é' },
      { type: 'input', sessionId: 's1', bytes: Buffer.from([0xc3, 0xa9]) },
    ],
    [
      { type: 'input', data: '' },
      { type: 'input', bytes: Buffer.alloc(0) },
    ],
    [
      { type: 'resize', sessionId: 's1', cols: 1, rows: 500 },
      { type: 'resize', sessionId: 's1', size: { columns: 1, rows: 500 } },
    ],
    [
      { type: 'close', sessionId: 's1' },
      { type: 'close', sessionId: 's1' },
    ],
    [
      { type: 'detach', sessionId: 's1' },
      { type: 'detach', sessionId: 's1' },
    ],
    [{ type: 'watch' }, { type: 'watch' }],
    [
      { type: 'watch', requestId: 'w', sessions: [] },
      { type: 'watch', requestId: 'w' },
    ],
    [{ type: 'tmux_config', interval: 2000 }, { type: 'tmux_config' }],
    [
      { type: 'list_tmux_sessions', requestId: 'x' },
      { type: 'list_tmux_sessions', requestId: 'x' },
    ],
    [
      { type: 'close', colour: 'blue', sessionId: 's1' },
      { type: 'close', sessionId: 's1' },
    ],
  ])('%j is read', (message, expected) => {
    expect(parse(message)).toEqual(expected);
  });

  it.each<[string, ProtocolErrorCode]>([
    ['', 'BAD_JSON'],
    ['{', 'BAD_JSON'],
    ['\0', 'BAD_JSON'],
    ['[]', 'BAD_MESSAGE'],
    ['null', 'BAD_MESSAGE'],
    ['5', 'BAD_MESSAGE'],
    ['"create"', 'BAD_MESSAGE'],
    ['['.repeat(32_000) + ']'.repeat(32_000), 'BAD_MESSAGE'],
    ['{}', 'UNKNOWN_TYPE'],
    ['{"type":"__proto__"}', 'UNKNOWN_TYPE'],
    ['{"type":"constructor"}', 'UNKNOWN_TYPE'],
    ['{"type":["create"]}', 'UNKNOWN_TYPE'],
    ['{"type":"Create"}', 'UNKNOWN_TYPE'],
  ])('T33 · %.20s is refused', (text, code) => {
    expect(() => parseMessage(Buffer.from(text))).toThrow(refusal(code));
  });

  it.each<[object, ProtocolErrorCode]>([
    [{ type: 'create', cols: 80 }, 'INVALID_SIZE'],
    [{ type: 'create', rows: 24 }, 'INVALID_SIZE'],
    [{ type: 'create', cols: null, rows: null }, 'INVALID_SIZE'],
    [{ type: 'create', cwd: 5 }, 'INVALID_CWD'],
    [{ type: 'create', cwd: '/'.repeat(5000) }, 'INVALID_CWD'],
    [{ type: 'create', shell: ['bash'] }, 'INVALID_SHELL'],
    [{ type: 'create', requestId: 5 }, 'BAD_MESSAGE'],
    [{ type: 'input', sessionId: 's1' }, 'BAD_MESSAGE'],
    [{ type: 'input', sessionId: 's1', data: 5 }, 'BAD_MESSAGE'],
    [{ type: 'input', sessionId: 5, data: 'x' }, 'BAD_MESSAGE'],
    [{ type: 'input', sessionId: '', data: 'x' }, 'BAD_MESSAGE'],
    [{ type: 'input', requestId: '', data: 'x' }, 'BAD_MESSAGE'],
    [{ type: 'close', sessionId: {} }, 'BAD_MESSAGE'],
    [{ type: 'close', sessionId: 'x'.repeat(129) }, 'BAD_MESSAGE'],
    [{ type: 'watch', requestId: '' }, 'BAD_MESSAGE'],
    [{ type: 'tmux_config', requestId: [] }, 'BAD_MESSAGE'],
  ])('%j is refused', (message, code) => {
    expect(() => parse(message)).toThrow(refusal(code));
  });

  it.each([0, -1, null, '80', 80.5, 1001, 65_536, 70_000, 2 ** 32 + 5, {}, [80], undefined])(
    'T22 · has no size of %p',
    (cells) => {
      const resize = { type: 'resize', sessionId: 's1', cols: cells, rows: 24, requestId: 'r' };
      expect(() => parse(resize)).toThrow(refusal('INVALID_SIZE', { sessionId: 's1', requestId: 'r' }));
      expect(() => parse({ ...resize, cols: 80, rows: cells })).toThrow(refusal('INVALID_SIZE'));
    },
  );

  it('is told apart in errors by what could be read of it', () => {
    expect(() => parse({ type: 'input', sessionId: 's1', requestId: 'r' })).toThrow(
      refusal('BAD_MESSAGE', { sessionId: 's1', requestId: 'r' }),
    );
    expect(() => parse({ type: 'what', sessionId: 's1', requestId: 'r' })).toThrow(
      refusal('UNKNOWN_TYPE', { requestId: 'r' }),
    );
    expect(() => parse({ type: 'create', sessionId: 's1', requestId: 'r', cwd: 1 })).toThrow(
      refusal('INVALID_CWD', { requestId: 'r' }),
    );
  });

  it('T33 · changes no prototype', () => {
    parseMessage(Buffer.from('{"type":"create","__proto__":{"cwd":"/x","polluted":1}}'));
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(parseMessage(Buffer.from('{"type":"create","__proto__":{"cwd":"/x"}}'))).toEqual({
      type: 'create',
    });
  });

  it('of any kind is read or refused, and nothing else', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(bytes, fc.constantFrom(...PROTOCOLS), (frame, protocol) => {
        try {
          parseMessage(Buffer.from(frame), protocol);
        } catch (error) {
          expect(error).toMatchObject({ name: 'ProtocolError' });
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('hello', () => {
  const parseHello = (fields: object): unknown =>
    parseMessage(Buffer.from(JSON.stringify({ type: 'hello', requestId: 'h', ...fields })), 'trex.v2');
  const many = (count: number): object[] =>
    Array.from({ length: count }, (_, n) => ({ sessionId: `s${n + 1}` }));

  it.each([
    [{}, {}],
    [{ resumeToken: 'x' }, { resumeToken: 'x' }],
    [
      { resumeToken: 'x'.repeat(128), sessions: [] },
      { resumeToken: 'x'.repeat(128), sessions: [] },
    ],
    [
      { sessions: [{ sessionId: 's1' }, { sessionId: 's2', from: 0, readOnly: true, colour: 'blue' }] },
      { sessions: [{ sessionId: 's1' }, { sessionId: 's2', from: 0, readOnly: true }] },
    ],
    [
      { sessions: [{ sessionId: 's1', from: Number.MAX_SAFE_INTEGER }] },
      { sessions: [{ sessionId: 's1', from: Number.MAX_SAFE_INTEGER }] },
    ],
    [{ sessions: many(1024) }, { sessions: many(1024) }],
  ])('with %.80j is read', (fields, expected) => {
    expect(parseHello(fields)).toEqual({ type: 'hello', requestId: 'h', ...expected });
  });

  it.each<[string, object]>([
    ['an empty token', { resumeToken: '' }],
    ['a token that is too long', { resumeToken: 'x'.repeat(129) }],
    ['a token that is no text', { resumeToken: 5 }],
    ['no token but null', { resumeToken: null }],
    ['no list of sessions', { sessions: { sessionId: 's1' } }],
    ['null for sessions', { sessions: null }],
    ['a session that is null', { sessions: [null] }],
    ['a session that is text', { sessions: ['s1'] }],
    ['a session that is a list', { sessions: [[]] }],
    ['a session without an id', { sessions: [{}] }],
    ['an empty id', { sessions: [{ sessionId: '' }] }],
    ['an id that is too long', { sessions: [{ sessionId: 'x'.repeat(129) }] }],
    ['one session twice', { sessions: [{ sessionId: 's1' }, { sessionId: 's1', from: 5 }] }],
    ['1025 sessions', { sessions: many(1025) }],
    ['a wish that is no claim', { sessions: [{ sessionId: 's1', readOnly: 'yes' }] }],
  ])('with %s is refused, whole', (_what, fields) => {
    expect(() => parseHello(fields)).toThrow(
      refusal('BAD_MESSAGE', expect.objectContaining({ requestId: 'h' }) as object),
    );
  });

  it.each([0.5, -1, 2 ** 53, null, '0', [0]])('from %p is refused, and says of which session', (from) => {
    expect(() => parseHello({ sessions: [{ sessionId: 's1' }, { sessionId: 's2', from }] })).toThrow(
      refusal('BAD_OFFSET', { sessionId: 's2', requestId: 'h' }),
    );
  });

  it('is no message of the default protocol', () => {
    expect(() => parse({ type: 'hello', requestId: 'h' })).toThrow(refusal('UNKNOWN_TYPE'));
  });
});

describe('a session that is to stay', () => {
  it('is asked for with a claim, in both protocols', () => {
    for (const persistent of [true, false]) {
      for (const protocol of PROTOCOLS) {
        const create = Buffer.from(JSON.stringify({ type: 'create', persistent }));
        expect(parseMessage(create, protocol)).toEqual({ type: 'create', persistent });
      }
    }
  });

  it.each(['true', 1, null, {}])('is not asked for with %p', (persistent) => {
    expect(() => parse({ type: 'create', persistent, requestId: 'r' })).toThrow(
      refusal('BAD_MESSAGE', { requestId: 'r' }),
    );
  });
});

describe('input, checked by hand', () => {
  class InputDto extends AddressedDto {
    @IsString()
    data!: string;
  }

  it('has the rules that class-validator reads off its class', () => {
    const id = fc.oneof(
      fc.string({ maxLength: 140 }),
      fc.string({ minLength: 127, maxLength: 130 }),
      fc.jsonValue(),
    );
    const fields = fc.record(
      { data: fc.oneof(fc.string(), fc.jsonValue()), sessionId: id, requestId: id },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fields, (message) => {
        const isValid = validateSync(Object.assign(new InputDto(), message)).length === 0;
        const read = (): unknown => parse({ type: 'input', ...message });
        if (isValid) expect(read()).toMatchObject({ bytes: Buffer.from(message.data as string) });
        else expect(read).toThrow(refusal('BAD_MESSAGE'));
      }),
      { numRuns: 2000 },
    );
  });
});
