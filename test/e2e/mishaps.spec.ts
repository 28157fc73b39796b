import { connect } from 'node:net';
import { listed } from '../support/test-server.js';
import { useTestBed } from '../support/test-bed.js';
import { until } from '../support/until.js';

const bed = useTestBed();

describe('a mistake of our own', () => {
  const detail = 'a detail that is nobody’s business';
  const fail = (): never => {
    throw new Error(detail);
  };

  it('T30 · is a 500 without detail over REST, and the server goes on', async () => {
    const { server, sessionId, pty } = await bed.open();
    pty.close = fail;

    const answer = await server.request('DELETE', `/api/sessions/${sessionId}`);

    expect(answer.status).toBe(500);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(JSON.parse(answer.body)).toEqual({
      type: 'about:blank',
      title: 'Internal Server Error',
      status: 500,
      detail: 'something went wrong in the server',
      code: 'INTERNAL',
    });
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
    expect((await server.request('GET', '/api/health')).status).toBe(200);
  });

  it('T30 · is an INTERNAL error without detail over the WebSocket, and the connection stays', async () => {
    const { server, client, sessionId, pty } = await bed.open();
    pty.write = fail;
    const other = await client.create();

    client.send(
      { type: 'input', sessionId, data: 'x', requestId: 'r' },
      { type: 'input', sessionId: other, data: 'y' },
    );

    expect(await client.next({ type: 'error' })).toEqual({
      type: 'error',
      sessionId,
      requestId: 'r',
      reason: 'INTERNAL',
      error: 'something went wrong in the server',
    });
    await client.sync();
    expect(server.ptys.last.input).toBe('y');
  });
});

describe('what clients and the network do', () => {
  const upgrade = (host: string): string =>
    `GET /ws HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dHJleCB0cmV4IHRyZXggdA==\r\n\r\n';

  /** A text frame as a client sends it, with a mask of zeros. */
  const frame = (message: object): Buffer => {
    const text = Buffer.from(JSON.stringify(message));
    return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]);
  };

  it('messages sent along with the handshake are not lost', async () => {
    const server = await bed.serve();
    const socket = connect(server.port, '127.0.0.1');
    let received = '';
    socket.setEncoding('latin1').on('data', (text) => (received += String(text)));

    socket.write(
      Buffer.concat([
        Buffer.from(upgrade(server.host)),
        frame({ type: 'create', cols: 80, rows: 24 }),
        frame({ type: 'input', sessionId: 's1', data: 'first words' }),
      ]),
    );

    await until(() => received.includes('session_created'), 'the session is announced');
    expect(server.ptys.last.input).toBe('first words');
    socket.destroy();
    await until(() => server.ptys.last.isOver, 'the session ends with its connection');
  });

  it('messages that come byte by byte are understood', async () => {
    const server = await bed.serve();
    const socket = connect({ port: server.port, host: '127.0.0.1', noDelay: true });
    let received = '';
    socket.setEncoding('latin1').on('data', (text) => (received += String(text)));
    socket.write(upgrade(server.host));
    await until(() => received.includes('\r\n\r\n'), 'the handshake is answered');

    for (const byte of frame({ type: 'create', cols: 80, rows: 24 })) {
      socket.write(Buffer.from([byte]));
      await new Promise(setImmediate);
    }

    await until(() => received.includes('session_created'), 'the session is announced');
    socket.destroy();
    await until(() => server.ptys.last.isOver, 'the session ends with its connection');
  });

  it('what was sent just before a connection is closed still counts', async () => {
    const { server, sessionId, pty } = await bed.open();
    const guest = await bed.connect(server);

    guest.sendAtOnce(...Array.from({ length: 200 }, (_, i) => ({ type: 'input', sessionId, data: `${i},` })));
    await guest.close();

    await until(() => pty.input.endsWith('199,'), 'all of it is typed');
    expect(pty.input).toBe(Array.from({ length: 200 }, (_, i) => `${i},`).join(''));
  });

  it('a connection that breaks the rules of frames is closed, and no other', async () => {
    const { server, client, sessionId, pty } = await bed.open();
    const socket = connect(server.port, '127.0.0.1');
    const ended = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined).resume();

    // Not masked, and of an unknown kind.
    socket.write(Buffer.concat([Buffer.from(upgrade(server.host)), Buffer.from([0x8f, 0x01, 0x78])]));
    await ended;

    pty.print('on');
    await client.untilOutput(sessionId, 'on');
  });

  it('a request for another protocol, as curl --http2 and Java send by default, is answered as if it were none', async () => {
    const { server, client, sessionId } = await bed.open();
    const h2c = {
      Connection: 'Upgrade, HTTP2-Settings',
      Upgrade: 'h2c',
      'HTTP2-Settings': 'AAMAAABkAAQAAP__',
    };

    expect((await server.request('GET', '/api/sessions', h2c)).status).toBe(200);
    expect((await server.request('GET', '/api/nothing', h2c)).status).toBe(404);
    expect(
      (await server.request('GET', '/api/health', { ...h2c, Origin: 'http://evil.example' })).status,
    ).toBe(403);
    expect((await server.request('DELETE', `/api/sessions/${sessionId}`, h2c)).status).toBe(204);
    await client.next({ type: 'exit', sessionId });
    expect(await listed(server)).toEqual([]);
  });
});
