import { WebSocket } from 'ws';
import { type SessionInfo, subprotocols, TerminalClient } from '../../client/trex-client.js';
import { type AppConfig } from '../../src/config/app-config.js';
import { useTestBed } from '../support/test-bed.js';
import { listed, type TestServer } from '../support/test-server.js';
import { until } from '../support/until.js';

const READS = 'r'.repeat(43);

/** An application that shows the list of sessions, as it makes it from what it is told. */
class Sidebar {
  readonly client: TerminalClient;
  readonly sessions = new Map<string, SessionInfo>();
  /** How often it got the whole list. */
  lists = 0;
  /** Whether a connection can be made. */
  isNetworkThere = true;

  constructor(server: TestServer, token?: string) {
    this.client = new TerminalClient({
      open: () => {
        if (!this.isNetworkThere) throw new Error('no network');
        return new WebSocket(`ws://127.0.0.1:${server.port}/ws`, subprotocols(token));
      },
      reconnect: { firstMs: 1, mostMs: 10 },
    });
    this.client.watch({
      sessions: (list) => {
        this.lists += 1;
        this.sessions.clear();
        for (const session of list) this.sessions.set(session.id, session);
      },
      changed: (_, id, session) => {
        if (session) this.sessions.set(id, session);
        else this.sessions.delete(id);
      },
    });
  }

  create(): Promise<unknown> {
    const output = (_bytes: Uint8Array, _offset: number, consumed: () => void): void => consumed();
    return this.client.create({ output }, { cols: 80, rows: 24 });
  }

  /** The connection is gone, and there is none until the network is back. */
  cut(): void {
    this.isNetworkThere = false;
    this.client.reconnect();
  }

  shows(...sessions: readonly string[]): boolean {
    const rows = [...this.sessions.values()].map(({ name, status }) => `${name} ${status}`);
    return rows.join() === sessions.join();
  }
}

const bed = useTestBed();

describe('the list of sessions, to whoever watches it', () => {
  const sidebars: Sidebar[] = [];
  afterEach(() => {
    for (const { client } of sidebars.splice(0)) client.close();
  });

  async function sidebar(server: TestServer, token?: string): Promise<Sidebar> {
    const opened = new Sidebar(server, token);
    sidebars.push(opened);
    await opened.client.connect();
    await until(() => opened.lists === 1, 'it has the list');
    return opened;
  }

  it('is what REST says, whoever changes it', async () => {
    const server = await bed.serve();
    const [one, other] = [await sidebar(server), await sidebar(server)];
    await one.create();
    await other.create();
    const both = ['bash-1 active', 'bash-2 active'];
    await until(() => one.shows(...both) && other.shows(...both), 'both show both');
    server.ptys.ptys[0]!.print('\x1b]2;make all\x07');
    await until(() => other.sessions.get('s1')?.title === 'make all', 'the title is told');
    expect([...other.sessions.values()]).toEqual(await listed(server));
    server.ptys.ptys[0]!.end({ code: 3 });
    await until(() => other.sessions.get('s1')?.exitCode === 3, 'the end is told');
    one.client.close();
    await until(() => other.shows('bash-2 active'), 'what has gone is not there');
    expect(one.lists + other.lists).toBe(2);
  });

  it('comes anew with each connection, with all that has happened meanwhile', async () => {
    const server = await bed.serve();
    const [away, busy] = [await sidebar(server), await sidebar(server)];
    await away.create();
    await busy.create();
    await until(() => away.shows('bash-1 active', 'bash-2 active'), 'it shows both');
    away.cut();
    await busy.create();
    server.ptys.ptys[1]!.end({ code: 0 });
    await until(() => busy.sessions.get('s2')?.status === 'exited', 'one has ended');
    expect(away.shows('bash-1 active', 'bash-2 active')).toBe(true);
    away.isNetworkThere = true;
    await until(() => away.lists === 2, 'it has the list again');
    expect([...away.sessions.values()]).toEqual(await listed(server));
    await busy.create();
    await until(() => away.sessions.has('s4'), 'it goes on watching');
  });

  it('is there for whoever may only read', async () => {
    const tokens: Partial<AppConfig> = { token: 't'.repeat(43), readOnlyToken: READS };
    const server = await bed.serve(tokens);
    const [owner, reader] = [await sidebar(server, tokens.token), await sidebar(server, READS)];
    await owner.create();
    await until(() => reader.shows('bash-1 active'), 'it shows what is there');
    expect([owner.client.readOnly, reader.client.readOnly]).toEqual([false, true]);
    await expect(reader.create()).rejects.toMatchObject({ reason: 'READ_ONLY' });
  });
});
