import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { type RemoteSession } from '../../client/remote-session.js';
import { type Arrival, TerminalClient } from '../../client/terminal-client.js';
import { LineChecker } from '../programs/lines.js';

const TALKER = join(__dirname, '../programs/talker.js');
export const READY = /READY (\d+)\n/;

/** Where a server is, and what lets a client in there. */
export interface Door {
  readonly host: string;
  readonly token?: string | undefined;
}

/** A client of the library whose connection can be cut, and be away for a while. */
export class ReturningClient {
  readonly arrivals: Arrival[] = [];
  /** How often the server has looked whether it lives. */
  pings = 0;
  private socket?: WebSocket;
  private isAway = false;
  private heard: () => void = () => undefined;
  readonly client: TerminalClient;

  constructor(
    public port: number,
    { host, token }: Door = { host: '127.0.0.1' },
    /** Told of each of its connections. */
    opened: (socket: WebSocket) => void = () => undefined,
  ) {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    this.client = new TerminalClient({
      open: () => {
        if (this.isAway) throw new Error('away');
        this.socket = new WebSocket(`ws://${host}:${this.port}/ws`, 'trex.v2', { headers });
        opened(this.socket);
        return this.socket.on('ping', () => this.pings++);
      },
      reconnect: { firstMs: 1, mostMs: 5 },
      handlers: {
        arrived: (arrival) => {
          this.arrivals.push(arrival);
          this.heard();
        },
      },
    });
  }

  /** Cuts the connection; nothing goes out until {@link comeBack}. */
  leave(): void {
    this.isAway = true;
    this.socket?.terminate();
  }

  /** Resolves when it has been welcomed again. */
  comeBack(): Promise<void> {
    this.isAway = false;
    return new Promise((resolve) => {
      this.heard = resolve;
      this.client.reconnect();
    });
  }
}

/** What a shell is typed to become a talker, which says that it is `READY`, and which process. */
export function talkerCommand(bytesPerSecond: number, mostBytes = Infinity): string {
  // Left as it is, a terminal adds a byte to each line, and echoes.
  const script = `stty raw -echo; printf "REA""DY %s\\n" $$; exec "${process.execPath}" "${TALKER}" ${bytesPerSecond} ${mostBytes}`;
  return ` exec /bin/sh -c '${script}'\n`;
}

/** How a talk went. */
export interface TalkEnd {
  readonly wrongLines: number;
  /** 1 if what it was typed was not what was written. */
  readonly wrongInput: number;
}

/** One talker in a session, checked byte by byte in both directions. */
export class Talk {
  readonly checker = new LineChecker((key) => this.hearEcho(key));
  gapBytes = 0;
  gaps = 0;
  lost = 0;
  exits = 0;
  /** The signal that ended its process, if it was one. */
  exitedBy?: string | undefined;
  /** Output that came when there should be no more. */
  bytesAfterExit = 0;
  /** Of its process, once it talks. */
  pid = NaN;
  /** Where in its session what it prints begins, once it talks. */
  beganAt = NaN;
  typedBytes = 0;
  private session?: RemoteSession;
  private readonly typed = createHash('sha256');
  private lines = 0;
  private begun = '';
  private keys = 0;
  private readonly awaited = new Map<string, (answered: boolean) => void>();
  private looked: () => void = () => undefined;

  get sessionId(): string {
    return this.session?.id ?? '';
  }

  /** Resolves when it talks; it prints `mostBytes` at most. */
  async begin({ client }: ReturningClient, bytesPerSecond: number, mostBytes = Infinity): Promise<void> {
    this.session = await client.create(
      {
        output: (bytes, _offset, consumed) => {
          this.show(bytes);
          consumed();
        },
        gap: ({ offset, end }) => {
          this.gaps += 1;
          this.gapBytes += end - offset;
          this.checker.skip(end - offset);
          // The answers may have been in there.
          for (const key of [...this.awaited.keys()]) this.hearEcho(key, false);
        },
        inputLost: (bytes) => (this.lost += bytes),
        exit: ({ signal }) => {
          this.exits += 1;
          this.exitedBy = signal;
          this.looked();
        },
        gone: () => {
          this.lost += 1;
          this.looked();
        },
      },
      { cols: 80, rows: 24 },
    );
    const ready = this.until(() => this.pid > 0);
    this.session.write(talkerCommand(bytesPerSecond, mostBytes));
    await ready;
  }

  /** Types a line that says which it is. */
  type(): void {
    this.send(`input ${String(this.lines++).padStart(8, '0')}\n`);
  }

  /** Types a line that is answered. @returns after how many milliseconds it was; `undefined` when it never will be */
  async echo(): Promise<number | undefined> {
    const key = String(this.keys++).padStart(8, '0');
    const answered = new Promise<boolean>((resolve) => this.awaited.set(key, resolve));
    const typed = performance.now();
    this.send(`?${key}\n`);
    return (await answered) ? performance.now() - typed : undefined;
  }

  /** Resolves once it has ended, with or without having been asked to. */
  async ended(): Promise<void> {
    await this.until(() => this.exits + this.lost > 0);
    for (const key of [...this.awaited.keys()]) this.hearEcho(key, false);
  }

  /** Ends it. */
  async end(): Promise<TalkEnd> {
    this.send('\nEND\n');
    await this.until(() => this.checker.typed !== undefined || this.lost > 0);
    const expected = `TYPED ${this.typedBytes} ${this.typed.digest('hex')}`;
    await this.ended();
    return { wrongLines: this.checker.wrongLines, wrongInput: this.checker.typed === expected ? 0 : 1 };
  }

  private send(text: string): void {
    this.typed.update(text);
    this.typedBytes += text.length;
    this.session?.write(text);
  }

  private hearEcho(key: string, isThere = true): void {
    this.awaited.get(key)?.(isThere);
    this.awaited.delete(key);
  }

  private show(bytes: Uint8Array): void {
    if (this.exits > 0) this.bytesAfterExit += bytes.length;
    if (this.pid > 0) this.checker.add(bytes);
    else this.lookForBeginning(bytes);
    this.looked();
  }

  private lookForBeginning(bytes: Uint8Array): void {
    this.begun += Buffer.from(bytes).toString('latin1');
    const ready = READY.exec(this.begun);
    if (!ready) return;
    this.pid = Number(ready[1]);
    this.beganAt = ready.index + ready[0].length;
    this.checker.add(Buffer.from(this.begun.slice(ready.index + ready[0].length), 'latin1'));
  }

  private until(claim: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('a talker does not answer')), 120_000);
      this.looked = () => {
        if (!claim()) return;
        clearTimeout(late);
        resolve();
      };
      this.looked();
    });
  }
}
