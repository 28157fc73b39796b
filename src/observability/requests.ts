import {
  type Attributes,
  type Histogram,
  type Meter,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  type Tracer,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { type ActiveSpan } from './active-span.js';

/** What there are spans and times of. */
const API = '/api/';

/** Others are whatever somebody made up. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** OpenTelemetry's boundaries for this metric. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

const propagator = new W3CTraceContextPropagator();
const headersGetter: TextMapGetter<IncomingHttpHeaders> = {
  keys: (headers) => Object.keys(headers),
  get: (headers, name) => headers[name],
};

/** What express adds to a request once it knows whose it is. */
interface Routed {
  readonly route?: { readonly path?: unknown };
  readonly params?: Readonly<Record<string, string | undefined>>;
}

/** A span and a time of each REST call: by its route, never by what the client wrote into it. */
export class Requests {
  private readonly duration?: Histogram;

  constructor(
    private readonly active: ActiveSpan,
    private readonly tracer?: Tracer,
    meter?: Meter,
  ) {
    this.duration = meter?.createHistogram('http.server.request.duration', {
      unit: 's',
      description: 'From when a REST call’s head has come until it is answered.',
      advice: { explicitBucketBoundaries: SECONDS },
    });
  }

  use(request: IncomingMessage & Routed, response: ServerResponse, next: () => void): void {
    if (!request.url?.startsWith(API)) {
      next();
      return;
    }
    const method = METHODS.includes(request.method ?? '') ? request.method! : '_OTHER';
    const beganAt = performance.now();
    const span = this.tracer?.startSpan(
      nameOf(method),
      { kind: SpanKind.SERVER },
      propagator.extract(ROOT_CONTEXT, request.headers, headersGetter),
    );
    response.once('close', () => {
      const attributes = {
        'http.request.method': method,
        'url.scheme': 'http',
        ...routeOf(request),
        ...outcomeOf(response),
      };
      this.duration?.record((performance.now() - beganAt) / 1000, attributes);
      if (span) end(span, attributes, request, response);
    });
    if (span) this.active.during(span, next);
    else next();
  }
}

function end(span: Span, attributes: Attributes, { params }: Routed, { statusCode }: ServerResponse): void {
  span.setAttributes(attributes);
  const { 'http.request.method': method, 'http.route': route } = attributes;
  if (typeof route === 'string') span.updateName(`${nameOf(String(method))} ${route}`);
  const sessionId = params?.id;
  if (sessionId !== undefined && /^s\d{1,16}$/.test(sessionId)) span.setAttribute('session.id', sessionId);
  if (statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

/** The convention has no name for methods that somebody made up. */
function nameOf(method: string): string {
  return method === '_OTHER' ? 'HTTP' : method;
}

function routeOf({ route }: Routed): Attributes {
  return typeof route?.path === 'string' ? { 'http.route': route.path } : {};
}

/** A client that has not waited for the answer has got none. An error is the server's: what a client does wrong is none. */
function outcomeOf({ writableFinished, statusCode }: ServerResponse): Attributes {
  if (!writableFinished) return { 'error.type': 'aborted' };
  return {
    'http.response.status_code': statusCode,
    ...(statusCode >= 500 && { 'error.type': String(statusCode) }),
  };
}
