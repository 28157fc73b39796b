import { SessionError } from '../../src/core/session-error.js';
import { type FakePty } from '../fakes/fake-pty.js';
import { listed } from '../support/test-server.js';
import { type Received } from '../support/test-client.js';
import { useTestBed } from '../support/test-bed.js';
import { until } from '../support/until.js';

const bed = useTestBed();

describe('T010, T011: creating', () => {
  it('announces a session with its id, shell type, name and directory', async () => {
    const server = await bed.serve({ cwd: '/usr' });
    const client = await bed.connect(server);

    client.send({ type: 'create' });

    expect(await client.next({ type: 'session_created' })).toEqual({
      type: 'session_created',
      sessionId: 's1',
      shellType: 'bash',
      data: 'bash-1',
      cwd: '/usr',
    });
  });

  it('passes on the shell, the directory and the size that were asked for', async () => {
    const server = await bed.serve();
    const client = await bed.connect(server);

    client.send({ type: 'create', shell: 'sh', cwd: '/tmp', cols: 132, rows: 43, requestId: 'r' });

    expect(await client.next({ type: 'session_created' })).toEqual({
      type: 'session_created',
      requestId: 'r',
      sessionId: 's1',
      shellType: 'sh',
      data: 'sh-1',
      cwd: '/tmp',
    });
    expect(server.ptys.last.launch).toEqual({
      file: '/bin/sh',
      args: [],
      cwd: '/tmp',
      size: { columns: 132, rows: 43 },
    });
  });

  it('answers in the order asked, refusals in their places', async () => {
    const server = await bed.serve({ maxSessions: 4 });
    const client = await bed.connect(server);

    client.sendAtOnce(
      { type: 'create' },
      { type: 'create', shell: '/bin/nonsense' },
      { type: 'create', shell: 'zsh' },
      { type: 'create', cwd: 'relative' },
      { type: 'create', cols: 0, rows: 24 },
      { type: 'create' },
      { type: 'create', cols: 80, rows: 24 },
      { type: 'create' },
    );
    await client.sync();

    const answers = client.messages.map(({ sessionId, reason }) => sessionId ?? reason).slice(0, 8);
    expect(answers).toEqual([
      's1',
      'INVALID_SHELL',
      's2',
      'INVALID_CWD',
      'INVALID_SIZE',
      's3',
      's4',
      'SESSION_LIMIT',
    ]);
    // A session id would make old clients show the error in that terminal.
    expect(client.messages.filter(({ type }) => type === 'error').map(({ sessionId }) => sessionId)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('never gives an id twice', async () => {
    const server = await bed.serve();
    const client = await bed.connect(server);

    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      const id = await client.create();
      ids.push(id);
      client.send({ type: 'close', sessionId: id });
      await client.next({ type: 'exit', sessionId: id });
    }

    expect(ids).toEqual(['s1', 's2', 's3', 's4', 's5']);
  });

  it.each([
    ['INVALID_SHELL', { shell: '/bin/sh; id' }],
    ['INVALID_SHELL', { shell: '../bin/sh' }],
    ['INVALID_SHELL', { shell: '/usr/bin/env' }],
    ['INVALID_SHELL', { shell: '/bin/sh\0' }],
    ['INVALID_SHELL', { shell: '' }],
    ['INVALID_SHELL', { shell: 5 }],
    ['INVALID_SHELL', { shell: ['/bin/sh'] }],
    ['INVALID_SHELL', { shell: null }],
    ['INVALID_SHELL', { shell: '/bin/sh'.repeat(1000) }],
    ['INVALID_CWD', { cwd: '' }],
    ['INVALID_CWD', { cwd: 'tmp' }],
    ['INVALID_CWD', { cwd: '~' }],
    ['INVALID_CWD', { cwd: '/tmp\0/x' }],
    ['INVALID_CWD', { cwd: 5 }],
    ['INVALID_CWD', { cwd: null }],
    ['INVALID_CWD', { cwd: { toString: 1 } }],
    ['INVALID_CWD', { cwd: '/' + 'x'.repeat(5000) }],
    ['INVALID_SIZE', { cols: 80 }],
    ['INVALID_SIZE', { rows: 24 }],
    ['INVALID_SIZE', { cols: 80, rows: null }],
    ['INVALID_SIZE', { cols: 1001, rows: 24 }],
    ['INVALID_SIZE', { cols: 80, rows: 501 }],
  ])('answers %s to %j, and nothing is created', async (reason, fields) => {
    const server = await bed.serve();
    const client = await bed.connect(server);

    client.send({ type: 'create', requestId: 'r', ...fields });

    expect(await client.next({ type: 'error' })).toEqual({
      type: 'error',
      requestId: 'r',
      reason,
      error: expect.any(String) as unknown,
    });
    expect(await client.create()).toBe('s1');
    expect(server.ptys.ptys).toHaveLength(1);
  });

  it('starts the process at the first resize, with that size', async () => {
    const server = await bed.serve();
    server.stopTheClock();
    const client = await bed.connect(server);
    client.send({ type: 'create' });
    const { sessionId } = await client.next({ type: 'session_created' });
    expect(server.ptys.ptys).toEqual([]);

    client.send({ type: 'resize', sessionId, cols: 100, rows: 30 });
    await client.sync();

    expect(server.ptys.last.sizes).toEqual([{ columns: 100, rows: 30 }]);
  });

  it('starts the process at the first input', async () => {
    const server = await bed.serve();
    server.stopTheClock();
    const client = await bed.connect(server);
    client.send({ type: 'create' });
    const { sessionId } = await client.next({ type: 'session_created' });

    client.send({ type: 'input', sessionId, data: 'ls\r' });
    await client.sync();

    expect(server.ptys.last.input).toBe('ls\r');
    expect(server.ptys.last.sizes).toEqual([{ columns: 80, rows: 24 }]);
  });

  it('starts the process half a second later when the client says nothing more', async () => {
    const server = await bed.serve();
    const clock = server.stopTheClock();
    const client = await bed.connect(server);
    client.send({ type: 'create' });
    await client.next({ type: 'session_created' });

    clock.advance(499);
    expect(server.ptys.ptys).toEqual([]);
    clock.advance(1);
    expect(server.ptys.ptys).toHaveLength(1);
  });

  it('tells of a process that could not be started: the error, then its exit, and it is gone', async () => {
    const server = await bed.serve();
    server.ptys.failure = new SessionError('SPAWN_FAILED', 'the process could not be started');
    const client = await bed.connect(server);

    const sessionId = await client.create();
    await client.next({ type: 'exit', sessionId });

    expect(client.messages).toEqual([
      expect.objectContaining({ type: 'session_created', sessionId }),
      { type: 'error', sessionId, reason: 'SPAWN_FAILED', error: 'the process could not be started' },
      { type: 'exit', sessionId, code: 127, cause: 'failed' },
    ]);
    expect(await listed(server)).toEqual([]);
    expect(await client.create()).toBe('s2');
  });

  it('keeps what is typed and resized while the process is being started, in order', async () => {
    const server = await bed.serve();
    server.ptys.hold();
    const client = await bed.connect(server);
    const sessionId = await client.create();
    client.send(
      { type: 'input', sessionId, data: 'one ' },
      { type: 'resize', sessionId, cols: 90, rows: 20 },
      { type: 'input', sessionId, data: 'two' },
    );
    await client.sync();

    server.ptys.release();
    await until(() => server.ptys.ptys[0]?.input === 'one two', 'the process has its input');

    expect(server.ptys.last.size).toEqual({ columns: 90, rows: 20 });
  });
});

describe('T010, T011: routing', () => {
  it('does nothing, and says nothing, when a client only connects', async () => {
    const server = await bed.serve();
    const client = await bed.connect(server);

    await client.sync();

    expect(client.messages).toEqual([{ type: 'tmux_sessions', requestId: 'sync-1' }]);
    expect(await listed(server)).toEqual([]);
  });

  it('brings input and sizes to the session they name, and to no other', async () => {
    const { server, client, sessionId, pty } = await bed.open();
    const other = await client.create();
    const otherPty = server.ptys.last;

    client.send(
      { type: 'input', sessionId, data: 'to the first' },
      { type: 'input', sessionId: other, data: 'to the second' },
      { type: 'resize', sessionId: other, cols: 10, rows: 5 },
    );
    await client.sync();

    expect([pty.input, otherPty.input]).toEqual(['to the first', 'to the second']);
    expect(pty.sizes).toEqual([{ columns: 80, rows: 24 }]);
    expect(otherPty.size).toEqual({ columns: 10, rows: 5 });
  });

  it('lets messages that arrive in one read take effect in their order', async () => {
    const server = await bed.serve();
    const client = await bed.connect(server);

    for (let round = 1; round <= 20; round++) {
      client.sendAtOnce(
        { type: 'create' },
        { type: 'resize', sessionId: `s${round}`, cols: 100, rows: 40 },
        { type: 'input', sessionId: `s${round}`, data: 'a' },
        { type: 'resize', sessionId: `s${round}`, cols: 101, rows: 41 },
        { type: 'input', sessionId: `s${round}`, data: 'b' },
        { type: 'nonsense' },
        { type: 'input', sessionId: `s${round}`, data: 'c' },
      );
      await client.sync();
      const pty = server.ptys.last;
      expect(pty.input).toBe('abc');
      expect([pty.sizes[0], pty.size]).toEqual([
        { columns: 100, rows: 40 },
        { columns: 101, rows: 41 },
      ]);
    }
    const reasons = client.messages.filter(({ type }) => type === 'error').map(({ reason }) => reason);
    expect(reasons).toEqual(Array(20).fill('UNKNOWN_TYPE'));
  });

  it('keeps a burst of typing and resizing in its order', async () => {
    const { client, sessionId, pty } = await bed.open();
    const keys = Array.from({ length: 500 }, (_, index) => `${index},`);

    client.sendAtOnce(
      ...keys.flatMap((data, index) => [
        { type: 'input', sessionId, data },
        { type: 'resize', sessionId, cols: (index % 1000) + 1, rows: 24 },
      ]),
    );
    await client.sync();

    expect(pty.input).toBe(keys.join(''));
    expect(pty.size).toEqual({ columns: 500, rows: 24 });
  });

  it('sends output to the owner only', async () => {
    const { server, client, sessionId, pty } = await bed.open();
    const stranger = await bed.connect(server);
    const strangersId = await stranger.create();

    pty.print('for the owner');
    server.ptys.last.print('for the stranger');
    await client.untilOutput(sessionId, 'for the owner');
    await stranger.untilOutput(strangersId, 'for the stranger');
    await Promise.all([client.sync(), stranger.sync()]);

    expect(stranger.of(sessionId)).toEqual([]);
    expect(client.of(strangersId)).toEqual([]);
  });

  it('takes input, sizes and a close from another connection: after a reload old clients have two', async () => {
    const { server, client, sessionId, pty } = await bed.open();
    const second = await bed.connect(server);

    second.send(
      { type: 'input', sessionId, data: 'hello' },
      { type: 'resize', sessionId, cols: 99, rows: 33 },
    );
    await second.sync();
    expect(pty.input).toBe('hello');
    expect(pty.size).toEqual({ columns: 99, rows: 33 });

    pty.print('hello');
    await client.untilOutput(sessionId, 'hello');
    second.send({ type: 'close', sessionId });
    expect(await client.next({ type: 'exit' })).toMatchObject({ sessionId, cause: 'closed' });
    await second.sync();
    expect(second.of(sessionId)).toEqual([]);
    expect(client.closing).toBeUndefined();
  });

  it.each(['input', 'resize', 'close'])('answers %s for an unknown session with an error', async (type) => {
    const { client, pty } = await bed.open();

    for (const sessionId of ['s99', 's0', 'S1', '__proto__', 'constructor', '../s1', 'x'.repeat(128)]) {
      client.send({ type, sessionId, data: 'x', cols: 80, rows: 24, requestId: 'r' });
      expect(await client.next({ type: 'error' })).toEqual({
        type: 'error',
        sessionId,
        requestId: 'r',
        reason: 'SESSION_NOT_FOUND',
        error: 'session not found',
      });
    }
    expect(pty.input).toBe('');
  });

  it('closes a session that has gone without a word', async () => {
    const { client, sessionId } = await bed.open();
    client.send({ type: 'close', sessionId });
    await client.next({ type: 'exit', sessionId });

    client.send({ type: 'close', sessionId }, { type: 'close', sessionId });
    await client.sync();

    expect(client.of(sessionId).map(({ type }) => type)).toEqual(['session_created', 'exit']);
  });

  it.each(['input', 'resize'])('answers %s to an ended session with SESSION_ENDED', async (type) => {
    const { client, sessionId, pty } = await bed.open();
    pty.end({ code: 0 });
    await client.next({ type: 'exit', sessionId });

    client.send({ type, sessionId, requestId: 'r', data: 'x', cols: 80, rows: 24 });

    expect(await client.next({ type: 'error' })).toEqual({
      type: 'error',
      sessionId,
      requestId: 'r',
      reason: 'SESSION_ENDED',
      error: 'session ended',
    });
    expect(pty.input).toBe('');
  });

  it('answers input to a session that is closing with SESSION_ENDED', async () => {
    const { client, sessionId, pty } = await bed.open();
    pty.diesWhenClosed = false;

    client.sendAtOnce({ type: 'close', sessionId }, { type: 'input', sessionId, data: 'too late' });

    expect(await client.next({ type: 'error' })).toMatchObject({ sessionId, reason: 'SESSION_ENDED' });
    expect(pty.input).toBe('');
  });
});

describe('without a sessionId', () => {
  it.each([
    ['input', { data: 'hi' }],
    ['resize', { cols: 90, rows: 30 }],
  ])('%s creates a session when there is none, and announces it', async (type, fields) => {
    const server = await bed.serve();
    const client = await bed.connect(server);

    client.send({ type, ...fields, requestId: 'r' }, { type, ...fields });
    await client.sync();

    expect(client.messages.filter((message) => message.type === 'session_created')).toEqual([
      expect.objectContaining({ sessionId: 's1', requestId: 'r' }),
    ]);
    expect(server.ptys.ptys).toHaveLength(1);
    expect(server.ptys.last).toMatchObject(
      type === 'input' ? { input: 'hihi' } : { size: { columns: 90, rows: 30 } },
    );
  });

  it('close does nothing when there is none', async () => {
    const server = await bed.serve();
    const client = await bed.connect(server);

    client.send({ type: 'close' }, { type: 'detach' });
    await client.sync();

    expect(client.messages).toHaveLength(1);
  });

  it('means the connection’s oldest session that has not ended', async () => {
    const { server, client, sessionId, pty } = await bed.open();
    await client.create();
    const second = server.ptys.last;

    client.send({ type: 'input', data: '1' });
    await client.sync();
    pty.end({ code: 0 });
    await client.next({ type: 'exit', sessionId });
    client.send({ type: 'input', data: '2' }, { type: 'resize', cols: 70, rows: 20 }, { type: 'close' });
    await client.next({ type: 'exit', sessionId: 's2' });

    expect([pty.input, second.input]).toEqual(['1', '2']);
    expect(second.size).toEqual({ columns: 70, rows: 20 });
  });

  it('means one that is closing too: what is typed reaches no other session by accident', async () => {
    const { server, client, sessionId, pty } = await bed.open();
    await client.create();
    const second = server.ptys.last;
    pty.diesWhenClosed = false;

    client.send({ type: 'close', sessionId }, { type: 'input', data: 'rm -r .\r', requestId: 'r' });
    expect(await client.next({ type: 'error' })).toMatchObject({ reason: 'SESSION_ENDED', requestId: 'r' });
    pty.end({ code: 0 });
    await client.next({ type: 'exit', sessionId });
    client.send({ type: 'input', data: 'ls\r' });
    await client.sync();

    expect(second.input).toBe('ls\r');
  });

  it('does not mean another connection’s session', async () => {
    const { server, pty } = await bed.open();
    const other = await bed.connect(server);

    other.send({ type: 'close' }, { type: 'input', data: 'mine' });
    await other.sync();

    expect(pty.closing).toBe(false);
    expect(pty.input).toBe('');
    expect(server.ptys.last.input).toBe('mine');
  });

  it('is refused at the limit, without a session', async () => {
    const server = await bed.serve({ maxSessions: 1 });
    const first = await bed.connect(server);
    await first.create();
    const client = await bed.connect(server);

    client.send({ type: 'input', data: 'x', requestId: 'r' });

    const refusal = await client.next({ type: 'error' });
    expect(refusal).toMatchObject({ requestId: 'r', reason: 'SESSION_LIMIT' });
    expect(refusal).not.toHaveProperty('sessionId');
  });
});

describe('what existing clients also send', () => {
  it('takes tmux_config in silence', async () => {
    const server = await bed.serve();
    const client = await bed.connect(server);

    client.send({ type: 'tmux_config', interval: 2000 }, { type: 'tmux_config' });
    await client.sync();

    expect(client.messages).toHaveLength(1);
  });

  it('answers list_tmux_sessions without the list', async () => {
    const server = await bed.serve();
    const client = await bed.connect(server);

    client.send({ type: 'list_tmux_sessions' });

    expect(await client.next(() => true)).toEqual({ type: 'tmux_sessions' });
  });

  it('stops showing a session on detach, which goes on', async () => {
    const { client, sessionId, pty } = await bed.open();
    pty.print('seen');
    await client.untilOutput(sessionId, 'seen');

    client.send({ type: 'detach', sessionId }, { type: 'detach', sessionId });
    await client.sync();
    pty.print('unseen');
    client.send({ type: 'input', sessionId, data: 'still there?' });
    await client.sync();

    expect(client.output(sessionId)).toBe('seen');
    expect(pty.input).toBe('still there?');
    expect(pty.closing).toBe(false);
  });

  it('is silent on detach of a session it does not view, and knows none that never was', async () => {
    const { server, client, sessionId } = await bed.open();
    const other = await bed.connect(server);
    const gone = await client.create();
    client.send({ type: 'close', sessionId: gone });
    await client.next({ type: 'exit', sessionId: gone });

    other.send({ type: 'detach', sessionId }, { type: 'detach', sessionId: gone }, { type: 'detach' });
    other.send({ type: 'detach', sessionId: 's99', requestId: 'r1' });
    await other.sync();

    expect(other.messages.filter(({ type }) => type !== 'tmux_sessions')).toEqual([
      {
        type: 'error',
        sessionId: 's99',
        requestId: 'r1',
        reason: 'SESSION_NOT_FOUND',
        error: 'session not found',
      },
    ]);
  });

  it('a detached session still ends with its owner', async () => {
    const { client, sessionId, pty } = await bed.open();
    client.send({ type: 'detach', sessionId });
    await client.sync();

    await client.close();

    await until(() => pty.isOver, 'the process ends');
  });
});

describe('T012: whatever happens to the socket', () => {
  it.each([
    ['closes', (client: { close(): Promise<void> }) => client.close()],
    ['vanishes', (client: { terminate(): Promise<void> }) => client.terminate()],
  ])('every session it owned is closed when it %s', async (_, leave) => {
    const server = await bed.serve();
    const stays = await bed.connect(server);
    const leaves = await bed.connect(server);
    const kept = await stays.create();
    const ptys: FakePty[] = [];
    for (let i = 0; i < 3; i++) {
      await leaves.create();
      ptys.push(server.ptys.last);
    }
    await leaves.create({ cols: undefined, rows: undefined });

    await leave(leaves);

    await until(async () => (await listed(server)).length === 1, 'its sessions are gone');
    expect((await listed(server))[0]).toMatchObject({ id: kept });
    expect(ptys.every((pty) => pty.isOver)).toBe(true);
    expect(stays.closing).toBeUndefined();
  });

  it('a client that vanishes in the middle of a burst leaves nothing', async () => {
    const server = await bed.serve();

    for (let round = 0; round < 10; round++) {
      const client = await bed.connect(server);
      const burst: object[] = [];
      for (let i = 0; i < 10; i++) {
        burst.push({ type: 'create', cols: 80, rows: 24 }, { type: 'input', data: 'x'.repeat(1000) });
      }
      client.sendAtOnce(...burst);
      if (round % 2 === 0) await client.next({ type: 'session_created' });
      for (const pty of server.ptys.ptys) if (!pty.isOver) pty.print('y'.repeat(10_000));
      await client.terminate();
    }

    await until(
      async () => (await server.connections()) === 0 && server.ptys.ptys.every((pty) => pty.isOver),
      'all connections and processes are gone',
    );
    expect(await listed(server)).toEqual([]);
  });

  it('a session whose process is being started when its owner leaves does not stay', async () => {
    const server = await bed.serve();
    server.ptys.hold();
    const client = await bed.connect(server);
    await client.create();
    await client.terminate();
    await until(async () => (await server.connections()) === 0, 'the connection is gone');

    server.ptys.release();

    await until(async () => (await listed(server)).length === 0, 'the session is gone');
    expect(server.ptys.last.isOver).toBe(true);
  });

  it('sessions go on for their owner when a connection that only used them leaves', async () => {
    const { server, client, sessionId, pty } = await bed.open();
    const guest = await bed.connect(server);
    guest.send({ type: 'input', sessionId, data: 'x' });
    await guest.sync();

    await guest.terminate();

    pty.print('still here');
    await client.untilOutput(sessionId, 'still here');
    expect(pty.closing).toBe(false);
  });
});

describe('requestId', () => {
  const requestId = 'r'.repeat(128);

  it('is repeated in every answer, and only in its own', async () => {
    const server = await bed.serve();
    const client = await bed.connect(server);

    client.send(
      { type: 'create', requestId: 'a', cols: 80, rows: 24 },
      { type: 'create' },
      { type: 'create', requestId: 'b', shell: 'none' },
      { type: 'input', sessionId: 's9', requestId: 'c', data: '' },
      { type: 'resize', sessionId: 's1', requestId: 'd', cols: 0, rows: 0 },
      { type: 'list_tmux_sessions', requestId },
      { type: 'unheard_of', requestId: 'e' },
      { type: 'close', sessionId: 's9', requestId: 'f' },
    );
    await client.sync();

    const answers = client.messages.slice(0, 8).map((message: Received) => [message.type, message.requestId]);
    expect(answers).toEqual([
      ['session_created', 'a'],
      ['session_created', undefined],
      ['error', 'b'],
      ['error', 'c'],
      ['error', 'd'],
      ['tmux_sessions', requestId],
      ['error', 'e'],
      ['error', 'f'],
    ]);
  });

  it.each([[''], [5], [null], [{}], [['r']], [`${requestId}r`]])(
    'is refused when it is %j, and not repeated',
    async (wrong) => {
      const server = await bed.serve();
      const client = await bed.connect(server);

      client.send({ type: 'create', requestId: wrong });

      const error = await client.next({ type: 'error' });
      expect(error).toMatchObject({ reason: 'BAD_MESSAGE' });
      expect(error).not.toHaveProperty('requestId');
      expect(await listed(server)).toEqual([]);
    },
  );
});
