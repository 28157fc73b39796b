import { Terminal } from '@xterm/headless';
import { attached, connectedClient, type ConnectedClient } from '../test/support/connected-client.js';
import { type FakeWebSocket } from '../test/fakes/fake-web-socket.js';
import { XtermAdapter } from './xterm-adapter.js';

interface Showing {
  readonly connected: ConnectedClient;
  readonly terminal: Terminal;
  readonly socket: FakeWebSocket;
  readonly adapter: XtermAdapter;
  /** All that has been typed into the session. */
  readonly typed: () => string;
  /** Everything written has been shown. */
  readonly shown: () => Promise<void>;
  readonly screen: () => string;
}

/** A real emulator that shows `s1` on channel 1. */
async function showing(answer: Partial<typeof attached> = {}): Promise<Showing> {
  const terminal = new Terminal({ cols: 80, rows: 24, allowProposedApi: true });
  const connected = connectedClient();
  const adapter = new XtermAdapter(terminal);
  const asked = connected.client.attach('s1', adapter.handlers);
  connected.socket.answer('attach', { ...attached, inControl: true, ...answer });
  adapter.connect(await asked);
  return {
    connected,
    terminal,
    adapter,
    socket: connected.socket,
    typed: () => Buffer.concat(connected.socket.frames.map(({ bytes }) => bytes)).toString(),
    shown: () => new Promise((resolve) => terminal.write('', resolve)),
    screen: () => terminal.buffer.active.getLine(0)?.translateToString(true) ?? '',
  };
}

