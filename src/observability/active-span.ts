import { type Context, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api';
import { AsyncLocalStorage } from 'node:async_hooks';

/** The span in which something happens. Of each server its own: OpenTelemetry's would be the process's. */
export class ActiveSpan {
  private readonly storage = new AsyncLocalStorage<Span>();

  /** What `task` does, and begins, belongs to `span`. */
  during(span: Span, task: () => void): void {
    this.storage.run(span, task);
  }

  /** The parent of spans that begin now. */
  get context(): Context {
    const span = this.storage.getStore();
    return span ? trace.setSpan(ROOT_CONTEXT, span) : ROOT_CONTEXT;
  }

  /** Its ids as a log line has them. */
  fields(): Record<string, string> {
    const span = this.storage.getStore();
    if (!span) return {};
    const { traceId, spanId } = span.spanContext();
    return { trace_id: traceId, span_id: spanId };
  }
}
