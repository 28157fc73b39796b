import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { Claims } from './claims.js';
import { type CutPoint, CuttingProxy, type Direction, type Plan } from './cutting-proxy.js';
import { expectClean, holdings, type Holdings } from './leaks.js';
import { PATIENCE_MS } from './until.js';

const KIB = 1024;
const HEAD = 'GET /ws HTTP/1.1\r\nHost: a\r\n\r\n';
const directions: Direction[] = ['toServer', 'toClient'];
/** 800 bytes, no two lines of them alike. */
const text = Array.from({ length: 100 }, (_, line) => `${String(line).padStart(7, '0')}\n`).join('');

/** One end of a real connection, and what came to it. */
class End {
  receivedBytes = 0;
  /** How the other end left, once it has. */
  left?: 'end' | 'reset';
  private readonly chunks: Buffer[] = [];
  private readonly claims = new Claims();

  constructor(readonly socket: Socket) {
    socket.on('data', (bytes) => {
      this.chunks.push(bytes);
      this.receivedBytes += bytes.length;
      this.claims.look();
    });
    socket.on('end', () => this.leave('end'));
    socket.on('error', () => this.leave('reset'));
  }

  get received(): Buffer {
    return Buffer.concat(this.chunks);
  }

  get text(): string {
    return this.received.toString('latin1');
  }

  /** How many reads it came in. */
  get reads(): number {
    return this.chunks.length;
  }

  untilBytes(count: number): Promise<void> {
    return this.until(() => this.receivedBytes >= count, `${count} bytes have come`);
  }

  async untilLeft(): Promise<'end' | 'reset'> {
    await this.until(() => this.left !== undefined, 'the other end leaves');
    return this.left!;
  }

  private until(claim: () => boolean, what: string): Promise<void> {
    return this.claims.until(claim, () => `${what}; it was ${this.receivedBytes}, ${this.left}`, PATIENCE_MS);
  }

  private leave(how: 'end' | 'reset'): void {
    this.left ??= how;
    this.claims.look();
  }
}

let baseline: Holdings;
let server: Server;
let echoes: boolean;
/** The server's ends, in the order they came. */
let served: End[];
let clients: End[];
let proxy: CuttingProxy;

