import { once } from 'node:events';
import { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { testConfig } from '../test/support/test-sessions.js';
import { until } from '../test/support/until.js';
import { type AppConfig } from './config/app-config.js';
import { HttpAdapter } from './http-adapter.js';

/** Every time that is tried here, the second until somebody looks, and a busy machine's hesitation. */
const PATIENCE_MS = 10_000;

describe('T39 · whoever is slow', () => {
  let adapter: HttpAdapter;
  afterEach(() => adapter.close());

  /** A server that waits for all of a request before it answers. */
  async function serve(config: Partial<AppConfig>): Promise<number> {
    adapter = new HttpAdapter(testConfig(config));
    adapter.initHttpServer();
    adapter.use((request: IncomingMessage, response: ServerResponse) => {
      request.resume().once('end', () => response.end());
    });
    const server = adapter.getHttpServer() as Server;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  /** What somebody gets that sends so much, and then nothing until the server hangs up. */
  async function answerTo(port: number, text: string): Promise<string> {
    const socket = connect(port, '127.0.0.1').setEncoding('latin1');
    let received = '';
    socket.on('data', (more) => (received += String(more)));
    socket.write(text);
    await until(() => socket.closed, 'the server hangs up', PATIENCE_MS).finally(() => socket.destroy());
    return received;
  }

  it.each([
    ['nothing', ''],
    ['a part of it', 'GET / HTTP/1.1\r\nHost: localhost\r\nX'],
  ])('with the head, and sends %s, does not get the time that the whole may take', async (_what, text) => {
    const port = await serve({ headersSeconds: 1, requestSeconds: 600 });
    expect(await answerTo(port, text)).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('with the whole is hung up on, too', async () => {
    const port = await serve({ headersSeconds: 1, requestSeconds: 2 });
    const head = 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n';
    expect(await answerTo(port, `${head}few`)).toMatch(/^HTTP\/1\.1 408 /);
  });
});