describe('a terminal of xterm.js', () => {
  it('shows output, acknowledges it when it is on the screen, and types', async () => {
    const connected = connectedClient();
    const terminal = new Terminal({ allowProposedApi: true });
    const adapter = new XtermAdapter(terminal);
    const asked = connected.client.attach('s1', adapter.handlers);
    connected.socket.answer('attach', attached);
    adapter.connect(await asked);
    connected.socket.receiveFrame(1, 0, 'h€llo');
    connected.clock.advance(5);
    expect(connected.socket.sent('acknowledge')).toEqual([]);
    await new Promise<void>((resolve) => terminal.write('', resolve));
    connected.clock.advance(5);
    expect(connected.socket.sent('acknowledge')).toMatchObject([
      { sessions: [{ sessionId: 's1', offset: 7 }] },
    ]);
    expect(terminal.buffer.active.getLine(0)?.translateToString(true)).toBe('h€llo');
    terminal.input('ls\r');
    expect(Buffer.concat(connected.socket.frames.map(({ bytes }) => bytes)).toString()).toBe('ls\r');
  });

  it('answers a query while it is in control, and does not while it is not', async () => {
    const { socket, typed, shown } = await showing();
    socket.receiveFrame(1, 0, '\x1b[c');
    await shown();
    expect(typed()).toBe('\x1b[?1;2c');
    socket.receive({ type: 'control', sessionId: 's1', inControl: false });
    for (const [n, query] of [
      '\x1b[c',
      '\x1b[>c',
      '\x1b[5n',
      '\x1b[6n',
      '\x1bP$qm\x1b\\',
      '\x1b[?1$p',
    ].entries()) {
      socket.receiveFrame(1, 3 + n * 10, query.padEnd(10, ' '));
    }
    await shown();
    expect(typed()).toBe('\x1b[?1;2c');
  });

  it('answers nothing that is old: only what is printed after it has come', async () => {
    const { socket, typed, shown, terminal } = await showing({ end: 8 });
    socket.receiveFrame(1, 0, '\x1b[c\x1b[6n ');
    await shown();
    terminal.input('\x1b[A');
    expect(typed()).toBe('\x1b[A');
    socket.receiveFrame(1, 8, '\x1b[5n');
    await shown();
    expect(typed()).toBe('\x1b[A\x1b[0n');
  });

  it('answers what is new also where it comes in one piece with what is old', async () => {
    const { socket, typed, shown } = await showing({ end: 3 });
    socket.receiveFrame(1, 0, '\x1b[c\x1b[5n');
    await shown();
    expect(typed()).toBe('\x1b[0n');
  });

  it('is reset and put into the modes in force before a replay that does not go on where it was', async () => {
    const { socket, typed, shown, screen, terminal } = await showing();
    socket.receiveFrame(1, 0, 'old\x1b[?2004h');
    await shown();
    expect(terminal.modes.bracketedPasteMode).toBe(true);
    socket.receive({
      type: 'gap',
      sessionId: 's1',
      offset: 11,
      end: 100,
      modes: '\x18\x1b[!p\x1b[?1h\x1b[?2004l',
    });
    socket.receiveFrame(1, 100, 'new');
    await shown();
    expect(screen()).toBe('new');
    expect(terminal.modes).toMatchObject({ applicationCursorKeysMode: true, bracketedPasteMode: false });
    expect(typed()).toBe('');
  });

  it('is reset before output that is shown again, though the server gives no modes', async () => {
    const { connected, adapter, socket, shown, screen, terminal } = await showing();
    socket.receiveFrame(1, 0, 'old\x1b[?2004h');
    const asked = connected.client.attach('s1', adapter.handlers, { from: 1 });
    socket.answer('attach', { ...attached, channel: 2, offset: 1, end: 11 });
    await asked;
    socket.receiveFrame(2, 1, 'ld\x1b[?2004h');
    await shown();
    expect([screen(), terminal.modes.bracketedPasteMode]).toEqual(['ld', true]);
  });

  it.each<[string, (showing: Showing) => Promise<void> | void]>([
    [
      'a gap',
      ({ socket }) => {
        socket.receive({ type: 'gap', sessionId: 's1', offset: 3, end: 10, modes: '' });
        socket.receiveFrame(1, 10, '\x1b[5n');
      },
    ],
    [
      'a place behind it',
      async ({ connected, adapter, socket }) => {
        const asked = connected.client.attach('s1', adapter.handlers, { from: 8 });
        socket.answer('attach', { ...attached, inControl: true, channel: 2, offset: 8, end: 8 });
        await asked;
        socket.receiveFrame(2, 8, '\x1b[5n');
      },
    ],
  ])('answers what is new behind a replay that is cut short by %s', async (_, cut) => {
    const scene = await showing({ end: 8 });
    scene.socket.receiveFrame(1, 0, 'old');
    await cut(scene);
    await scene.shown();
    expect(scene.typed()).toBe('\x1b[0n');
  });

  it('tells the size its user gives it, and not the one that others have given it', async () => {
    const { socket, shown, terminal } = await showing();
    terminal.resize(100, 30);
    socket.receive({ type: 'resized', sessionId: 's1', offset: 0, cols: 90, rows: 20 });
    await shown();
    expect([terminal.cols, terminal.rows]).toEqual([90, 20]);
    expect(socket.sent('resize')).toEqual([{ type: 'resize', sessionId: 's1', cols: 100, rows: 30 }]);
  });

  it('has the size its user gives it during a replay when that is over', async () => {
    const sizes = [
      { offset: 0, cols: 80, rows: 24 },
      { offset: 4, cols: 10, rows: 5 },
    ];
    const { socket, shown, terminal } = await showing({ sizes, end: 8 });
    const seen: number[] = [];
    terminal.onResize(({ cols }) => seen.push(cols));
    terminal.resize(100, 30);
    socket.receiveFrame(1, 0, 'wide');
    socket.receiveFrame(1, 4, 'slimnew');
    await shown();
    expect([seen, terminal.rows]).toEqual([[100, 80, 10, 100], 30]);
    expect(socket.sent('resize')).toMatchObject([{ cols: 100, rows: 30 }]);
  });

  it('keeps the size its user gives it before one that was told earlier has had its turn', async () => {
    const { shown, terminal } = await showing({ sizes: [{ offset: 0, cols: 70, rows: 20 }] });
    terminal.resize(100, 30);
    await shown();
    expect(terminal.cols).toBe(100);
  });

  it('has each size only when what was printed for the one before is on the screen', async () => {
    const sizes = [
      { offset: 0, cols: 80, rows: 24 },
      { offset: 4, cols: 10, rows: 5 },
    ];
    const { socket, shown, terminal } = await showing({ sizes });
    const seen: number[] = [];
    terminal.onResize(({ cols }) => seen.push(cols));
    socket.receiveFrame(1, 0, 'wideslim');
    await shown();
    expect([seen, terminal.rows]).toEqual([[10], 5]);
  });

  describe('before it is connected', () => {
    function unconnected(): Showing['connected'] & {
      terminal: Terminal;
      adapter: XtermAdapter;
      lost: number[];
    } {
      const terminal = new Terminal({ allowProposedApi: true });
      const lost: number[] = [];
      const adapter = new XtermAdapter(terminal, { inputLost: (bytes) => lost.push(bytes) });
      return { ...connectedClient(), terminal, adapter, lost };
    }
    const text = ({ socket }: { socket: FakeWebSocket }): string =>
      Buffer.concat(socket.frames.map(({ bytes }) => bytes)).toString();

    it('keeps what is typed, and types it when it is', async () => {
      const scene = unconnected();
      scene.terminal.input('first ');
      const asked = scene.client.attach('s1', scene.adapter.handlers);
      scene.socket.answer('attach', attached);
      const session = await asked;
      scene.terminal.input('second ');
      expect(text(scene)).toBe('');
      scene.adapter.connect(session);
      scene.terminal.input('third');
      scene.adapter.connect(session);
      expect([text(scene), scene.lost]).toEqual(['first second third', []]);
    });

    it('keeps up to 64 KiB, and tells of what it does not', async () => {
      const scene = unconnected();
      const much = 'x'.repeat(65_535);
      for (const typed of [much, 'yy', 'z', 'w']) scene.terminal.input(typed);
      expect(scene.lost).toEqual([2, 1]);
      const asked = scene.client.attach('s1', scene.adapter.handlers);
      scene.socket.answer('attach', attached);
      scene.adapter.connect(await asked);
      expect(text(scene)).toBe(`${much}z`);
    });

    it('forgets what was typed for a session that does not come', async () => {
      const scene = unconnected();
      scene.terminal.input('x');
      scene.adapter.forget();
      const asked = scene.client.attach('s1', scene.adapter.handlers);
      scene.socket.answer('attach', attached);
      scene.adapter.connect(await asked);
      expect([text(scene), scene.lost]).toEqual(['', []]);
    });
  });

  it('types nothing more once it is disposed of', async () => {
    const { adapter, terminal, typed } = await showing();
    adapter.dispose();
    terminal.input('x');
    expect(typed()).toBe('');
  });

  it('passes on everything besides', async () => {
    const told: string[] = [];
    const note = (what: string) => (): void => void told.push(what);
    const names = [
      'output',
      'gap',
      'restore',
      'replay',
      'resized',
      'control',
      'exit',
      'gone',
      'inputLost',
      'inputTaken',
      'error',
    ] as const;
    const adapter = new XtermAdapter(
      new Terminal({ allowProposedApi: true }),
      Object.fromEntries(names.map((name) => [name, note(name)])),
    );
    const connected = connectedClient();
    const asked = connected.client.attach('s1', adapter.handlers, { from: 0 });
    const sizes = [{ offset: 4, cols: 80, rows: 24 }];
    const answer = { offset: 4, end: 9, gap: { offset: 0, end: 4 }, modes: '', sizes };
    connected.socket.answer('attach', { ...attached, ...answer });
    await asked;
    connected.socket.receiveFrame(1, 4, 'x');
    connected.socket.receive({ type: 'error', sessionId: 's1', reason: 'INTERNAL', error: 'no' });
    connected.socket.receive({ type: 'exit', sessionId: 's1', code: 0, cause: 'ended' });
    adapter.handlers.gone?.('SESSION_NOT_FOUND');
    adapter.handlers.inputLost?.(1);
    adapter.handlers.inputTaken?.(0);
    expect(told).toEqual([
      'gap',
      'restore',
      'replay',
      'control',
      'resized',
      'output',
      'error',
      'exit',
      'gone',
      'inputLost',
      'inputTaken',
    ]);
  });
});
