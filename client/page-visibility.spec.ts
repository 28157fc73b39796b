import { Terminal } from '@xterm/headless';
import { FakePage } from '../test/fakes/fake-page.js';
import { attached, connectedClient, showingClient } from '../test/support/connected-client.js';
import { isPageHidden, whenVisible } from './page-visibility.js';
import { platformTimers } from './timers.js';
import { XtermAdapter, type XtermTerminal } from './xterm-adapter.js';

type Selection = NonNullable<ReturnType<NonNullable<XtermTerminal['getSelectionPosition']>>>;

const AGAIN = { reconnect: { firstMs: 100, mostMs: 1000 } };

describe('a page that is not shown', () => {
  const page = new FakePage();
  beforeEach(() => page.enter());
  afterEach(() => {
    page.show();
    page.leave();
  });

  it('is known as such, and its timers as late', () => {
    expect([isPageHidden(), platformTimers.areLate]).toEqual([false, false]);
    page.hide();
    expect([isPageHidden(), platformTimers.areLate]).toEqual([true, true]);
  });

  it('shows output at once, and neither scrolls nor types', async () => {
    const connected = connectedClient();
    const terminal = new Terminal({ rows: 2, cols: 10, disableStdin: true, allowProposedApi: true });
    const adapter = new XtermAdapter(terminal);
    const asked = connected.client.attach('s1', adapter.handlers);
    connected.socket.answer('attach', { ...attached, inControl: true });
    adapter.connect(await asked);
    connected.socket.receiveFrame(1, 0, 'a\r\nb\r\nc\r\n');
    await new Promise<void>((resolve) => terminal.write('', resolve));
    terminal.scrollToTop();
    page.hide();
    for (const offset of [9, 10]) connected.socket.receiveFrame(1, offset, 'd');
    expect(terminal.buffer.active.getLine(3)?.translateToString(true)).toBe('dd');
    expect(terminal.buffer.active.viewportY).toBe(0);
    expect(terminal.options).toMatchObject({ scrollOnUserInput: true, disableStdin: true });
    expect(connected.socket.frames).toEqual([]);
  });

  it('shows what has come before it was hidden as soon as it can, and all else in order at once', async () => {
    const { client, socket } = connectedClient();
    const terminal = new Terminal({ allowProposedApi: true });
    const adapter = new XtermAdapter(terminal);
    const asked = client.attach('s1', adapter.handlers);
    socket.answer('attach', attached);
    await asked;
    const shown = (): string | undefined => terminal.buffer.active.getLine(0)?.translateToString(true);
    socket.receiveFrame(1, 0, 'a');
    page.hide();
    socket.receiveFrame(1, 1, 'b');
    page.show();
    socket.receiveFrame(1, 2, 'c');
    adapter.write('!');
    page.hide();
    expect(shown()).toBe('');
    await new Promise<void>((resolve) => terminal.write('', resolve));
    expect(shown()).toBe('abc!');
    socket.receiveFrame(1, 3, 'd');
    expect(shown()).toBe('abc!d');
  });

  it('shows output at once also where its user has selected something, which stays selected', async () => {
    const { client, socket } = connectedClient();
    const terminal = selecting(new Terminal({ cols: 10, allowProposedApi: true }));
    const asked = client.attach('s1', new XtermAdapter(terminal).handlers);
    socket.answer('attach', attached);
    await asked;
    await new Promise<void>((resolve) => terminal.write('', resolve));
    const selected = { start: { x: 3, y: 2 }, end: { x: 1, y: 4 } };
    terminal.selection = selected;
    page.hide();
    socket.receiveFrame(1, 0, 'x');
    expect(terminal.buffer.active.cursorX).toBe(1);
    expect(terminal.selection).toEqual(selected);
  });
});

/** With selections as a browser's has them: lost at the next key, which onData is told of. */
function selecting(
  terminal: Terminal,
): Terminal & { selection?: Selection } & Required<Pick<XtermTerminal, 'getSelectionPosition' | 'select'>> {
  const selecting = Object.assign(terminal, {
    selection: undefined as Selection | undefined,
    getSelectionPosition: () => selecting.selection,
    select: (x: number, y: number, length: number) => {
      const end = { x: (x + length) % terminal.cols, y: y + Math.floor((x + length) / terminal.cols) };
      selecting.selection = { start: { x, y }, end };
    },
  });
  terminal.onData(() => (selecting.selection = undefined));
  return selecting;
}

describe('a client that is told when its page is visible', () => {
  const page = new FakePage();
  beforeEach(() => page.enter());
  afterEach(() => page.leave());

  it('connects at once where it waits', async () => {
    const { client, socket, sockets } = await showingClient(true, AGAIN);
    const stop = whenVisible(client);
    page.hide();
    socket.drop();
    expect(sockets).toHaveLength(1);
    page.show();
    expect(sockets).toHaveLength(2);
    stop();
    client.close();
    expect(page.listening).toBe(0);
  });

  it('lets go of a connection that gives no sign of life', async () => {
    const { client, socket, clock } = await showingClient(true, AGAIN);
    const stop = whenVisible(client);
    page.goOnline();
    expect(socket.sent('list_tmux_sessions')).toHaveLength(1);
    clock.advance(4999);
    expect(client.state).toBe('open');
    clock.advance(1);
    expect([client.state, socket.closed?.code]).toEqual(['waiting', 4000]);
    stop();
    client.close();
  });

  it('keeps one that gives it, and asks again only after a silence', async () => {
    const { client, socket, clock } = await showingClient(true, AGAIN);
    const stop = whenVisible(client);
    page.hide();
    page.show();
    socket.receive({ type: 'tmux_sessions' });
    clock.advance(29_999);
    expect([client.state, socket.sent('list_tmux_sessions').length]).toEqual(['open', 1]);
    stop();
    client.close();
  });
});

it('a client outside of a page is visible', () => {
  const { client, clock } = connectedClient();
  whenVisible(client)();
  expect([isPageHidden(), platformTimers.areLate]).toEqual([false, false]);
  client.close();
  client.check();
  expect([client.state, clock.timers]).toEqual(['closed', 0]);
});
