import { SessionError } from '../core/session-error.js';
import { requireHeadroom } from './headroom.js';

describe('headroom', () => {
  it('is there while every limit leaves what is needed, to the last one', () => {
    expect(() => requireHeadroom([])).not.toThrow();
    expect(() => requireHeadroom([{ what: 'seats', used: 8, max: 10, needed: 2 }])).not.toThrow();
  });

  it('is short when one limit is, which is named with its figures', () => {
    const refused = (): void =>
      requireHeadroom([
        { what: 'seats', used: 1, max: 10, needed: 2 },
        { what: 'tables', used: 9, max: 10, needed: 2 },
      ]);
    expect(refused).toThrow(SessionError);
    expect(refused).toThrow(/tables.*9 of 10/);
  });
});
