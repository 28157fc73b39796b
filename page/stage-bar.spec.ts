import { type Entry } from './sessions.js';
import { wordsFor } from './stage-bar.js';

const info = { status: 'active' } as Entry['info'];

describe('what is said under a terminal', () => {
  it('is nothing while it runs', () => {
    expect(wordsFor({ info }, { state: 'live' })).toBeUndefined();
  });

  it('is why it cannot be shown, and that it can be tried again', () => {
    expect(wordsFor({ info }, { state: 'failed', problem: 'too many viewers' })).toMatchObject({
      text: 'This session cannot be shown: too many viewers.',
      actions: ['tryAgain'],
    });
  });

  it.each(['failed', 'waiting', 'gone', 'live'] as const)(
    'is that it is gone with a server that was restarted, be it %s',
    (state) => {
      const words = wordsFor({ info, gone: 'restarted' }, { state, problem: 'no connection' });
      expect(words?.text).toMatch(/^The server was restarted/);
      expect(words?.actions).toEqual(['restart', 'close']);
    },
  );

  it('is that it is no longer there when it was removed before it could be shown', () => {
    expect(wordsFor({ info, gone: 'removed' }, { state: 'failed' })).toMatchObject({
      text: 'The session is no longer there.',
      actions: ['restart', 'close'],
    });
  });
});
