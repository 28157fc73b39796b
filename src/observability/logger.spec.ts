import { Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { LOG_LEVELS, type LogLevel } from '../config/app-config.js';
import { PinoLogger } from './logger.js';

class FakeDestination {
  readonly lines: string[] = [];
  flushed = 0;

  write(line: string): void {
    this.lines.push(line);
  }

  flushSync(): void {
    this.flushed++;
  }

  get records(): Record<string, unknown>[] {
    return this.lines.map((line) => {
      const { time, ...record } = JSON.parse(line) as Record<string, unknown>;
      expect(time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
      return record;
    });
  }
}

function loggerAt(level: LogLevel): { logger: PinoLogger; destination: FakeDestination } {
  const destination = new FakeDestination();
  return { logger: PinoLogger.writingTo(destination, level), destination };
}

/** Writes one line at each of Nest's levels. */
function writeAll(logger: PinoLogger): void {
  for (const method of ['verbose', 'debug', 'log', 'warn', 'error', 'fatal'] as const) logger[method](method);
}

describe('PinoLogger', () => {
  it("writes Nest's levels as pino's", () => {
    const { logger, destination } = loggerAt('trace');

    writeAll(logger);

    expect(destination.records).toEqual([
      { level: 'trace', msg: 'verbose' },
      { level: 'debug', msg: 'debug' },
      { level: 'info', msg: 'log' },
      { level: 'warn', msg: 'warn' },
      { level: 'error', msg: 'error' },
      { level: 'fatal', msg: 'fatal' },
    ]);
  });

  it.each(LOG_LEVELS.map((level, index) => [level, level === 'silent' ? 0 : 6 - index] as const))(
    'at %s writes %i of six levels',
    (level, count) => {
      const { logger, destination } = loggerAt(level);

      writeAll(logger);

      expect(destination.lines).toHaveLength(count);
    },
  );

  it('writes structured records as they are', () => {
    const { logger, destination } = loggerAt('info');

    logger.log({ sessionId: 's1', msg: 'session ended' });
    logger.warn({ sessionId: 's1', msg: '100% %s %d' }, 'Sessions');

    expect(destination.records).toEqual([
      { level: 'info', sessionId: 's1', msg: 'session ended' },
      { level: 'warn', context: 'Sessions', sessionId: 's1', msg: '100% %s %d' },
    ]);
  });

  it('adds its own fields to every line of a logger made with them', () => {
    const { logger, destination } = loggerAt('info');

    logger.with({ sessionId: 's1' }).with({ viewer: 2 }).log('attached');

    expect(destination.records).toEqual([{ level: 'info', sessionId: 's1', viewer: 2, msg: 'attached' }]);
  });

  it('keeps an error with its stack and cause', () => {
    const { logger, destination } = loggerAt('info');

    logger.error(new Error('outer', { cause: new Error('inner') }), undefined, 'Sessions');

    expect(destination.records).toEqual([
      {
        level: 'error',
        context: 'Sessions',
        msg: 'outer',
        err: expect.objectContaining({
          message: expect.stringContaining('outer') as string,
          stack: expect.stringMatching(/Error: outer\n\s+at [^]*Error: inner/) as string,
        }) as object,
      },
    ]);
  });

  it('tells a stack from the name of who says it', () => {
    const { logger, destination } = loggerAt('info');
    const stack = 'Error: oops\n    at main.ts:1:2';

    logger.error('oops', stack, 'Sessions');
    logger.error('oops', stack);

    const err = { type: 'Error', message: 'oops', stack };
    expect(destination.records).toEqual([
      { level: 'error', context: 'Sessions', err, msg: 'oops' },
      { level: 'error', err, msg: 'oops' },
    ]);
  });

  it('loses no argument', () => {
    const { logger, destination } = loggerAt('info');

    logger.warn('late', 'by', 5, { sessionId: 's1' }, ['x'], null, 'Sessions');
    logger.warn('failed', new Error('why'));

    expect(destination.records).toEqual([
      {
        level: 'warn',
        context: 'Sessions',
        sessionId: 's1',
        msg: 'late',
        details: ['by', 5, ['x'], null],
      },
      { level: 'warn', msg: 'failed', err: expect.objectContaining({ message: 'why' }) as object },
    ]);
  });

  it.each([
    [undefined, 'undefined'],
    [null, 'null'],
    [5, '5'],
    [['a', 'b'], 'a,b'],
    [Symbol('x'), 'Symbol(x)'],
  ])('takes %p for a message', (message, msg) => {
    const { logger, destination } = loggerAt('info');

    logger.log(message);

    expect(destination.records).toEqual([{ level: 'info', msg }]);
  });

  it('survives what JSON cannot hold', () => {
    const { logger, destination } = loggerAt('info');
    const circular: Record<string, unknown> = { size: 5n };
    circular.self = circular;

    logger.log({ msg: 'odd', circular });

    expect(destination.records).toMatchObject([{ level: 'info', msg: 'odd' }]);
  });

  it('flushes after a fatal line', () => {
    const { logger, destination } = loggerAt('info');

    logger.fatal('no way on');

    expect(destination.flushed).toBe(1);
  });
});

describe("Nest's start-up", () => {
  @Module({})
  class EmptyModule {}

  async function startNest(logger: PinoLogger): Promise<void> {
    const app = await NestFactory.createApplicationContext(EmptyModule, { logger });
    new Logger('Server').log('listening');
    await app.close();
  }

  it('is silent at info, where a person sees only what matters', async () => {
    const { logger, destination } = loggerAt('info');

    await startNest(logger);

    expect(destination.records).toEqual([{ level: 'info', context: 'Server', msg: 'listening' }]);
  });

  it('is told at debug', async () => {
    const { logger, destination } = loggerAt('debug');

    await startNest(logger);

    expect(destination.records).toContainEqual({
      level: 'debug',
      context: 'InstanceLoader',
      msg: 'EmptyModule dependencies initialized',
    });
  });

  it.each([
    ['RoutesResolver', 'SessionsController {/api/sessions}:'],
    ['RouterExplorer', 'Mapped {/api/sessions, GET} route'],
    ['WebSocketsController', 'TerminalGateway subscribed to the "input" message'],
    ['NestApplication', 'Nest application successfully started'],
  ])('keeps quiet about %s unless it warns', (context, message) => {
    const { logger, destination } = loggerAt('info');

    logger.log(message, context);
    logger.warn(message, context);

    expect(destination.records).toEqual([{ level: 'warn', context, msg: message }]);
  });

  it('leaves it to whoever called the application to tell what that throws', () => {
    const { logger, destination } = loggerAt('info');

    logger.error('Error: listen EADDRINUSE', undefined, 'NestApplication');
    logger.error(new Error('oops'), undefined, 'Sessions');

    expect(destination.records).toEqual([expect.objectContaining({ context: 'Sessions', msg: 'oops' })]);
  });
});
