import { tellLink } from './connection-state.js';

describe('the state of the connection', () => {
  it('counts down to the next try, which can be made now', () => {
    const link = { is: 'waiting', untilMs: 5000, wasOpen: true } as const;
    expect(tellLink(link, 1000)).toMatchObject({
      tone: 'bad',
      label: 'Reconnecting',
      countdown: 'in 4 s',
      action: { label: 'Now', does: 'now' },
    });
    expect(tellLink(link, 4999).countdown).toBe('in 1 s');
    expect(tellLink(link, 9000).countdown).toBe('in 0 s');
    expect(tellLink({ ...link, wasOpen: false }, 1000)).toMatchObject({
      label: 'Connecting',
      countdown: 'in 4 s',
      detail: 'The server does not answer. Is it running?',
    });
  });

  it('says the same of it while it tries', () => {
    const waiting = tellLink({ is: 'waiting', untilMs: 0, wasOpen: true }, 0);
    const { label, detail } = tellLink({ is: 'connecting', isAgain: true }, 0);
    expect({ label, detail }).toEqual({ label: waiting.label, detail: waiting.detail });
    expect(tellLink({ is: 'connecting', isAgain: false }, 0)).toEqual({ tone: 'busy', label: 'Connecting…' });
  });

  it('tells a server that takes no WebSocket from one that does not answer', () => {
    const why = /^The server answers, but takes no WebSocket: .*close other tabs.*docs\/proxies\.md/;
    const link = { is: 'waiting', untilMs: 5000, wasOpen: false, onlyRest: true } as const;
    expect(tellLink(link, 1000).detail).toMatch(why);
    expect(tellLink({ is: 'connecting', isAgain: false, onlyRest: true }, 0).detail).toMatch(why);
    const again = tellLink({ ...link, wasOpen: true }, 1000).detail;
    expect(again).toMatch(/^The connection is lost\. .* The server answers, but takes no WebSocket/);
    expect(tellLink({ is: 'connecting', isAgain: true, onlyRest: true }, 0).detail).toBe(again);
  });

  it('is quiet when all is well', () => {
    expect(tellLink({ is: 'open', isReadOnly: false }, 0)).toEqual({ tone: 'good', label: 'Connected' });
    expect(tellLink({ is: 'open', isReadOnly: true }, 0).label).toBe('Connected, read-only');
  });

  it('says that the server was restarted until that has been read', () => {
    expect(tellLink({ is: 'open', isReadOnly: false }, 0, { isServerNew: true })).toMatchObject({
      label: 'Server restarted',
      action: { does: 'dismiss' },
    });
    // There is something more urgent then.
    expect(tellLink({ is: 'elsewhere' }, 0, { isServerNew: true }).label).toBe('Open elsewhere');
  });

  it('says that the server is silent while nobody knows yet that the connection is lost', () => {
    const silent = { isSilent: true, isServerNew: true };
    expect(tellLink({ is: 'open', isReadOnly: false }, 0, silent)).toMatchObject({
      tone: 'busy',
      label: 'Not answering',
      action: { does: 'now' },
    });
    expect(tellLink({ is: 'connecting', isAgain: true }, 0, silent).label).toBe('Reconnecting');
  });

  it('says what to do where nothing happens by itself', () => {
    expect(tellLink({ is: 'elsewhere' }, 0).action?.does).toBe('reload');
    expect(tellLink({ is: 'refused', detail: 'not from here' }, 0)).toMatchObject({
      detail: 'The server does not let this page in: not from here.',
      action: { does: 'now' },
    });
    expect(tellLink({ is: 'closed', detail: 'policy (1008)' }, 0).action?.does).toBe('reload');
    expect(tellLink({ is: 'loggedOut', isOwnDoing: true }, 0)).toEqual({
      tone: 'quiet',
      label: 'Logged out',
    });
  });
});
