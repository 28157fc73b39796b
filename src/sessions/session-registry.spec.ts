import { TestSessions } from '../../test/support/test-sessions.js';

describe('T001, T002 · the registry', () => {
  it('finds what was added, until it is deleted', () => {
    const { registry, opener } = new TestSessions();
    const session = opener.open({});
    expect(registry.get('s1')).toBe(session);
    expect(registry.find('s1')).toBe(session);
    expect(registry.delete('s1')).toBe(true);
    expect(registry.find('s1')).toBeUndefined();
    expect(() => registry.get('s1')).toThrow(expect.objectContaining({ code: 'SESSION_NOT_FOUND' }) as Error);
  });

  it('deletes once', () => {
    const sessions = new TestSessions();
    const { registry, opener } = sessions;
    opener.open({});
    registry.delete('s1');
    expect(registry.delete('s1')).toBe(false);
    expect(sessions.times('s1', 'removed')).toBe(1);
  });

  it('lists and counts in the order of creation', () => {
    const { registry, opener } = new TestSessions();
    for (let n = 0; n < 12; n++) opener.open({});
    registry.delete('s2');
    expect(registry.count()).toBe(11);
    expect(
      registry
        .list()
        .map(({ id }) => id)
        .slice(0, 3),
    ).toEqual(['s1', 's3', 's4']);
    expect(registry.list().at(-1)?.id).toBe('s12');
  });

  it('takes no session twice', () => {
    const { registry, opener } = new TestSessions();
    const session = opener.open({});
    expect(() => registry.add(session)).toThrow('there already');
  });

  it.each(['__proto__', 'constructor', '', 's0', 's01', 's1 ', 'S1', '../s1', 's'.repeat(10_000)])(
    'knows no session %p, and never did',
    (id) => {
      const { registry, opener } = new TestSessions();
      opener.open({});
      expect(registry.find(id)).toBeUndefined();
      expect(registry.hasKnown(id)).toBe(false);
    },
  );

  it('remembers that there was a session', () => {
    const { registry, opener } = new TestSessions();
    opener.open({});
    registry.delete('s1');
    expect(registry.hasKnown('s1')).toBe(true);
    expect(registry.hasKnown('s2')).toBe(false);
  });
});

describe('T003 · ids and names', () => {
  it('are sequential and never used again', () => {
    const { registry, opener } = new TestSessions();
    const ids = [1, 2, 3].map(() => {
      const { id } = opener.open({});
      registry.delete(id);
      return id;
    });
    expect(ids).toEqual(['s1', 's2', 's3']);
  });

  it('are 100 for 100 calls', () => {
    const { registry } = new TestSessions();
    expect(new Set(Array.from({ length: 100 }, () => registry.nextId())).size).toBe(100);
  });

  it('count names per shell type', () => {
    const { opener } = new TestSessions();
    const names = ['bash', '/bin/zsh', '/bin/bash', undefined, 'zsh'].map(
      (shell) => opener.open({ shell }).name,
    );
    expect(names).toEqual(['bash-1', 'zsh-1', 'bash-2', 'bash-3', 'zsh-2']);
  });
});
