import { ExpressAdapter } from '@nestjs/platform-express';
import { createServer, type ServerOptions } from 'node:http';
import { type Socket } from 'node:net';
import { type AppConfig } from './config/app-config.js';

/** How often connections are looked at that take too long. */
const CHECK_EVERY_MS = 1000;
const REQUESTS_PER_CONNECTION = 1000;

/** Express on a server that nobody can keep busy by being slow, or by coming in numbers. */
export class HttpAdapter extends ExpressAdapter {
  private readonly sockets = new Set<Socket>();

  constructor(private readonly config: AppConfig) {
    super();
  }

  override initHttpServer(): void {
    const { headersSeconds, requestSeconds, keepAliveSeconds, maxHeaderBytes, maxConnections } = this.config;
    const options: ServerOptions = {
      headersTimeout: headersSeconds * 1000,
      requestTimeout: Math.max(headersSeconds, requestSeconds) * 1000,
      keepAliveTimeout: keepAliveSeconds * 1000,
      connectionsCheckingInterval: CHECK_EVERY_MS,
      maxHeaderSize: maxHeaderBytes,
    };
    const server = createServer(options, this.getInstance());
    server.maxRequestsPerSocket = REQUESTS_PER_CONNECTION;
    // WebSockets, and as many more that ask or wait: what comes beyond is hung up on.
    server.maxConnections = 2 * maxConnections;
    server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    this.httpServer = server;
  }

  /** Whoever is connected is not waited for. */
  override close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return super.close() as Promise<void>;
  }
}
