import { connect } from 'node:net';
import { SessionError } from '../../src/core/session-error.js';
import { type FakePty } from '../fakes/fake-pty.js';
import { upgradeHead } from '../support/handshake.js';
import { useTestBed } from '../support/test-bed.js';
import { type TestClient } from '../support/test-client.js';
import { type Answer, listed, type TestServer } from '../support/test-server.js';
import { until } from '../support/until.js';

const bed = useTestBed();

const MIB = 1024 * 1024;

describe('T37: how many sessions may run', () => {
  it('refuses the 65th of 64', async () => {
    const server = await bed.serve();
    const client = await bed.connect(server);
    for (let i = 0; i < 64; i++) await client.create();

    client.send({ type: 'create', requestId: 'one too many' });

    const refusal = await client.next({ type: 'error' });
    expect(refusal).toMatchObject({ requestId: 'one too many', reason: 'SESSION_LIMIT' });
    expect(refusal).not.toHaveProperty('sessionId');
    expect(await listed(server)).toHaveLength(64);
    expect(server.ptys.ptys).toHaveLength(64);
  });

  it('lets exactly 64 of 100 in when all ask at once, from several connections', async () => {
    const server = await bed.serve();
    const clients = await Promise.all(Array.from({ length: 4 }, () => bed.connect(server)));

    for (const client of clients) {
      client.sendAtOnce(...Array.from({ length: 25 }, () => ({ type: 'create', cols: 80, rows: 24 })));
    }
    await Promise.all(clients.map((client) => client.sync()));

    const answers = clients.flatMap(({ messages }) => messages.map(({ type, reason }) => reason ?? type));
    expect(answers.filter((answer) => answer === 'session_created')).toHaveLength(64);
    expect(answers.filter((answer) => answer === 'SESSION_LIMIT')).toHaveLength(36);
    expect(server.ptys.ptys).toHaveLength(64);
  });

  it('has room again once one has ended, by itself or closed', async () => {
    const server = await bed.serve({ maxSessions: 2 });
    const client = await bed.connect(server);
    const first = await client.create();
    server.ptys.last.end({ code: 0 });
    await client.next({ type: 'exit', sessionId: first });
    const second = await client.create();
    const third = await client.create();
    client.send({ type: 'create' });
    await client.next({ type: 'error', reason: 'SESSION_LIMIT' });

    client.send({ type: 'close', sessionId: second });
    await client.next({ type: 'exit', sessionId: second });

    expect(await client.create()).toBe('s4');
    expect((await listed(server)).map(({ id, status }) => `${String(id)} ${String(status)}`)).toEqual([
      `${first} exited`,
      `${third} active`,
      's4 active',
    ]);
  });

  it('has room again after one that could not be started', async () => {
    const server = await bed.serve({ maxSessions: 1 });
    const client = await bed.connect(server);
    for (let times = 0; times < 3; times++) {
      server.ptys.failure = new SessionError('SPAWN_FAILED', 'no');
      await client.next({ type: 'exit', sessionId: await client.create(), cause: 'failed' });
    }

    await client.create();

    expect(await listed(server)).toHaveLength(1);
  });

  it('remembers as many ended sessions as may run, the newest', async () => {
    const server = await bed.serve({ maxSessions: 2 });
    const client = await bed.connect(server);

    for (let i = 0; i < 5; i++) {
      const id = await client.create();
      server.ptys.last.end({ code: 0 });
      await client.next({ type: 'exit', sessionId: id });
    }

    expect((await listed(server)).map(({ id }) => id)).toEqual(['s4', 's5']);
  });

  it('counts a session that is closing until its process is gone', async () => {
    const server = await bed.serve({ maxSessions: 1 });
    const client = await bed.connect(server);
    const sessionId = await client.create();
    server.ptys.last.diesWhenClosed = false;

    client.send({ type: 'close', sessionId }, { type: 'create' });
    await client.next({ type: 'error', reason: 'SESSION_LIMIT' });
    server.ptys.last.end({ code: 0 });
    await client.next({ type: 'exit', sessionId });

    expect(await client.create()).toBe('s2');
  });
});

