import { FakeLogger } from '../../test/fakes/fake-logger.js';
import { failureLog } from './telemetry-failures.js';

describe('telemetry that cannot be sent', () => {
  it('is told of once a minute for each signal, in few words', () => {
    const logger = new FakeLogger();
    let nowMs = 0;
    const failed = failureLog(logger, () => nowMs);
    failed('logs', new Error('x'.repeat(1000)));
    failed('logs', new Error('again'));
    failed('traces', undefined);
    nowMs = 60_000;
    failed('logs', new Error('still'));
    const about = { level: 'warn', context: 'Telemetry', msg: 'telemetry could not be sent' };
    expect(logger.records).toEqual([
      { ...about, telemetrySignal: 'logs', failure: 'x'.repeat(200) },
      { ...about, telemetrySignal: 'traces', failure: undefined },
      { ...about, telemetrySignal: 'logs', failure: 'still' },
    ]);
  });
});
