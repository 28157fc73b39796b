import { useFakeLogger } from '../../test/fakes/fake-logger.js';
import { SessionError } from '../core/session-error.js';
import { ProtocolError } from '../protocol/protocol-error.js';
import { errorMessage } from './error-message.js';
import { InputRefusal } from './typed-input.js';

describe('an error message', () => {
  const logger = useFakeLogger();
  const about = { sessionId: 's1', requestId: 'r1' };

  it('of a refusal gives its reason and what it is about', () => {
    expect(errorMessage(new SessionError('SESSION_NOT_FOUND', 'session not found'), about)).toEqual({
      type: 'error',
      sessionId: 's1',
      requestId: 'r1',
      reason: 'SESSION_NOT_FOUND',
      error: 'session not found',
    });
    expect(logger().records).toEqual([
      {
        level: 'debug',
        context: 'TerminalError',
        ...about,
        reason: 'SESSION_NOT_FOUND',
        msg: 'session not found',
      },
    ]);
  });

  it('is logged with the session that was meant, which a client that named none is not told', () => {
    const refusal = new SessionError('INPUT_QUEUE_FULL', 'full');
    expect(errorMessage(refusal, { requestId: 'r1' }, 's3')).not.toHaveProperty('sessionId');
    expect(errorMessage(new Error('a bug'), {}, 's3')).not.toHaveProperty('sessionId');
    expect(logger().records).toMatchObject([
      { level: 'debug', sessionId: 's3', requestId: 'r1' },
      { level: 'error', sessionId: 's3' },
    ]);
  });

  it('of refused input says how much had been accepted, also when that is nothing', () => {
    for (const inputOffset of [0, 7]) {
      const refusal = new InputRefusal('BAD_INPUT_OFFSET', 'a hole', inputOffset);
      expect(errorMessage(refusal, { sessionId: 's1' })).toEqual({
        type: 'error',
        sessionId: 's1',
        reason: 'BAD_INPUT_OFFSET',
        error: 'a hole',
        inputOffset,
      });
    }
  });

  it('of a bad message repeats what could be read of it', () => {
    expect(
      errorMessage(new ProtocolError('BAD_JSON', 'invalid message format', { requestId: 'r2' })),
    ).toEqual({
      type: 'error',
      requestId: 'r2',
      reason: 'BAD_JSON',
      error: 'invalid message format',
    });
    expect(logger().records).toEqual([
      {
        level: 'debug',
        context: 'TerminalError',
        requestId: 'r2',
        reason: 'BAD_JSON',
        msg: 'invalid message format',
      },
    ]);
  });

  it('T30 · of a bug tells nothing', () => {
    expect(errorMessage(new Error('/secret/path'), about)).toEqual({
      type: 'error',
      ...about,
      reason: 'INTERNAL',
      error: 'something went wrong in the server',
    });
    expect(logger().records).toEqual([expect.objectContaining({ level: 'error', ...about })]);
  });
});
