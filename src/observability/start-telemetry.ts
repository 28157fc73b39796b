import { ConfigError } from '../config/config-error.js';
import { type OtelEnvironment, type Signal, SIGNALS } from './signals.js';
import { type Telemetry } from './telemetry.js';

/** Starts what is wished for. Without a wish nothing of OpenTelemetry is loaded. @throws {ConfigError} */
export async function startTelemetry(page: boolean, env: OtelEnvironment): Promise<Telemetry | undefined> {
  const wishes = { page, sent: sentSignals(env) };
  if (!page && wishes.sent.size === 0) return undefined;
  const { Telemetry } = await import('./telemetry.js');
  return new Telemetry(wishes, env);
}

/**
 * What is sent: each signal that has somewhere to be sent to, and is not switched off.
 * @throws {ConfigError} for an address that is none: the exporter would take another one
 */
export function sentSignals(env: OtelEnvironment): ReadonlySet<Signal> {
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return new Set();
  const problems = ['OTEL_EXPORTER_OTLP_ENDPOINT', ...SIGNALS.map(endpointName)].flatMap((name) => {
    const url = env[name] ?? '';
    return url === '' || isWebAddress(url) ? [] : [`${name} must be a URL, as http://127.0.0.1:4318`];
  });
  if (problems.length > 0) throw new ConfigError(problems);
  const isSet = (name: string): boolean => (env[name] ?? '') !== '';
  return new Set(
    SIGNALS.filter(
      (signal) =>
        (isSet('OTEL_EXPORTER_OTLP_ENDPOINT') || isSet(endpointName(signal))) &&
        env[`OTEL_${signal.toUpperCase()}_EXPORTER`] !== 'none',
    ),
  );
}

function endpointName(signal: Signal): string {
  return `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_ENDPOINT`;
}

function isWebAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
