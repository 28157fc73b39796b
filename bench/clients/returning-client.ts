import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { type RemoteSession } from '../../client/remote-session.js';
import { type Arrival, TerminalClient } from '../../client/terminal-client.js';
import { LineChecker } from '../programs/lines.js';

const TALKER = join(__dirname, '../programs/talker.js');
const READY = 'READY\n';

/** A client of the library whose connection can be cut, and be away for a while. */
export class ReturningClient {
  readonly arrivals: Arrival[] = [];
  private socket?: WebSocket;
  private isAway = false;
  private heard: () => void = () => undefined;
  readonly client: TerminalClient;

  constructor(public port: number) {
    this.client = new TerminalClient({
      open: () => {
        if (this.isAway) throw new Error('away');
        return (this.socket = new WebSocket(`ws://127.0.0.1:${this.port}/ws`, 'trex.v2'));
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

/** One talker in a session, checked byte by byte in both directions. */
export class Talk {
  readonly checker = new LineChecker();
  gapBytes = 0;
  gaps = 0;
  lost = 0;
  private session?: RemoteSession;
  private readonly typed = createHash('sha256');
  private typedBytes = 0;
  private lines = 0;
  private begun = '';
  private looked: () => void = () => undefined;

  /** Resolves when it talks. */
  async begin({ client }: ReturningClient, bytesPerSecond: number): Promise<void> {
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
        },
        inputLost: (bytes) => (this.lost += bytes),
        gone: () => (this.lost += 1),
      },
      { cols: 80, rows: 24 },
    );
    const ready = this.until(() => this.begun === 'begun');
    // Left as it is, a terminal adds a byte to each line, and echoes.
    this.session.write(
      ` exec /bin/sh -c 'stty raw -echo; printf "REA""DY\\n"; exec "${process.execPath}" "${TALKER}" ${bytesPerSecond}'\n`,
    );
    await ready;
  }

  /** Types a line that says which it is. */
  type(): void {
    this.send(`input ${String(this.lines++).padStart(8, '0')}\n`);
  }

  /** Ends it. @returns how many of its lines were wrong, or everything if what it was typed was not what was written. */
  async end(): Promise<{ readonly wrongLines: number; readonly wrongInput: number }> {
    this.send('\nEND\n');
    await this.until(() => this.checker.typed !== undefined || this.lost > 0);
    const expected = `TYPED ${this.typedBytes} ${this.typed.digest('hex')}`;
    return { wrongLines: this.checker.wrongLines, wrongInput: this.checker.typed === expected ? 0 : 1 };
  }

  private send(text: string): void {
    this.typed.update(text);
    this.typedBytes += text.length;
    this.session?.write(text);
  }

  private show(bytes: Uint8Array): void {
    if (this.begun === 'begun') {
      this.checker.add(bytes);
    } else {
      this.begun += Buffer.from(bytes).toString('latin1');
      const at = this.begun.indexOf(READY);
      if (at >= 0) {
        const rest = this.begun.slice(at + READY.length);
        this.begun = 'begun';
        this.checker.add(Buffer.from(rest, 'latin1'));
      }
    }
    this.looked();
  }

  private until(claim: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('a talker does not answer')), 120_000);
      this.looked = () => {
        if (!claim()) return;
        clearTimeout(late);
        resolve();
      };
    });
  }
}
