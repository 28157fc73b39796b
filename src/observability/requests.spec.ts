import {
  InMemorySpanExporter,
  BasicTracerProvider,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { EventEmitter } from 'node:events';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { ActiveSpan } from './active-span.js';
import { Requests } from './requests.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';

describe('the span of a REST call', () => {
  const exporter = new InMemorySpanExporter();
  const tracer = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).getTracer(
    'test',
  );
  beforeEach(() => exporter.reset());

  interface Call {
    readonly method?: string;
    readonly url?: string;
    readonly headers?: Record<string, string>;
    readonly route?: { readonly path: string };
    readonly params?: Record<string, string>;
  }

  function call(
    { method = 'GET', url = '/api/sessions', headers = {}, ...routed }: Call,
    status = 200,
  ): string[] {
    const active = new ActiveSpan();
    const response = Object.assign(new EventEmitter(), { statusCode: status, writableFinished: true });
    const request = { method, url, headers, ...routed } as unknown as IncomingMessage;
    const inside: string[] = [];
    new Requests(active, tracer).use(request, response as unknown as ServerResponse, () => {
      inside.push(active.fields().trace_id ?? 'none');
    });
    response.emit('close');
    return inside;
  }

  it('is named by method and route, and knows its session', () => {
    const route = { path: '/api/sessions/:id' };
    call({ method: 'DELETE', url: '/api/sessions/s1', route, params: { id: 's1' } }, 504);
    const [span] = exporter.getFinishedSpans();
    expect(span).toMatchObject({ name: 'DELETE /api/sessions/:id', status: { code: 2 } });
    expect(span?.attributes).toEqual({
      'http.request.method': 'DELETE',
      'url.scheme': 'http',
      'http.route': '/api/sessions/:id',
      'http.response.status_code': 504,
      'error.type': '504',
      'session.id': 's1',
    });
  });

  it('goes on with the trace of whoever calls, as what happens inside it does', () => {
    const inside = call({ headers: { traceparent: `00-${TRACE}-b7ad6b7169203331-01` } });
    const [span] = exporter.getFinishedSpans();
    expect(span?.spanContext().traceId).toBe(TRACE);
    expect(span?.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
    expect(inside).toEqual([TRACE]);
  });

  it('begins a trace of its own where what it is told makes no sense', () => {
    call({ headers: { traceparent: 'nonsense' } });
    expect(exporter.getFinishedSpans()[0]?.parentSpanContext).toBeUndefined();
  });

  it('T29 · repeats nothing of what the client wrote', () => {
    const params = { id: 'canary' };
    call(
      { method: 'CANARY', url: '/api/canary?token=canary', route: { path: '/api/sessions/:id' }, params },
      404,
    );
    const [span] = exporter.getFinishedSpans();
    expect(span?.name).toBe('HTTP /api/sessions/:id');
    expect(JSON.stringify(span?.attributes)).not.toMatch(/canary/i);
  });

  it('is of the API’s calls only', () => {
    expect(call({ url: '/metrics' })).toEqual(['none']);
    expect(exporter.getFinishedSpans()).toEqual([]);
  });
});
