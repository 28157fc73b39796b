import { listed } from '../support/test-server.js';
import { useTestBed } from '../support/test-bed.js';
import { until } from '../support/until.js';

const bed = useTestBed();

/** Characters of every length UTF-8 has, side by side in every order that matters. */
const TEXT = 'aé€😀é😀€a\u0000\u007f\u0080߿ࠀ\uffff\u{10000}\u{10ffff}日本語🏳️‍🌈e\u0301';

describe('output', () => {
  it('arrives unbroken wherever the process’s prints are split', async () => {
    const { client, sessionId, pty } = await bed.open();
    const bytes = Buffer.from(TEXT);

    for (let at = 1; at < bytes.length; at++) {
      pty.print(bytes.subarray(0, at));
      // Between the halves there is a whole exchange: the first is on its way, as far as it goes.
      await client.sync();
      pty.print(bytes.subarray(at));
      await client.untilOutput(sessionId, new RegExp(`^(${TEXT}){${at}}$`, 'su'));
    }

    for (const { data } of client.of(sessionId, 'output')) expect(data).not.toContain('\ufffd');
  });

  it('arrives unbroken when it is printed byte by byte', async () => {
    const { client, sessionId, pty } = await bed.open();

    for (const byte of Buffer.from(TEXT)) {
      pty.print(Buffer.from([byte]));
      await client.sync();
    }

    await client.untilOutput(sessionId, TEXT);
    expect(client.output(sessionId)).toBe(TEXT);
  });

  it('of large amounts arrives unbroken, each frame’s offset where the one before ended', async () => {
    const { client, sessionId, pty } = await bed.open();
    const text = TEXT.repeat(6000);
    const bytes = Buffer.from(text);

    for (let at = 0; at < bytes.length; at += 4093) {
      pty.print(bytes.subarray(at, at + 4093));
      if (at % 40_930 === 0) await client.sync();
    }
    await until(() => client.of(sessionId, 'output').at(-1)?.end === bytes.length, 'all of it has come');

    expect(client.output(sessionId) === text).toBe(true);
    let end = 0;
    for (const frame of client.of(sessionId, 'output')) {
      expect(frame.offset).toBe(end);
      expect(frame.end! - frame.offset!).toBe(Buffer.byteLength(frame.data!));
      end = frame.end!;
    }
  });

  it('shows bytes that are no UTF-8 as U+FFFD, without waiting for more', async () => {
    const { client, sessionId, pty } = await bed.open();

    pty.print(Buffer.from([0x61, 0xff, 0x62, 0xc0, 0x80, 0x63]));
    await client.untilOutput(sessionId, 'c');

    expect(client.output(sessionId)).toBe('a\ufffdb\ufffd\ufffdc');
    expect(client.of(sessionId, 'output').at(-1)!.end).toBe(6);
  });

  it('is not held back for a character that never ends, once the process has', async () => {
    const { client, sessionId, pty } = await bed.open();

    pty.print(Buffer.from([0x61, 0xe2, 0x82]));
    pty.end({ code: 0 });
    await client.next({ type: 'exit', sessionId });

    expect(client.output(sessionId)).toBe('a\ufffd');
    expect(client.of(sessionId, 'output').at(-1)!.end).toBe(3);
  });

  it('passes whatever a terminal may be sent', async () => {
    const { client, sessionId, pty } = await bed.open();
    const controls = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).join('');

    pty.print(controls + '\u001b[31mred\u001b[0m\u2028\u2029"\\');
    await client.untilOutput(sessionId, '"\\');

    expect(client.output(sessionId)).toBe(controls + '\u001b[31mred\u001b[0m\u2028\u2029"\\');
  });
});

describe('exit', () => {
  it('comes after the last output, exactly once, when the process ends by itself', async () => {
    const { client, sessionId, pty } = await bed.open();

    pty.print('x'.repeat(300_000));
    pty.print('last words');
    pty.end({ code: 3 });
    expect(await client.next({ type: 'exit' })).toEqual({
      type: 'exit',
      sessionId,
      code: 3,
      cause: 'ended',
    });
    await client.sync();

    expect(client.output(sessionId)).toHaveLength(300_010);
    expect(client.of(sessionId).at(-1)).toMatchObject({ type: 'exit' });
    expect(client.of(sessionId, 'exit')).toHaveLength(1);
  });

  it('comes after all output even when the client reads only later', async () => {
    const { client, sessionId, pty } = await bed.open();
    client.socket.pause();
    let printed = 0;
    // More than the kernel takes: what is left waits in the server when the process ends.
    for (let i = 0; i < 10_000 && !pty.paused; i++) {
      pty.print('y'.repeat(16_384));
      printed += 16_384;
      if (i % 16 === 0) await new Promise(setImmediate);
    }
    expect(pty.paused).toBe(true);
    pty.end({ code: 0 });

    client.socket.resume();
    await client.next({ type: 'exit', sessionId });

    expect(client.output(sessionId).length).toBe(printed);
  });

  it('names the signal that ended the process', async () => {
    const { client, sessionId, pty } = await bed.open();

    pty.end({ code: 139, signal: 'SIGSEGV' });

    expect(await client.next({ type: 'exit' })).toEqual({
      type: 'exit',
      sessionId,
      code: 139,
      signal: 'SIGSEGV',
      cause: 'ended',
    });
  });

  it('leaves the connection open for other sessions', async () => {
    const { server, client, sessionId, pty } = await bed.open();
    const other = await client.create();

    pty.end({ code: 0 });
    await client.next({ type: 'exit', sessionId });
    server.ptys.last.print('on');

    await client.untilOutput(other, 'on');
  });

  it('comes once when the process ends while it is being closed', async () => {
    const { client, sessionId, pty } = await bed.open();
    pty.diesWhenClosed = false;

    client.send({ type: 'close', sessionId }, { type: 'close', sessionId });
    await until(() => pty.closing, 'the process is asked to go');
    pty.end({ code: 5 });
    await client.next({ type: 'exit', sessionId, cause: 'closed', code: 5 });
    await client.sync();

    expect(client.of(sessionId, 'exit')).toHaveLength(1);
  });
});

