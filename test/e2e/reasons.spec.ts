import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { SessionError } from '../../src/core/session-error.js';
import { encodeFrame } from '../../src/protocol/frames.js';
import { CuttingProxy } from '../support/cutting-proxy.js';
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

  it('T30 · INTERNAL · a bug, without detail', async () => {
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

describe('T40: a client from which nothing comes any more', () => {
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
    for (let ms = 0; ms < deadMs - 15_000; ms += 15_000) clock.advance(15_000);
    expect(await server.connections()).toBe(1);
    clock.advance(15_000);
    await until(() => socket.closed, 'it is cut off');
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
    for (let ms = 0; ms < 120_000; ms += 15_000) clock.advance(15_000);
    await until(() => server.ptys.last.isOver, 'the process has been ended');
  });

  /** A client of `trex.v2` in a process of its own: it creates a session, and then says of each ping that it answered. */
  const CLIENT = `
    const { WebSocket } = require(process.argv[1]);
    const socket = new WebSocket(process.argv[2], 'trex.v2');
    socket.on('open', () => socket.send('{"type":"hello"}'));
    socket.on('message', (data) => {
      const { type } = JSON.parse(data);
      if (type === 'welcome') socket.send('{"type":"create","cols":80,"rows":24}');
      if (type === 'session_created') console.log('ready');
    });
    socket.on('ping', () => console.log('answered'));
  `;

  it('because it was stopped is cut off, and its sessions wait for it as for any that was lost', async () => {
    const server = await bed.serve();
    const clock = server.stopTheClock();
    const url = `ws://${server.host}/ws`;
    const child = spawn(process.execPath, ['-e', CLIENT, require.resolve('ws'), url]);
    let said = '';
    child.stdout.on('data', (text) => (said += String(text)));
    try {
      await until(() => said === 'ready\n', 'it has a session');
      clock.advance(15_000);
      await until(() => said === 'ready\nanswered\n', 'it has answered a ping');
      // Its answer is there before anything that comes from now on.
      await server.request('GET', '/api/health');
      child.kill('SIGSTOP');
      const state = (): string => readFileSync(`/proc/${child.pid!}/stat`, 'latin1').split(') ')[1]!;
      await until(() => state().startsWith('T'), 'it has stopped');

      clock.advance(29_999);
      expect(await server.connections()).toBe(1);
      clock.advance(1);
      await until(async () => (await server.connections()) === 0, 'it is cut off');
      // By its end the server has seen that, too.
      await server.request('GET', '/api/health');
      clock.advance(59_999);
      expect(server.ptys.last.isOver).toBe(false);
      clock.advance(1);
      await until(() => server.ptys.last.isOver, 'its process has been ended');
      expect(await listed(server)).toEqual([]);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'close');
    }
  });

  it('because the network is gone, of which nobody tells, is cut off', async () => {
    const server = await bed.serve();
    const clock = server.stopTheClock();
    const proxy = await CuttingProxy.start(server.port);
    try {
      const client = await bed.greet(proxy);
      await client.create();
      proxy.cut('silence');

      clock.advance(29_999);
      expect(await server.connections()).toBe(1);
      clock.advance(1);

      await until(async () => (await server.connections()) === 0, 'it is cut off');
      expect(client.closing).toBeUndefined();
      expect(server.ptys.last.isOver).toBe(false);
    } finally {
      await proxy.close();
    }
  });
});

describe('T43: a server that stands still for a while', () => {
  it.each([
    ['trex.v2', 30_000, 1500],
    ['trex.v2', 30_000, 5000],
    ['trex.v1', 120_000, 5000],
    ['trex.v1', 120_000, 3_600_000],
  ])('gives up no client that answers: of %s after %i ms, %i ms late', async (protocol, deadMs, lateMs) => {
    const server = await bed.serve();
    const clock = server.stopTheClock();
    const client = await bed.connect(server, { protocols: [protocol] });
    // Until all of this is over, nothing is read.
    clock.advance(deadMs - 15_000);
    const elapsed = clock.elapsed.bind(clock);
    clock.elapsed = () => elapsed() + lateMs;
    clock.advance(15_000);

    if (protocol === 'trex.v2') client.send({ type: 'hello' });
    await client.sync();
    for (let pings = 0; pings < 10; pings++) {
      clock.advance(15_000);
      await client.sync();
    }
    expect(client.closing).toBeUndefined();
  });
});
