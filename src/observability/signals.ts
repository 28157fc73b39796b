/** Variables of OpenTelemetry's own, by name. */
export type OtelEnvironment = Readonly<Record<string, string | undefined>>;

export const SIGNALS = ['metrics', 'logs', 'traces'] as const;
export type Signal = (typeof SIGNALS)[number];

/** What is told to whom. */
export interface TelemetryWishes {
  /** Whether there is a page of metrics, for Prometheus. */
  readonly page: boolean;
  /** What is sent over OTLP. */
  readonly sent: ReadonlySet<Signal>;
}
