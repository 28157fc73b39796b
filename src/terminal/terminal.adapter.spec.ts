import { type INestApplicationContext } from '@nestjs/common';
import { EventEmitter } from 'node:events';
import { type WebSocketServer } from 'ws';
import { useFakeLogger } from '../../test/fakes/fake-logger.js';
import { FakeSocket } from '../../test/fakes/fake-socket.js';
import { settled } from '../../test/support/running-session.js';
import { testConfig, TestSessions } from '../../test/support/test-sessions.js';
import { type Gate } from '../admission/gate.js';
import { TerminalAdapter } from './terminal.adapter.js';

/** One that also hears what its client sends. */
class FakeServerSocket extends FakeSocket {
  readonly protocol = 'trex.v1';
  private readonly events = new EventEmitter();

  on(event: string, listener: (...args: unknown[]) => void): void {
    this.events.on(event, listener);
  }

  receive(message: object): void {
    this.events.emit('message', Buffer.from(JSON.stringify(message)), false);
  }
}

/** A client that may send a hundred at once, and then 200 a second. */
function connected(): {
  socket: FakeServerSocket;
  clock: TestSessions['clock'];
  sessions: TestSessions;
} {
  const sessions = new TestSessions();
  const { clock, gateway } = sessions;
  const config = testConfig({ messageBurst: 100, messageRate: 200 });
  // Neither a server nor its gate is asked: whoever comes is in already.
  const [app, gate] = [{} as INestApplicationContext, {} as Gate];
  const adapter = new TerminalAdapter(app, gate, clock, config, gateway);
  const server = new EventEmitter();
  adapter.bindClientConnect(server as WebSocketServer, (connection) => {
    adapter.bindMessageHandlers(connection);
    gateway.handleConnection(connection);
  });
  const socket = new FakeServerSocket();
  server.emit('connection', socket, {}, 'full');
  return { socket, clock, sessions };
}

describe('T34 · a client that sends more messages than anybody needs', () => {
  const list = { type: 'list_tmux_sessions' };

  it('is not read from for as long as what is too much takes, and is answered all the same', () => {
    const { socket, clock } = connected();
    for (let n = 0; n < 100; n++) socket.receive(list);
    expect(socket.reading).toBe(true);
    // What had been read already.
    for (let n = 0; n < 10; n++) socket.receive(list);
    expect(socket.sent).toHaveLength(110);
    clock.advance(49);
    expect(socket.reading).toBe(false);
    clock.advance(1);
    expect(socket.reading).toBe(true);
    expect(socket.closed).toBeUndefined();
  });

  it('is not one that types, or acknowledges what it was sent, which paces itself', async () => {
    const { socket, sessions } = connected();
    socket.receive({ type: 'create', cols: 80, rows: 24 });
    await settled();
    for (let n = 1; n <= 1000; n++) {
      sessions.ptys.last.print('x');
      sessions.clock.advance(10);
      socket.receive({ type: 'input', sessionId: 's1', data: 'x' });
      socket.receive({ type: 'acknowledge', sessionId: 's1', offset: n });
    }
    expect([socket.reading, socket.closed, sessions.ptys.last.input.length]).toEqual([true, undefined, 1000]);
  });

  it.each([
    ['types where there is nothing', { type: 'input', sessionId: 's9', data: 'x' }],
    ['acknowledges what is not there', { type: 'acknowledge', sessionId: 's9', offset: 0 }],
    ['acknowledges nothing', { type: 'acknowledge', sessions: [] }],
    ['makes no sense', { type: 'nonsense' }],
  ])('is one that %s', (_what, message) => {
    const { socket } = connected();
    for (let n = 0; n < 110; n++) socket.receive(message);
    expect(socket.reading).toBe(false);
  });
});

describe('a refused message', () => {
  const logger = useFakeLogger();

  it.each([
    ['names no session', undefined, 's1'],
    ['names one that is not there', 's9', 's9'],
  ])('that %s is logged with the session it is about', async (_what, sessionId, meant) => {
    const { socket } = connected();
    socket.receive({ type: 'create', cols: 80, rows: 24 });
    await settled();
    socket.receive({ type: 'close' });
    socket.receive({ type: 'input', sessionId, data: 'too late' });
    expect(logger().records).toMatchObject([{ level: 'debug', context: 'TerminalError', sessionId: meant }]);
  });
});
