import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { until } from '../../test/support/until.js';
import { findUser, PeerUsers, type PeerUser } from './peer-user.js';

const client = { address: '127.0.0.1', port: 0xc350 };
const server = { address: '127.0.0.1', port: 0x0bb8 };

/** A row of `/proc/net/tcp`, as the kernel writes it on a machine whose bytes go the usual way. */
function row(ends: string, { state = '01', user = '1000', inode = '4711' } = {}): string {
  return `   1: ${ends} ${state} 00000000:00000000 00:00000000 00000000 ${user.padStart(5)}        0 ${inode} 1 0000000000000000 20 4 30 10 -1\n`;
}

const OURS = '0100007F:C350 0100007F:0BB8';
const LISTENING = row('0100007F:0BB8 00000000:0000', { state: '0A', user: '0' });
const SERVERS_END = row('0100007F:0BB8 0100007F:C350', { user: '0' });

describe('T08 · the owner of a connection, in the kernel’s tables', () => {
  it('is that of the client’s end', () => {
    expect(findUser(LISTENING + SERVERS_END + row(OURS), client, server)).toBe(1000);
    expect(findUser(row(OURS, { user: '0' }), client, server)).toBe(0);
    expect(findUser(row(OURS, { user: '65534' }), client, server)).toBe(65_534);
  });

  it('is nobody’s where there is no such row', () => {
    for (const table of [
      '',
      SERVERS_END,
      LISTENING + SERVERS_END,
      row('0100007F:C351 0100007F:0BB8'),
      `${OURS}`,
    ]) {
      expect(findUser(table, client, server)).toBe('unknown');
    }
  });

  it.each(['04', '05', '06', '08', '09'])('is gone when the server’s end is in state %s', (state) => {
    const told = row('0100007F:0BB8 0100007F:C350', { state, user: '0' });
    expect(findUser(LISTENING + told, client, server)).toBe('gone');
  });

  it('is gone when neither end is there, of a server that listens', () => {
    expect(findUser(LISTENING, client, server)).toBe('gone');
    const ofBoth = row(`${'0'.repeat(32)}:0BB8 ${'0'.repeat(32)}:0000`, { state: '0A', user: '0' });
    expect(findUser(ofBoth, client, server)).toBe('gone');
  });

  it.each([
    '0100007F:0BB9 00000000:0000',
    '0200007F:0BB8 00000000:0000',
    `00000000000000000000000001000000:0BB8 ${'0'.repeat(32)}:0000`,
  ])('is nobody’s where neither end is there, and somebody else listens: %s', (ends) => {
    expect(findUser(row(ends, { state: '0A', user: '0' }), client, server)).toBe('unknown');
  });

  it.each(['01', '04', '05', '06', '08', '09'])(
    'is gone when no process has the socket, in state %s: the kernel says 0 of those',
    (state) => {
      expect(findUser(row(OURS, { state, user: '0', inode: '0' }), client, server)).toBe('gone');
    },
  );

  it.each(['02', '04', '05', '08'])('is not taken from a socket in state %s', (state) => {
    expect(findUser(LISTENING + row(OURS, { state }), client, server)).toBe('unknown');
  });

  it.each([
    ['IPv4, to a server of both', '::ffff:127.0.0.1', OURS],
    [
      'IPv4 in a socket of IPv6',
      '::ffff:127.0.0.1',
      OURS.replaceAll('0100007F', '0000000000000000FFFF00000100007F'),
    ],
    ['IPv6', '::1', OURS.replaceAll('0100007F', '00000000000000000000000001000000')],
    ['IPv6, longer', '2001:db8::a1', OURS.replaceAll('0100007F', 'B80D01200000000000000000A1000000')],
  ])('is found for %s', (_what, address, ends) => {
    const table = row(ends);
    expect(findUser(table, { ...client, address }, { ...server, address })).toBe(1000);
  });
});

describe('asking for the owner', () => {
  it('reads the tables once for all who asked before, and never twice at a time', async () => {
    const readings: ((text: string) => void)[] = [];
    const users = new PeerUsers(() => new Promise((resolve) => readings.push(resolve)));
    const first = users.userOf(client, server);
    await Promise.resolve();
    // The first reading may have passed the place of these.
    const later = [users.userOf(client, server), users.userOf(client, server)];
    await new Promise(setImmediate);
    expect(readings).toHaveLength(1);
    readings[0]!('');
    expect(await first).toBe('unknown');
    await new Promise(setImmediate);
    expect(readings).toHaveLength(2);
    readings[1]!(row(OURS));
    expect(await Promise.all(later)).toEqual([1000, 1000]);
    expect(readings).toHaveLength(2);
  });

  it('T08b · keeps nobody waiting: the event loop goes on while the tables are read', async () => {
    let isOver = false;
    const asking = new PeerUsers().userOf(client, server).finally(() => (isOver = true));
    // What the event loop does itself is done before its next turn; to open, read and close a file takes it several.
    await new Promise(setImmediate);
    expect(isOver).toBe(false);
    await asking;
  });

  it('gets no answer where the tables cannot be read, and asks again the next time', async () => {
    let fails = true;
    const users = new PeerUsers(() =>
      fails ? Promise.reject(new Error('EACCES')) : Promise.resolve(row(OURS)),
    );
    expect(await users.userOf(client, server)).toBe('unknown');
    fails = false;
    expect(await users.userOf(client, server)).toBe(1000);
  });
});

describe('a real connection', () => {
  let listening: Server | undefined;
  let opened: Socket | undefined;
  let accepted: Socket | undefined;

  function close(): void {
    opened?.destroy();
    accepted?.destroy();
    listening?.close();
  }

  afterEach(close);

  /** From `from` to a server at `host`; how its user is asked for. */
  async function connection(host: string, from: string): Promise<() => Promise<PeerUser>> {
    close();
    listening = createServer({ pauseOnConnect: true }).listen(0, host);
    await once(listening, 'listening');
    const { port } = listening.address() as AddressInfo;
    opened = connect(port, from);
    [[accepted]] = (await Promise.all([once(listening, 'connection'), once(opened, 'connect')])) as [
      [Socket],
      unknown,
    ];
    const { remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 } = accepted;
    const [client, server] = [
      { address: remoteAddress, port: remotePort },
      { address: localAddress, port: localPort },
    ];
    return () => new PeerUsers().userOf(client, server);
  }

  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '::1'],
    ['::', '127.0.0.1'],
    ['::', '::1'],
  ])('to a server at %s, from %s, is our own, until it is closed or reset', async (host, from) => {
    for (const end of ['destroy', 'resetAndDestroy'] as const) {
      const user = await connection(host, from);
      expect(await user()).toBe(process.getuid?.());
      opened![end]();
      // The kernel may tell the other end a little later.
      await until(async () => (await user()) === 'gone', `gone by ${end}`);
    }
  });
});
