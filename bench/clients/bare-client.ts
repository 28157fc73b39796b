import { once } from 'node:events';
import { type WebSocket } from 'ws';
import { type BenchClient, type BenchSession, type Consumer } from './client.js';
import { socketTo } from './open-socket.js';

/** Speaks with the baseline: a connection is a session. */
export class BareClient implements BenchClient {
  private readonly socket: WebSocket;
  private end = 0;

  constructor(
    port: number,
    private readonly speaks: 'binary' | 'json',
  ) {
    this.socket = socketTo(port);
  }

  async open(consumer: Consumer): Promise<BenchSession> {
    this.socket.on('message', (frame: Buffer) => {
      const data = this.speaks === 'json' ? (JSON.parse(frame.toString()) as { data: string }).data : frame;
      this.end += Buffer.byteLength(data);
      consumer({ data, end: this.end });
    });
    await once(this.socket, 'open');
    return {
      id: '',
      type: (text) =>
        this.socket.send(
          this.speaks === 'json' ? JSON.stringify({ type: 'input', data: text }) : Buffer.from(text),
        ),
      consumed: () => undefined,
    };
  }

  attach(): Promise<BenchSession> {
    return Promise.reject(new Error('a session of the baseline has one viewer'));
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }
}