describe('T35: input to a program that does not read', () => {
  it('is refused whole when it does not fit, and taken again once the program reads', async () => {
    const { client, sessionId, pty } = await bed.open();
    pty.room = 0;
    const messages = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(MIB));
    client.send(...messages.map((data) => ({ type: 'input', sessionId, data })));
    await client.sync();
    expect(client.messages.filter(({ type }) => type === 'error')).toEqual([]);

    client.send({ type: 'input', sessionId, requestId: 'r', data: 'refused' });
    expect(await client.next({ type: 'error' })).toMatchObject({
      sessionId,
      requestId: 'r',
      reason: 'INPUT_QUEUE_FULL',
    });
    expect(pty.input).toBe('');

    pty.read(1000);
    client.send({ type: 'input', sessionId, data: 'R'.repeat(1001) });
    await client.next({ type: 'error', reason: 'INPUT_QUEUE_FULL' });
    client.send({ type: 'input', sessionId, data: 'fits'.repeat(250) });
    await client.sync();
    pty.read(Infinity);

    expect(pty.input === messages.join('') + 'fits'.repeat(250)).toBe(true);
    client.send({ type: 'input', sessionId, data: 'and on' });
    await client.sync();
    expect(pty.input.endsWith('fitsand on')).toBe(true);
  });

  it('is counted in bytes, not in characters', async () => {
    const { client, sessionId, pty } = await bed.open();
    pty.room = 0;

    for (let i = 0; i < 3; i++) client.send({ type: 'input', sessionId, data: '€'.repeat(460_000) });
    await client.sync();
    client.send({ type: 'input', sessionId, data: '€'.repeat(20_000) });

    expect(await client.next({ type: 'error' })).toMatchObject({ reason: 'INPUT_QUEUE_FULL' });
  });

  it('does not keep other sessions, or other messages of the same client, waiting', async () => {
    const { server, client, sessionId, pty } = await bed.open();
    pty.room = 0;
    const other = await client.create();

    client.send(
      { type: 'input', sessionId, data: 'x'.repeat(3 * MIB) },
      { type: 'input', sessionId: other, data: 'through' },
      { type: 'resize', sessionId, cols: 99, rows: 9 },
    );
    await client.sync();

    expect(server.ptys.last.input).toBe('through');
    expect(pty.size).toEqual({ columns: 99, rows: 9 });
  });

  it('gives its share of the server’s memory back when the session is closed', async () => {
    const server = await bed.serve();
    const client = await bed.connect(server);
    const fill = async (): Promise<string> => {
      const sessionId = await client.create();
      server.ptys.last.room = 0;
      for (let i = 0; i < 4; i++) client.send({ type: 'input', sessionId, data: 'x'.repeat(MIB) });
      await client.sync();
      return sessionId;
    };
    const full: string[] = [];
    for (let i = 0; i < 16; i++) full.push(await fill());
    expect(client.messages.filter(({ type }) => type === 'error')).toEqual([]);

    const late = await client.create();
    server.ptys.last.room = 0;
    client.send({ type: 'input', sessionId: late, data: 'x' });
    await client.next({ type: 'error', sessionId: late, reason: 'INPUT_QUEUE_FULL' });
    client.send({ type: 'close', sessionId: full[0] }, { type: 'input', sessionId: late, data: 'x' });
    await client.next({ type: 'exit', sessionId: full[0] });
    await client.sync();

    expect(client.of(late, 'error')).toHaveLength(1);
  });
});

/** A process that prints whenever it is not paused, until told to stop. */
class Fountain {
  printed = 0;
  private running = true;

  constructor(
    private readonly pty: FakePty,
    private readonly chunk = Buffer.from('0123456789abcdef'.repeat(1024)),
  ) {
    this.flow();
  }

  stop(): void {
    this.running = false;
  }

  private flow(): void {
    if (!this.running || this.pty.isOver) return;
    if (!this.pty.paused) {
      this.pty.print(this.chunk);
      this.printed += this.chunk.length;
    }
    setImmediate(() => this.flow());
  }
}

