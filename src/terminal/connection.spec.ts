import { FakeSocket } from '../../test/fakes/fake-socket.js';
import { settled } from '../../test/support/running-session.js';
import { TestSessions } from '../../test/support/test-sessions.js';
import { FIRST_WINDOW_BYTES } from '../core/delivery-window.js';
import { type Session } from '../core/session.js';
import { Connection } from './connection.js';
import { type Protocol } from './subprotocol.js';

const size = { columns: 80, rows: 24 };

async function showing(
  count: number,
  socket: FakeSocket,
  protocol?: Protocol,
): Promise<{ sessions: TestSessions; connection: Connection; shown: Session[] }> {
  const sessions = new TestSessions();
  const connection = new Connection(socket, sessions.clock, protocol);
  const shown = Array.from({ length: count }, () => sessions.opener.open({ size }));
  for (const session of shown) connection.own(session);
  await settled();
  return { sessions, connection, shown };
}

describe('a connection', () => {
  it('views a session no longer once it has its exit and the session is gone', async () => {
    const { sessions, shown } = await showing(1, new FakeSocket());
    await sessions.closer.closeAndWait('s1');
    expect(shown.map(({ isWatched }) => isWatched)).toEqual([false]);
    expect(sessions.happened.slice(-3)).toEqual(['s1 ended', 's1 removed', 's1 viewerLeft']);
  });

  it('goes on viewing a session that is gone until it has its exit', async () => {
    const socket = new FakeSocket();
    const { sessions, shown, connection } = await showing(1, socket);
    socket.stopTaking();
    for (let n = 0; n < 8; n++) sessions.ptys.last.print(Buffer.alloc(64 * 1024, 'x'));
    sessions.ptys.last.end();
    sessions.registry.delete('s1');
    expect(shown[0]!.isWatched).toBe(true);
    socket.startTaking();
    expect(socket.sent.at(-1)).toMatchObject({ type: 'exit', sessionId: 's1' });
    expect(sessions.times('s1', 'viewerLeft')).toBe(1);
    connection.release();
    expect(sessions.times('s1', 'viewerLeft')).toBe(1);
  });

  it('goes on with its other sessions when something breaks in one', async () => {
    const socket = new FakeSocket(false);
    const { sessions } = await showing(2, socket);
    const [broken, other] = sessions.ptys.ptys;
    for (let n = 0; n < 8; n++) broken!.print(Buffer.alloc(64 * 1024, 'x'));
    broken!.resume = () => {
      throw new Error('a bug');
    };
    expect(() => socket.startTaking()).toThrow('a bug');
    other!.print('still here');
    expect(socket.sent.filter((message) => message.type === 'output' && message.sessionId === 's2')).toEqual([
      { type: 'output', sessionId: 's2', data: 'still here', offset: 0, end: 10 },
    ]);
  });

  it('uses at once what a session leaves of the window that is shown no more', async () => {
    const socket = new FakeSocket();
    const { sessions, connection } = await showing(2, socket, 'trex.v2');
    const [flood, other] = sessions.ptys.ptys;
    for (let n = 0; n < 4; n++) flood!.print(Buffer.alloc(64 * 1024));
    other!.print(Buffer.alloc(8 * 1024));
    const bytesOf = (channel: number): number =>
      socket.frames.reduce((sum, frame) => sum + (frame.channel === channel ? frame.bytes.length : 0), 0);
    expect([bytesOf(1), bytesOf(2)]).toEqual([FIRST_WINDOW_BYTES, 4 * 1024]);
    connection.detach('s1');
    expect(bytesOf(2)).toBe(8 * 1024);
  });
});
