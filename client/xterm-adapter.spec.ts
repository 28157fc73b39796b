import { Terminal } from '@xterm/headless';
import { attached, connectedClient } from '../test/support/connected-client.js';
import { type FakeWebSocket } from '../test/fakes/fake-web-socket.js';
import { XtermAdapter } from './xterm-adapter.js';

interface Showing {
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
    ]);
  });
});