describe('T36: a client that does not read', () => {
  /** What the kernel holds of one loopback connection, and our own high water on top. */
  const HELD_AT_MOST = 24 * MIB;

  it('pauses its process, holds little of the server, and disturbs nobody', async () => {
    const { server, client, sessionId, pty } = await bed.open();
    const other = await bed.connect(server);
    const othersId = await other.create();
    const othersPty = server.ptys.last;
    client.socket.pause();
    const fountain = new Fountain(pty);
    await until(() => pty.paused, 'the process is paused');

    let printed = -1;
    await until(async () => {
      // The kernel's buffers grow for a while: wait until nothing flows between two exchanges of the other client.
      const before = printed;
      othersPty.print('.');
      await other.sync();
      printed = fountain.printed;
      return pty.paused && printed === before;
    }, 'the output stops');

    expect(printed).toBeLessThan(HELD_AT_MOST);
    await other.untilOutput(othersId, '..');
    expect((await server.request('GET', '/api/health')).status).toBe(200);

    fountain.stop();
    client.socket.resume();
    await until(() => client.of(sessionId, 'output').at(-1)?.end === fountain.printed, 'all of it has come');
    expect(client.output(sessionId) === '0123456789abcdef'.repeat(fountain.printed / 16)).toBe(true);
    expect(pty.paused).toBe(false);
  });

  it('can be rid of its session without reading', async () => {
    const { server, client, sessionId, pty } = await bed.open();
    client.socket.pause();
    const fountain = new Fountain(pty);
    await until(() => pty.paused, 'the process is paused');

    expect((await server.request('DELETE', `/api/sessions/${sessionId}`)).status).toBe(204);

    client.socket.resume();
    await client.next({ type: 'exit', sessionId, cause: 'closed' });
    await client.sync();
    expect(client.messages.at(-2)).toMatchObject({ type: 'exit' });
    // What it had not been sent was dropped, not queued before the exit.
    expect(client.of(sessionId, 'output').at(-1)!.end).toBeLessThan(fountain.printed);
  });

  it('is not read from either when it only asks: its answers are bounded too', async () => {
    // It may ask as often as it likes.
    const { server, client: watcher } = await bed.open({ messageBurst: 1_000_000 });
    const client = await bed.connect(server);
    // As JSON writes it, each character of these ids takes six bytes, in the question and in its answer.
    const longId = '\u0001'.repeat(128);
    const question = JSON.stringify({ type: 'input', sessionId: longId, requestId: longId, data: '' });
    client.socket.pause();

    let sent = 0;
    let before = 0;
    await until(async () => {
      for (let i = 0; i < 1000 && client.socket.bufferedAmount < MIB; i++, sent++) client.sendRaw(question);
      await watcher.sync();
      const isStuck = client.socket.bufferedAmount === before && before > MIB;
      before = client.socket.bufferedAmount;
      return isStuck;
    }, 'the server stops reading');

    expect(sent * question.length).toBeLessThan(HELD_AT_MOST);
    client.socket.resume();
    await until(() => client.messages.length === sent, 'all questions are answered');
  });

  it('is gone, with its session, when it vanishes', async () => {
    const { server, client, pty } = await bed.open();
    client.socket.pause();
    new Fountain(pty);
    await until(() => pty.paused, 'the process is paused');

    client.socket.terminate();

    await until(() => pty.isOver, 'the process ends');
    expect(await listed(server)).toEqual([]);
  });
});

