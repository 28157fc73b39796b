import { Connection, type ConnectionSocket } from '../src/terminal/connection.js';
import { parseMessage } from '../src/terminal/parse-message.js';
import { type FakePty } from './fakes/fake-pty.js';
import { settled } from './support/running-session.js';
import { TestSessions } from './support/test-sessions.js';

/*
 * The tour: both lines of the picture, without Nest and without a network.
 *
 *   output   process ─▶ core/session ─▶ terminal/connection ─▶ client
 *   input    client ─▶ parse-message ─▶ terminal/terminal.gateway ─▶ core/session ─▶ process
 */

/** The client's end: it takes everything at once, and reads it as JSON. */
class ClientEnd implements ConnectionSocket {
  readonly bufferedAmount = 0;
  readonly readyState = 1;
  readonly received: unknown[] = [];

  send(data: string): void {
    this.received.push(JSON.parse(data));
  }

  pause(): void {
    throw new Error('this client takes everything: there is no reason to stop reading from it');
  }

  resume(): void {
    throw new Error('reading was never stopped');
  }

  close(): void {
    throw new Error('nobody asked for an end');
  }

  terminate(): void {
    throw new Error('nothing went wrong');
  }
}

describe('the way of the data', () => {
  const sessions = new TestSessions();
  const { gateway } = sessions;
  const client = new ClientEnd();
  const connection = new Connection(client, sessions.clock);
  gateway.handleConnection(connection);
  let pty: FakePty;

  it('begins with a client asking for a session: it is announced, then started', async () => {
    const create = parseMessage(Buffer.from('{"type":"create","cols":80,"rows":24}'));
    if (create.type === 'create') gateway.create(connection, create);
    expect(client.received).toEqual([
      { type: 'session_created', sessionId: 's1', shellType: 'bash', data: 'bash-1', cwd: '/' },
    ]);
    await settled();
    pty = sessions.ptys.last;
    expect(pty.launch).toEqual({ file: '/bin/bash', args: [], cwd: '/', size: { columns: 80, rows: 24 } });
  });

  it('takes a key from the client to the process', () => {
    const key = parseMessage(Buffer.from('{"type":"input","sessionId":"s1","data":"é"}'));
    if (key.type === 'input') gateway.input(connection, key);
    expect(pty.input).toBe('é');
  });

  it('takes what the process prints to the client, in whole characters', () => {
    const [first, second] = Buffer.from('é');
    pty.print(Uint8Array.of(first!));
    expect(client.received).toHaveLength(1);
    pty.print(Uint8Array.of(second!));
    expect(client.received.at(-1)).toEqual({ type: 'output', sessionId: 's1', data: 'é', offset: 0, end: 2 });
  });

  it('tells the client how the process ended, behind its last byte', () => {
    pty.print('bye');
    pty.end({ code: 3 });
    expect(client.received.slice(-2)).toEqual([
      { type: 'output', sessionId: 's1', data: 'bye', offset: 2, end: 5 },
      { type: 'exit', sessionId: 's1', code: 3, cause: 'ended' },
    ]);
  });

  it('leaves nothing behind when the client goes', () => {
    gateway.handleDisconnect(connection);
    expect(sessions.registry.count()).toBe(0);
    expect(sessions.clock.timers).toBe(0);
  });
});
