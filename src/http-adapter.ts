import { ExpressAdapter } from '@nestjs/platform-express';
import { createServer, type IncomingMessage, type ServerOptions, type ServerResponse } from 'node:http';
import { type Socket } from 'node:net';
import { type Duplex } from 'node:stream';
import { type AppConfig } from './config/app-config.js';

/** How often connections are looked at that take too long. */
const CHECK_EVERY_MS = 1000;
const REQUESTS_PER_CONNECTION = 1000;

/** Express on a server that nobody can keep busy by being slow, or by coming in numbers. */
export class HttpAdapter extends ExpressAdapter {
  private readonly sockets = new Set<Duplex>();
  /** Those of which no whole request has come since the last was answered, in the order they began to wait. */
  private readonly waiting = new Set<Duplex>();

  constructor(private readonly config: AppConfig) {
    super();
  }

  override initHttpServer(): void {
    const { headersSeconds, requestSeconds, keepAliveSeconds, maxHeaderBytes } = this.config;
    const options: ServerOptions = {
      headersTimeout: headersSeconds * 1000,
      requestTimeout: Math.max(headersSeconds, requestSeconds) * 1000,
      keepAliveTimeout: keepAliveSeconds * 1000,
      connectionsCheckingInterval: CHECK_EVERY_MS,
      maxHeaderSize: maxHeaderBytes,
    };
    const server = createServer(options, this.getInstance());
    server.maxRequestsPerSocket = REQUESTS_PER_CONNECTION;
    server.on('connection', (socket) => this.connected(socket));
    server.on('request', (request, response) => this.asked(request, response));
    server.on('upgrade', (_request, socket) => this.waiting.delete(socket));
    this.httpServer = server;
  }

  /** Whoever is connected is not waited for. */
  override close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return super.close() as Promise<void>;
  }

  /**
   * There may be as many connections as WebSockets, and as many more. Of those beyond, whoever has waited longest without
   * asking for anything is hung up on: any number of silent ones must not keep out who comes to ask.
   */
  private connected(socket: Socket): void {
    if (this.sockets.size >= 2 * this.config.maxConnections) {
      const [silent = socket] = this.waiting;
      silent.destroy();
      // At once, and not when it says that it is closed: more may come before that.
      this.sockets.delete(silent);
      this.waiting.delete(silent);
      if (silent === socket) return;
    }
    this.sockets.add(socket);
    this.waiting.add(socket);
    socket.once('close', () => {
      this.sockets.delete(socket);
      this.waiting.delete(socket);
    });
  }

  private asked({ socket }: IncomingMessage, response: ServerResponse): void {
    this.waiting.delete(socket);
    response.once('close', () => {
      if (this.sockets.has(socket) && !socket.destroyed) this.waiting.add(socket);
    });
  }
}
