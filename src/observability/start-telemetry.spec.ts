import { ConfigError } from '../config/config-error.js';
import { sentSignals, startTelemetry } from './start-telemetry.js';

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };

describe('what is sent over OTLP', () => {
  it.each([
    ['nothing, when nothing is said', {}, []],
    ['nothing, when nothing is said in many words', { OTEL_EXPORTER_OTLP_ENDPOINT: '' }, []],
    ['everything that has somewhere to go', endpoint, ['metrics', 'logs', 'traces']],
    ['one signal', { OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'https://logs.example/v1/logs' }, ['logs']],
    ['all but what is switched off', { ...endpoint, OTEL_TRACES_EXPORTER: 'none' }, ['metrics', 'logs']],
    ['nothing, when all of it is switched off', { ...endpoint, OTEL_SDK_DISABLED: 'true' }, []],
  ])('is %s', (_what, env, signals) => {
    expect([...sentSignals(env)]).toEqual(signals);
  });

  it.each(['127.0.0.1:4318', 'grpc://127.0.0.1:4317', 'nonsense'])('cannot be sent to %s', (url) => {
    expect(() => sentSignals({ OTEL_EXPORTER_OTLP_ENDPOINT: url })).toThrow(ConfigError);
  });

  it('is nothing that has to be started, when nobody wants any of it', async () => {
    expect(await startTelemetry(false, {})).toBeUndefined();
    const telemetry = await startTelemetry(true, {});
    expect([telemetry?.hasPage, telemetry?.record]).toEqual([true, undefined]);
    await telemetry?.stop();
  });
});