describe('T38: how many WebSockets there may be', () => {
  /** From one of the loopback's addresses, each of which is another peer. */
  function connectFrom(server: TestServer, peer: number): Promise<TestClient> {
    const localAddress = `127.0.0.${peer}`;
    return bed.connect(server, {
      createConnection: () => connect({ port: server.port, host: '127.0.0.1', localAddress }),
    });
  }

  /** So many, from four peers that have no room for more. */
  function fill(server: TestServer): Promise<TestClient[]> {
    return Promise.all(Array.from({ length: 128 }, (_, n) => connectFrom(server, 1 + (n % 4))));
  }

  async function admitted(attempts: Promise<TestClient>[]): Promise<TestClient[]> {
    const outcomes = await Promise.allSettled(attempts);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(String(outcome.reason)).toMatch(/\b503$/);
    }
    return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  }

  function expectFull(answer: Answer, detail: string): void {
    expect(answer.status).toBe(503);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(JSON.parse(answer.body)).toMatchObject({ status: 503, code: 'SERVICE_UNAVAILABLE', detail });
  }

  it('are 128, all of which go on when another is refused', async () => {
    const server = await bed.serve();
    const clients = await fill(server);

    expectFull(
      await server.raw(upgradeHead(server.host)),
      'there are 128 connections, as many as are allowed',
    );

    await expect(connectFrom(server, 5)).rejects.toThrow('503');
    await Promise.all(clients.map((client) => client.sync()));
    expect((await server.request('GET', '/api/health')).status).toBe(200);
    await clients[0]!.close();
    await until(async () => (await server.connections()) === 127, 'one has left');
    await connectFrom(server, 5);
    await expect(connectFrom(server, 1)).rejects.toThrow('503');
  });

  it('are 32 of one peer, whoever else is there', async () => {
    const server = await bed.serve();
    const clients = await Promise.all(Array.from({ length: 32 }, () => connectFrom(server, 1)));
    const other = await connectFrom(server, 2);

    expectFull(
      await server.raw(upgradeHead(server.host)),
      'there are 32 connections from this address, as many as are allowed',
    );

    await Promise.all([...clients, other].map((client) => client.sync()));
    await clients[0]!.terminate();
    await until(async () => (await server.connections()) === 32, 'one has left');
    await connectFrom(server, 1);
    await expect(connectFrom(server, 1)).rejects.toThrow('503');
  });

  it('are no more when all come at once', async () => {
    const server = await bed.serve();
    const clients = await admitted(Array.from({ length: 200 }, (_, n) => connectFrom(server, 1 + (n % 8))));
    expect(clients).toHaveLength(128);
    await Promise.all(clients.map((client) => client.sync()));
  });

  it('are no more of one peer when all of them come at once', async () => {
    const server = await bed.serve();
    const clients = await admitted(Array.from({ length: 100 }, () => connectFrom(server, 1)));
    expect(clients).toHaveLength(32);
    await Promise.all(clients.map((client) => client.sync()));
  });

  it('do not count what only tried', async () => {
    const server = await bed.serve({ maxConnections: 1, maxConnectionsPerPeer: 1 });
    const unspeakable = upgradeHead(server.host, ['Sec-WebSocket-Protocol: nobody.speaks']);
    const unshaken = upgradeHead(server.host).replace('Sec-WebSocket-Key', 'X-Key');
    const old = upgradeHead(server.host).replace('Version: 13', 'Version: 8');
    for (const head of [unspeakable, unshaken, old]) {
      expect([400, 426]).toContain((await server.raw(head)).status);
    }

    await bed.connect(server);
  });
});

describe('connections that are no use', () => {
  it('a client that connects and hangs up in the middle of its handshake leaves nothing', async () => {
    const server = await bed.serve();
    const request =
      `GET /ws HTTP/1.1\r\nHost: ${server.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dHJleCB0cmV4IHRyZXggdA==\r\n\r\n';

    for (let length = 0; length <= request.length; length += 16) {
      const socket = connect(server.port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.end(request.slice(0, length), () => socket.resetAndDestroy());
      await new Promise((resolve) => socket.once('close', resolve));
    }

    await until(async () => (await server.connections()) === 0, 'the server holds no connection');
    expect((await server.request('GET', '/api/health')).status).toBe(200);
  });

  it('a connection that only pings is answered, and creates nothing', async () => {
    const server = await bed.serve();
    const client = await bed.connect(server);
    let pongs = 0;
    client.socket.on('pong', () => pongs++);

    for (let i = 0; i < 10; i++) client.socket.ping();
    await until(() => pongs === 10, 'all pings are answered');

    expect(await listed(server)).toEqual([]);
  });
});
