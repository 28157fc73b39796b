import { WebSocket } from 'ws';
import { type RemoteSession, type SessionHandlers } from '../../client/remote-session.js';
import { TerminalClient } from '../../client/terminal-client.js';
import { useTestBed } from '../support/test-bed.js';
import { type TestServer } from '../support/test-server.js';
import { until } from '../support/until.js';

const bed = useTestBed();

/** A page with a terminal: it shows what comes, and answers what it is asked while it is in control. */
class Page {
  readonly client: TerminalClient;
  shown = '';
  inControl = false;
  exits = 0;
  session?: RemoteSession;

  constructor(server: TestServer) {
    const url = `ws://127.0.0.1:${server.port}/ws`;
    this.client = new TerminalClient({ open: () => new WebSocket(url, 'trex.v2') });
  }

  readonly handlers: SessionHandlers = {
    output: (bytes, _offset, consumed) => {
      const text = Buffer.from(bytes).toString('latin1');
      this.shown += text;
      if (text.includes('\x1b[c') && this.inControl) this.session?.write('\x1b[?62c');
      consumed();
    },
    control: (inControl) => (this.inControl = inControl),
    exit: () => this.exits++,
  };
}

describe('clients of the library', () => {
  const pages: Page[] = [];
  afterEach(() => {
    for (const { client } of pages.splice(0)) client.close();
  });

  async function page(server: TestServer): Promise<Page> {
    const opened = new Page(server);
    pages.push(opened);
    await opened.client.connect();
    return opened;
  }

  it('three that look at one session answer a query of its program once, whoever is in control', async () => {
    const server = await bed.serve();
    const owner = await page(server);
    owner.session = await owner.client.create(owner.handlers, { cols: 80, rows: 24 });
    await until(() => server.ptys.ptys.length > 0, 'the process runs');
    const pty = server.ptys.last;
    const others = [await page(server), await page(server)];
    for (const other of others) other.session = await other.client.attach('s1', other.handlers);

    for (const [index, inControl] of [owner, ...others].entries()) {
      if (index > 0) inControl.session!.resize({ cols: 80 + index, rows: 24 });
      await until(() => [owner, ...others].filter((one) => one.inControl).length === 1, 'one is in control');
      await until(() => inControl.inControl, 'the right one is');
      const before = pty.input.length;
      pty.print(`\x1b[c<${index}>`);
      await until(
        () => [owner, ...others].every(({ shown }) => shown.endsWith(`<${index}>`)),
        'all have seen it',
      );
      await until(() => pty.input.length > before, 'an answer came');
      // What any of them sent before these has arrived when they have.
      const sizes = pty.sizes.length;
      for (const { session } of [owner, ...others]) session!.resize({ cols: 80, rows: 25 });
      await until(() => pty.sizes.length === sizes + 3, 'what was sent before has arrived');
      expect(pty.input.slice(before)).toBe('\x1b[?62c');
    }
  });

  it('consume a flood as it comes, whole, and its exit', async () => {
    const server = await bed.serve();
    const one = await page(server);
    one.session = await one.client.create(one.handlers, { cols: 80, rows: 24 });
    await until(() => server.ptys.ptys.length > 0, 'the process runs');
    const line = '0123456789abcdef'.repeat(64);
    for (let printed = 0; printed < 4096; printed++) server.ptys.last.print(line);
    server.ptys.last.end({ code: 3 });
    await until(() => one.exits > 0, 'it has ended');
    expect(one.shown === line.repeat(4096)).toBe(true);
    expect(one.exits).toBe(1);
  });
});
