import { ExpressAdapter } from '@nestjs/platform-express';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
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
  /** Those whose last request has not been answered yet. */
  private readonly asking = new WeakSet<Duplex>();

  constructor(private readonly config: AppConfig) {
    super();
  }

  override initHttpServer(): void {
    const { headersSeconds, requestSeconds, keepAliveSeconds, maxHeaderBytes } = this.config;
    const options: ServerOptions = {
      headersTimeout: headersSeconds * 1000,
      requestTimeout: requestSeconds * 1000,
      keepAliveTimeout: keepAliveSeconds * 1000,
      connectionsCheckingInterval: CHECK_EVERY_MS,
      maxHeaderSize: maxHeaderBytes,
      // The gate refuses it, as every other answer is given.
      requireHostHeader: false,
    };
    const express = this.getInstance<RequestListener>();
    const server = createServer(options, (request, response) => {
      if (this.asked(request, response)) express(request, response);
    });
    server.maxRequestsPerSocket = REQUESTS_PER_CONNECTION;
    server.on('connection', (socket) => this.connected(socket));
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

  /**
   * One request at a time: whoever sends the next before the last is answered, as no client of ours does, is hung up on. A
   * thousand of them fit into one read, and would all be answered before anybody else is heard.
   * @returns whether it is to be answered
   */
  private asked({ socket }: IncomingMessage, response: ServerResponse): boolean {
    if (this.asking.has(socket)) socket.destroy();
    if (socket.destroyed) return false;
    this.asking.add(socket);
    this.waiting.delete(socket);
    response.once('close', () => {
      this.asking.delete(socket);
      if (this.sockets.has(socket) && !socket.destroyed) this.waiting.add(socket);
    });
    return true;
  }
}
