import { type Span, SpanStatusCode, type Tracer } from '@opentelemetry/api';
import { type SessionEvents } from '../core/session-events.js';
import { type Session } from '../core/session.js';
import { type ActiveSpan } from './active-span.js';

/** A span for how a session comes to be, for each view of it, and for how it is closed. */
export function traceSessions(tracer: Tracer, events: SessionEvents, active: ActiveSpan): void {
  const creating = new Map<Session, Span>();
  const closing = new Map<Session, Span>();
  const begin = (name: string, session: Session, tookMs = 0): Span => {
    const startTime = Date.now() - tookMs;
    return tracer.startSpan(name, { startTime, attributes: { 'session.id': session.id } }, active.context);
  };
  events.subscribe(({ type, session, tookMs }) => {
    switch (type) {
      case 'created':
        creating.set(
          session,
          begin('session create', session).setAttribute('trex.session.shell', session.shellType),
        );
        break;
      case 'started':
        end(creating, session);
        break;
      case 'viewerJoined':
        begin('session attach', session, tookMs).end();
        break;
      case 'closing':
        closing.set(session, begin('session close', session));
        break;
      case 'ended':
        end(creating, session);
        end(closing, session);
        break;
      case 'changed':
      case 'viewerLeft':
      case 'removed':
        break;
    }
  });
}

function end(spans: Map<Session, Span>, session: Session): void {
  const span = spans.get(session);
  if (!span) return;
  spans.delete(session);
  const { exit } = session;
  if (exit) span.setAttribute('trex.session.end.cause', exit.cause);
  if (exit?.failure) {
    span.setAttribute('error.type', exit.failure.code);
    span.setStatus({ code: SpanStatusCode.ERROR, message: exit.failure.code });
  }
  span.end();
}
