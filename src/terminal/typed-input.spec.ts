import { SessionError } from '../core/session-error.js';
import { INPUT_CREDIT_BYTES } from '../protocol/limits.js';
import { TypedInput } from './typed-input.js';

interface Typing {
  readonly input: TypedInput;
  readonly type: (offset: number, text: string) => void;
  readonly typed: () => string;
  readonly news: number[];
}

/** What a client types; `refusal` is what its session says to it. */
function typing(refusal?: Error): Typing {
  const news: number[] = [];
  const written: Uint8Array[] = [];
  const input: TypedInput = new TypedInput(() => news.push(input.takenOffset));
  const write = (bytes: Uint8Array): void => {
    if (refusal) throw refusal;
    written.push(bytes);
  };
  return {
    input,
    type: (offset, text) => input.accept(offset, Buffer.from(text), write),
    typed: () => Buffer.concat(written).toString(),
    news,
  };
}

const refused = (code: string, inputOffset: number): Error =>
  expect.objectContaining({ code, inputOffset }) as Error;

describe('what a client types into a session', () => {
  it('is typed once, whole or in part, however often it is sent', () => {
    const { input, type, typed } = typing();
    type(0, 'abc');
    type(0, 'abc');
    type(1, 'b');
    type(2, 'cde');
    type(5, '');
    expect([typed(), input.acceptedOffset]).toEqual(['abcde', 5]);
  });

  it('may not leave a hole; it goes on where it is told', () => {
    const { input, type, typed } = typing();
    type(0, 'a');
    expect(() => type(2, 'c')).toThrow(refused('BAD_INPUT_OFFSET', 1));
    expect(() => type(3, 'd')).toThrow(refused('BAD_INPUT_OFFSET', 1));
    type(1, 'bcd');
    expect([typed(), input.acceptedOffset]).toEqual(['abcd', 4]);
  });

  it('is not accepted when its session refuses it', () => {
    const refusal = new SessionError('READ_ONLY', 'no');
    const { input, type } = typing(refusal);
    expect(() => type(0, 'abc')).toThrow(refused('READ_ONLY', 0));
    expect(() => type(0, 'abc')).toThrow(expect.objectContaining({ cause: refusal }) as Error);
    expect(input.acceptedOffset).toBe(0);
  });

  it('is not accepted when something breaks, which is nobody’s refusal', () => {
    const bug = new TypeError('a bug');
    const { input, type } = typing(bug);
    expect(() => type(0, 'abc')).toThrow(bug);
    expect(input.acceptedOffset).toBe(0);
  });

  it('is told of as the terminal takes it', () => {
    const { input, type, news } = typing();
    type(0, 'abcdef');
    input.taken(2);
    input.taken(4);
    expect(news).toEqual([2, 6]);
  });

  it('has a credit, of which what the terminal has taken is free again', () => {
    const { input, type } = typing();
    const most = 'x'.repeat(INPUT_CREDIT_BYTES);
    type(0, most);
    expect(() => type(INPUT_CREDIT_BYTES, 'yz')).toThrow(refused('INPUT_QUEUE_FULL', INPUT_CREDIT_BYTES));
    input.taken(1);
    expect(() => type(INPUT_CREDIT_BYTES, 'yz')).toThrow(refused('INPUT_QUEUE_FULL', INPUT_CREDIT_BYTES));
    type(INPUT_CREDIT_BYTES, 'y');
    expect(input.acceptedOffset).toBe(INPUT_CREDIT_BYTES + 1);
  });

  it('is kept apart from the buffer that it came in', () => {
    const input = new TypedInput(() => undefined);
    const frame = Buffer.from('abc');
    let kept: Uint8Array | undefined;
    input.accept(0, frame, (fresh) => (kept = fresh));
    frame.fill(0);
    expect(kept).toEqual(Uint8Array.from(Buffer.from('abc')));
  });
});
