import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type AttackName } from '../../bench/hostile/attacks.js';
import { median } from '../../bench/harness/statistics.js';
import { GARBAGE_BYTES, memoryBound } from '../../bench/memory-bound.js';
import { useAttackers } from '../support/attackers.js';
import { useProgram } from '../support/program.js';
import { useTestBed } from '../support/test-bed.js';
import { type TestClient } from '../support/test-client.js';
import { testConfig } from '../support/test-sessions.js';
import { until } from '../support/until.js';
import { watchMemory } from '../support/watch-memory.js';

const bed = useTestBed();

describe('T31, T34: a client whose frames come all at once', () => {
  it.each([
    ['keys', ({ client, sessionId }: Opened) => keysOf(client, sessionId)],
    ['acknowledgements', ({ client, sessionId }: Opened) => acknowledgementsOf(client, sessionId)],
    ['answers to pings that nobody sent', ({ client }: Opened) => pongsOf(client)],
  ])('has a turn for each, as everybody else does: %s', async (_what, send) => {
    const opened = await bed.open();
    const { server, client } = opened;
    const other = await bed.connect(server);

    send(opened);
    client.send({ type: 'list_tmux_sessions', requestId: 'last' });
    for (let n = 0; n < 5; n++) await other.sync();

    expect(client.messages.filter(({ requestId }) => requestId === 'last')).toEqual([]);
    await client.next({ requestId: 'last' });
    expect(client.messages.filter(({ type }) => type === 'error')).toEqual([]);
    expect(['', 'x'.repeat(MANY)]).toContain(opened.pty.input);
  });

  /** All in one read. */
  const MANY = 1000;

  function keysOf(client: TestClient, sessionId: string): void {
    client.sendAtOnce(...Array<object>(MANY).fill({ type: 'input', sessionId, data: 'x' }));
  }

  function acknowledgementsOf(client: TestClient, sessionId: string): void {
    client.sendAtOnce(...Array<object>(MANY).fill({ type: 'acknowledge', sessionId, offset: 0 }));
  }

  function pongsOf(client: TestClient): void {
    for (let n = 0; n < MANY; n++) client.socket.pong();
  }
});

type Opened = Awaited<ReturnType<typeof bed.open>>;

describe('T31, T34–T36, T38, T39: hostile clients, together', () => {
  const start = useProgram();
  const attackers = useAttackers();
  const ATTACK_MS = 5000;
  /** To the echo of a server that nobody attacks: far less than what somebody waits for who is not served at all. */
  const MOST_TIMES = 500;
  const KEYS = 'abcdefghijklmnopqrstuvwxyz';

  /** How connections may end, beside that they may stay. */
  const attacks: Partial<
    Record<AttackName, { readonly connections: number; readonly ends: readonly string[] }>
  > = {
    pings: { connections: 1, ends: ['cut off'] },
    pongs: { connections: 1, ends: [] },
    unread: { connections: 2, ends: [] },
    heads: { connections: 256, ends: ['408', 'cut off'] },
    messages: { connections: 1, ends: ['1008'] },
    inputs: { connections: 2, ends: [] },
    large: { connections: 1, ends: [] },
    comings: { connections: 2, ends: ['cut off', 'refused'] },
  };
  const names = Object.keys(attacks) as AttackName[];

  it('keep nobody waiting, lose nobody a byte, and are held within what is documented', async () => {
    const program = await start().listening();
    const clients = [await typist(program, 'trex.v1'), await typist(program, 'trex.v2')];
    const probe = await bareTypist(await attackers.echo());
    const memory = watchMemory(program.pid);

    const hostile = await Promise.all(
      names.map((name) => attackers.attack(name, program.port, attacks[name]!.connections)),
    );
    const over = performance.now() + ATTACK_MS;
    while (performance.now() < over) {
      for (const client of clients) await client.type();
      await probe.type();
    }
    const tallies = await Promise.all(hostile.map((attacker) => attacker.end()));

    for (const client of clients) {
      expect(client.echoed()).toBe(client.typed());
      expect(median(client.tookMs)).toBeLessThan(MOST_TIMES * median(probe.tookMs));
      expect(Math.max(...client.tookMs)).toBeLessThan(ATTACK_MS / 2);
    }
    names.forEach((name, n) => {
      const { opened, sent, ends } = tallies[n]!;
      expect({ name, opened: opened > 0, sent: sent > 0 }).toEqual({ name, opened: true, sent: true });
      expect(attacks[name]!.ends).toEqual(expect.arrayContaining(Object.keys(ends)) as unknown);
    });
    expect(memory.grownBytes()).toBeLessThan(memoryBound(testConfig(), load) + GARBAGE_BYTES);
    expect((await bed.connect(program)).closing).toBeUndefined();
  });

  const load = {
    sessions: 8,
    typedAhead: 2,
    views: 8,
    connections: 14,
    unread: 4,
    sending: 1,
    trickling: 0,
    requests: 256,
  };

  /** A client that types keys, each once the last has come back. */
  interface Typist {
    readonly tookMs: number[];
    type(): Promise<void>;
  }

  /** … into a real shell that echoes. */
  async function typist(
    program: { readonly port: number },
    protocol: 'trex.v1' | 'trex.v2',
  ): Promise<Typist & { typed(): string; echoed(): string }> {
    const isText = protocol === 'trex.v1';
    const client = await bed.connect(program, { protocols: [protocol] });
    if (!isText) client.send({ type: 'hello' });
    client.send({ type: 'create', cols: 80, rows: 24 });
    const { sessionId = '', channel = 0 } = await client.next({ type: 'session_created' });
    const shown = (): string => (isText ? client.output(sessionId) : client.bytesOn(channel).toString());
    let offset = 0;
    const send = (data: string): void => {
      if (isText) client.send({ type: 'input', sessionId, data });
      else client.type(channel, offset, data);
      offset += data.length;
    };
    send(`exec sh -c 'stty raw -echo; echo re""ady; exec cat'\r`);
    await until(() => shown().includes('ready\n'), 'the shell echoes');
    const begin = shown().length;
    let typed = '';
    const tookMs: number[] = [];
    return {
      tookMs,
      typed: () => typed,
      echoed: () => shown().slice(begin),
      async type() {
        const key = KEYS.charAt(typed.length % KEYS.length);
        typed += key;
        const end = begin + typed.length;
        const began = performance.now();
        send(key);
        if (isText) await client.next(({ type, end: to = 0 }) => type === 'output' && to >= end);
        else await client.untilBytes(channel, end);
        tookMs.push(performance.now() - began);
        if (!isText) client.send({ type: 'acknowledge', sessionId, offset: end });
      },
    };
  }

  /** … into an echo that is no shell, and that nobody attacks. */
  async function bareTypist(port: number): Promise<Typist> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    opened.push(socket);
    await once(socket, 'connect');
    const tookMs: number[] = [];
    return {
      tookMs,
      async type() {
        const began = performance.now();
        socket.write('x');
        await once(socket, 'data');
        tookMs.push(performance.now() - began);
      },
    };
  }

  const opened: Socket[] = [];
  afterEach(async () => {
    for (const socket of opened.splice(0)) {
      if (socket.closed) continue;
      socket.destroy();
      await once(socket, 'close');
    }
  });
});
