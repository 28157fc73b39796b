import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { FakeViewer } from '../../test/fakes/fake-viewer.js';
import { settled } from '../../test/support/running-session.js';
import { TestSessions } from '../../test/support/test-sessions.js';
import { SessionError } from '../core/session-error.js';
import { terminalSize } from '../core/terminal-size.js';
import { ActiveSpan } from './active-span.js';
import { traceSessions } from './session-spans.js';

const size = terminalSize(80, 24);

describe('the spans of a session', () => {
  const exporter = new InMemorySpanExporter();
  const tracer = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).getTracer(
    'test',
  );
  let sessions: TestSessions;
  let active: ActiveSpan;
  beforeEach(() => {
    exporter.reset();
    sessions = new TestSessions();
    active = new ActiveSpan();
    traceSessions(tracer, sessions.events, active);
  });

  const named = (name: string): ReadableSpan | undefined =>
    exporter.getFinishedSpans().find((span) => span.name === name);

  it('are of how it came to be, of each view of it, and of how it was closed', async () => {
    const session = sessions.opener.open({ size });
    await settled();
    session.attach(new FakeViewer());
    session.close();
    await settled();
    expect(
      exporter.getFinishedSpans().map(({ name, attributes }) => [name, attributes['session.id']]),
    ).toEqual([
      ['session create', 's1'],
      ['session attach', 's1'],
      ['session close', 's1'],
    ]);
    expect(named('session create')?.attributes['trex.session.shell']).toBe('bash');
    expect(named('session close')?.attributes['trex.session.end.cause']).toBe('closed');
  });

  it('tell why it could not start', async () => {
    sessions.ptys.failure = new SessionError('INVALID_CWD', 'it is not there');
    sessions.opener.open({ size });
    await settled();
    expect(named('session create')).toMatchObject({
      status: { code: 2, message: 'INVALID_CWD' },
      attributes: { 'error.type': 'INVALID_CWD', 'trex.session.end.cause': 'failed' },
    });
  });

  it('belong to the request that closes it', async () => {
    const session = sessions.opener.open({ size });
    await settled();
    const request = tracer.startSpan('DELETE');
    active.during(request, () => session.close());
    await settled();
    expect(named('session close')?.parentSpanContext?.spanId).toBe(request.spanContext().spanId);
  });
});
