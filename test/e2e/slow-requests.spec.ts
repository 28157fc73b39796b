import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { upgradeHead } from '../support/handshake.js';
import { type TestServer } from '../support/test-server.js';
import { useTestBed } from '../support/test-bed.js';

describe('T39: whoever is slow', () => {
  const bed = useTestBed();
  const quick = { headersSeconds: 1, requestSeconds: 2 };

  /** What somebody gets that sends so much, and then nothing until the server hangs up. */
  async function answerTo(server: TestServer, text: string): Promise<string> {
    const socket = connect(server.port, '127.0.0.1').setEncoding('latin1');
    let received = '';
    socket.on('data', (more) => (received += String(more)));
    socket.on('error', () => undefined);
    socket.write(text);
    await new Promise((resolve) => socket.once('close', resolve));
    return received;
  }

  it.each([
    ['nothing', ''],
    ['a part of the request line', 'GET /api/sess'],
    ['a part of the head', 'GET /api/sessions HTTP/1.1\r\nHost: localhost\r\nX'],
    [
      'a part of a handshake',
      'GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n',
    ],
  ])('and sends %s is hung up on with 408, which is counted', async (_what, text) => {
    const server = await bed.serve(quick);
    expect(await answerTo(server, text)).toMatch(/^HTTP\/1\.1 408 /);
    expect(server.refusals('gate')).toEqual({ REQUEST_TIMEOUT: 1 });
  });

  it('with a body gets its answer, and is hung up on', async () => {
    const head = 'POST /api/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nfew';
    expect(await answerTo(await bed.serve(quick), head)).toMatch(/^HTTP\/1\.1 40[58] /);
  });

  it('to ask again is told how long that is waited for, and how often it may', async () => {
    const server = await bed.serve();
    const socket = connect(server.port, '127.0.0.1');
    socket.write('GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString('latin1')).toMatch(/\r\nKeep-Alive: timeout=5, max=1000\r\n/i);
    socket.destroy();
  });

  it('to ask again is hung up on', async () => {
    const head = 'GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n';
    expect(await answerTo(await bed.serve({ keepAliveSeconds: 1 }), head)).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('is not waited for when the server stops', async () => {
    const server = await bed.serve();
    const sockets: Socket[] = [];
    for (const text of ['', 'GET /', 'GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n']) {
      const socket = connect(server.port, '127.0.0.1').on('error', () => undefined);
      await once(socket, 'connect');
      if (text !== '') socket.write(text);
      sockets.push(socket.resume());
    }
    const closed = sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    await server.stop();
    await Promise.all(closed);
  });
});

describe('T31, T39: whoever sends a large head', () => {
  const bed = useTestBed();

  it.each([
    ['one long header', [`X-Long: ${'x'.repeat(9000)}`]],
    ['many short headers', Array.from({ length: 3000 }, (_, n) => `X-${n}: x`)],
  ])('of %s is refused at either door, and the server lives', async (_what, lines) => {
    const server = await bed.serve();
    const rest = `GET /api/health HTTP/1.1\r\nHost: localhost\r\n${lines.join('\r\n')}\r\n\r\n`;
    const upgrade = upgradeHead(server.host, lines);
    for (const head of [rest, upgrade]) expect([400, 431]).toContain((await server.raw(head)).status);
    expect((await server.request('GET', '/api/health')).status).toBe(200);
  });
});
