import { type EmptyFacts, kindOf } from './empty-state.js';

describe('what stands where there is no terminal', () => {
  const facts: EmptyFacts = { link: 'open', areSessionsKnown: true, hasSessions: false, mayCreate: true };

  it('says that it connects only while it does', () => {
    const unknown = { ...facts, areSessionsKnown: false };
    for (const link of ['connecting', 'waiting', 'open'] as const)
      expect(kindOf({ ...unknown, link })).toBe('connecting');
    for (const link of ['refused', 'closed', 'elsewhere'] as const)
      expect(kindOf({ ...unknown, link })).toBe('apart');
  });

  it('says what there is, and what is not there', () => {
    expect(kindOf(facts)).toBe('none');
    expect(kindOf({ ...facts, mayCreate: false })).toBe('watching');
    expect(kindOf({ ...facts, missing: 's7' })).toBe('missing');
    expect(kindOf({ ...facts, hasSessions: true })).toBe('unchosen');
    expect(kindOf({ ...facts, hasSessions: true, link: 'waiting' })).toBe('unchosen');
  });
});
