import { FakeSocket } from '../../test/fakes/fake-socket.js';
import { settled } from '../../test/support/running-session.js';
import { TestSessions } from '../../test/support/test-sessions.js';
import { Connection } from './connection.js';
import { TerminalGateway } from './terminal.gateway.js';

const size = { columns: 80, rows: 24 };

describe('the terminal gateway', () => {
  it('lets a connection’s sessions go when they go, whoever closes them and whether it views them or not', async () => {
    const sessions = new TestSessions();
    const { registry, opener, closer, events, ptys } = sessions;
    const gateway = new TerminalGateway(registry, opener, closer, events);
    const connection = new Connection(new FakeSocket(), sessions.clock);
    for (let n = 0; n < 4; n++) gateway.create(connection, { type: 'create', size });
    await settled();
    gateway.detach(connection, { type: 'detach', sessionId: 's1' });
    gateway.detach(connection, { type: 'detach', sessionId: 's2' });

    ptys.ptys[0]!.end();
    sessions.clock.advance(60_000);
    await Promise.all(['s2', 's3'].map((id) => closer.closeAndWait(id)));

    expect(connection.release().map(({ id }) => id)).toEqual(['s4']);
  });
});