describe('an ended session', () => {
  it('is kept while its owner is there', async () => {
    const { server, client, sessionId, pty } = await bed.open({ exitedLingerSeconds: 1 });
    const clock = server.stopTheClock();

    pty.end({ code: 0 });
    await client.next({ type: 'exit', sessionId });
    clock.advance(10_000);

    expect(await listed(server)).toEqual([expect.objectContaining({ id: sessionId, status: 'exited' })]);
  });

  it('is gone as soon as its owner leaves', async () => {
    const { server, client, sessionId, pty } = await bed.open();
    pty.end({ code: 0 });
    await client.next({ type: 'exit', sessionId });

    await client.close();

    await until(async () => (await listed(server)).length === 0, 'it is gone');
  });

  it('is gone as soon as it is closed, and input to it is then input to nobody', async () => {
    const { server, client, sessionId, pty } = await bed.open();
    pty.end({ code: 0 });
    await client.next({ type: 'exit', sessionId });

    client.send({ type: 'close', sessionId }, { type: 'input', sessionId, data: 'x' });

    await client.next({ type: 'error', sessionId, reason: 'SESSION_NOT_FOUND' });
    expect(await listed(server)).toEqual([]);
    expect(client.of(sessionId, 'exit')).toHaveLength(1);
  });

  it('lingers after its last viewer has left it, and then goes', async () => {
    const { server, client, sessionId, pty } = await bed.open({ exitedLingerSeconds: 7 });
    const clock = server.stopTheClock();
    pty.end({ code: 0 });
    await client.next({ type: 'exit', sessionId });
    client.send({ type: 'detach', sessionId });
    await client.sync();

    clock.advance(6999);
    expect(await listed(server)).toHaveLength(1);
    clock.advance(1);
    expect(await listed(server)).toEqual([]);
  });

  it('lingers from its end on when nobody watched it', async () => {
    const { server, client, sessionId, pty } = await bed.open({ exitedLingerSeconds: 7 });
    const clock = server.stopTheClock();
    client.send({ type: 'detach', sessionId });
    await client.sync();
    clock.advance(60_000);
    pty.end({ code: 0 });

    clock.advance(6999);
    expect(await listed(server)).toHaveLength(1);
    clock.advance(1);
    expect(await listed(server)).toEqual([]);
    expect(client.of(sessionId, 'exit')).toEqual([]);
  });

  it('really goes in real time', async () => {
    const { server, client, sessionId, pty } = await bed.open({ exitedLingerSeconds: 1 });
    client.send({ type: 'detach', sessionId });
    await client.sync();

    pty.end({ code: 0 });

    await until(async () => (await listed(server)).length === 0, 'it is gone');
  });
});

describe('a server that stops', () => {
  it('tells its clients that it goes away, and ends every process', async () => {
    const server = await bed.serve();
    server.stopTheClock();
    const clients = await Promise.all([bed.connect(server), bed.connect(server), bed.connect(server)]);
    for (const client of clients) {
      await client.create();
      await client.create({ cols: undefined, rows: undefined });
    }

    await server.stop();

    for (const client of clients) {
      expect(await client.closed()).toEqual({ code: 1001, reason: expect.any(String) as unknown });
    }
    expect(server.ptys.ptys).toHaveLength(3);
    expect(server.ptys.ptys.every((pty) => pty.isOver)).toBe(true);
  });

  it('waits for processes that take their time', async () => {
    const { server, pty } = await bed.open();
    pty.diesWhenClosed = false;
    let stopped = false;
    const stop = server.stop().finally(() => (stopped = true));
    await until(() => pty.closing, 'the process is asked to go');
    await new Promise(setImmediate);
    expect(stopped).toBe(false);

    pty.end({ code: 0 });

    await stop;
  });

  it('ends sessions whose owner has left them while they could not die', async () => {
    const { server, client, pty } = await bed.open();
    pty.diesWhenClosed = false;
    await client.close();
    await until(() => pty.closing, 'the process is asked to go');

    const stop = server.stop();
    pty.end({ code: 0 });

    await stop;
    expect(pty.isOver).toBe(true);
  });

  it('cuts off a client that does not answer', async () => {
    const { server, client, pty } = await bed.open();
    client.socket.pause();

    await server.stop();

    expect(pty.isOver).toBe(true);
    client.socket.resume();
    await client.closed();
  });
});