beforeEach(async () => {
  baseline = holdings();
  echoes = true;
  served = [];
  clients = [];
  server = createServer({ noDelay: true }, (socket) => {
    served.push(new End(socket));
    socket.on('data', (bytes) => echoes && socket.write(bytes));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
});

afterEach(async () => {
  await proxy.close();
  for (const { socket } of [...clients, ...served]) socket.destroy();
  server.close();
  await expectClean(baseline);
});

async function start(planFor?: (number: number) => Plan): Promise<void> {
  proxy = await CuttingProxy.start((server.address() as AddressInfo).port, planFor);
}

function join(): End {
  const client = new End(connect({ port: proxy.port, host: '127.0.0.1', noDelay: true }));
  clients.push(client);
  return client;
}

/** A client whose first byte has gone to the server and back. */
async function joined(): Promise<End> {
  const client = join();
  await roundTrips(client, 1);
  return client;
}

/** With many of them, everything that could happen elsewhere had its chance to. */
async function roundTrips(client: End, count = 50): Promise<void> {
  for (let trip = 0; trip < count; trip++) {
    client.socket.write('.');
    await client.untilBytes(client.receivedBytes + 1);
  }
}

describe('a connection through the proxy', () => {
  it('passes on everything, counts it, and ends when its client does', async () => {
    await start();
    const client = join();
    client.socket.write(text);
    await client.untilBytes(800);
    expect([client.text, served[0]!.text]).toEqual([text, text]);
    const connection = await proxy.untilAccepted(1);
    expect([connection.toServer.passedBytes, connection.toClient.passedBytes]).toEqual([800, 800]);

    client.socket.end();
    expect([await client.untilLeft(), await served[0]!.untilLeft()]).toEqual(['end', 'end']);
    await proxy.until(() => connection.isClosed, 'both sides are closed');
    expect(connection.wasCut).toBeUndefined();
  });

  it('passes on a reset too', async () => {
    await start();
    (await joined()).socket.resetAndDestroy();
    expect(await served[0]!.untilLeft()).toBe('reset');
  });

  it('is reset when there is no server', async () => {
    await start();
    server.close();
    expect(await join().untilLeft()).toBe('reset');
  });

  it.each(directions)('makes a sender %s wait while nobody reads, and loses nothing', async (direction) => {
    await start();
    const client = await joined();
    echoes = false;
    const flow = proxy.newest[direction];
    const [sender, reader] = direction === 'toServer' ? [client, served[0]!] : [served[0]!, client];
    const bytes = Buffer.alloc(16 * KIB * KIB, text);
    let mostHeldBytes = 0;
    const passed = (claim: () => boolean, what: string): Promise<void> =>
      proxy.until(() => {
        mostHeldBytes = Math.max(mostHeldBytes, flow.heldBytes);
        return claim();
      }, what);

    reader.socket.pause();
    sender.socket.write(bytes);
    await passed(() => flow.heldBytes >= 256 * KIB, 'it holds what it may');
    expect(sender.socket.writableLength).toBeGreaterThan(0);
    reader.socket.resume();
    await passed(() => flow.passedBytes === 1 + bytes.length, 'all is passed on');
    await reader.untilBytes(1 + bytes.length);

    expect(reader.received.subarray(1).equals(bytes)).toBe(true);
    expect(mostHeldBytes).toBeLessThanOrEqual((256 + 64) * KIB);
  });
});

describe.each(directions)('a cut %s', (direction) => {
  const counts = [0, 1, 2, 3, 7, 8, 100, 799, 800];
  const reader = (): End => (direction === 'toServer' ? served[0]! : clients[0]!);

  /** Sends `sent` through a connection with this cut, until it is cut, and bytes through one without. */
  async function cut(point: Omit<CutPoint, 'direction'>, plan: Plan = {}, sent = text): Promise<void> {
    await start((number) => (number === 1 ? { ...plan, cut: { ...point, direction } } : {}));
    const client = join();
    await proxy.untilAccepted(1);
    client.socket.write(sent);
    await proxy.untilCut(1);
    await roundTrips(join());
    expect(proxy.connections[0]!.wasCut).toBe(point.how);
  }

  it.each(counts)('by an end: exactly %i bytes arrive, and the end on both sides', async (afterBytes) => {
    await cut({ how: 'end', afterBytes });
    expect([await clients[0]!.untilLeft(), await served[0]!.untilLeft()]).toEqual(['end', 'end']);
    expect(reader().text).toBe(text.slice(0, afterBytes));
    const [connection] = proxy.connections;
    expect(connection![direction].passedBytes).toBe(afterBytes);
    await proxy.until(() => connection!.isClosed, 'both sides are closed');
  });

  it.each(counts)('by a reset: at most %i bytes arrive, and both sides are gone', async (afterBytes) => {
    await cut({ how: 'reset', afterBytes });
    await Promise.all([clients[0]!.untilLeft(), served[0]!.untilLeft()]);
    expect(text.slice(0, afterBytes).startsWith(reader().text)).toBe(true);
    expect(proxy.connections[0]![direction].passedBytes).toBe(afterBytes);
  });

  it.each(counts)('by silence: exactly %i bytes arrive, and neither side is told', async (afterBytes) => {
    await cut({ how: 'silence', afterBytes });
    clients[0]!.socket.write('is anybody there?');
    served[0]!.socket.write('yes');
    await roundTrips(clients[1]!);
    expect(reader().text).toBe(text.slice(0, afterBytes));
    expect([clients[0]!.left, served[0]!.left]).toEqual([undefined, undefined]);
    proxy.connections[0]!.cut('end');
    expect([await clients[0]!.untilLeft(), await served[0]!.untilLeft()]).toEqual(['end', 'end']);
    expect(reader().text).toBe(text.slice(0, afterBytes));
  });

  it.each([0, 1, 5, 100])('counts %i bytes from after the HTTP head, if asked', async (afterBytes) => {
    // A head that comes in slices ends in one of them.
    await cut({ how: 'end', afterBytes, afterUpgrade: true }, { sliceSeed: 1 }, HEAD + text);
    await reader().untilLeft();
    expect(reader().text).toBe(HEAD + text.slice(0, afterBytes));
    const flow = proxy.connections[0]![direction];
    expect([flow.headBytes, flow.passedAfterUpgradeBytes]).toEqual([HEAD.length, afterBytes]);
  });

  it.each([1, 20, 333])('after %i bytes is as exact among slices', async (afterBytes) => {
    await cut({ how: 'end', afterBytes }, { sliceSeed: afterBytes });
    await reader().untilLeft();
    expect(reader().text).toBe(text.slice(0, afterBytes));
  });
});

describe('a cut', () => {
  it.each([0, 1, 2, 3, 4])('of a WebSocket %i bytes after its upgrade finds it open', async (afterBytes) => {
    const echo = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(echo, 'listening');
    // A frame of two bytes and its header of two: the fourth byte makes it whole.
    echo.on('connection', (socket) => socket.send('ab'));
    proxy = await CuttingProxy.start((echo.address() as AddressInfo).port, () => ({
      cut: { how: 'end', direction: 'toClient', afterBytes, afterUpgrade: true },
    }));
    const client = new WebSocket(`ws://127.0.0.1:${proxy.port}`);
    const happened: string[] = [];
    client.on('open', () => happened.push('open'));
    client.on('message', (data: Buffer) => happened.push(data.toString()));
    const [code] = (await once(client, 'close')) as [number];
    expect([...happened, code]).toEqual(afterBytes < 4 ? ['open', 1006] : ['open', 'ab', 1006]);
    echo.close();
  });

  it('by command takes them all, or the newest', async () => {
    await start();
    await joined();
    await joined();
    await joined();
    proxy.newest.cut('reset');
    expect([await clients[2]!.untilLeft(), await served[2]!.untilLeft()]).toEqual(['reset', 'reset']);
    await roundTrips(clients[0]!);
    proxy.cut('end');
    expect([await clients[0]!.untilLeft(), await clients[1]!.untilLeft()]).toEqual(['end', 'end']);
    expect(proxy.connections.map(({ wasCut }) => wasCut)).toEqual(['end', 'end', 'reset']);
  });

  it('comes where a later plan says, at once when that is passed', async () => {
    await start();
    const client = await joined();
    proxy.newest.follow({ cut: { how: 'end', direction: 'toServer', afterBytes: 3 } });
    await roundTrips(client, 1);
    client.socket.write('1234');
    await client.untilLeft();
    expect(served[0]!.text).toBe('..1');

    await joined();
    proxy.newest.follow({ cut: { how: 'reset', direction: 'toClient', afterBytes: 0 } });
    expect(proxy.newest.wasCut).toBe('reset');
  });

  it('spares who is there, and who comes, when it is to', async () => {
    const cut = { how: 'end', direction: 'toServer', afterBytes: 10 } as const;
    await start(() => ({ cut, mostSliceBytes: 1, sliceSeed: 1 }));
    const first = await joined();
    proxy.spare();
    const second = await joined();
    for (const client of [first, second]) client.socket.write(text);
    for (const end of served) await end.untilBytes(text.length);
    expect(proxy.connections.map(({ wasCut }) => wasCut)).toEqual([undefined, undefined]);
    expect(proxy.connections.every(({ toServer }) => toServer.writes === toServer.passedBytes)).toBe(true);
  });

  it('does not wait for a side that reads nothing', async () => {
    await start();
    const client = await joined();
    const flow = proxy.newest.toClient;
    client.socket.pause();
    served[0]!.socket.write(Buffer.alloc(16 * KIB * KIB));
    await proxy.until(() => flow.heldBytes >= 256 * KIB, 'the client is far behind');
    proxy.cut('end');
    expect(await served[0]!.untilLeft()).toBe('end');
    client.socket.resume();
    expect(await client.untilLeft()).toBe('end');
    expect(client.receivedBytes).toBe(flow.passedBytes);
  });

  it('by a reset ends also one whose end is stuck', async () => {
    await start();
    const client = await joined();
    client.socket.pause();
    served[0]!.socket.write(Buffer.alloc(16 * KIB * KIB));
    await proxy.until(() => proxy.newest.toClient.heldBytes >= 256 * KIB, 'the client is far behind');
    proxy.cut('end');
    proxy.cut('reset');
    await proxy.until(() => proxy.newest.isClosed, 'both sides are closed');
  });
});

describe('silence', () => {
  it('begins on command, hides that a side has gone, and ends with another cut', async () => {
    await start();
    const [gone, vanished, other] = [await joined(), await joined(), await joined()];
    proxy.connections[0]!.cut('silence');
    proxy.connections[1]!.cut('silence');
    gone.socket.destroy();
    vanished.socket.resetAndDestroy();
    await roundTrips(other);
    expect(served.map(({ text: came, left }) => [came.length, left])).toEqual([
      [1, undefined],
      [1, undefined],
      [51, undefined],
    ]);
    proxy.cut('reset');
    expect([await served[0]!.untilLeft(), await served[1]!.untilLeft()]).toEqual(['reset', 'reset']);
  });

  it('is nothing to a connection that is cut already', async () => {
    await start();
    await joined();
    proxy.cut('end');
    proxy.cut('silence');
    expect(await clients[0]!.untilLeft()).toBe('end');
    expect(proxy.newest.wasCut).toBe('end');
  });

  it('swallows without end', async () => {
    await start();
    const client = await joined();
    proxy.cut('silence');
    client.socket.write(Buffer.alloc(16 * KIB * KIB));
    await once(client.socket, 'drain');
    expect(served[0]!.receivedBytes).toBe(1);
  });
});

describe('an outage', () => {
  it.each(['refuse', 'reset'] as const)('by %s lasts until it is over, on the same port', async (how) => {
    await start();
    const client = await joined();
    const { port } = proxy;
    proxy.beginOutage(how);
    expect(await join().untilLeft()).toBe('reset');
    expect(await join().untilLeft()).toBe('reset');
    expect([proxy.connections.length, proxy.turnedAway]).toEqual([1, how === 'reset' ? 2 : 0]);
    await roundTrips(client);
    await proxy.endOutage();
    await joined();
    expect([proxy.connections.length, proxy.port]).toEqual([2, port]);
  });
});

describe('delay', () => {
  it('holds every chunk as long as asked, and keeps their order', async () => {
    await start(() => ({ delayMs: 20 }));
    const client = join();
    await proxy.untilAccepted(1);
    const begun = performance.now();
    let sent = '';
    for (let line = 0; line < 5; line++) {
      client.socket.write(`line ${line};`);
      sent += `line ${line};`;
      await new Promise(setImmediate);
    }
    await client.untilBytes(sent.length);
    expect(client.text).toBe(sent);
    expect(performance.now() - begun).toBeGreaterThanOrEqual(40);
  });

  it('does not hold back a cut by command; what it held is not passed on', async () => {
    await start(() => ({ delayMs: 3_600_000 }));
    const client = join();
    client.socket.write(text);
    await proxy.untilAccepted(1);
    const { toServer } = proxy.newest;
    await proxy.until(() => toServer.heldBytes === 800, 'it is held');
    proxy.cut('end');
    expect(await client.untilLeft()).toBe('end');
    expect([toServer.passedBytes, toServer.heldBytes]).toEqual([0, 0]);
  });
});

describe('slices', () => {
  it.each([0, 1, 2, 3])('of seed %i arrive whole, in writes of 1 to 7 bytes', async (sliceSeed) => {
    await start(() => ({ sliceSeed }));
    const client = join();
    client.socket.write(text);
    await client.untilBytes(800);
    expect([client.text, served[0]!.text]).toEqual([text, text]);
    for (const flow of [proxy.newest.toServer, proxy.newest.toClient]) {
      expect(flow.writes).toBeGreaterThan(800 / 7);
      expect(flow.writes).toBeLessThan(800);
    }
    // The system may join some, not all.
    expect(client.reads).toBeGreaterThan(20);
  });
});

describe('slices of a byte', () => {
  it('arrive whole, each in a write of its own', async () => {
    await start(() => ({ sliceSeed: 1, mostSliceBytes: 1 }));
    const client = join();
    client.socket.write(text);
    await client.untilBytes(800);
    expect([client.text, proxy.newest.toServer.writes]).toEqual([text, 800]);
  });
});

describe('a rate', () => {
  it('lets no more through than it allows, in small pieces', async () => {
    await start(() => ({ bytesPerSecond: 8000 }));
    const begun = performance.now();
    const client = join();
    client.socket.write(text);
    await client.untilBytes(800);
    // The first piece goes at once; those on the way back wait for none but their own.
    expect(performance.now() - begun).toBeGreaterThanOrEqual(75);
    expect([client.text, proxy.newest.toServer.writes]).toEqual([text, 5]);
  });
});

describe('jitter', () => {
  it('holds some longer than others, and keeps their order', async () => {
    await start(() => ({ delayMs: 1, jitterMs: 20 }));
    const client = await joined();
    for (let at = 0; at < text.length; at += 80) {
      client.socket.write(text.slice(at, at + 80));
      await client.untilBytes(at + 80);
    }
    await client.untilBytes(801);
    expect(client.text).toBe(`.${text}`);
  });
});

describe('closing', () => {
  it('leaves nothing, whatever state connections are in, also the second time', async () => {
    await start((number) => ({ delayMs: number === 2 ? 3_600_000 : 0, sliceSeed: number }));
    const [first, second, third] = [await joined(), join(), join()];
    await proxy.untilAccepted(3);
    for (const client of [first, second, third]) client.socket.write(text);
    await proxy.until(() => proxy.connections[1]!.toServer.heldBytes === 800, 'it is held');
    proxy.newest.cut('silence');
    await Promise.all([proxy.close(), proxy.close()]);
    await proxy.close();
    for (const client of [first, second, third]) await client.untilLeft();
    expect(await join().untilLeft()).toBe('reset');
  });

  it('during an outage is closing too', async () => {
    await start();
    await joined();
    proxy.beginOutage('refuse');
    await proxy.close();
    await clients[0]!.untilLeft();
  });
});

describe('waiting', () => {
  it('has a deadline, and tells how it stood', async () => {
    await start();
    expect(() => proxy.newest).toThrow('nobody has connected yet');
    await joined();
    await expect(proxy.untilCut(1, 1)).rejects.toThrow(
      'not within 1 ms: connection 1 is cut\n1 were let through, 0 turned away\n' +
        'connection 1: open, cut: no, 1 bytes to the server, 1 to the client',
    );
  });
});
