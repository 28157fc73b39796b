import { type WebSocket } from 'ws';

/** A JSON message of the server's. */
export type Message = Readonly<Record<string, unknown>> & { readonly type: string };

/** Control messages that are answered, over one socket. */
export class Requests {
  private readonly waiting = new Map<
    unknown,
    { done: (answer: Message) => void; fail: (error: Error) => void }
  >();
  private lastId = 0;

  constructor(private readonly socket: WebSocket) {}

  /** `take` sees the answer before anything that comes behind it. */
  ask<T>(request: Readonly<Record<string, unknown>>, take: (answer: Message) => T): Promise<T> {
    const requestId = `r${++this.lastId}`;
    return new Promise((resolve, reject) => {
      this.waiting.set(requestId, { done: (answer) => resolve(take(answer)), fail: reject });
      this.socket.send(JSON.stringify({ ...request, requestId }));
    });
  }

  /** Hands an answer to whoever waits for it. @throws for an error that nobody waits for */
  take(message: Message): void {
    const { type, requestId } = message;
    const request = this.waiting.get(requestId);
    if (type === 'error') {
      const error = new Error(`the server answers: ${JSON.stringify(message)}`);
      if (!request) throw error;
      request.fail(error);
    } else request?.done(message);
    this.waiting.delete(requestId);
  }
}
