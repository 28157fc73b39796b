import { type FakePty } from '../../test/fakes/fake-pty.js';
import { FakeSocket } from '../../test/fakes/fake-socket.js';
import { settled } from '../../test/support/running-session.js';
import { TestSessions } from '../../test/support/test-sessions.js';
import { Connection } from './connection.js';
import { type TerminalGateway } from './terminal.gateway.js';

const size = { columns: 80, rows: 24 };

describe('the terminal gateway', () => {
  it('lets a connection’s sessions go when they go, whoever closes them and whether it views them or not', async () => {
    const sessions = new TestSessions();
    const { gateway, closer, ptys } = sessions;
    const connection = new Connection(new FakeSocket(), sessions.clock);
    gateway.handleConnection(connection);
    for (let n = 0; n < 4; n++) gateway.create(connection, { type: 'create', size });
    await settled();
    gateway.detach(connection, { type: 'detach', sessionId: 's1' });
    gateway.detach(connection, { type: 'detach', sessionId: 's2' });

    ptys.ptys[0]!.end();
    sessions.clock.advance(60_000);
    await Promise.all(['s2', 's3'].map((id) => closer.closeAndWait(id)));

    expect(connection.client!.owned.map(({ id }) => id)).toEqual(['s4']);
  });

  describe('counts what comes from a connection that does not look as the owner’s:', () => {
    async function watchedByTwo(readOnly = false): Promise<{
      gateway: TerminalGateway;
      owner: FakeSocket;
      other: FakeSocket;
      stranger: Connection;
      pty: FakePty;
    }> {
      const { gateway, clock, ptys } = new TestSessions();
      const [owner, other] = [new FakeSocket(), new FakeSocket()];
      const owning = new Connection(owner, clock, 'trex.v2');
      gateway.hello(owning, { type: 'hello' });
      gateway.create(owning, { type: 'create', size });
      if (readOnly) gateway.attach(owning, { type: 'attach', sessionId: 's1', readOnly });
      const looking = new Connection(other, clock, 'trex.v2');
      gateway.attach(looking, { type: 'attach', sessionId: 's1' });
      gateway.resize(looking, { type: 'resize', sessionId: 's1', size });
      await settled();
      owner.sent.length = other.sent.length = 0;
      return { gateway, owner, other, stranger: new Connection(new FakeSocket(), clock), pty: ptys.last };
    }

    it('a resize puts the owner in control, who is told the size like everybody else', async () => {
      const { gateway, owner, other, stranger } = await watchedByTwo();
      gateway.resize(stranger, { type: 'resize', sessionId: 's1', size: { columns: 90, rows: 20 } });
      const resized = { type: 'resized', sessionId: 's1', offset: 0, cols: 90, rows: 20 };
      expect(owner.sent).toEqual([{ type: 'control', sessionId: 's1', inControl: true }, resized]);
      expect(other.sent).toEqual([{ type: 'control', sessionId: 's1', inControl: false }, resized]);
    });

    it('so does input', async () => {
      const { gateway, owner, stranger, pty } = await watchedByTwo();
      gateway.input(stranger, { type: 'input', sessionId: 's1', bytes: Buffer.from('x') });
      expect(owner.sent).toEqual([{ type: 'control', sessionId: 's1', inControl: true }]);
      expect(pty.input).toBe('x');
    });

    it('but an owner that only reads is not in control, and its wish binds nobody else', async () => {
      const { gateway, owner, other, stranger, pty } = await watchedByTwo(true);
      gateway.input(stranger, { type: 'input', sessionId: 's1', bytes: Buffer.from('x') });
      gateway.resize(stranger, { type: 'resize', sessionId: 's1', size: { columns: 90, rows: 20 } });
      expect([pty.input, pty.size]).toEqual(['x', { columns: 90, rows: 20 }]);
      const resized = { type: 'resized', sessionId: 's1', offset: 0, cols: 90, rows: 20 };
      expect([owner.sent, other.sent]).toEqual([[resized], [resized]]);
    });
  });
});
