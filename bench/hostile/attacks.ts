import { setTimeout as delay } from 'node:timers/promises';
import { firstInput, frame, gone, message, PING, PONG, RawSocket, tcp, TEXT, upgrade } from './wire.js';

/** What came of an attack. */
export interface Tally {
  /** Connections that were let in. */
  opened: number;
  /** What it is about: pings, messages, bytes of heads. */
  sent: number;
  /** How connections ended, by close code or HTTP status; `cut off` without one, `refused` before they were let in. */
  readonly ends: Record<string, number>;
}

/** One connection of an attack, and what is told of it. */
export interface Line {
  readonly port: number;
  /** From 0, among those of the same attack. */
  readonly number: number;
  opened(this: void): void;
  sent(this: void, count: number): void;
}

/** Resolves once the connection has ended, with how. */
export type Attack = (line: Line) => Promise<string>;

const LARGEST_MESSAGE_BYTES = 4 * 1024 * 1024;
const MOST_ACKNOWLEDGED = 1024;

const create = message({ type: 'create', cols: 80, rows: 24 });
const input = (data: string): Buffer => message({ type: 'input', data });

async function open({ port, opened }: Line, protocol?: string): Promise<RawSocket> {
  const socket = await RawSocket.open(port, protocol);
  opened();
  return socket;
}

/** So many times in one write. */
function times(count: number, ...frames: readonly Buffer[]): Buffer {
  return Buffer.concat(Array.from({ length: count }, () => frames).flat());
}

/** A session that prints more than is kept, so that whoever attaches is shown all of that. */
async function talkative(socket: RawSocket): Promise<string> {
  socket.send(create, input(' stty -echo; yes | head -c 3000000; echo "E""ND"; exec sleep 1000\n'));
  const [sessionId] = await Promise.all([socket.hears(/"sessionId":"(s\d+)"/), delay(1000)]);
  return sessionId;
}

/** Each is one connection, from its beginning to its end. */
export const attacks = {
  /** Pings, and never reads the answers. */
  async pings(line) {
    const socket = await open(line);
    socket.stopReading();
    await socket.flood(times(100, frame(PING, new Uint8Array(125))), () => line.sent(100));
    return socket.end;
  },

  /** Answers pings that nobody sent. */
  async pongs(line) {
    const socket = await open(line);
    await socket.flood(times(1000, frame(PONG, '')), () => line.sent(1000));
    return socket.end;
  },

  /** Has `yes` run, by turns in either protocol, and reads nothing; but says that it is alive. */
  async unread(line) {
    const isText = line.number % 2 === 0;
    const socket = await open(line, isText ? 'trex.v1' : 'trex.v2');
    socket.stopReading();
    const yes = ' exec yes\n';
    if (isText) socket.send(create, input(yes));
    else socket.send(message({ type: 'hello' }), create, firstInput(yes));
    line.sent(1);
    await socket.gone();
    return socket.end;
  },

  /** Sends a byte of a head a second. */
  async heads({ port, opened, sent }) {
    let end = 'refused';
    const socket = tcp(port).once('connect', () => {
      opened();
      end = 'cut off';
    });
    socket.once('data', (bytes: Buffer) => (end = bytes.toString('latin1', 9, 12)));
    socket.resume();
    const head = upgrade(port);
    let at = 0;
    const next = (): void => {
      socket.write(head.charAt(at++ % (head.length - 4)));
      sent(1);
    };
    next();
    const typing = setInterval(next, 1000);
    await gone(socket);
    clearInterval(typing);
    // Whoever is hung up on comes back a second later, as it does all else.
    await delay(1000);
    return end;
  },

  /** Sends control messages as fast as it can, of which some are a lot of work. */
  async messages(line) {
    const socket = await open(line);
    const sessionId = await talkative(socket);
    const flood = [
      message({ type: 'list_tmux_sessions', requestId: 'r'.repeat(128) }),
      message({ type: 'attach', sessionId, from: 0 }),
      message({ type: 'resize', sessionId, cols: 81, rows: 24 }),
      message({ type: 'resize', sessionId, cols: 80, rows: 24 }),
      message({ type: 'attach', sessionId: 'nobody’s' }),
      frame(TEXT, 'no JSON'),
    ];
    await socket.flood(times(50, ...flood), () => line.sent(50 * flood.length));
    return socket.end;
  },

  /** Types single keys: by turns to a program that does not read, and to one that does. */
  async inputs(line) {
    const socket = await open(line);
    const program = line.number % 2 === 0 ? 'sleep 1000' : 'cat > /dev/null';
    socket.send(create, input(` stty raw -echo; echo "E""ND"; exec ${program}\n`));
    await socket.hears(/(END)/);
    await socket.flood(times(1000, input('x')), () => line.sent(1000));
    return socket.end;
  },

  /** Acknowledges what it was never sent, as much at once as it may. */
  async acknowledgements(line) {
    const socket = await open(line);
    const sessions = Array.from({ length: MOST_ACKNOWLEDGED }, (_, n) => {
      return { sessionId: `s${n + 1_000_000}`, offset: 0 };
    });
    await socket.flood(message({ type: 'acknowledge', sessions }), () => line.sent(1));
    return socket.end;
  },

  /** Sends the largest messages there may be: of nothing but brackets, and of text for nobody. */
  async large(line) {
    const socket = await open(line);
    const half = LARGEST_MESSAGE_BYTES / 2;
    const brackets = frame(TEXT, '['.repeat(half) + ']'.repeat(half));
    const text = message({
      type: 'input',
      sessionId: 'nobody',
      data: 'x'.repeat(LARGEST_MESSAGE_BYTES - 100),
    });
    await socket.flood(Buffer.concat([brackets, text]), () => line.sent(2));
    return socket.end;
  },

  /** Comes as a new client, is welcomed, and goes without a word; by turns to where nothing is. */
  async comings(line) {
    line.sent(1);
    if (line.number % 2 === 1) {
      const socket = tcp(line.port);
      socket.write(upgrade(line.port, '/nowhere'));
      socket.resume();
      await gone(socket);
      return 'refused';
    }
    const socket = await open(line, 'trex.v2');
    socket.send(message({ type: 'hello' }));
    await socket.hears(/(welcome)/);
    socket.cut();
    await socket.gone();
    return socket.end;
  },
} satisfies Record<string, Attack>;

export type AttackName = keyof typeof attacks;
