import { newSession } from '../../test/support/running-session.js';
import { type SessionEvent, SessionEvents } from './session-events.js';

describe('the news of sessions', () => {
  it('tells every listener everything in order, also what a listener makes happen', () => {
    const { session } = newSession();
    const events = new SessionEvents();
    const first: string[] = [];
    const second: string[] = [];
    events.subscribe(({ type }) => {
      first.push(type);
      if (type === 'ended') events.emit('removed', session);
    });
    events.subscribe(({ type }) => second.push(type));
    events.emit('ended', session);
    expect([first, second]).toEqual([
      ['ended', 'removed'],
      ['ended', 'removed'],
    ]);
  });

  it('tells nothing to whoever has stopped listening', () => {
    const { session } = newSession();
    const events = new SessionEvents();
    const told: SessionEvent[] = [];
    const stop = events.subscribe((event) => told.push(event));
    events.emit('created', session);
    stop();
    events.emit('started', session);
    expect(told).toEqual([{ type: 'created', session }]);
  });
});
