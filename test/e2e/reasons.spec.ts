import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { SessionError } from '../../src/core/session-error.js';
import { encodeFrame } from '../../src/protocol/frames.js';
import { upgradeHead } from '../support/handshake.js';
import { useTestBed } from '../support/test-bed.js';
import { type TestClient } from '../support/test-client.js';
import { listed, type TestServer } from '../support/test-server.js';
import { until } from '../support/until.js';

const bed = useTestBed();

async function greeted(): Promise<{ server: TestServer; client: TestClient }> {
  const server = await bed.serve({ maxSessions: 1, cwd: '/' });
  return { server, client: await bed.greet(server) };
}

describe('trex.v2 refuses with the documented reason, and the connection stays:', () => {
  it.each([
    ['BAD_JSON', 'no JSON', '{'],
    ['BAD_MESSAGE', 'a list', '[]'],
    ['BAD_MESSAGE', 'a second hello', '{"type":"hello"}'],
    ['BAD_MESSAGE', 'input as text', '{"type":"input","sessionId":"s1","data":"x"}'],
    ['UNKNOWN_TYPE', 'a type of nobody’s', '{"type":"fly"}'],
    ['INVALID_SIZE', 'no columns', '{"type":"create","cols":0,"rows":24}'],
    ['INVALID_SHELL', 'a shell that is not allowed', '{"type":"create","shell":"/bin/evil"}'],
    ['INVALID_CWD', 'a relative directory', '{"type":"create","cwd":"here"}'],
    ['BAD_OFFSET', 'a fraction of an offset', '{"type":"attach","sessionId":"s1","from":0.5}'],
    ['SESSION_NOT_FOUND', 'a session that never was', '{"type":"attach","sessionId":"s9"}'],
  ])('%s · %s', async (reason, _what, frame) => {
    const { server, client } = await greeted();
    client.sendRaw(frame);
    expect((await client.next({ type: 'error' })).reason).toBe(reason);
    await client.sync();
    expect(await listed(server)).toEqual([]);
  });

  it('SESSION_LIMIT · one session too many', async () => {
    const { client } = await greeted();
    await client.create();
    client.send({ type: 'create', requestId: 'c2', cols: 80, rows: 24 });
    expect(await client.next({ requestId: 'c2' })).toMatchObject({ reason: 'SESSION_LIMIT' });
  });

  it('SESSION_ENDED · a key and a size for a session that has ended', async () => {
    const { server, client } = await greeted();
    client.send({ type: 'create', cols: 80, rows: 24 });
    const { sessionId, channel } = await client.next({ type: 'session_created' });
    await until(() => server.ptys.ptys.length > 0, 'the process runs');
    server.ptys.last.end();
    await client.next({ type: 'exit' });
    client.send({ type: 'resize', sessionId, cols: 1, rows: 1 });
    client.sendRaw(
      Buffer.from(encodeFrame({ kind: 'input', channel: channel!, offset: 0, bytes: Buffer.from('x') })),
    );
    for (let n = 0; n < 2; n++) {
      expect(await client.next({ type: 'error' })).toMatchObject({ sessionId, reason: 'SESSION_ENDED' });
    }
  });

  it('SPAWN_FAILED · a session that cannot be started, then its exit', async () => {
    const { server, client } = await greeted();
    server.ptys.failure = new SessionError('SPAWN_FAILED', 'no');
    const sessionId = await client.create();
    expect(await client.next({ type: 'error' })).toMatchObject({ sessionId, reason: 'SPAWN_FAILED' });
    expect(await client.next({ type: 'exit' })).toMatchObject({ sessionId, code: 127, cause: 'failed' });
  });

  it('INTERNAL · a bug, without detail', async () => {
    const { server, client } = await greeted();
    const sessionId = await client.create();
    await until(() => server.ptys.ptys.length > 0, 'the process runs');
    server.ptys.last.resize = () => {
      throw new Error('/secret/path');
    };
    client.send({ type: 'resize', requestId: 'r', sessionId, cols: 1, rows: 1 });
    const { error, ...rest } = await client.next({ requestId: 'r' });
    expect(rest).toEqual({ type: 'error', requestId: 'r', sessionId, reason: 'INTERNAL' });
    expect(error).not.toContain('secret');
    await client.sync();
  });

  it('and names no session before the greeting', async () => {
    const server = await bed.serve();
    const client = await bed.connect(server, { protocols: ['trex.v2'] });
    client.send({ type: 'resize', sessionId: 's1', cols: 0, rows: 1, requestId: 'r' });
    expect(await client.next({ requestId: 'r' })).not.toHaveProperty('sessionId');
  });
});

describe('a client from which nothing comes any more', () => {
  /** Shakes hands, and then reads what comes without ever answering a ping. */
  async function silent(server: TestServer, protocol?: string): Promise<Socket> {
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => undefined);
    const offered = protocol ? [`Sec-WebSocket-Protocol: ${protocol}`] : [];
    socket.write(upgradeHead(server.host, offered));
    await once(socket, 'data');
    return socket;
  }

  it.each([
    ['trex.v2', 30_000],
    [undefined, 120_000],
  ])('is cut off: of %s after %d ms', async (protocol, deadMs) => {
    const server = await bed.serve();
    const clock = server.stopTheClock();
    const socket = await silent(server, protocol);
    const closed = once(socket, 'close');
    for (let ms = 0; ms < deadMs - 15_000; ms += 15_000) clock.advance(15_000);
    expect(await server.connections()).toBe(1);
    clock.advance(15_000);
    await closed;
    expect(await server.connections()).toBe(0);
  });

  it('takes its sessions with it, in the default protocol', async () => {
    const server = await bed.serve();
    const clock = server.stopTheClock();
    const socket = await silent(server);
    const create = Buffer.from('{"type":"create","cols":80,"rows":24}');
    // Masked with zeros (RFC 6455, 5.3): what it says can be read here.
    socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | create.length, 0, 0, 0, 0]), create]));
    await until(() => server.ptys.ptys.length > 0, 'the process runs');
    const closed = once(socket, 'close');
    for (let ms = 0; ms < 120_000; ms += 15_000) clock.advance(15_000);
    await closed;
    await until(() => server.ptys.last.isOver, 'the process has been ended');
  });
});
