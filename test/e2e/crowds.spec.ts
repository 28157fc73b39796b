import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { upgradeHead } from '../support/handshake.js';
import { useTestBed } from '../support/test-bed.js';
import { type TestServer } from '../support/test-server.js';
import { until } from '../support/until.js';

const bed = useTestBed();

const opened: Socket[] = [];
afterEach(() => {
  for (const socket of opened.splice(0)) socket.destroy();
});

/** A connection on which nobody asks for anything, but for what is said. */
async function silent(server: TestServer, text = ''): Promise<Socket> {
  const socket = connect(server.port, '127.0.0.1');
  opened.push(socket);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  if (text) socket.write(text);
  return socket;
}

async function closing(socket: Socket): Promise<void> {
  socket.resume();
  await until(() => socket.closed, 'it is hung up on');
}

describe('T43 · a connection on which much is asked at once, by pipelining', () => {
  it('is hung up on, and the others hear as soon as ever', async () => {
    const server = await bed.serve();
    const client = await bed.connect(server);
    const ask = `GET /api/sessions HTTP/1.1\r\nHost: ${server.host}\r\n\r\n`;

    const { body } = await server.raw(ask.repeat(1000));

    expect(body.split('HTTP/1.1 ').length).toBeLessThanOrEqual(2);
    await client.sync();
  });

  it('may ask one thing after the other', async () => {
    const server = await bed.serve();
    const socket = await silent(server);
    for (let n = 0; n < 20; n += 1) {
      socket.write(`GET /api/health HTTP/1.1\r\nHost: ${server.host}\r\n\r\n`);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString('latin1')).toMatch(/^HTTP\/1\.1 200 /);
    }
  });
});

describe('T38, T39 · connections on which nobody asks for anything', () => {
  it('make room for who comes to ask, the oldest first, and for nobody else', async () => {
    const server = await bed.serve({ maxConnections: 4 });
    const client = await bed.connect(server);
    const crowd: Socket[] = [];
    for (let n = 0; n < 7; n += 1) crowd.push(await silent(server, n % 2 === 1 ? 'GET /api/ses' : ''));
    await until(async () => (await server.connections()) === 8, 'all have been accepted');

    expect((await server.request('GET', '/api/sessions')).status).toBe(200);
    await closing(crowd[0]!);
    expect((await server.raw(upgradeHead(server.host))).status).toBe(101);

    await client.sync();
    expect(crowd.slice(2).map(({ closed }) => closed)).toEqual([false, false, false, false, false]);
  });

  it('are those too on which something was answered long ago', async () => {
    const server = await bed.serve({ maxConnections: 1, keepAliveSeconds: 600 });
    const idle = await silent(server, `GET /api/health HTTP/1.1\r\nHost: ${server.host}\r\n\r\n`);
    await once(idle, 'data');
    const younger = await silent(server);
    await until(async () => (await server.connections()) === 2, 'both have been accepted');

    expect((await server.request('GET', '/api/health')).status).toBe(200);

    await closing(idle);
    expect(younger.closed).toBe(false);
  });

  it('are not whoever waits for an answer, or has a WebSocket: then it is the newcomer that is hung up on', async () => {
    const { server, client, sessionId, pty } = await bed.open({ maxConnections: 1 });
    pty.diesWhenClosed = false;
    const answer = server.request('DELETE', `/api/sessions/${sessionId}`);
    await until(() => pty.closing, 'the request is being answered');

    const newcomer = await silent(server);
    await closing(newcomer);

    pty.end();
    expect((await answer).status).toBe(204);
    await client.sync();
  });
});
