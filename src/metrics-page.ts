import { type NextFunction, type Request, type Response } from 'express';

/** Version 0.0.4 is the text that every Prometheus reads. */
const PROMETHEUS_MEDIA_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** What can be asked for its metrics. */
export interface MetricsSource {
  metricsText(): Promise<string>;
}

/** Shows the metrics to whoever was let in. */
export function serveMetrics(
  path: string,
  source: MetricsSource,
): (request: Request, response: Response, next: NextFunction) => void {
  return (request, response, next) => {
    if (request.path !== path) {
      next();
      return;
    }
    source
      .metricsText()
      .then((text) => response.setHeader('Content-Type', PROMETHEUS_MEDIA_TYPE).end(text))
      .catch(next);
  };
}
