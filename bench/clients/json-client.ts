import { type WebSocket } from 'ws';
import { type BenchClient, type BenchSession, type Consumer } from './client.js';
import { openSocket } from './open-socket.js';
import { type Message, Requests } from './requests.js';

interface Output {
  readonly type: 'output';
  readonly sessionId: string;
  readonly data: string;
  readonly offset: number;
  readonly end: number;
}

interface View {
  readonly consumer: Consumer;
  end: number;
}

/** Speaks `trex.v1` as existing clients do, which acknowledge nothing. */
export class JsonClient implements BenchClient {
  private readonly views = new Map<string, View>();
  private readonly requests: Requests;

  private constructor(private readonly socket: WebSocket) {
    this.requests = new Requests(socket);
    socket.on('message', (frame: Buffer) => {
      const message = JSON.parse(frame.toString()) as Message | Output;
      if (isOutput(message)) this.show(message);
      else this.requests.take(message);
    });
  }

  static async connect(port: number): Promise<JsonClient> {
    return new JsonClient(await openSocket(port, 'trex.v1'));
  }

  open(consumer: Consumer): Promise<BenchSession> {
    return this.requests.ask({ type: 'create', cols: 80, rows: 24 }, (created) =>
      this.view(created, 0, consumer),
    );
  }

  attach(sessionId: string, consumer: Consumer): Promise<BenchSession> {
    return this.requests.ask({ type: 'attach', sessionId }, (attached) =>
      this.view(attached, Number(attached.offset), consumer),
    );
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  private view({ sessionId }: Message, end: number, consumer: Consumer): BenchSession {
    const id = String(sessionId);
    this.views.set(id, { consumer, end });
    return {
      id,
      type: (data) => this.socket.send(JSON.stringify({ type: 'input', sessionId: id, data })),
      consumed: () => undefined,
    };
  }

  private show({ sessionId, data, offset, end }: Output): void {
    const view = this.views.get(sessionId);
    if (!view) throw new Error(`output of ${sessionId}, which nobody views`);
    if (offset !== view.end || end - offset !== Buffer.byteLength(data)) {
      throw new Error(`output ${offset}–${end} of ${Buffer.byteLength(data)} bytes came behind ${view.end}`);
    }
    view.end = end;
    view.consumer({ data, end });
  }
}

function isOutput(message: Message | Output): message is Output {
  return message.type === 'output';
}
