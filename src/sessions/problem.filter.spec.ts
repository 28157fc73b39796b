import { type ArgumentsHost, ForbiddenException, NotFoundException } from '@nestjs/common';
import { useFakeLogger } from '../../test/fakes/fake-logger.js';
import { SessionError, type SessionErrorCode } from '../core/session-error.js';
import { ProblemFilter } from './problem.filter.js';

/** As much of a response as the filter uses. */
class FakeResponse {
  headersSent = false;
  destroyed = false;
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;

  writeHead(status: number, headers: Record<string, string>): this {
    this.status = status;
    this.headers = headers;
    return this;
  }

  end(body: string): void {
    this.body = JSON.parse(body);
  }

  destroy(): void {
    this.destroyed = true;
  }
}

function answerTo(error: unknown, response = new FakeResponse(), request: object = {}): FakeResponse {
  const http = { getRequest: () => request, getResponse: () => response };
  const host = { switchToHttp: () => http } as unknown as ArgumentsHost;
  new ProblemFilter().catch(error, host);
  return response;
}

describe('errors over HTTP', () => {
  const logger = useFakeLogger();

  it.each<[SessionErrorCode, number]>([
    ['INVALID_SIZE', 400],
    ['INVALID_SHELL', 400],
    ['INVALID_CWD', 400],
    ['SESSION_NOT_FOUND', 404],
    ['SESSION_ENDED', 409],
    ['SESSION_LIMIT', 503],
    ['INPUT_QUEUE_FULL', 503],
    ['SPAWN_FAILED', 503],
    ['CLOSE_TIMEOUT', 504],
  ])('%s is %i', (code, status) => {
    const response = answerTo(new SessionError(code, 'a sentence'));
    expect(response.status).toBe(status);
    expect(response.headers).toEqual({ 'Content-Type': 'application/problem+json' });
    expect(response.body).toMatchObject({ type: 'about:blank', status, code, detail: 'a sentence' });
    expect(logger().records).toEqual([
      { level: 'debug', context: 'ProblemFilter', reason: code, msg: 'a sentence' },
    ]);
  });

  it.each([
    [new NotFoundException('Cannot GET /x'), 'Not Found', 'NOT_FOUND'],
    [new ForbiddenException('no'), 'Forbidden', 'FORBIDDEN'],
  ])('%s keeps its status', (error, title, code) => {
    expect(answerTo(error).body).toMatchObject({ title, code, detail: error.message });
  });

  it('T30 · a bug is 500, without detail', () => {
    const response = answerTo(new Error('/secret/path'));
    expect(response.body).toEqual({
      type: 'about:blank',
      title: 'Internal Server Error',
      status: 500,
      detail: 'something went wrong in the server',
      code: 'INTERNAL',
    });
    expect(logger().records).toEqual([expect.objectContaining({ level: 'error' })]);
  });

  it.each([
    ['a refusal', new SessionError('SESSION_NOT_FOUND', 'session not found'), 'debug'],
    ['a bug', new Error('oops'), 'error'],
  ])(
    '%s is logged with the session it is about, and with nothing else that its path says',
    (_what, error, level) => {
      answerTo(error, new FakeResponse(), { params: { id: 's17' } });
      answerTo(error, new FakeResponse(), { params: { id: 'a-secret' } });
      expect(logger().records).toEqual([
        expect.objectContaining({ level, sessionId: 's17' }),
        expect.objectContaining({ level, sessionId: undefined }),
      ]);
    },
  );

  it('a status without a name still has a title', () => {
    expect(
      answerTo(Object.assign(new ForbiddenException('odd'), { getStatus: () => 499 })).body,
    ).toMatchObject({
      title: 'Error',
      code: 'ERROR',
    });
  });

  it('an answer that has begun is cut off: its reader must not take it for whole', () => {
    const response = new FakeResponse();
    response.headersSent = true;
    expect(answerTo(new Error('late'), response).destroyed).toBe(true);
    expect(response.status).toBeUndefined();
  });
});
