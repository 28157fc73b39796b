import { leaveResumeToken, takeResumeToken, type TabStorage } from './resume-token.js';

class FakeTabStorage implements TabStorage {
  constructor(readonly kept = new Map<string, string>()) {}

  /** What a browser gives a tab that is made from this one. */
  duplicate(): FakeTabStorage {
    return new FakeTabStorage(new Map(this.kept));
  }

  getItem(key: string): string | null {
    return this.kept.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.kept.set(key, value);
  }

  removeItem(key: string): void {
    this.kept.delete(key);
  }
}

describe('the token by which a page goes on as the client it was', () => {
  it('is there after the page was loaded anew', () => {
    const tab = new FakeTabStorage();
    expect(takeResumeToken(tab)).toBeUndefined();
    leaveResumeToken(tab, 't1');
    expect(takeResumeToken(tab)).toBe('t1');
  });

  it('is not in a tab that was duplicated, as the page that has it is there', () => {
    const tab = new FakeTabStorage();
    leaveResumeToken(tab, 't1');
    takeResumeToken(tab);
    expect(takeResumeToken(tab.duplicate())).toBeUndefined();
  });

  it('is done without where nothing can be kept', () => {
    leaveResumeToken(undefined, 't1');
    expect(takeResumeToken(undefined)).toBeUndefined();
    const tab = new FakeTabStorage();
    leaveResumeToken(tab, undefined);
    expect(tab.kept.size).toBe(0);
  });
});
