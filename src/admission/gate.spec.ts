import { ForbiddenException } from '@nestjs/common';
import { type IncomingMessage } from 'node:http';
import { useFakeLogger } from '../../test/fakes/fake-logger.js';
import { testConfig } from '../../test/support/test-sessions.js';
import { Gate } from './gate.js';

type Headers = IncomingMessage['headersDistinct'];

describe('the gate', () => {
  const logger = useFakeLogger();

  function refusal(headersDistinct: Headers): string | undefined {
    return new Gate(testConfig()).refusal({ headersDistinct } as IncomingMessage);
  }

  it('says nothing of whom it lets in', () => {
    expect(refusal({ host: ['localhost:3000'] })).toBeUndefined();

    expect(logger().records).toEqual([]);
  });

  it('logs once whom it refuses, and why', () => {
    const reason = refusal({ host: ['localhost:3000'], origin: ['https://evil.example'] });

    expect(logger().records).toEqual([
      {
        level: 'warn',
        context: 'Gate',
        host: 'localhost:3000',
        origin: 'https://evil.example',
        msg: reason,
      },
    ]);
  });

  it('logs a refused request once at the door of REST', () => {
    const answers: unknown[] = [];
    const request = { headersDistinct: {} } as IncomingMessage;

    new Gate(testConfig()).use(request, undefined, (error) => answers.push(error));

    expect(answers).toEqual([expect.any(ForbiddenException)]);
    expect(logger().records).toEqual([expect.objectContaining({ level: 'warn', host: '' })]);
  });

  it('repeats no more of a header than helps', () => {
    refusal({ host: Array<string>(2000).fill('h'.repeat(10)), origin: ['o'.repeat(16_000)] });

    const [{ host, origin } = {}] = logger().records;
    expect(host).toHaveLength(100);
    expect(origin).toHaveLength(100);
  });
});
