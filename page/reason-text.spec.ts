import { RequestFailed } from '../client/client-error.js';
import { Refused } from './api.js';
import { lossText, reasonText } from './reason-text.js';

describe('why something failed', () => {
  it('is told in the server’s words, with what to do', () => {
    expect(reasonText(new RequestFailed('SESSION_LIMIT', 'too many sessions'), 'No session')).toBe(
      'No session: too many sessions. Close a session that is not needed any more, and try again.',
    );
    expect(reasonText(new Refused(504, 'CLOSE_TIMEOUT', 'still there'), 'Not closed')).toBe(
      'Not closed: still there. Its program cannot be ended just now; the server goes on trying.',
    );
    expect(reasonText(new RequestFailed('INTERNAL', 'internal error'), 'No')).toBe('No: internal error.');
    expect(reasonText(new TypeError('Failed to fetch'), 'No')).toBe('No: the server does not answer.');
  });

  it('is told of a session that goes on without this page, and not of one that has ended', () => {
    expect(lossText('SESSION_NOT_FOUND')).toBeUndefined();
    expect(lossText('SESSION_ENDED')).toBeUndefined();
    expect(lossText('SESSION_LIMIT')).toMatch(/as many look at it as may/);
    expect(lossText('BAD_OFFSET')).toContain('BAD_OFFSET');
  });
});
