import { type WebSocket } from 'ws';
import { decodeFrame, encodeFrame } from '../../src/protocol/frames.js';
import { Acknowledgements } from './acknowledgements.js';
import { type BenchClient, type BenchSession, type Consumer } from './client.js';
import { openSocket } from './open-socket.js';
import { type Message, Requests } from './requests.js';

const HELLO_MS = 5000;

interface View {
  readonly consumer: Consumer;
  end: number;
}

/** Speaks `trex.v2`: everything it is sent must follow on what came before, and is acknowledged once consumed. */
export class V2Client implements BenchClient {
  private readonly views = new Map<number, View>();
  private readonly requests: Requests;
  private readonly acknowledgements: Acknowledgements;

  private constructor(private readonly socket: WebSocket) {
    this.requests = new Requests(socket);
    this.acknowledgements = new Acknowledgements((sessions) =>
      socket.send(JSON.stringify({ type: 'acknowledge', sessions })),
    );
    socket.on('message', (frame: Buffer, isBinary) => {
      if (isBinary) this.show(frame);
      else this.take(JSON.parse(frame.toString()) as Message);
    });
  }

  static async connect(port: number): Promise<V2Client> {
    const client = new V2Client(await openSocket(port, 'trex.v2'));
    const late = setTimeout(() => {
      throw new Error(`no welcome within ${HELLO_MS} ms`);
    }, HELLO_MS);
    await client.requests.ask({ type: 'hello' }, () => clearTimeout(late));
    return client;
  }

  open(consumer: Consumer): Promise<BenchSession> {
    return this.requests.ask({ type: 'create', cols: 80, rows: 24 }, (created) =>
      this.view(created, { consumer, end: 0 }, 0),
    );
  }

  attach(sessionId: string, consumer: Consumer): Promise<BenchSession> {
    return this.requests.ask({ type: 'attach', sessionId }, (attached) =>
      this.view(attached, { consumer, end: Number(attached.offset) }, Number(attached.inputOffset)),
    );
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  private view(answer: Message, view: View, inputOffset: number): BenchSession {
    const id = String(answer.sessionId);
    const channel = Number(answer.channel);
    let typed = inputOffset;
    this.views.set(channel, view);
    this.acknowledgements.begin(id, view.end);
    return {
      id,
      type: (text) => {
        const bytes = Buffer.from(text);
        this.socket.send(encodeFrame({ kind: 'input', channel, offset: typed, bytes }));
        typed += bytes.length;
      },
      consumed: (end) => this.acknowledgements.consumed(id, end),
    };
  }

  private take(message: Message): void {
    if (message.type === 'gap') throw new Error(`a gap: ${JSON.stringify(message)}`);
    this.requests.take(message);
  }

  private show(frame: Buffer): void {
    const { channel, offset, bytes } = decodeFrame(frame);
    const view = this.views.get(channel);
    if (!view) throw new Error(`output of channel ${channel}, which nobody views`);
    if (offset !== view.end) throw new Error(`output from ${offset} came behind ${view.end}`);
    view.end = offset + bytes.length;
    view.consumer({ data: bytes, end: view.end });
  }
}
